import type { ConnectionState } from '../line.ts'
import type { WorkerError } from './error.ts'
import type { Reservation } from './reservation.ts'
import type { Task } from './task.ts'
import type { Transfer } from './transfer.ts'
import type { Worker, WorkerChannel } from './worker.ts'

/** What a client tells; `client.on(name, listener)`. */
export interface WorkerEvents {
  /** The connection. The error is why it broke, or why it was denied. */
  stateChanged: [state: ConnectionState, error: WorkerError | undefined]
  /** Something failed that nobody waits for, such as a renewal of the token. The client goes on. */
  error: [error: WorkerError]
  activityUpdated: [worker: Worker, before: Worker]
  attributesUpdated: [worker: Worker, before: Worker]
  /** How many tasks of a channel this worker may have at once. */
  capacityUpdated: [channel: WorkerChannel, before: WorkerChannel]
  /** Whether this worker gets tasks of a channel. */
  availabilityUpdated: [channel: WorkerChannel, before: WorkerChannel]
  /** A task is offered: `reservation.accept()`, or `reject()`. Of each reservation this comes first, and once. */
  reservationCreated: [reservation: Reservation]
  /** The worker has the task. It comes before `reservationWrapUp` and `reservationCompleted`. */
  reservationAccepted: [reservation: Reservation]
  reservationWrapUp: [reservation: Reservation]
  /** One of these five is the last that is heard of a reservation. */
  reservationCompleted: [reservation: Reservation]
  reservationRejected: [reservation: Reservation]
  reservationTimedOut: [reservation: Reservation]
  reservationCanceled: [reservation: Reservation]
  /** Another worker was faster. */
  reservationRescinded: [reservation: Reservation]
  /** Its attributes, priority or queue, or its status by something else than what the reservation tells. */
  taskUpdated: [task: Task, before: Task]
  taskWrapUp: [task: Task, before: Task]
  taskCompleted: [task: Task, before: Task]
  taskCanceled: [task: Task, before: Task]
  /** This worker gives a task away. */
  transferInitiated: [transfer: Transfer]
  /** Somebody of the queue did not take it; the next is asked. */
  transferAttemptFailed: [transfer: Transfer]
  /** One of these three is the last that is heard of a transfer. */
  transferCompleted: [transfer: Transfer]
  transferFailed: [transfer: Transfer]
  transferCanceled: [transfer: Transfer]
}

/** Those that a reservation tells of itself and its task; `reservation.on(name, listener)`. */
export type ReservationEventName = Extract<
  keyof WorkerEvents,
  `reservation${string}` | `task${string}` | `transfer${string}`
>
