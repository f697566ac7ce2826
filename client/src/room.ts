/**
 * A channel that this user is in or invited to, kept up to date: its document, and for members its messages and roster.
 * What is shown of it outside are snapshots.
 */
import { Channel, inDocument } from './channel.ts'
import { type Core, sameData } from './core.ts'
import type { ChatError } from './error.ts'
import type { Typing } from './events.ts'
import { Member } from './member.ts'
import { Message } from './message.ts'
import type { Change, Data, Following } from './sync.ts'

/** An item of this user's places: how they stand to the channel. */
export interface Place {
  readonly status: 'joined' | 'invited'
  readonly lastConsumedMessageIndex?: number | null
  readonly notificationLevel?: 'default' | 'muted'
  /** The names of what there is to follow. */
  readonly channel: string
  readonly messages: string
  readonly roster: string
}

const MS = 1000

export class Room {
  readonly sid: string
  /** As it is now; undefined until it has been read. */
  channel: Channel | undefined
  readonly #core: Core
  readonly #members = new Map<string, Member>()
  readonly #typing = new Map<string, ReturnType<typeof setTimeout>>()
  #place: Place
  #document: Data
  #followings: Following[] = []
  #status: Place['status'] | undefined
  #isGone = false
  #work: Promise<void> = Promise.resolve()

  constructor(core: Core, sid: string, place: Place) {
    this.#core = core
    this.sid = sid
    this.#place = place
  }

  get members(): readonly Member[] {
    return [...this.#members.values()]
  }

  get typing(): readonly string[] {
    return [...this.#typing.keys()]
  }

  /** Resolves when all that is known of how this user stands to it has been told. */
  get settled(): Promise<void> {
    return this.#work
  }

  /** How this user stands to it, though not all of it may be read yet. */
  get standing(): Place['status'] {
    return this.#place.status
  }

  /** This user is a member, and all of it is followed. */
  get isJoined(): boolean {
    return this.#status === 'joined'
  }

  /** How this user stands to it from now on. Resolves when what that needs is followed. @param isQuiet at the start */
  stand(place: Place, isQuiet = false): Promise<void> {
    const wasStanding = this.#place
    this.#place = place
    if (this.#status === place.status) {
      if (!sameData(wasStanding, place)) this.#show()
      return Promise.resolve()
    }
    this.#work = this.#work.then(() => this.#enter(isQuiet)).catch((fault) => this.#failed(fault))
    return this.#work
  }

  /** What could not be read before a connection broke is read now. */
  resume(): void {
    if (this.#status !== this.#place.status) void this.stand(this.#place)
  }

  /** This user was put out and is in again, and the server may have stopped telling in between. */
  async followAgain(): Promise<void> {
    if (this.isJoined && !this.#isGone) await this.#core.sync.follow(this.#followings)
  }

  /** This user is in it no more. */
  leave(): void {
    this.stop()
    this.#core.sync.unfollow(this.#followings)
    if (this.channel) this.#core.events.emit('channelLeft', this.#snapshot('none'))
  }

  /** Ends every timer. */
  stop(): void {
    this.#isGone = true
    for (const timer of this.#typing.values()) clearTimeout(timer)
    this.#typing.clear()
  }

  /** Somebody writes, for so long unless they say so again. */
  types(identity: string, seconds: number): void {
    if (!this.isJoined) return
    const isNew = !this.#typing.has(identity)
    clearTimeout(this.#typing.get(identity))
    this.#typing.set(
      identity,
      setTimeout(() => this.#typed(identity), seconds * MS),
    )
    if (isNew) this.#core.events.emit('typingStarted', this.#typingOf(identity))
  }

  #typed(identity: string): void {
    clearTimeout(this.#typing.get(identity))
    if (this.#typing.delete(identity)) this.#core.events.emit('typingEnded', this.#typingOf(identity))
  }

  #typingOf(identity: string): Typing {
    return Object.freeze({ channelSid: this.sid, identity })
  }

  /** Reads what is not followed yet, tells of the channel, and follows it. */
  async #enter(isQuiet: boolean): Promise<void> {
    const { status, channel, messages, roster } = this.#place
    if (this.#isGone || this.#status === status) return
    const { sync, events } = this.#core
    const read: Promise<Following>[] = []
    // The document comes first: without it nothing is followed.
    if (this.#followings.length === 0) read.push(sync.read('document', channel, this.#documentChanged))
    if (status === 'joined') {
      this.#members.clear()
      read.push(sync.read('list', messages, this.#messageChanged))
      read.push(sync.read('map', roster, this.#memberChanged))
    }
    const followings = await Promise.all(read)
    if (this.#isGone) return
    this.#followings.push(...followings)
    this.#status = status
    this.channel = this.#snapshot(status)
    if (!isQuiet) events.emit(status === 'joined' ? 'channelJoined' : 'channelInvited', this.channel)
    await sync.follow(followings)
  }

  /** Who is turned out while entering finds nothing, and is told by their places; the rest is tried again. */
  #failed(fault: ChatError): void {
    if (fault.kind === 'closed' || this.#isGone) return
    if (fault.kind === 'missing' || fault.kind === 'forbidden') this.#core.events.emit('error', fault)
    else this.#core.connection.drop(fault)
  }

  /** @param status what has been told, which may be less than what is known */
  #snapshot(status: Channel['status']): Channel {
    return new Channel(this.#core, inDocument(this.#document, this.#place, status))
  }

  /** Tells of what has changed, if anything has. */
  #show(): void {
    const before = this.channel
    if (!before) return
    this.channel = this.#snapshot(before.status)
    if (!sameData(before, this.channel)) this.#core.events.emit('channelUpdated', this.channel, before)
  }

  readonly #documentChanged = ({ what, data }: Change): void => {
    if (what === 'removed') return
    this.#document = data
    this.#show()
  }

  readonly #messageChanged = ({ what, item, data }: Change): void => {
    if (this.#isGone || item === undefined) return
    const { events } = this.#core
    const index = Number(item)
    if (what === 'removed') {
      events.emit('messageRemoved', Object.freeze({ channelSid: this.sid, index }))
      return
    }
    const message = new Message(this.#core, this.sid, index, data)
    if (what === 'added') this.#typed(message.author)
    events.emit(what === 'added' ? 'messageAdded' : 'messageUpdated', message)
  }

  /** Before all of it is read nobody has come: they were there. */
  readonly #memberChanged = ({ what, item, data }: Change): void => {
    if (this.#isGone || item === undefined) return
    const { events } = this.#core
    const sid = String(item)
    const before = this.#members.get(sid)
    if (what === 'removed') {
      this.#members.delete(sid)
      if (before) this.#typed(before.identity)
      if (before) events.emit('memberLeft', before)
      return
    }
    const member = new Member(this.#core, this.sid, sid, data)
    this.#members.set(sid, member)
    if (!this.isJoined) return
    if (!before) events.emit('memberJoined', member)
    else if (!sameData(before, member)) events.emit('memberUpdated', member, before)
  }
}
