/** How workers are doing, now and over a window: all of them, some of them, or one. */
import { problem } from '@parley/contract/problem.ts'
import {
  WorkerStatistics,
  WorkersCumulativeStatistics,
  WorkersRealTimeStatistics,
  WorkersStatistics,
} from '@parley/contract/taskrouter/worker-statistics.ts'
import { bind } from '../../http/binding.ts'
import { find } from '../../store/rows.ts'
import type { Reader } from '../../store/tx.ts'
import { mayActFor } from '../worker-token.ts'
import { asJson, inColumns } from './answer.ts'
import { type Asked, type Of, readAsked } from './asked.ts'
import { count, countBy, reservationsCounted } from './counted.ts'
import { activityDurations } from './stays.ts'
import { readWindow } from './window.ts'
import { type Crew, listActivities, readCrew, workersNow } from './workers-now.ts'

const cumulative = async (
  reader: Reader,
  { workspace, channelSid, workerSid }: Of & { workerSid?: string | undefined },
  { input }: Asked,
) => {
  const window = readWindow(reader.now(), input)
  const whose = { workspaceSid: workspace.sid, workerSid }
  const activities = await listActivities(reader, workspace.sid)
  return {
    start_time: window.start,
    end_time: window.end,
    activity_durations: await activityDurations(reader, whose, window, { activities }),
    ...reservationsCounted(await count(reader, { ...whose, channelSid }, window)),
  }
}

/** Of these workers alone. */
const cumulativeAmong = async (
  reader: Reader,
  { workspace, channelSid }: Of,
  { input }: Asked,
  sids: ReadonlySet<string>,
) => {
  const window = readWindow(reader.now(), input)
  const whose = { workspaceSid: workspace.sid }
  const activities = await listActivities(reader, workspace.sid)
  const counted = await countBy(reader, { ...whose, channelSid }, window, { by: 'worker_sid' })
  return {
    start_time: window.start,
    end_time: window.end,
    activity_durations: await activityDurations(reader, whose, window, { activities, among: sids }),
    ...reservationsCounted(...[...sids].map(counted)),
  }
}

interface Narrowing {
  readonly taskQueueSid?: string | undefined
  readonly taskQueueName?: string | undefined
  readonly friendlyName?: string | undefined
}

/** Those whom the queue would take and who have the name; nobody, where there is no such queue. */
const among = async (
  reader: Reader,
  workspaceSid: string,
  crew: Crew,
  { taskQueueSid, taskQueueName, friendlyName }: Narrowing,
) => {
  if (taskQueueSid === undefined && taskQueueName === undefined) return crew.matching(undefined, friendlyName)
  const queue = await find(reader, 'task_queues', {
    workspace_sid: workspaceSid,
    ...(taskQueueSid !== undefined && { sid: taskQueueSid }),
    ...(taskQueueName !== undefined && { friendly_name: taskQueueName }),
  })
  return queue ? crew.matching(queue, friendlyName) : []
}

export const workerStatistics = [
  bind(WorkersStatistics, {
    fetch: async (reader, call) => {
      const { input } = call
      const of = await readAsked(reader, call)
      const { workspace, channelSid, whose } = of
      const { taskQueueSid, taskQueueName, friendlyName } = input
      if ((taskQueueSid ?? taskQueueName ?? friendlyName) === undefined)
        return {
          ...whose,
          cumulative: asJson(await cumulative(reader, of, call)),
          realtime: JSON.stringify(await workersNow(reader, workspace.sid, channelSid)),
        }
      // The task channel narrows what happened, and of the workers those who are counted now.
      const everybody = await readCrew(reader, workspace.sid, undefined)
      const chosen = await among(reader, workspace.sid, everybody, input)
      const sids = new Set(chosen.map((it) => it.sid))
      const crew = channelSid ? await readCrew(reader, workspace.sid, channelSid) : everybody
      return {
        ...whose,
        cumulative: asJson(await cumulativeAmong(reader, of, call, sids)),
        realtime: JSON.stringify(crew.all(crew.matching().filter((it) => sids.has(it.sid)))),
      }
    },
  }),
  bind(WorkersRealTimeStatistics, {
    fetch: async (reader, call) => {
      const { workspace, channelSid, whose } = await readAsked(reader, call)
      return { ...whose, ...inColumns(await workersNow(reader, workspace.sid, channelSid)) }
    },
  }),
  bind(WorkersCumulativeStatistics, {
    fetch: async (reader, call) => {
      const of = await readAsked(reader, call)
      return { ...of.whose, ...inColumns(await cumulative(reader, of, call)) }
    },
  }),
  bind(WorkerStatistics, {
    fetch: async (reader, call) => {
      const { workspaceSid, workerSid } = call.path
      const worker = await find(reader, 'workers', {
        sid: workerSid,
        workspace_sid: workspaceSid,
        account_sid: call.accountSid,
      })
      if (!worker) return undefined
      if (!mayActFor(call.token, worker))
        throw problem('access_denied', { reason: 'this token is of another worker' })
      const of = await readAsked(reader, call)
      return {
        ...of.whose,
        worker_sid: workerSid,
        cumulative: asJson(await cumulative(reader, { ...of, workerSid }, call)),
      }
    },
  }),
]
