/**
 * The tables of TaskRouter. A row is its answer, with what the router needs beside it. Names of other resources
 * (an activity's in its workers, a queue's in its tasks) are kept where they are shown and follow a renaming.
 */
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import type { KeptEvent } from '@parley/contract/taskrouter/events.ts'
import type { ReservationRow } from '@parley/contract/taskrouter/reservation.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { TaskChannelRow } from '@parley/contract/taskrouter/task-channel.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { WorkerRow } from '@parley/contract/taskrouter/worker.ts'
import type { WorkerChannelRow } from '@parley/contract/taskrouter/worker-channel.ts'
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'

export interface TaskRouterTables {
  workspaces: WorkspaceRow
  activities: ActivityRow
  task_channels: TaskChannelRow
  task_queues: TaskQueueRow
  workflows: WorkflowRow
  workers: WorkerRow & {
    /** Grows with every change that a client can see; the ETag. */
    version: number
    /** Tasks offered to them and not answered, or theirs and not done. */
    in_hand: number
    /** Since when they have been waiting for work: available, last offered a task, last done with one. */
    idle_since: number
  }
  worker_channels: Omit<WorkerChannelRow, 'available_capacity_percentage'> & {
    /** Offers not yet answered; they take capacity as assigned tasks do. */
    reserved_tasks: number
    /**
     * 1 when the worker would take one more task of this channel now. Worker, workspace and counters decide; kept
     * here, with `idle_since`, so that an index leads straight to the workers who can be given something.
     */
    open: number
    idle_since: number
    /** When they were last offered a task of it. */
    last_reserved_at: number | null
  }
  tasks: Omit<TaskRow, 'age' | 'addons'> & {
    /** The ETag. */
    version: number
    /** Where it stands in its workflow: `0.1` is the second target of the first filter, or `default`. */
    step: string | null
    /** Since when it has been there; null for what was there before this was kept. */
    target_since: number | null
    /** What its target asks of a worker, as JSON: see the router's `Target`. */
    target: string
    /**
     * Tasks of one lane can be taken by the same workers: same queue, same task channel, same target, same values of
     * the attributes that the target's expression reads. Null while the task is nowhere.
     */
    lane: string | null
    /** 1 while the router looks for a worker (or one more worker) for it. */
    waits: number
    /** The priority, negated, so that one index runs in the order of service. */
    priority_down: number
    /** Its place among tasks of equal priority, the smallest first: its start, negated where the queue is LIFO. */
    turn: number
    /** Offers that stand, and the most that may stand at once. */
    offers: number
    offers_max: number
    /** How often an offer of it was rejected or ran out, or it came back with nobody at work on it. */
    refusals: number
    /** The transfer that is under way with it. */
    transfer_sid: string | null
  }
  reservations: ReservationRow & {
    /** The ETag. */
    version: number
    task_channel_sid: string
    /** How long the offer stands; null for what was offered before this was kept. */
    timeout_seconds: number | null
    /** The transfer that it was made for. */
    transfer_sid: string | null
  }
  task_transfers: TransferRow
  /** What its data names stands beside it, to be found by. */
  taskrouter_events: KeptEvent & {
    reservation_sid: string | null
    task_queue_sid: string | null
    workflow_sid: string | null
    task_channel_sid: string | null
  }
}

type Stored = { readonly [T in keyof TaskRouterTables]: TaskRouterTables[T] }

export type StoredWorker = Stored['workers']
export type StoredWorkerChannel = Stored['worker_channels']
export type StoredTask = Stored['tasks']
export type StoredReservation = Stored['reservations']
