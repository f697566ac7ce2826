/**
 * What is on a worker's desk: who they are, and the reservations that have not ended, each with its task. Whatever comes,
 * by an event or by reading everything anew, is compared with what is known, and the difference told. So nothing is told
 * twice, and what happened while nobody listened is told when it is read.
 */
import type { Data } from './bridge.ts'
import type { Core } from './core.ts'
import { hasEnded, Reservation, type ReservationStatus } from './reservation.ts'
import { isOtherwiseChanged, Task } from './task.ts'
import { Transfer } from './transfer.ts'
import { type Activity, readActivity, readChannel, Worker, type WorkerChannel } from './worker.ts'

/** How many reservations and transfers that have ended are remembered, of each: a late word of them is no news. */
const ENDED_KEPT = 100

/** All that a worker reads of themselves. */
export interface Reading {
  readonly worker: Data
  readonly activities: readonly Data[]
  readonly channels: readonly Data[]
  /** Those that have not ended. */
  readonly reservations: readonly Data[]
  /** Those that were known and are not among them. */
  readonly ended: readonly Data[]
  /** Those of which nothing is known any more. */
  readonly gone: readonly string[]
  /** The transfers that were under way, and are not among those of the reservations. */
  readonly transfers: readonly Data[]
}

export class Desk {
  worker: Worker | undefined
  activities: readonly Activity[] = []
  readonly channels = new Map<string, WorkerChannel>()
  readonly reservations = new Map<string, Reservation>()
  readonly #tasks = new Map<string, Task>()
  readonly #transfers = new Map<string, Transfer>()
  readonly #ended = new Map<string, Reservation>()
  readonly #core: Core
  /** What is read at first was there. */
  #isQuiet = true

  constructor(core: Core) {
    this.#core = core
  }

  reservation(sid: string): Reservation | undefined {
    return this.reservations.get(sid) ?? this.#ended.get(sid)
  }

  task(sid: string): Task | undefined {
    return this.#tasks.get(sid)
  }

  transfer(sid: string): Transfer | undefined {
    return this.#transfers.get(sid)
  }

  /** The one under way. */
  transferFrom(reservationSid: string): Transfer | undefined {
    return this.underWay.find((it) => it.initiatingReservationSid === reservationSid)
  }

  get underWay(): readonly Transfer[] {
    return [...this.#transfers.values()].filter((it) => it.status === 'initiated')
  }

  /** Nothing that was answered is still to be heard. An answer that changed nothing has no event. */
  knowsWorker(answer: Data): boolean {
    const known = this.worker
    if (!known || known.version >= answer.version) return true
    const same = new Worker(this.#core, answer)
    return known.activity.sid === same.activity.sid && isSame(known.attributes, same.attributes)
  }

  /** As `knowsWorker`. */
  knowsReservation(answer: Data): boolean {
    const known = this.reservation(answer.sid)
    return !known || known.version >= answer.version || known.status === answer.reservation_status
  }

  /** As `knowsWorker`. */
  knowsTask(answer: Data): boolean {
    const known = this.#tasks.get(answer.sid)
    if (!known || known.version >= answer.version) return true
    const same = new Task(this.#core, answer)
    return known.status === same.status && !isOtherwiseChanged(known, same)
  }

  /** A reservation of the task is accepted, and not wrapped up. */
  isWorkedOn(taskSid: string): boolean {
    return [...this.reservations.values()].some((it) => it.task.sid === taskSid && it.status === 'accepted')
  }

  /** Everything was read anew. */
  read(reading: Reading): void {
    this.activities = Object.freeze(reading.activities.map(readActivity))
    this.#worker(reading.worker)
    const channels = new Set(reading.channels.map((it) => it.sid))
    for (const sid of this.channels.keys()) if (!channels.has(sid)) this.channels.delete(sid)
    for (const it of reading.channels) this.#channel(it)
    for (const it of reading.transfers) this.#transfer(it)
    for (const it of reading.ended) this.#reservation(it)
    for (const sid of reading.gone) this.#forget(sid)
    for (const it of reading.reservations) this.#reservation(it)
    this.#isQuiet = false
  }

  /** @param type of an event, as the bridge names it */
  hear(type: string, data: Data): void {
    if (type.startsWith('reservation.')) this.#reservation(data)
    else if (type.startsWith('task.transfer-')) this.#transfer(data, type === 'task.transfer-attempt-failed')
    else if (type.startsWith('task.')) this.#task(data)
    else if (type === 'worker.activity.update' || type === 'worker.attributes.update') this.#worker(data)
    else if (type.startsWith('worker.')) this.#channel(data)
  }

  readonly #tell: Core['events']['emit'] = (name, ...args) => {
    if (!this.#isQuiet) this.#core.events.emit(name, ...args)
  }

  #worker(data: Data): void {
    const before = this.worker
    if (before && data.version <= before.version) return
    const now = new Worker(this.#core, data)
    this.worker = now
    if (!before) return
    const { activity } = now
    if (!this.activities.some((it) => isSame(it, activity)))
      this.activities = Object.freeze([...this.activities.filter((it) => it.sid !== activity.sid), activity])
    if (before.activity.sid !== activity.sid) this.#tell('activityUpdated', now, before)
    if (!isSame(before.attributes, now.attributes)) this.#tell('attributesUpdated', now, before)
  }

  #channel(data: Data): void {
    const now = readChannel(data)
    const before = this.channels.get(now.sid)
    this.channels.set(now.sid, now)
    if (!before) return
    if (before.capacity !== now.capacity) this.#tell('capacityUpdated', now, before)
    if (before.available !== now.available) this.#tell('availabilityUpdated', now, before)
  }

  #reservation(data: Data): void {
    const before = this.reservation(data.sid)
    if (before && hasEnded(before)) return
    const taskBefore = this.#tasks.get(data.task.sid)
    const isTaskNews = !taskBefore || data.task.version > taskBefore.version
    const task = isTaskNews ? new Task(this.#core, data.task) : taskBefore
    const isNews = !before || data.version > before.version
    const now = isNews ? new Reservation(this.#core, data, task) : before.with(task)
    // Of an offer that came and went nobody has heard.
    if (!before && hasEnded(now)) return
    this.#keep(now)
    if (isTaskNews) this.#keepTask(task)
    if (hasEnded(now)) this.#end(now)
    const steps = stepsBetween(before?.status ?? 'pending', now.status)
    const last = steps.at(-1)
    if (!before) this.#tell('reservationCreated', now)
    if (steps[0] === 'accepted') this.#tell('reservationAccepted', now)
    if (taskBefore) this.#tellTask(task, taskBefore, steps.length > 0)
    if (last && last !== 'accepted') this.#tell(TOLD_AS[last], now)
    if (data.active_outgoing_task_transfer) this.#transfer(data.active_outgoing_task_transfer)
  }

  #task(data: Data): void {
    const before = this.#tasks.get(data.sid)
    if (!before || data.version <= before.version) return
    const now = new Task(this.#core, data)
    this.#keepTask(now)
    this.#tellTask(now, before, false)
  }

  /** @param byReservation it tells of a status that is no end and no wrapping up */
  #tellTask(now: Task, before: Task, byReservation: boolean): void {
    const isMoved = now.status !== before.status
    const ends = isMoved ? TASK_TOLD_AS[now.status] : undefined
    if (isOtherwiseChanged(now, before) || (isMoved && !ends && !byReservation))
      this.#tell('taskUpdated', now, before)
    if (ends) this.#tell(ends, now, before)
  }

  /** It has no version: it begins, and it ends. */
  #transfer(data: Data, isAttempt = false): void {
    const before = this.#transfers.get(data.sid)
    const now = new Transfer(this.#core, data)
    if (before && before.status !== 'initiated') return
    this.#transfers.set(now.sid, now)
    if (!before) this.#tell('transferInitiated', now)
    if (isAttempt) this.#tell('transferAttemptFailed', now)
    if (now.status === 'initiated') return
    remember(this.#transfers, now.sid, now)
    this.#tell(TRANSFER_TOLD_AS[now.status], now)
  }

  #keep(reservation: Reservation): void {
    this.reservations.set(reservation.sid, reservation)
  }

  #keepTask(task: Task): void {
    this.#tasks.set(task.sid, task)
    for (const it of this.reservations.values())
      if (it.task.sid === task.sid && it.task !== task) this.#keep(it.with(task))
  }

  #end(reservation: Reservation): void {
    this.reservations.delete(reservation.sid)
    remember(this.#ended, reservation.sid, reservation)
    const { sid } = reservation.task
    if (![...this.reservations.values()].some((it) => it.task.sid === sid)) this.#tasks.delete(sid)
  }

  /** Its task was deleted: what was offered is canceled with it, what was worked on completed. */
  #forget(sid: string): void {
    const before = this.reservations.get(sid)
    if (!before) return
    const status = before.status === 'pending' ? 'canceled' : 'completed'
    const now = before.with(before.task, { reservation_status: status })
    this.#end(now)
    this.#tell(TOLD_AS[status], now)
  }
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Those that come last are forgotten last. */
const remember = <T>(those: Map<string, T>, key: string, it: T): void => {
  those.delete(key)
  those.set(key, it)
  for (const oldest of those.keys()) {
    if (those.size <= ENDED_KEPT) return
    those.delete(oldest)
  }
}

type Step = Exclude<ReservationStatus, 'pending'>

/** What happened between two sights of a reservation: nobody has done work that they had not accepted. */
const stepsBetween = (from: ReservationStatus, to: ReservationStatus): readonly Step[] => {
  if (from === to || to === 'pending') return []
  return from === 'pending' && (to === 'wrapping' || to === 'completed') ? ['accepted', to] : [to]
}

const TOLD_AS = {
  accepted: 'reservationAccepted',
  wrapping: 'reservationWrapUp',
  completed: 'reservationCompleted',
  rejected: 'reservationRejected',
  timeout: 'reservationTimedOut',
  canceled: 'reservationCanceled',
  rescinded: 'reservationRescinded',
} as const satisfies Record<Step, string>

const TASK_TOLD_AS = {
  pending: undefined,
  reserved: undefined,
  assigned: undefined,
  wrapping: 'taskWrapUp',
  completed: 'taskCompleted',
  canceled: 'taskCanceled',
} as const satisfies Record<Task['status'], string | undefined>

const TRANSFER_TOLD_AS = {
  complete: 'transferCompleted',
  failed: 'transferFailed',
  canceled: 'transferCanceled',
} as const
