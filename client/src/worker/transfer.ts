import type { Data } from './bridge.ts'
import { type Core, dateOf } from './core.ts'

/** Somebody is given a task by somebody else; as it was when this was made. */
export class Transfer {
  readonly sid: string
  readonly taskSid: string
  readonly status: 'initiated' | 'complete' | 'failed' | 'canceled'
  /** Warm keeps the task until another has accepted it, cold lets go at once. */
  readonly mode: 'WARM' | 'COLD'
  readonly type: 'WORKER' | 'QUEUE'
  /** The SID of a worker or a queue. */
  readonly to: string
  readonly initiatingReservationSid: string
  readonly initiatingWorkerSid: string
  readonly failedReason: string | null
  readonly dateCreated: Date
  readonly dateUpdated: Date
  readonly #core: Core

  constructor(core: Core, data: Data) {
    this.#core = core
    this.sid = data.sid
    this.taskSid = data.task_sid
    this.status = data.transfer_status
    this.mode = data.transfer_mode
    this.type = data.transfer_type
    this.to = data.transfer_to
    this.initiatingReservationSid = data.initiating_reservation_sid
    this.initiatingWorkerSid = data.initiating_worker_sid
    this.failedReason = data.transfer_failed_reason ?? null
    this.dateCreated = dateOf(data.date_created)
    this.dateUpdated = dateOf(data.date_updated)
    Object.freeze(this)
  }

  /**
   * Takes the task back that nobody has accepted; it comes as `transferCanceled`.
   * @throws WorkerError `invalid` for a transfer that has ended
   */
  async cancel(): Promise<Transfer> {
    const { desk, own } = this.#core
    const params = { TaskSid: this.taskSid, TransferStatus: 'canceled' }
    await this.#core.change(`${own}/Transfers/${this.sid}`, params, () => {
      return desk.transfer(this.sid)?.status !== 'initiated'
    })
    return desk.transfer(this.sid) ?? this
  }
}
