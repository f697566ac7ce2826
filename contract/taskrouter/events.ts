/**
 * What happens in a workspace, by the names of Twilio's TaskRouter events. Rows are as they stand after the change;
 * of what was deleted, as they stood before.
 */
import type { ActivityRow } from './activity.ts'
import type { WorkspaceEventRow } from './event.ts'
import type { ReservationRow } from './reservation.ts'
import type { TaskRow } from './task.ts'
import type { TaskChannelRow } from './task-channel.ts'
import type { TaskQueueRow } from './task-queue.ts'
import type { TransferRow } from './transfer.ts'
import type { WorkerRow } from './worker.ts'
import type { WorkerChannelRow } from './worker-channel.ts'
import type { WorkflowRow } from './workflow.ts'
import type { WorkspaceRow } from './workspace.ts'

interface Offer {
  reservation: ReservationRow
  task: TaskRow
  worker: WorkerRow
  /** The one that it was made for, or that began with it and is under way. */
  transfer: TransferRow | undefined
}

interface Transferred {
  transfer: TransferRow
  task: TaskRow
}

interface InQueue {
  taskQueue: TaskQueueRow
  task: TaskRow
}

interface InWorkflow {
  workflow: WorkflowRow
  task: TaskRow
}

/** A workspace's event as it is kept, with what its data names. */
export type KeptEvent = Omit<WorkspaceEventRow, 'actor_url' | 'resource_url'> & {
  readonly task_sid: string | null
  readonly worker_sid: string | null
}

export interface TaskRouterEvents {
  'workspace.created': { workspace: WorkspaceRow }
  'workspace.updated': { workspace: WorkspaceRow }
  'workspace.deleted': { workspace: WorkspaceRow }
  'activity.created': { activity: ActivityRow }
  'activity.updated': { activity: ActivityRow }
  'activity.deleted': { activity: ActivityRow }
  'task-channel.created': { taskChannel: TaskChannelRow }
  'task-channel.updated': { taskChannel: TaskChannelRow }
  'task-channel.deleted': { taskChannel: TaskChannelRow }
  'task-queue.created': { taskQueue: TaskQueueRow }
  'task-queue.deleted': { taskQueue: TaskQueueRow }
  'task-queue.expression.updated': { taskQueue: TaskQueueRow }
  /** A task came to wait in the queue. */
  'task-queue.entered': InQueue
  /** It waited there as long as its workflow lets it. */
  'task-queue.timeout': InQueue
  /** It left the queue for another. */
  'task-queue.moved': InQueue
  'workflow.created': { workflow: WorkflowRow }
  'workflow.updated': { workflow: WorkflowRow }
  'workflow.deleted': { workflow: WorkflowRow }
  /** A task was given to the workflow. */
  'workflow.entered': InWorkflow
  /** A filter took the task and one of its targets is where it now waits. */
  'workflow.target-matched': InWorkflow & { target: string }
  /** A target was passed over: its `skip_if` held, or the worker it names does not exist. */
  'workflow.skipped': InWorkflow & { target: string }
  /** The last target's time is up. */
  'workflow.timeout': InWorkflow
  'worker.created': { worker: WorkerRow }
  'worker.deleted': { worker: WorkerRow }
  'worker.attributes.update': { worker: WorkerRow }
  /** Their name changed, and their attributes did not. */
  'worker.renamed': { worker: WorkerRow }
  'worker.activity.update': {
    worker: WorkerRow
    previousActivity: { sid: string | null; name: string | null; milliseconds: number }
  }
  'worker.capacity.update': { worker: WorkerRow; workerChannel: WorkerChannelRow; previousCapacity: number }
  'worker.channel.availability.update': { worker: WorkerRow; workerChannel: WorkerChannelRow }
  'task.created': { task: TaskRow }
  'task.updated': { task: TaskRow }
  'task.canceled': { task: TaskRow }
  'task.wrapup': { task: TaskRow }
  'task.completed': { task: TaskRow }
  'task.deleted': { task: TaskRow }
  /** Some minutes after its end. */
  'task.system-deleted': { task: TaskRow }
  'task.transfer-initiated': Transferred
  /** A worker of the queue did not take it; others are asked. */
  'task.transfer-attempt-failed': Transferred
  'task.transfer-failed': Transferred
  'task.transfer-canceled': Transferred
  'task.transfer-completed': Transferred
  'reservation.created': Offer
  'reservation.accepted': Offer
  'reservation.rejected': Offer
  'reservation.timeout': Offer
  'reservation.canceled': Offer
  'reservation.rescinded': Offer
  'reservation.wrapup': Offer
  'reservation.completed': Offer
  /** Any of the others was written into the log of a workspace that wants to be told of it. */
  'event.kept': { workspace: WorkspaceRow; kept: KeptEvent }
}
