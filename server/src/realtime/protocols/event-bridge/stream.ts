/**
 * What one socket is told, and when: EB90 to EB96. From the moment it is open everything for it is kept back until its
 * SDK was given its reservations; what these showed already is dropped. Later a frame waits only while a request of the
 * worker is being answered, since the SDK must have the answer first.
 *
 * It knows which reservations its SDK knows: of any other the SDK could make nothing, or would fail at it. And it knows
 * in which version: what two nodes commit at once may be heard of here in the other order.
 */
import type { Offered } from '../../../taskrouter/index.ts'
import type { About, Told } from './told.ts'

/** How much may wait for one SDK that does not ask for its reservations, in frames. */
const WAITING_MAX = 2_000

/** Of how many reservations that its SDK does not know it remembers that they go on, or have ended. */
const STRANGE_MAX = 100

interface Knows {
  readonly version: number
  readonly taskSid: string
  /** The worker has the task, and is not only offered it. */
  readonly isAccepted: boolean
}

/** What is known of a reservation that its SDK does not know: another node may yet say that it has begun. */
interface Strange {
  readonly version: number
  /** How it goes on; nothing where it has ended. */
  readonly goOn?: () => void
}

/** A reservation as an SDK was given it. */
export interface Given {
  readonly sid: string
  readonly version: number
  readonly taskSid: string
  readonly taskVersion: number
  readonly isAccepted: boolean
  readonly transferSid: string | undefined
}

export const givenOf = ({ reservation, task, transfer }: Offered): Given => ({
  sid: reservation.sid,
  version: reservation.version,
  taskSid: task.sid,
  taskVersion: task.version,
  isAccepted: reservation.reservation_status !== 'pending',
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
  readonly #strange = new Map<string, Strange>()
  /** Of tasks, as its SDK was given them or told of them. */
  readonly #tasks = new Map<string, number>()
  /** Transfers that its SDK was given with its reservations, or was told of. */
  readonly #transfers = new Set<string>()
  /** Of the worker, as its SDK was given it first. */
  #given = -1
  /** Of the worker, as its SDK was told of them since. */
  #worker = -1
  /** Of the worker, as its SDK was told of each channel. */
  readonly #channels = new Map<string, number>()
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
  concerns({ workerSid, about }: Pick<Told, 'workerSid' | 'about'>): boolean {
    if (workerSid !== undefined) return workerSid === this.workerSid
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
    if (this.#heldBack && this.#given < 0) this.#given = version
  }

  /** The SDK was given a page of its reservations. */
  gaveReservations(
    given: readonly Given[],
    { isLast, frameOf }: { isLast: boolean; frameOf: (told: Told) => string },
  ): void {
    if (!this.#heldBack) return
    for (const { sid, version, taskSid, taskVersion, isAccepted, transferSid } of given) {
      if (transferSid !== undefined) this.#transfers.add(transferSid)
      this.#reservations.set(sid, { version, taskSid, isAccepted })
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
    const { about } = told
    if (about.kind === 'reservation' && !this.#reservations.has(about.sid)) {
      const { sid, version, now } = about
      const strange = this.#strange.get(sid)
      if (now !== 'begins') {
        const goOn = () => this.#take(told, frameOf)
        if (version > (strange?.version ?? -1))
          this.#meet(sid, now === 'ends' ? { version } : { version, goOn })
        return
      }
      // Of an offer that came and went nobody need hear.
      if (strange && !strange.goOn) return
      this.#strange.delete(sid)
      this.#say(told, frameOf)
      strange?.goOn?.()
    } else if (this.#isNew(about)) this.#say(told, frameOf)
  }

  #say(told: Told, frameOf: (told: Told) => string): void {
    this.#note(told.about)
    this.#waiting.push(frameOf(told))
    this.#send()
  }

  #meet(sid: string, strange: Strange): void {
    this.#strange.delete(sid)
    this.#strange.set(sid, strange)
    for (const oldest of this.#strange.keys()) {
      if (this.#strange.size <= STRANGE_MAX) return
      this.#strange.delete(oldest)
    }
  }

  #send(): void {
    if (this.#pauses > 0) return
    const frames = this.#waiting
    this.#waiting = []
    for (const frame of frames) this.#line.send(frame)
  }

  /** Its SDK knows what it is about, and not as it says. */
  #isNew(about: About): boolean {
    switch (about.kind) {
      case 'worker':
        return about.version > Math.max(this.#given, this.#worker)
      case 'channel':
        return about.version > Math.max(this.#given, this.#channels.get(about.sid) ?? -1)
      case 'transfer':
        return !about.begins || !this.#transfers.has(about.sid)
      case 'task':
        return (
          this.#knowsTask(about.sid, about.accepted) && about.version > (this.#tasks.get(about.sid) ?? -1)
        )
      case 'reservation':
        return about.version > (this.#reservations.get(about.sid)?.version ?? -1)
    }
  }

  /** Its SDK is told. */
  #note(about: About): void {
    switch (about.kind) {
      case 'worker':
        this.#worker = about.version
        break
      case 'channel':
        this.#channels.set(about.sid, about.version)
        break
      case 'transfer':
        this.#transfers.add(about.sid)
        break
      case 'task':
        this.#tasks.set(about.sid, about.version)
        break
      case 'reservation': {
        const { sid, version, taskSid, taskVersion, now } = about
        if (now === 'ends') {
          this.#forget(sid, taskSid)
          this.#meet(sid, { version })
          break
        }
        this.#reservations.set(sid, { version, taskSid, isAccepted: now === 'goes on' })
        this.#tasks.set(taskSid, Math.max(taskVersion, this.#tasks.get(taskSid) ?? -1))
      }
    }
  }

  #knowsTask(taskSid: string, accepted = false): boolean {
    for (const it of this.#reservations.values())
      if (it.taskSid === taskSid && (it.isAccepted || !accepted)) return true
    return false
  }

  #forget(sid: string, taskSid: string): void {
    this.#reservations.delete(sid)
    if (!this.#knowsTask(taskSid)) this.#tasks.delete(taskSid)
  }
}
