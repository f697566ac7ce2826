/**
 * What statistics are counted from is written down as it happens, in the transaction of what happened: so the numbers
 * are neither lost nor counted twice, and nobody waits for anybody, since rows are only ever added.
 */
import type { EventOf } from '@parley/contract/event.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { Insertable } from 'kysely'
import { type JointReaction, jointReaction } from '../../events/react.ts'
import { insertAll } from '../../store/rows.ts'
import type { Tables } from '../../store/tables.ts'

/** What happened to a task or an offer of it, by the name of its event. */
export type Kind = (typeof TASK_KINDS | typeof QUEUE_KINDS | typeof OFFER_KINDS)[number]

const TASK_KINDS = [
  'task.created',
  'task.canceled',
  'task.completed',
  'task.deleted',
  'workflow.timeout',
] as const

const QUEUE_KINDS = ['task-queue.entered', 'task-queue.moved'] as const

const OFFER_KINDS = [
  'reservation.created',
  'reservation.accepted',
  'reservation.rejected',
  'reservation.timeout',
  'reservation.canceled',
  'reservation.rescinded',
] as const

const STAY_KINDS = ['worker.activity.update', 'worker.deleted'] as const

export const reactions: readonly JointReaction[] = [
  jointReaction({
    name: 'taskrouter: count what happens to tasks, queues and offers',
    to: [...TASK_KINDS, ...QUEUE_KINDS, ...OFFER_KINDS],
    reactToAll: async (tx, events) => {
      await insertAll(tx, 'task_happenings', events.map(happened))
    },
  }),
  jointReaction({
    name: 'taskrouter: write down how long workers were in an activity',
    to: STAY_KINDS,
    reactToAll: async (tx, events) => {
      await insertAll(tx, 'worker_stays', events.flatMap(stayed))
    },
  }),
]

type Counted = EventOf<Kind>

type Happening = Insertable<Tables['task_happenings']>
type Stay = Insertable<Tables['worker_stays']>

const happened = (event: Counted): Happening => {
  const { task, at, name: kind } = event
  const accepted = kind === 'reservation.accepted'
  return {
    workspace_sid: task.workspace_sid,
    at,
    kind,
    task_queue_sid: 'taskQueue' in event ? event.taskQueue.sid : task.task_queue_sid,
    workflow_sid: task.workflow_sid,
    worker_sid: 'reservation' in event ? event.worker.sid : null,
    task_channel_sid: task.task_channel_sid,
    waited: accepted || kind === 'task.canceled' ? since(task.date_created, at) : null,
    queued: accepted ? inQueue(task, at) : null,
  }
}

const inQueue = ({ task_queue_entered_date: entered }: TaskRow, at: number): number | null =>
  entered === null ? null : since(entered, at)

/** Two nodes whose clocks differ may end a wait before it began. */
const since = (start: number, at: number): number => Math.max(0, at - start)

/** The stay that ends with the event. One of no time is none. */
const stayed = (event: EventOf<(typeof STAY_KINDS)[number]>): Stay[] => {
  const { worker, at } = event
  const [activitySid, startedAt] =
    event.name === 'worker.deleted'
      ? [worker.activity_sid, worker.date_status_changed]
      : [event.previousActivity.sid, at - event.previousActivity.milliseconds]
  if (activitySid === null || startedAt >= at) return []
  const { workspace_sid, sid: worker_sid } = worker
  return [{ workspace_sid, worker_sid, activity_sid: activitySid, started_at: startedAt, ended_at: at }]
}
