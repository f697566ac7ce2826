/** How workers are doing, all of them or one. */
import { address, sid, text, whole } from '../field.ts'
import { resource } from '../resource.ts'
import { activitiesNow, both, channelForm, windowForm, workersCounted } from './statistics.ts'

const WORKERS = '/v1/Workspaces/{WorkspaceSid}/Workers'

const whose = { account_sid: sid('AC'), workspace_sid: sid('WS'), url: address() }

export const WorkersStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.worker.worker_statistics',
  one: `${WORKERS}/Statistics`,
  answer: { ...whose, ...both },
  operations: {
    fetch: {
      form: {
        ...windowForm,
        TaskQueueSid: sid('WQ'),
        TaskQueueName: text(),
        FriendlyName: text(),
        ...channelForm,
      },
      about: 'TaskQueueSid, TaskQueueName: the workers whom the queue would take.',
    },
  },
})

export const WorkersRealTimeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.worker.workers_real_time_statistics',
  one: `${WORKERS}/RealTimeStatistics`,
  answer: { ...whose, ...activitiesNow, total_workers: whole() },
  operations: { fetch: { form: channelForm } },
})

export const WorkersCumulativeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.worker.workers_cumulative_statistics',
  one: `${WORKERS}/CumulativeStatistics`,
  answer: { ...whose, ...workersCounted },
  operations: { fetch: { form: { ...windowForm, ...channelForm } } },
})

export const WorkerStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.worker.worker_instance_statistics',
  one: `${WORKERS}/{WorkerSid}/Statistics`,
  answer: { ...whose, worker_sid: sid('WK'), cumulative: both.cumulative },
  operations: { fetch: { form: { ...windowForm, ...channelForm }, openTo: 'clients' } },
})
