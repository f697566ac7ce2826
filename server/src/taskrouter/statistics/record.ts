/**
 * What statistics are counted from is written down as it happens, in the transaction of what happened: so the numbers
 * are neither lost nor counted twice, and nobody waits for anybody, since rows are only ever added.
 */
import type { EventOf } from '@parley/contract/event.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { WorkerRow } from '@parley/contract/taskrouter/worker.ts'
import { type Reaction, reaction } from '../../events/react.ts'
import { insert } from '../../store/rows.ts'
import type { Tx } from '../../store/tx.ts'

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

export const reactions: readonly Reaction[] = [
  reaction({
    name: 'taskrouter: count what happens to tasks',
    to: TASK_KINDS,
    react: (tx, event) => happened(tx, event, {}),
  }),
  reaction({
    name: 'taskrouter: count what comes to queues and leaves them',
    to: QUEUE_KINDS,
    react: (tx, event) => happened(tx, event, { task_queue_sid: event.taskQueue.sid }),
  }),
  reaction({
    name: 'taskrouter: count what becomes of offers',
    to: OFFER_KINDS,
    react: (tx, event) => happened(tx, event, { worker_sid: event.worker.sid }),
  }),
  reaction({
    name: 'taskrouter: write down how long workers were in an activity',
    to: ['worker.activity.update'],
    react: (tx, event) =>
      stayed(tx, event, event.previousActivity.sid, event.at - event.previousActivity.milliseconds),
  }),
  reaction({
    name: 'taskrouter: write down how long a worker who leaves was in an activity',
    to: ['worker.deleted'],
    react: (tx, event) => stayed(tx, event, event.worker.activity_sid, event.worker.date_status_changed),
  }),
]

type Counted = EventOf<Kind>

const happened = async (
  tx: Tx,
  event: Counted,
  place: { task_queue_sid?: string; worker_sid?: string },
): Promise<void> => {
  const { task, at, name: kind } = event
  const accepted = kind === 'reservation.accepted'
  await insert(tx, 'task_happenings', {
    workspace_sid: task.workspace_sid,
    at,
    kind,
    task_queue_sid: place.task_queue_sid ?? task.task_queue_sid,
    workflow_sid: task.workflow_sid,
    worker_sid: place.worker_sid ?? null,
    task_channel_sid: task.task_channel_sid,
    waited: accepted || kind === 'task.canceled' ? since(task.date_created, at) : null,
    queued: accepted ? inQueue(task, at) : null,
  })
}

const inQueue = ({ task_queue_entered_date: entered }: TaskRow, at: number): number | null =>
  entered === null ? null : since(entered, at)

/** Two nodes whose clocks differ may end a wait before it began. */
const since = (start: number, at: number): number => Math.max(0, at - start)

/** A stay of no time is none. */
const stayed = async (
  tx: Tx,
  { worker, at }: { worker: WorkerRow; at: number },
  activitySid: string | null,
  startedAt: number,
): Promise<void> => {
  if (activitySid === null || startedAt >= at) return
  await insert(tx, 'worker_stays', {
    workspace_sid: worker.workspace_sid,
    worker_sid: worker.sid,
    activity_sid: activitySid,
    started_at: startedAt,
    ended_at: at,
  })
}
