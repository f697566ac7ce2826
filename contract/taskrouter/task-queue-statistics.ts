/** How queues are doing: one, all of them in pages, or those that are named. */
import { address, jsonObject, many, sid, text, whole } from '../field.ts'
import { resource } from '../resource.ts'
import { PAGES } from './pages.ts'
import {
  activitiesNow,
  BULK_QUEUES_MAX,
  both,
  channelForm,
  relativeWait,
  splitForm,
  tasksCounted,
  tasksNow,
  windowForm,
  workersOfQueueNow,
} from './statistics.ts'

const QUEUES = '/v1/Workspaces/{WorkspaceSid}/TaskQueues'
const QUEUE = `${QUEUES}/{TaskQueueSid}`

const whose = { account_sid: sid('AC'), workspace_sid: sid('WS'), task_queue_sid: sid('WQ') }

export const TaskQueueStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task_queue.task_queue_statistics',
  one: `${QUEUE}/Statistics`,
  answer: { ...whose, ...both, url: address() },
  operations: { fetch: { form: { ...windowForm, ...channelForm, ...splitForm } } },
})

export const TaskQueueRealTimeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task_queue.task_queue_real_time_statistics',
  one: `${QUEUE}/RealTimeStatistics`,
  answer: {
    ...whose,
    ...activitiesNow,
    ...tasksNow,
    ...relativeWait,
    ...workersOfQueueNow,
    url: address(),
  },
  operations: { fetch: { form: channelForm } },
})

export const TaskQueueCumulativeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task_queue.task_queue_cumulative_statistics',
  one: `${QUEUE}/CumulativeStatistics`,
  answer: {
    ...whose,
    ...tasksCounted,
    wait_duration_in_queue_until_accepted: jsonObject(),
    tasks_entered: whole(),
    url: address(),
  },
  operations: { fetch: { form: { ...windowForm, ...channelForm, ...splitForm } } },
})

export const TaskQueuesStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task_queue.task_queues_statistics',
  many: `${QUEUES}/Statistics`,
  key: 'task_queues_statistics',
  pageSize: PAGES,
  pageKey: 'sid',
  answer: { ...whose, ...both },
  operations: { list: { form: { FriendlyName: text(), ...windowForm, ...channelForm, ...splitForm } } },
})

export const TaskQueueBulkRealTimeStatistics = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task_queue.task_queue_bulk_real_time_statistics',
  many: `${QUEUES}/RealTimeStatistics`,
  answer: {
    account_sid: sid('AC'),
    workspace_sid: sid('WS'),
    task_queue_data: many(jsonObject()),
    task_queue_response_count: whole(),
    url: address(),
  },
  operations: {
    create: {
      reads: 'json',
      status: 200,
      about: `TaskQueueSids: the SIDs of up to ${BULK_QUEUES_MAX} queues, in a JSON object.`,
    },
  },
})
