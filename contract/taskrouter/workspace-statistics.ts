/** How a workspace is doing. */
import { address, sid, whole } from '../field.ts'
import { resource } from '../resource.ts'
import {
  activitiesNow,
  both,
  channelForm,
  splitForm,
  tasksCounted,
  tasksNow,
  windowForm,
} from './statistics.ts'

const WORKSPACE = '/v1/Workspaces/{WorkspaceSid}'

const whose = { account_sid: sid('AC'), workspace_sid: sid('WS'), url: address() }

export const WorkspaceStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.workspace_statistics',
  one: `${WORKSPACE}/Statistics`,
  answer: { ...whose, ...both },
  operations: { fetch: { form: { ...windowForm, ...channelForm, ...splitForm } } },
})

export const WorkspaceRealTimeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.workspace_real_time_statistics',
  one: `${WORKSPACE}/RealTimeStatistics`,
  answer: { ...whose, ...activitiesNow, ...tasksNow, total_workers: whole() },
  operations: { fetch: { form: channelForm } },
})

export const WorkspaceCumulativeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.workspace_cumulative_statistics',
  one: `${WORKSPACE}/CumulativeStatistics`,
  answer: { ...whose, ...tasksCounted, tasks_created: whole(), tasks_timed_out_in_workflow: whole() },
  operations: { fetch: { form: { ...windowForm, ...channelForm, ...splitForm } } },
})
