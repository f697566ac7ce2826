/** What a new Flex project has: a chat service, a workspace, a flow for the web, and a configuration that names them. */

import type { ServiceRow } from '@parley/contract/chat/service.ts'
import type { FlexFlowRow, TaskIntegration } from '@parley/contract/flex/flex-flow.ts'
import { provisionService } from '../chat/index.ts'
import type { Tx } from '../store/tx.ts'
import { provisionWorkspace } from '../taskrouter/index.ts'
import { createConfiguration } from './configuration.ts'
import { createFlexFlow } from './flex-flow.ts'
import { provisionRoles } from './role.ts'

const CHAT_SERVICE = 'Flex Chat Service'
const WORKSPACE = 'Flex Task Assignment'
const WEB_FLOW = 'Flex Web Channel Flow'
const OFFLINE = 'Offline'

/** The task channel of chats. */
const TASK_CHANNEL = 'chat'
const TASK_TIMEOUT_SECONDS = 86_400

export interface FlexProvisioned {
  readonly service: ServiceRow
  readonly flexFlow: FlexFlowRow
}

/** Sets Flex up for an account that has nothing yet. */
export const provisionFlex = async (
  tx: Tx,
  { accountSid }: { accountSid: string },
): Promise<FlexProvisioned> => {
  const service = await provisionService(tx, { accountSid, friendlyName: CHAT_SERVICE })
  await provisionRoles(tx, service)
  const { workspace, activities, taskQueue, workflow } = await provisionWorkspace(tx, {
    accountSid,
    friendlyName: WORKSPACE,
  })
  const integration: TaskIntegration = {
    workspace_sid: workspace.sid,
    workflow_sid: workflow.sid,
    channel: TASK_CHANNEL,
    timeout: TASK_TIMEOUT_SECONDS,
    priority: 0,
    creation_on_message: true,
  }
  const flexFlow = await createFlexFlow(tx, {
    accountSid,
    friendlyName: WEB_FLOW,
    chatServiceSid: service.sid,
    channelType: 'web',
    enabled: true,
    integrationType: 'task',
    integration: JSON.stringify(integration),
  })
  await createConfiguration(tx, accountSid, {
    attributes: {},
    status: 'ok',
    taskrouter_workspace_sid: workspace.sid,
    taskrouter_target_workflow_sid: workflow.sid,
    taskrouter_target_taskqueue_sid: taskQueue.sid,
    taskrouter_taskqueues: [{ sid: taskQueue.sid, targettable: true }],
    taskrouter_skills: [],
    taskrouter_worker_channels: {},
    taskrouter_worker_attributes: {},
    taskrouter_offline_activity_sid: activities.find((it) => it.friendly_name === OFFLINE)?.sid ?? null,
    chat_service_instance_sid: service.sid,
    flex_instance_sid: tx.newSid('GO'),
    ui_language: 'en-US',
    // Without it the published desktop says that it is not compatible.
    ui_attributes: { version_compatibility: 'yes' },
    ui_dependencies: {},
    call_recording_enabled: false,
    crm_enabled: false,
    crm_attributes: {},
    public_attributes: {},
    plugin_service_enabled: false,
    plugin_service_attributes: {},
    integrations: [],
    outbound_call_flows: {},
    serverless_service_sids: [],
    queue_stats_configuration: {},
    notifications: { enabled: false, mode: 'whenNotInFocus' },
    markdown: { enabled: false, mode: 'readOnly' },
    flex_insights_drilldown: false,
    channel_configs: [],
    debugger_integration: { enabled: false },
    flex_ui_status_report: { enabled: false },
    citrix_voice_vdi: { enabled: false },
  })
  return { service, flexFlow }
}
