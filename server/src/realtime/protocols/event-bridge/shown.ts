/**
 * Rows as the worker SDK reads them, EB30 to EB33 of docs/protocols/event-bridge.md: snake case, moments in whole seconds
 * since 1970, attributes as JSON in a text. It refuses an object that lacks a member, so what has no value is null.
 */
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import type { ReservationRow } from '@parley/contract/taskrouter/reservation.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { WorkerRow } from '@parley/contract/taskrouter/worker.ts'
import type { WorkerChannelRow } from '@parley/contract/taskrouter/worker-channel.ts'
import { RESERVATION_TIMEOUT_SECONDS } from '@parley/contract/taskrouter/workflow.ts'

/** Events carry rows by their contract; those of ours have what the store keeps beside it. */
interface Versioned {
  readonly version?: number
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

export const showWorker = (it: WorkerRow & Versioned) => ({
  sid: it.sid,
  account_sid: it.account_sid,
  workspace_sid: it.workspace_sid,
  friendly_name: it.friendly_name,
  attributes: it.attributes,
  activity_sid: it.activity_sid,
  activity_name: it.activity_name,
  available: it.available === 1,
  date_created: seconds(it.date_created),
  date_updated: seconds(it.date_updated),
  date_status_changed: seconds(it.date_status_changed),
  version: it.version ?? 0,
})

export const showActivity = (it: ActivityRow) => ({
  sid: it.sid,
  account_sid: it.account_sid,
  workspace_sid: it.workspace_sid,
  friendly_name: it.friendly_name,
  available: it.available === 1,
  date_created: seconds(it.date_created),
  date_updated: seconds(it.date_updated),
})

/** `last_reserved_time` is in milliseconds, unlike every other moment. */
export const showWorkerChannel = (it: WorkerChannelRow & { readonly last_reserved_at?: number | null }) => ({
  sid: it.sid,
  account_sid: it.account_sid,
  workspace_sid: it.workspace_sid,
  worker_sid: it.worker_sid,
  task_channel_sid: it.task_channel_sid,
  task_channel_unique_name: it.task_channel_unique_name,
  assigned_tasks: it.assigned_tasks,
  available: it.available === 1,
  available_capacity_percentage: it.available_capacity_percentage,
  configured_capacity: it.configured_capacity,
  last_reserved_time: it.last_reserved_at ?? null,
  date_created: seconds(it.date_created),
  date_updated: seconds(it.date_updated),
})

export const showTask = (it: TaskRow & Versioned) => ({
  sid: it.sid,
  account_sid: it.account_sid,
  workspace_sid: it.workspace_sid,
  attributes: it.attributes,
  addons: it.addons,
  age: it.age,
  assignment_status: it.assignment_status,
  priority: it.priority,
  reason: it.reason,
  queue_sid: it.task_queue_sid,
  queue_name: it.task_queue_friendly_name,
  workflow_sid: it.workflow_sid,
  workflow_name: it.workflow_friendly_name,
  routing_target: it.routing_target,
  task_channel_sid: it.task_channel_sid,
  task_channel_unique_name: it.task_channel_unique_name,
  timeout: it.timeout,
  date_created: seconds(it.date_created),
  date_updated: seconds(it.date_updated),
  virtual_start_time: seconds(it.virtual_start_time),
  version: it.version ?? 0,
})

type Reservation = ReservationRow &
  Versioned & { readonly task_channel_sid?: string; readonly timeout_seconds?: number | null }

/** As it answers a POST: without the task, of which the SDK learns by the event. */
export const showReservationChanged = (it: Reservation) => ({
  sid: it.sid,
  account_sid: it.account_sid,
  workspace_sid: it.workspace_sid,
  worker_sid: it.worker_sid,
  worker_name: it.worker_name,
  task_sid: it.task_sid,
  task_channel_sid: it.task_channel_sid ?? null,
  reservation_status: it.reservation_status,
  worker_previous_activity_sid: null,
  date_created: seconds(it.date_created),
  date_updated: seconds(it.date_updated),
  version: it.version ?? 0,
})

export const showTransfer = (it: TransferRow) => ({
  sid: it.sid,
  account_sid: it.account_sid,
  workspace_sid: it.workspace_sid,
  task_sid: it.task_sid,
  initiating_reservation_sid: it.initiating_reservation_sid,
  initiating_worker_sid: it.initiating_worker_sid,
  initiating_queue_sid: it.initiating_queue_sid,
  initiating_workflow_sid: it.initiating_workflow_sid,
  transfer_mode: it.transfer_mode,
  transfer_type: it.transfer_type,
  transfer_to: it.transfer_to,
  transfer_status: it.transfer_status,
  transfer_failed_reason: it.transfer_failed_reason,
  date_created: seconds(it.date_created),
  date_updated: seconds(it.date_updated),
})

/**
 * As lists and events have it.
 * @param transfer the one that it was made for, or that began with it
 */
export const showReservation = (
  it: Reservation,
  task: TaskRow & Versioned,
  transfer: TransferRow | undefined,
) => ({
  ...showReservationChanged(it),
  reservation_timeout: it.timeout_seconds ?? RESERVATION_TIMEOUT_SECONDS,
  task: showTask(task),
  ...(transfer &&
    (transfer.initiating_reservation_sid === it.sid
      ? { active_outgoing_task_transfer: showTransfer(transfer) }
      : { task_transfer: showTransfer(transfer) })),
})

export const showTaskQueue = (it: TaskQueueRow) => ({
  sid: it.sid,
  account_sid: it.account_sid,
  workspace_sid: it.workspace_sid,
  friendly_name: it.friendly_name,
  target_workers: it.target_workers,
  max_reserved_workers: it.max_reserved_workers,
  task_order: it.task_order,
  lifo_queue: it.task_order === 'LIFO',
  reservation_activity_sid: it.reservation_activity_sid,
  reservation_activity_name: it.reservation_activity_name,
  assignment_activity_sid: it.assignment_activity_sid,
  assignment_activity_name: it.assignment_activity_name,
  date_created: seconds(it.date_created),
  date_updated: seconds(it.date_updated),
})

export type Shown = Readonly<Record<string, unknown>>

/** A list, whose last page says so with null. @param next where the next one begins, for lists with an order of theirs */
export const showList = (
  contents: readonly Shown[],
  { after, next }: { after?: string; next?: string } = {},
) => ({
  contents,
  meta: { list_key: 'contents', ...(next !== undefined && { next_token: next }) },
  after_sid: after ?? null,
  before_sid: null,
})
