/** How the tasks of a workflow are doing. */
import { address, sid, whole } from '../field.ts'
import { resource } from '../resource.ts'
import { both, channelForm, splitForm, tasksCounted, tasksNow, windowForm } from './statistics.ts'

const WORKFLOW = '/v1/Workspaces/{WorkspaceSid}/Workflows/{WorkflowSid}'

const whose = { account_sid: sid('AC'), workspace_sid: sid('WS'), workflow_sid: sid('WW'), url: address() }

export const WorkflowStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.workflow.workflow_statistics',
  one: `${WORKFLOW}/Statistics`,
  answer: { ...whose, ...both },
  operations: { fetch: { form: { ...windowForm, ...channelForm, ...splitForm } } },
})

export const WorkflowRealTimeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.workflow.workflow_real_time_statistics',
  one: `${WORKFLOW}/RealTimeStatistics`,
  answer: { ...whose, ...tasksNow },
  operations: { fetch: { form: channelForm } },
})

export const WorkflowCumulativeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.workflow.workflow_cumulative_statistics',
  one: `${WORKFLOW}/CumulativeStatistics`,
  answer: { ...whose, ...tasksCounted, tasks_entered: whole(), tasks_timed_out_in_workflow: whole() },
  operations: { fetch: { form: { ...windowForm, ...channelForm, ...splitForm } } },
})
