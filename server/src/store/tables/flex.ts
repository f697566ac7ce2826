/** What Flex keeps: its flows, its configuration, and each customer's conversation. */
import type { FlexFlowRow } from '@parley/contract/flex/flex-flow.ts'

export interface FlexTables {
  flex_flows: FlexFlowRow
  flex_configurations: {
    account_sid: string
    /** The members of the configuration, as JSON. */
    document: string
    date_created: number
    date_updated: number
  }
  engagements: {
    /** The chat channel's, the Flex Channel's and the Web Channel's: they are one. */
    sid: string
    account_sid: string
    kind: 'channel' | 'web'
    flex_flow_sid: string
    chat_service_sid: string
    identity: string
    /** Null only until the transaction that makes it ends. */
    user_sid: string | null
    task_sid: string | null
    /** The integration's hook on the chat channel. */
    webhook_sid: string | null
    target: string | null
    /**
     * The target under which a new conversation finds this one instead of beginning: null when it has none, and when
     * it is over and not long-lived. Unique within a flow and kind: the index is the match.
     */
    live_target: string | null
    state: 'live' | 'ended'
    long_lived: number
    janitor_enabled: number
    /** As the flow had it when the conversation began. */
    integration_type: FlexFlowRow['integration_type']
    integration: string
    /** What the task that is made for it carries, as JSON. */
    task_attributes: string
    /** 1 while the customer's next message makes the task. */
    awaits_message: number
    /** When it began, or began anew: tasks made before belong to what is over. */
    started_at: number
    date_created: number
    date_updated: number
  }
}
