/**
 * What runs beside a published SDK, in its thread or in its page: it asks the SDK what the story says and tells what
 * it answers, hears and believes. Only plain data comes in and goes out.
 *
 * Everything is asked and told in the words of twilio-chat 6.0.0. This is the one place where SDKs with other names
 * for the same things are told apart.
 */
import type { Channel, Client, Media, Member, Message, Paginator, User } from './published.ts'
import type { Vocabulary } from './sdks.ts'

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

export interface Walk {
  readonly pageSize?: number
  readonly anchor?: number
  readonly direction?: 'backwards' | 'forward'
  /** Which way to go on from the first page. */
  readonly way: 'nextPage' | 'prevPage'
}

export interface File {
  readonly base64: string
  readonly contentType: string
  readonly filename: string
}

/** Whom the story asks: the client, or something in it. */
export type Asked =
  | readonly ['client']
  | readonly ['channel', sid: string]
  | readonly ['message', sid: string, index: number]
  | readonly ['member', sid: string, identity: string]
  | readonly ['user', identity: string]

export interface Standing {
  readonly version: string
  readonly identity: string
  readonly connectionState: string
  readonly reachabilityEnabled: boolean
}

export interface Beside {
  open(token: string, options: object): Promise<void>
  standing(): Standing
  /** Asks for a method by its name. A channel, a message and so on is told as it is seen, of pages every item. */
  ask(of: Asked, verb: string, args: readonly unknown[]): Promise<unknown>
  /** Sends a file as the platform does: as a form in browsers, as bytes elsewhere. @returns the message's index */
  sendFile(channelSid: string, file: File, attributes: object): Promise<number>
  temporaryUrl(channelSid: string, index: number): Promise<string | null>
  /** Pages of messages, until there are no more that way. */
  walk(channelSid: string, how: Walk): Promise<SeenPage[]>
  believes(): Promise<Belief>
}

/** Before 4 the address was called otherwise, and was as temporary. */
interface OldMedia {
  getContentUrl?(): Promise<string>
}

type Loose = Record<string, unknown>
// biome-ignore lint/suspicious/noExplicitAny: methods are called by names that came from the story
type Callable = Record<string, (...args: any[]) => any>

const EVENTS = [
  ...['channelAdded', 'channelInvited', 'channelJoined', 'channelLeft', 'channelRemoved', 'channelUpdated'],
  ...['memberJoined', 'memberLeft', 'memberUpdated', 'messageAdded', 'messageRemoved', 'messageUpdated'],
  ...['typingStarted', 'typingEnded', 'userUpdated', 'userSubscribed', 'userUnsubscribed'],
  ...['tokenAboutToExpire', 'tokenExpired', 'stateChanged', 'connectionStateChanged', 'connectionError'],
]

/** How a name of twilio-chat's is said in each vocabulary. */
const WORDS: Record<Vocabulary, (name: string) => string> = {
  chat: (name) => name,
  conversations: (name) =>
    (({ setNoMessagesConsumed: 'setAllMessagesUnread', online: 'isOnline' }) as Record<string, string>)[
      name
    ] ??
    name
      .replace(/Channel/g, 'Conversation')
      .replace(/channel/g, 'conversation')
      .replace(/Member/g, 'Participant')
      .replace(/member/g, 'participant')
      .replace('Unconsumed', 'Unread')
      .replace('Consumed', 'Read'),
}

/** And what twilio-chat calls the reason of an update. */
const REASONS: Record<string, string> = {
  lastReadMessageIndex: 'lastConsumedMessageIndex',
  lastReadTimestamp: 'lastConsumptionTimestamp',
  reachabilityOnline: 'online',
  reachabilityNotifiable: 'notifiable',
}

export const openBeside = (
  published: { readonly Client: unknown },
  vocabulary: Vocabulary,
  hear: (heard: Heard) => void,
): Beside => {
  const word = WORDS[vocabulary]
  const get = <T>(it: object, name: string): T => (it as Loose)[word(name)] as T
  const { tell, tellChannel, tellMember, tellMessage, tellUser } = tellers(get)
  let client: Client

  const call = async <T>(it: object, verb: string, ...args: readonly unknown[]): Promise<T> => {
    const name = word(verb)
    const method = (it as Callable)[name]
    if (!method) throw new Error(`it cannot ${name}`)
    return (await method.apply(it, [...args])) as T
  }
  const channelOf = (sid: string) => call<Channel>(client, 'getChannelBySid', sid)

  const find = async (of: Asked): Promise<object> => {
    if (of[0] === 'client') return client
    if (of[0] === 'user') return call<User>(client, 'getUser', of[1])
    const channel = await channelOf(of[1])
    if (of[0] === 'channel') return channel
    if (of[0] === 'member') return call<Member>(channel, 'getMemberByIdentity', of[2])
    return messageAt(channel, of[2])
  }
  const messageAt = async (channel: Channel, index: number): Promise<Message> => {
    const { items } = await call<Paginator<Message>>(channel, 'getMessages', 1, index)
    const message = items.find((it) => it.index === index)
    if (!message) throw new Error(`no message ${index}`)
    return message
  }

  const listen = (): void => {
    for (const event of EVENTS)
      (client as unknown as Callable).on?.(word(event), (about: unknown) => hear(heard(event, about)))
  }
  const heard = (event: string, about: unknown): Heard => {
    const subject = ['channel', 'message', 'member', 'user'].find((it) => event.startsWith(it))
    if (event.startsWith('typing')) return { event, member: tellMember(about as Member) }
    if (subject === undefined) return { event, said: plain(about) }
    const { updateReasons: reasons } = about as { updateReasons?: string[] }
    if (!reasons) return { event, [subject]: tell(about) }
    const { [word(subject)]: updated } = about as Loose
    return { event, [subject]: tell(updated), reasons: reasons.map((it) => REASONS[it] ?? it) }
  }

  const allMessages = async (channel: Channel): Promise<Message[]> => {
    const pages = [await call<Paginator<Message>>(channel, 'getMessages', 100)]
    for (let page = pages[0]; page?.hasPrevPage; ) {
      page = await page.prevPage()
      pages.unshift(page)
    }
    return pages.flatMap((it) => it.items)
  }

  return {
    open: async (token, options) => {
      const { Client } = published as { Client: { create(token: string, options: object): Promise<Client> } }
      client = await Client.create(token, options)
      listen()
    },
    standing: () => ({
      version: client.version,
      identity: client.user.identity,
      connectionState: client.connectionState,
      reachabilityEnabled: client.reachabilityEnabled,
    }),
    ask: async (of, verb, args) => {
      const told = await call(await find(of), verb, ...args)
      return isPaginator(told) ? (await everyItem(told)).map(tell) : tell(told)
    },
    sendFile: async (channelSid, { base64, contentType, filename }, attributes) => {
      const bytes = Uint8Array.from(atob(base64), (it) => it.charCodeAt(0))
      const form = (): FormData => {
        const it = new FormData()
        it.append('file', new Blob([bytes], { type: contentType }), filename)
        return it
      }
      const media = 'Buffer' in globalThis ? { contentType, filename, media: Buffer.from(bytes) } : form()
      return call(await channelOf(channelSid), 'sendMessage', media, attributes)
    },
    temporaryUrl: async (channelSid, index) => {
      const media = (await messageAt(await channelOf(channelSid), index)).media as Media & OldMedia
      return media.getContentUrl ? media.getContentUrl() : media.getContentTemporaryUrl()
    },
    walk: async (channelSid, { pageSize, anchor, direction, way }) => {
      const channel = await channelOf(channelSid)
      const has = way === 'nextPage' ? 'hasNextPage' : 'hasPrevPage'
      let page = await call<Paginator<Message>>(channel, 'getMessages', pageSize, anchor, direction)
      const pages = [page]
      while (page[has]) {
        page = await page[way]()
        pages.push(page)
      }
      return pages.map(({ items, hasNextPage, hasPrevPage }) => ({
        messages: items.map(tellMessage),
        hasNextPage,
        hasPrevPage,
      }))
    },
    believes: async () => {
      const subscribed = await call<Paginator<Channel>>(client, 'getSubscribedChannels')
      const channels: Belief['channels'][number][] = []
      for (const channel of await everyItem(subscribed)) {
        const isJoined = channel.status === 'joined'
        const members = isJoined ? await call<Member[]>(channel, 'getMembers') : []
        const messages = isJoined ? await allMessages(channel) : []
        channels.push({
          ...tellChannel(channel),
          members: members.map(tellMember),
          messages: messages.map(tellMessage),
        })
      }
      const users = await call<User[]>(client, 'getSubscribedUsers')
      return { channels, users: users.map(tellUser) }
    },
  }
}

/** How what an SDK shows is told as plain data. */
const tellers = (get: <T>(it: object, name: string) => T) => {
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

const plain = (it: unknown): unknown => {
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

const isPaginator = (it: unknown): it is Paginator<unknown> =>
  typeof it === 'object' && it !== null && 'items' in it && 'nextPage' in it

const everyItem = async <T>(first: Paginator<T>): Promise<T[]> => {
  const items = [...first.items]
  for (let page = first; page.hasNextPage; ) {
    page = await page.nextPage()
    items.push(...page.items)
  }
  return items
}
