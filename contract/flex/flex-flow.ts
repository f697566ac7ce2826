/**
 * A Flex Flow: how conversations of one kind begin, and what they set off. Its `integration` shows only the members
 * that its type has.
 */
import { address, choice, flag, instant, jsonObject, orNull, required, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'

export const CHANNEL_TYPES = ['web', 'sms', 'facebook', 'whatsapp', 'line', 'custom'] as const

export const INTEGRATION_TYPES = ['studio', 'external', 'task'] as const

const FRIENDLY_NAME_MAX = 256
const CONTACT_IDENTITY_MAX = 256

/** Two weeks, the longest a task may live. */
const TASK_TIMEOUT_MAX_SECONDS = 1_209_600

const RETRY_COUNT_MAX = 3

const settings = {
  ContactIdentity: text({ max: CONTACT_IDENTITY_MAX }),
  Enabled: flag(),
  IntegrationType: choice(INTEGRATION_TYPES),
  'Integration.FlowSid': sid('FW'),
  'Integration.Url': address(),
  'Integration.WorkspaceSid': sid('WS'),
  'Integration.WorkflowSid': sid('WW'),
  'Integration.Channel': text({ max: 64 }),
  'Integration.Timeout': whole({ min: 1, max: TASK_TIMEOUT_MAX_SECONDS }),
  'Integration.Priority': whole({ min: 0 }),
  'Integration.CreationOnMessage': flag(),
  'Integration.RetryCount': whole({ min: 0, max: RETRY_COUNT_MAX }),
  LongLived: flag(),
  JanitorEnabled: flag(),
}

export const FlexFlow = resource({
  product: 'flex',
  name: 'flex.v1.flex_flow',
  many: '/v1/FlexFlows',
  one: '/v1/FlexFlows/{Sid}',
  key: 'flex_flows',
  pageSize: { default: 50, max: 1000 },
  answer: {
    account_sid: sid('AC'),
    date_created: instant(),
    date_updated: instant(),
    sid: sid('FO'),
    friendly_name: text(),
    chat_service_sid: sid('IS'),
    channel_type: choice(CHANNEL_TYPES),
    contact_identity: orNull(text()),
    enabled: flag(),
    integration_type: choice(INTEGRATION_TYPES),
    integration: jsonObject(),
    long_lived: flag(),
    janitor_enabled: flag(),
    url: text(),
  },
  operations: {
    list: { form: { FriendlyName: text({ max: FRIENDLY_NAME_MAX }) } },
    fetch: {},
    create: {
      form: {
        FriendlyName: required(text({ max: FRIENDLY_NAME_MAX })),
        ChatServiceSid: required(sid('IS')),
        ChannelType: required(choice(CHANNEL_TYPES)),
        ...settings,
      },
    },
    update: {
      form: {
        FriendlyName: text({ max: FRIENDLY_NAME_MAX }),
        ChatServiceSid: sid('IS'),
        ChannelType: choice(CHANNEL_TYPES),
        ...settings,
      },
    },
    delete: {},
  },
})

export type FlexFlowRow = RowOf<typeof FlexFlow>

/** What an integration of type `studio` holds, as `integration` shows it. */
export interface StudioIntegration {
  readonly flow_sid: string
  readonly retry_count: number
}

/** What an integration of type `external` holds. */
export interface ExternalIntegration {
  readonly url: string
  readonly retry_count: number
}

/** What an integration of type `task` holds. `timeout` is in seconds. */
export interface TaskIntegration {
  readonly workspace_sid: string
  readonly workflow_sid: string
  readonly channel: string
  readonly timeout: number
  readonly priority: number
  readonly creation_on_message: boolean
}
