import { type Core, dateOf, readAttributes, writeChange } from './core.ts'
import { ChatError, type ChatErrorKind } from './error.ts'
import type { ChannelEventName, ChatEvents } from './events.ts'
import { type MediaUpload, uploadMedia } from './media.ts'
import type { Member } from './member.ts'
import { Message, type MessagePage, type PageAsked, readMessages } from './message.ts'
import type { Place } from './room.ts'
import type { Data } from './sync.ts'

/** What is to be said: words, a file, or both. */
export interface Draft {
  readonly body?: string
  /** Any JSON. */
  readonly attributes?: unknown
  /** A Blob, a File, or content with its type. */
  readonly media?: Blob | MediaUpload
}

/** A channel's own names; what is not given stays as it is, an empty unique name takes it away. */
export interface ChannelNames {
  readonly friendlyName?: string
  readonly uniqueName?: string
  /** Any JSON. */
  readonly attributes?: unknown
}

export interface ChannelData {
  readonly sid: string
  readonly friendlyName: string | null
  readonly uniqueName: string | null
  readonly attributes: unknown
  readonly type: 'public' | 'private'
  /** How this user stands to it. */
  readonly status: 'joined' | 'invited' | 'none'
  readonly createdBy: string
  readonly dateCreated: Date | null
  readonly dateUpdated: Date | null
  /** Known of channels that this user is in or invited to. */
  readonly lastMessage: { readonly index: number; readonly dateCreated: Date } | null
  /** This user's horizon: the index of the last message they have read; null for none. */
  readonly lastConsumedMessageIndex: number | null
  readonly notificationLevel: 'default' | 'muted'
}

/** How long until the server must be told again that somebody writes, where it has not said. */
const TYPING_SECONDS = 5

const MS = 1000

/** What typing is not worth an error for. */
const PASSED_OVER: readonly ChatErrorKind[] = ['lost', 'timeout', 'closed']

/**
 * A channel as it was when this was made; what changes comes as a new one, with `channelUpdated`. What can be asked of
 * it is asked of the channel as it is now.
 */
export class Channel implements ChannelData {
  declare readonly sid: string
  declare readonly friendlyName: string | null
  declare readonly uniqueName: string | null
  declare readonly attributes: unknown
  declare readonly type: 'public' | 'private'
  declare readonly status: 'joined' | 'invited' | 'none'
  declare readonly createdBy: string
  declare readonly dateCreated: Date | null
  declare readonly dateUpdated: Date | null
  declare readonly lastMessage: ChannelData['lastMessage']
  declare readonly lastConsumedMessageIndex: number | null
  declare readonly notificationLevel: 'default' | 'muted'
  readonly #core: Core

  constructor(core: Core, data: ChannelData) {
    this.#core = core
    Object.assign(this, data)
    Object.freeze(this)
  }

  /** Who is in it, as of now; empty where this user is not. */
  get members(): readonly Member[] {
    return this.#core.rooms.get(this.sid)?.members ?? []
  }

  /** The identities of those who write, as of now. */
  get typing(): readonly string[] {
    return this.#core.rooms.get(this.sid)?.typing ?? []
  }

  /** Listens to what happens in this channel. @returns what ends the listening */
  on<Name extends ChannelEventName>(name: Name, listener: (...args: ChatEvents[Name]) => void): () => void {
    return this.#core.events.on(name, (...args) => {
      const [about] = args as readonly [Channel | Message]
      if (('channelSid' in about ? about.channelSid : about.sid) === this.sid) listener(...args)
    })
  }

  /**
   * Says something. It comes as `messageAdded` as well.
   * @throws ChatError `lost` or `timeout` where nobody knows whether it was said
   */
  async send(said: string | Draft): Promise<Message> {
    const { media, ...words } = typeof said === 'string' ? { body: said, media: undefined } : said
    const mediaSid = media && (await uploadMedia(this.#core, media))
    const { body } = await this.#ask('POST', '/Messages', writeChange({ ...words, mediaSid }))
    return new Message(this.#core, this.sid, body.index, body)
  }

  /** The newest messages, or those next to an index. */
  getMessages(asked: PageAsked = {}): Promise<MessagePage> {
    return readMessages(this.#core, this.sid, asked)
  }

  /**
   * Becomes a member, also of a channel that this user is invited to.
   * @throws ChatError `missing` where they were put out again at once
   */
  async join(): Promise<Channel> {
    await this.add(this.#core.identity)
    return this.#core.untilIn(this.sid, true)
  }

  /** Is a member no more; the others hear `memberLeft`. */
  async leave(): Promise<void> {
    await this.remove(this.#core.identity)
    await this.#core.untilIn(this.sid, false)
  }

  /** Makes somebody a member. */
  async add(identity: string, attributes?: unknown): Promise<void> {
    await this.#ask('POST', '/Participants', writeChange({ identity, attributes }))
  }

  /** Puts a member out. */
  async remove(identity: string): Promise<void> {
    await this.#ask('DELETE', `/Participants/${encodeURIComponent(identity)}`)
  }

  /** Asks somebody in: they hear `channelInvited`. */
  async invite(identity: string): Promise<void> {
    await this.#ask('POST', '/Invites', { identity })
  }

  /** Turns an invitation down. */
  async decline(): Promise<void> {
    await this.#ask('DELETE', `/Invites/${encodeURIComponent(this.#core.identity)}`)
    await this.#core.untilIn(this.sid, false)
  }

  /**
   * Changes what is given; it comes as `channelUpdated`.
   * @throws ChatError `conflict` where the unique name is taken
   */
  async update(change: ChannelNames): Promise<void> {
    await this.#ask('POST', '', writeChange(change))
  }

  /** Ends the channel for everybody, with everything in it. */
  async destroy(): Promise<void> {
    await this.#ask('DELETE', '')
  }

  /**
   * Says that this user has read up to a message; null says nothing at all.
   * @returns how many messages are unread; null where nobody counts
   */
  async setConsumed(index: number | null): Promise<number | null> {
    return this.#mine('POST', { last_consumed_message_index: index })
  }

  /** Says that this user has read everything. */
  async setAllConsumed(): Promise<number | null> {
    const index = this.#core.rooms.get(this.sid)?.channel?.lastMessage?.index
    return index === undefined ? 0 : this.setConsumed(index)
  }

  /** How many messages are unread; null before `setConsumed` was ever called. */
  async getUnconsumedCount(): Promise<number | null> {
    return this.#mine('GET')
  }

  /** Whether this user wants to be told of messages while away. */
  async setNotificationLevel(level: 'default' | 'muted'): Promise<void> {
    await this.#mine('POST', { notification_level: level })
  }

  /** Says that this user writes: call it at every key, it is sent every few seconds, and not while disconnected. */
  async sayTyping(): Promise<void> {
    const { connection, links, typingSaid } = this.#core
    const now = Date.now()
    if (connection.state !== 'connected' || (typingSaid.get(this.sid) ?? 0) > now) return
    typingSaid.set(this.sid, now + TYPING_SECONDS * MS)
    try {
      const { body } = await connection.request('POST', links.typing, `ChannelSid=${this.sid}`)
      typingSaid.set(this.sid, now + (body?.typing_timeout ?? TYPING_SECONDS) * MS)
    } catch (fault) {
      if (!(fault instanceof ChatError) || !PASSED_OVER.includes(fault.kind)) throw fault
    }
  }

  async #mine(method: 'GET' | 'POST', body?: object): Promise<number | null> {
    const { connection, links } = this.#core
    const answer = await connection.request(method, `${links.my_conversations}/${this.sid}`, body)
    return answer.body.unread_messages_count ?? null
  }

  #ask(method: string, path: string, body?: object) {
    const { connection, links } = this.#core
    return connection.request(method, `${links.conversations}/${this.sid}${path}`, body)
  }
}

/** @param data of the channel's document */
export const inDocument = (data: Data, place: Place, status: ChannelData['status']): ChannelData => ({
  sid: data.sid,
  friendlyName: data.friendlyName ?? null,
  uniqueName: data.uniqueName ?? null,
  attributes: readAttributes(data.attributes),
  type: data.type,
  status,
  createdBy: data.createdBy,
  dateCreated: dateOf(data.dateCreated),
  dateUpdated: dateOf(data.dateUpdated),
  lastMessage: data.lastMessage
    ? { index: data.lastMessage.index, dateCreated: new Date(data.lastMessage.timestamp) }
    : null,
  lastConsumedMessageIndex: place.lastConsumedMessageIndex ?? null,
  notificationLevel: place.notificationLevel ?? 'default',
})

/** @param data as a request is answered */
export const inAnswer = (data: Data): ChannelData => ({
  sid: data.sid,
  friendlyName: data.friendly_name ?? null,
  uniqueName: data.unique_name ?? null,
  attributes: readAttributes(data.attributes),
  type: data.type,
  status: data.status === 'joined' || data.status === 'invited' ? data.status : 'none',
  createdBy: data.created_by,
  dateCreated: dateOf(data.date_created),
  dateUpdated: dateOf(data.date_updated),
  lastMessage: null,
  lastConsumedMessageIndex: data.last_consumed_message_index ?? null,
  notificationLevel: data.notification_level ?? 'default',
})
