/**
 * What one socket is told, and when: EB90 to EB95. From the moment it is open everything for it is kept back until its
 * SDK was given its reservations; what these showed already is dropped. Later a frame waits only while a request of the
 * worker is being answered, since the SDK must have the answer first.
 *
 * It knows which reservations its SDK knows: of any other the SDK could make nothing, or would fail at it.
 */
import type { Offered } from '../../../taskrouter/index.ts'
import type { Told } from './told.ts'

/** How much may wait for one SDK that does not ask for its reservations, in frames. */
const WAITING_MAX = 2_000

interface Knows {
  readonly version: number
  readonly taskSid: string
}

/** A reservation as an SDK was given it. */
export interface Given {
  readonly sid: string
  readonly version: number
  readonly taskSid: string
  readonly taskVersion: number
  readonly transferSid: string | undefined
}

export const givenOf = ({ reservation, task, transfer }: Offered): Given => ({
  sid: reservation.sid,
  version: reservation.version,
  taskSid: task.sid,
  taskVersion: task.version,
  transferSid: transfer?.sid,
})

export interface Line {
  send(frame: string): void
  close(why: string): void
}

export class Stream {
  readonly workerSid: string
  readonly workspaceSid: string
  readonly #line: Line
  /** Until its SDK has its reservations; then undefined. */
  #heldBack: Told[] | undefined = []
  readonly #reservations = new Map<string, Knows>()
  /** Of tasks, as its SDK was given them with its reservations, or was told of them since. */
  readonly #tasks = new Map<string, number>()
  /** Transfers that its SDK was given with its reservations. */
  readonly #transfers = new Set<string>()
  /** Of the worker, as its SDK was given it first. */
  #worker: number | undefined
  #waiting: string[] = []
  #pauses = 0

  constructor(who: { readonly workerSid: string; readonly workspaceSid: string }, line: Line) {
    this.workerSid = who.workerSid
    this.workspaceSid = who.workspaceSid
    this.#line = line
  }

  /** Its SDK has not been given its reservations. */
  get isStarting(): boolean {
    return this.#heldBack !== undefined
  }

  /** Whether it is for this worker: their own, or about a task that they know. */
  concerns({ workerSid, exceptSid, about }: Told): boolean {
    if (workerSid !== undefined) return workerSid === this.workerSid
    if (exceptSid === this.workerSid) return false
    return this.isStarting || (about.kind === 'task' && this.#knowsTask(about.sid))
  }

  /** @param frameOf encodes what is told once for all who hear it */
  tell(told: Told, frameOf: (told: Told) => string): void {
    if (!this.concerns(told)) return
    if (this.#heldBack) this.#heldBack.push(told)
    else this.#take(told, frameOf)
    if ((this.#heldBack ?? this.#waiting).length > WAITING_MAX) this.#line.close('too much waits to be told')
  }

  /** The SDK was given the worker. */
  gaveWorker(version: number): void {
    if (this.#heldBack) this.#worker ??= version
  }

  /** The SDK was given a page of its reservations. */
  gaveReservations(
    given: readonly Given[],
    { isLast, frameOf }: { isLast: boolean; frameOf: (told: Told) => string },
  ): void {
    if (!this.#heldBack) return
    for (const { sid, version, taskSid, taskVersion, transferSid } of given) {
      if (transferSid !== undefined) this.#transfers.add(transferSid)
      this.#reservations.set(sid, { version, taskSid })
      this.#tasks.set(taskSid, taskVersion)
    }
    if (!isLast) return
    const heldBack = this.#heldBack
    this.#heldBack = undefined
    for (const told of heldBack) this.#take(told, frameOf)
  }

  /** Nothing is sent until what is returned was called as often. */
  pause(): () => void {
    this.#pauses += 1
    return () => {
      this.#pauses -= 1
      this.#send()
    }
  }

  #take(told: Told, frameOf: (told: Told) => string): void {
    if (!this.#isNew(told)) return
    this.#waiting.push(frameOf(told))
    this.#send()
  }

  #send(): void {
    if (this.#pauses > 0) return
    const frames = this.#waiting
    this.#waiting = []
    for (const frame of frames) this.#line.send(frame)
  }

  #isNew({ about }: Told): boolean {
    switch (about.kind) {
      case 'worker':
        return about.version > (this.#worker ?? -1)
      case 'transfer':
        return !about.begins || !this.#transfers.has(about.sid)
      case 'task':
        if (!this.#knowsTask(about.sid) || about.version <= (this.#tasks.get(about.sid) ?? -1)) return false
        this.#tasks.set(about.sid, about.version)
        return true
      case 'reservation': {
        const known = this.#reservations.get(about.sid)
        if (known ? about.version <= known.version : about.now !== 'begins') return false
        if (about.now === 'ends') this.#forget(about.sid, about.taskSid)
        else this.#reservations.set(about.sid, { version: about.version, taskSid: about.taskSid })
        return true
      }
    }
  }

  #knowsTask(taskSid: string): boolean {
    for (const it of this.#reservations.values()) if (it.taskSid === taskSid) return true
    return false
  }

  #forget(sid: string, taskSid: string): void {
    this.#reservations.delete(sid)
    if (!this.#knowsTask(taskSid)) this.#tasks.delete(taskSid)
  }
}
