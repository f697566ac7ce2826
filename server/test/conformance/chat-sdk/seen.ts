/** What an SDK shows, told as plain data in the words of twilio-chat 6.0.0, so that it can leave a thread or a page. */
import type { Channel, Media, Member, Message, User } from './published.ts'

export interface SeenChannel {
  readonly sid: string
  readonly friendlyName: string | null
  readonly uniqueName: string | null
  readonly attributes: unknown
  readonly createdBy: string
  /** Nothing where an SDK knows no types. */
  readonly type: 'public' | 'private' | undefined
  readonly status: string
  readonly lastMessageIndex: number | null
  readonly lastConsumedMessageIndex: number | null
  readonly notificationLevel: string | null
}

export interface SeenMessage {
  readonly sid: string
  readonly channelSid: string
  readonly index: number
  readonly author: string
  readonly body: string | null
  readonly attributes: unknown
  readonly memberSid: string | null
  readonly lastUpdatedBy: string | null
  readonly dateCreated: string | null
  readonly media: SeenMedia | null
}

export interface SeenMedia {
  readonly sid: string
  readonly filename: string | null
  readonly contentType: string
  readonly size: number
}

export interface SeenMember {
  readonly sid: string
  readonly channelSid: string
  readonly identity: string
  readonly attributes: unknown
  readonly roleSid: string
  readonly lastConsumedMessageIndex: number | null
}

export interface SeenUser {
  readonly identity: string
  readonly friendlyName: string | null
  readonly attributes: unknown
  readonly online: boolean | null
}

/** Something that the SDK emitted, with what it showed at that moment. */
export interface Heard {
  readonly event: string
  readonly channel?: SeenChannel
  readonly message?: SeenMessage
  readonly member?: SeenMember
  readonly user?: SeenUser
  /** Of an update. */
  readonly reasons?: readonly string[]
  /** Of whatever else has something to say, such as `connectionStateChanged`. */
  readonly said?: unknown
}

/** What an SDK holds to be so. */
export interface Belief {
  readonly channels: readonly (SeenChannel & {
    readonly members: readonly SeenMember[]
    readonly messages: readonly SeenMessage[]
  })[]
  readonly users: readonly SeenUser[]
}

export interface SeenPage {
  readonly messages: readonly SeenMessage[]
  readonly hasNextPage: boolean
  readonly hasPrevPage: boolean
}

/** What an SDK refused with: its own words, and the status and code that it has from the server. */
export interface Refusal {
  readonly message: string
  readonly status: number | undefined
  readonly code: number | undefined
}

/** How what an SDK shows is told as plain data. */
export const tellersFor = (get: <T>(it: object, name: string) => T) => {
  const tellChannel = (it: Channel): SeenChannel => ({
    sid: it.sid,
    friendlyName: it.friendlyName ?? null,
    uniqueName: it.uniqueName ?? null,
    attributes: plain(it.attributes),
    createdBy: it.createdBy,
    type: it.type,
    status: it.status,
    lastMessageIndex: it.lastMessage?.index ?? null,
    lastConsumedMessageIndex: get<number | null>(it, 'lastConsumedMessageIndex') ?? null,
    notificationLevel: it.notificationLevel ?? null,
  })
  const tellMessage = (it: Message): SeenMessage => ({
    sid: it.sid,
    channelSid: get<Channel>(it, 'channel').sid,
    index: it.index,
    author: it.author,
    body: it.body ?? null,
    attributes: plain(it.attributes),
    memberSid: get<string | null>(it, 'memberSid') ?? null,
    lastUpdatedBy: it.lastUpdatedBy ?? null,
    // `timestamp` before 4.
    dateCreated:
      get<Date | undefined>(it, it.dateCreated ? 'dateCreated' : 'timestamp')?.toISOString() ?? null,
    media: it.media ? tellMedia(it.media) : null,
  })
  const tellMedia = ({ sid, filename, contentType, size }: Media): SeenMedia => ({
    ...{ sid, contentType, size },
    filename: filename ?? null,
  })
  const tellMember = (it: Member): SeenMember => ({
    sid: it.sid,
    channelSid: get<Channel>(it, 'channel').sid,
    identity: it.identity,
    attributes: plain(it.attributes),
    roleSid: it.roleSid,
    lastConsumedMessageIndex: get<number | null>(it, 'lastConsumedMessageIndex') ?? null,
  })
  const tellUser = (it: User): SeenUser => ({
    identity: it.identity,
    friendlyName: it.friendlyName ?? null,
    attributes: plain(it.attributes),
    online: get<boolean | null>(it, 'online') ?? null,
  })
  const tell = (it: unknown): unknown => {
    if (Array.isArray(it)) return it.map(tell)
    if (typeof it !== 'object' || it === null) return it
    if ('updateBody' in it) return tellMessage(it as Message)
    if ('getMessages' in it) return tellChannel(it as Channel)
    if ('getUser' in it && 'remove' in it) return tellMember(it as Member)
    if ('unsubscribe' in it && 'updateFriendlyName' in it) return tellUser(it as User)
    return plain(it)
  }
  return { tell, tellChannel, tellMember, tellMessage, tellUser }
}

export const plain = (it: unknown): unknown => {
  if (it instanceof Date) return it.toISOString()
  if (Array.isArray(it)) return it.map(plain)
  if (typeof it === 'function' || it === undefined) return undefined
  if (typeof it !== 'object' || it === null) return it
  // A client says of itself more than can be told.
  if ('getSubscribedUsers' in it) return undefined
  return Object.fromEntries(
    Object.entries(it)
      .filter(
        ([name, value]) =>
          typeof value !== 'function' && !['client', 'services', 'descriptor'].includes(name),
      )
      .map(([name, value]) => [name, plain(value)]),
  )
}
