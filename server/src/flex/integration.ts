/** What a Flex Flow sets off: read from a request, checked against what exists, kept as JSON. */
import type {
  ExternalIntegration,
  FlexFlowRow,
  StudioIntegration,
  TaskIntegration,
} from '@parley/contract/flex/flex-flow.ts'
import { problem } from '@parley/contract/problem.ts'
import type { Reader } from '../store/tx.ts'
import { findTaskChannel, findWorkflow, findWorkspace } from '../taskrouter/index.ts'

export type IntegrationType = FlexFlowRow['integration_type']

/** The members of `Integration.…` that a request gave. */
export interface IntegrationAsked {
  readonly integrationFlowSid?: string | undefined
  readonly integrationUrl?: string | undefined
  readonly integrationWorkspaceSid?: string | undefined
  readonly integrationWorkflowSid?: string | undefined
  readonly integrationChannel?: string | undefined
  readonly integrationTimeout?: number | undefined
  readonly integrationPriority?: number | undefined
  readonly integrationCreationOnMessage?: boolean | undefined
  readonly integrationRetryCount?: number | undefined
}

export const DEFAULT_INTEGRATION_TYPE: IntegrationType = 'studio'

const RETRY_COUNT = 3
const TASK_TIMEOUT_SECONDS = 86_400
const TASK_CHANNEL = 'default'

/** Why a flow of type `studio` sets nothing off. */
export const NO_STUDIO = 'Studio flows are not run here: use IntegrationType task or external'

/** A member that its type cannot be without. */
const needed = (value: string | undefined, parameter: string, type: IntegrationType): string => {
  if (!value)
    throw problem('flex_invalid', { reason: `${parameter} is required when IntegrationType is ${type}` })
  return value
}

/**
 * The integration as JSON: what was asked over what was kept. Members of other types are passed over.
 * @param kept the integration of the same type so far
 * @throws 45004 where a member is missing or names what does not exist
 */
export const readIntegration = async (
  reader: Reader,
  accountSid: string,
  type: IntegrationType,
  asked: IntegrationAsked,
  kept = '{}',
): Promise<string> => {
  if (type === 'studio') {
    const was: Partial<StudioIntegration> = JSON.parse(kept)
    const it: StudioIntegration = {
      flow_sid: needed(asked.integrationFlowSid ?? was.flow_sid, 'Integration.FlowSid', type),
      retry_count: asked.integrationRetryCount ?? was.retry_count ?? RETRY_COUNT,
    }
    return JSON.stringify(it)
  }
  if (type === 'external') {
    const was: Partial<ExternalIntegration> = JSON.parse(kept)
    const it: ExternalIntegration = {
      url: needed(asked.integrationUrl ?? was.url, 'Integration.Url', type),
      retry_count: asked.integrationRetryCount ?? was.retry_count ?? RETRY_COUNT,
    }
    return JSON.stringify(it)
  }
  const was: Partial<TaskIntegration> = JSON.parse(kept)
  const it: TaskIntegration = {
    workspace_sid: needed(
      asked.integrationWorkspaceSid ?? was.workspace_sid,
      'Integration.WorkspaceSid',
      type,
    ),
    workflow_sid: needed(asked.integrationWorkflowSid ?? was.workflow_sid, 'Integration.WorkflowSid', type),
    channel: asked.integrationChannel || was.channel || TASK_CHANNEL,
    timeout: asked.integrationTimeout ?? was.timeout ?? TASK_TIMEOUT_SECONDS,
    priority: asked.integrationPriority ?? was.priority ?? 0,
    creation_on_message: asked.integrationCreationOnMessage ?? was.creation_on_message ?? false,
  }
  await requireRouting(reader, accountSid, it)
  return JSON.stringify(it)
}

const requireRouting = async (reader: Reader, accountSid: string, it: TaskIntegration): Promise<void> => {
  if (!(await findWorkspace(reader, accountSid, it.workspace_sid)))
    throw problem('flex_invalid', { reason: `Integration.WorkspaceSid: ${it.workspace_sid} was not found` })
  const workflow = await findWorkflow(reader, accountSid, it.workflow_sid)
  if (workflow?.workspace_sid !== it.workspace_sid)
    throw problem('flex_invalid', {
      reason: `Integration.WorkflowSid: ${it.workflow_sid} was not found in workspace ${it.workspace_sid}`,
    })
  if (!(await findTaskChannel(reader, it.workspace_sid, it.channel)))
    throw problem('flex_invalid', {
      reason: `Integration.Channel: ${it.channel} was not found in workspace ${it.workspace_sid}`,
    })
}
