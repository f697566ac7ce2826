import type { Data } from './bridge.ts'
import { type Core, dateOf } from './core.ts'
import type { ReservationEventName, WorkerEvents } from './events.ts'
import type { Task } from './task.ts'
import { Transfer } from './transfer.ts'

export type ReservationStatus =
  | 'pending'
  | 'accepted'
  | 'wrapping'
  | 'completed'
  | 'rejected'
  | 'timeout'
  | 'canceled'
  | 'rescinded'

export interface TransferOptions {
  /** Warm, unless said, keeps the task until another has accepted it; cold lets go at once. */
  readonly mode?: 'WARM' | 'COLD'
  readonly priority?: number
  /** The task's, set anew. */
  readonly attributes?: object
}

/**
 * A task offered to this worker, as it was when this was made; what changes comes as a new one. What can be asked of it
 * is asked of the reservation as it is now.
 */
export class Reservation {
  readonly sid: string
  readonly status: ReservationStatus
  readonly task: Task
  /** How long it is offered, in seconds. */
  readonly timeout: number
  /** The transfer that it was made for. */
  readonly incomingTransfer: Transfer | null
  readonly dateCreated: Date
  readonly dateUpdated: Date
  readonly version: number
  readonly #core: Core
  readonly #data: Data

  constructor(core: Core, data: Data, task: Task) {
    this.#core = core
    this.#data = data
    this.sid = data.sid
    this.status = data.reservation_status
    this.task = task
    this.timeout = data.reservation_timeout
    this.incomingTransfer = data.task_transfer ? new Transfer(core, data.task_transfer) : null
    this.dateCreated = dateOf(data.date_created)
    this.dateUpdated = dateOf(data.date_updated)
    this.version = data.version
    Object.freeze(this)
  }

  /** The transfer under way that this worker started, as of now. */
  get outgoingTransfer(): Transfer | null {
    return this.#core.desk.transferFrom(this.sid) ?? null
  }

  /** The same with what has changed. */
  with(task: Task, changes: Data = {}): Reservation {
    return new Reservation(this.#core, { ...this.#data, ...changes }, task)
  }

  /** Listens to what happens to this reservation, its task and its transfers. @returns what ends the listening */
  on<Name extends ReservationEventName>(
    name: Name,
    listener: (...args: WorkerEvents[Name]) => void,
  ): () => void {
    return this.#core.events.on(name, (...args) => {
      const [about] = args as readonly [Reservation | Task | Transfer]
      const sid = about instanceof Transfer ? about.initiatingReservationSid : about.sid
      if (sid === this.sid || sid === this.task.sid) listener(...args)
    })
  }

  /**
   * Takes the task.
   * @throws WorkerError `invalid` where the offer has ended
   */
  accept(): Promise<Reservation> {
    return this.#change({ ReservationStatus: 'accepted' })
  }

  /**
   * Turns the task down: it is offered to somebody else.
   * @param options what the worker does from then on: the SID of an activity
   */
  reject(options: { readonly activitySid?: string } = {}): Promise<Reservation> {
    const { activitySid } = options
    return this.#change({
      ReservationStatus: 'rejected',
      ...(activitySid !== undefined && { WorkerActivitySid: activitySid }),
    })
  }

  /** The work is done, the notes are not. */
  wrapUp(): Promise<Reservation> {
    return this.#change({ ReservationStatus: 'wrapping' })
  }

  /** All of it is done; the task is completed, where nobody else works on it. */
  complete(): Promise<Reservation> {
    return this.#change({ ReservationStatus: 'completed' })
  }

  /**
   * Gives the task to another worker, or to a queue; it comes as `transferInitiated`.
   * @param to the SID of a worker or of a queue
   * @throws WorkerError `invalid` where nobody there can take it
   */
  async transfer(to: string, { mode, priority, attributes }: TransferOptions = {}): Promise<Transfer> {
    const { desk, own } = this.#core
    const answer = await this.#core.change(
      `${own}/Transfers`,
      {
        ReservationSid: this.sid,
        TaskSid: this.task.sid,
        To: to,
        ...(mode && { Mode: mode }),
        ...(priority !== undefined && { Priority: priority }),
        ...(attributes && { Attributes: JSON.stringify(attributes) }),
      },
      ({ sid }) => desk.transfer(sid) !== undefined,
    )
    return desk.transfer(answer.sid) ?? new Transfer(this.#core, answer)
  }

  async #change(params: object): Promise<Reservation> {
    const { desk, own } = this.#core
    await this.#core.change(`${own}/Reservations/${this.sid}`, params, (answer) =>
      desk.knowsReservation(answer),
    )
    return desk.reservation(this.sid) ?? this
  }
}

export const hasEnded = ({ status }: Reservation): boolean =>
  status !== 'pending' && status !== 'accepted' && status !== 'wrapping'
