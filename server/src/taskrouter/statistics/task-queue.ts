/** How queues are doing, now and over a window: one, a page of them, or those that are named. */
import { setImmediate } from 'node:timers/promises'
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import { BULK_QUEUES_MAX } from '@parley/contract/taskrouter/statistics.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import {
  TaskQueueBulkRealTimeStatistics,
  TaskQueueCumulativeStatistics,
  TaskQueueRealTimeStatistics,
  TaskQueueStatistics,
  TaskQueuesStatistics,
} from '@parley/contract/taskrouter/task-queue-statistics.ts'
import { bind } from '../../http/binding.ts'
import { listing } from '../../store/listing.ts'
import { reading } from '../../store/query.ts'
import { find } from '../../store/rows.ts'
import type { Reader } from '../../store/tx.ts'
import { isRecord } from '../is-record.ts'
import { requireWorkspace } from '../parents.ts'
import { asJson, inColumns } from './answer.ts'
import { type Asked, type Of, readAsked } from './asked.ts'
import { type Counted, countBy, tasksCounted } from './counted.ts'
import { inSeconds } from './durations.ts'
import { tasksInQueueNow } from './tasks-now.ts'
import { readSplits, readWindow, type Window } from './window.ts'
import { type Crew, readCrew } from './workers-now.ts'

interface AskedOfOne extends Asked {
  readonly path: { readonly workspaceSid: string; readonly taskQueueSid: string }
}

/** @throws 404 for a queue the workspace does not have */
const read = async (reader: Reader, call: AskedOfOne) => {
  const of = await readAsked(reader, call)
  const { workspaceSid, taskQueueSid } = call.path
  const queue = await find(reader, 'task_queues', { sid: taskQueueSid, workspace_sid: workspaceSid })
  if (!queue) throw problem('not_found', { path: `/Workspaces/${workspaceSid}/TaskQueues/${taskQueueSid}` })
  return { ...of, queue, whose: { ...of.whose, task_queue_sid: taskQueueSid } }
}

type OfQueue = Of & { readonly queue: TaskQueueRow }

const realtime = async (
  reader: Reader,
  { queue, channelSid }: Pick<OfQueue, 'queue' | 'channelSid'>,
  crew: Crew,
) => ({
  ...(await tasksInQueueNow(reader, queue.sid, channelSid)),
  ...crew.ofQueue(queue),
})

const crewOf = (reader: Reader, { workspace, channelSid }: Of): Promise<Crew> =>
  readCrew(reader, workspace.sid, channelSid)

const shown = (counted: Counted, window: Window) => ({
  ...tasksCounted(counted, window),
  tasks_entered: counted.of('task-queue.entered').count,
  wait_duration_in_queue_until_accepted: inSeconds(counted.of('reservation.accepted').queued),
})

const cumulative = async (reader: Reader, { workspace, queue, channelSid }: OfQueue, { input }: Asked) => {
  const window = readWindow(reader.now(), input)
  const splits = readSplits(input.splitByWaitTime)
  const scope = { workspaceSid: workspace.sid, taskQueueSid: queue.sid, channelSid }
  return shown((await countBy(reader, scope, window, { splits }))(''), window)
}

const list = listing(
  'task_queues',
  'sid',
  (query, at: { workspaceSid: string; friendlyName?: string | undefined }, given) => {
    const own = query.where('workspace_sid', '=', at.workspaceSid)
    return given('friendlyName') ? own.where('friendly_name', '=', at.friendlyName as string) : own
  },
)

const queuesBySid = reading((db, at: { workspaceSid: string; sids: string }, dialect) =>
  db
    .selectFrom('task_queues')
    .selectAll()
    .where('workspace_sid', '=', at.workspaceSid)
    .where((it) => dialect.isOneOf(it.ref('sid'), at.sids))
    .orderBy('sid'),
)

/** The same key, however the language of who asks spells it. */
const QUEUE_SIDS = /^(task)?_?queue_?sids$/i

/**
 * Reads the SIDs of a request about several queues: `{ "TaskQueueSids": ["WQ…"] }`.
 * @throws 400
 */
const readQueueSids = (json: unknown): string[] => {
  const parameter = 'TaskQueueSids'
  const sids = isRecord(json) ? Object.entries(json).find(([key]) => QUEUE_SIDS.test(key))?.[1] : json
  if (sids === undefined || sids === null) throw problem('missing_parameter', { parameter })
  const isList = Array.isArray(sids) && sids.every((it) => typeof it === 'string' && isSid('WQ', it))
  if (!isList || sids.length === 0 || sids.length > BULK_QUEUES_MAX)
    throw problem('invalid_parameter', {
      parameter,
      reason: `expected a list of 1 to ${BULK_QUEUES_MAX} SIDs of task queues`,
    })
  return sids as string[]
}

export const taskQueueStatistics = [
  bind(TaskQueueStatistics, {
    fetch: async (reader, call) => {
      const it = await read(reader, call)
      return {
        ...it.whose,
        cumulative: asJson(await cumulative(reader, it, call)),
        realtime: JSON.stringify(await realtime(reader, it, await crewOf(reader, it))),
      }
    },
  }),
  bind(TaskQueueRealTimeStatistics, {
    fetch: async (reader, call) => {
      const it = await read(reader, call)
      return { ...it.whose, ...inColumns(await realtime(reader, it, await crewOf(reader, it))) }
    },
  }),
  bind(TaskQueueCumulativeStatistics, {
    fetch: async (reader, call) => {
      const it = await read(reader, call)
      return { ...it.whose, ...inColumns(await cumulative(reader, it, call)) }
    },
  }),
  bind(TaskQueuesStatistics, {
    list: {
      key: (row) => row.task_queue_sid,
      rows: async (reader, call) => {
        const { input } = call
        const of = await readAsked(reader, call)
        const { workspace, channelSid } = of
        const window = readWindow(reader.now(), input)
        const splits = readSplits(input.splitByWaitTime)
        const { friendlyName } = input
        const queues = await list(reader, { workspaceSid: workspace.sid, friendlyName }, call.page)
        const crew = await crewOf(reader, of)
        const scope = { workspaceSid: workspace.sid, channelSid }
        const counted = await countBy(reader, scope, window, { by: 'task_queue_sid', splits })
        const rows = []
        for (const queue of queues) {
          // A page may be long: between two queues everybody else has their turn.
          await setImmediate()
          rows.push({
            ...of.whose,
            task_queue_sid: queue.sid,
            cumulative: asJson(shown(counted(queue.sid), window)),
            realtime: JSON.stringify(await realtime(reader, { queue, channelSid }, crew)),
          })
        }
        return rows
      },
    },
  }),
  bind(TaskQueueBulkRealTimeStatistics, {
    create: async (tx, call) => {
      const workspace = await requireWorkspace(tx, call)
      const sids = JSON.stringify(readQueueSids(call.json))
      const queues = await queuesBySid.all(tx, { workspaceSid: workspace.sid, sids })
      const crew = await readCrew(tx, workspace.sid, undefined)
      const data = []
      for (const queue of queues)
        data.push({
          task_queue_sid: queue.sid,
          ...(await realtime(tx, { queue, channelSid: undefined }, crew)),
        })
      return {
        account_sid: workspace.account_sid,
        workspace_sid: workspace.sid,
        task_queue_data: JSON.stringify(data),
        task_queue_response_count: data.length,
      }
    },
  }),
]
