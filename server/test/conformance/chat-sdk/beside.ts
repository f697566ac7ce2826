/**
 * What runs beside a published SDK, in its thread or in its page: it asks the SDK what the story says and tells what
 * it answers, hears and believes. Only plain data comes in and goes out.
 *
 * Everything is asked and told in the words of twilio-chat 6.0.0. This is the one place where SDKs with other names
 * for the same things are told apart.
 */
import type { Channel, Client, Media, Member, Message, Paginator, User } from './published.ts'
import type { Vocabulary } from './sdks.ts'
import { type Belief, type Heard, plain, type Refusal, type SeenPage, tellersFor } from './seen.ts'

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

const IN_CONVERSATIONS: Record<string, string> = {
  setNoMessagesConsumed: 'setAllMessagesUnread',
  online: 'isOnline',
}

/** How a name of twilio-chat's is said in each vocabulary. */
const WORDS: Record<Vocabulary, (name: string) => string> = {
  chat: (name) => name,
  conversations: (name) =>
    IN_CONVERSATIONS[name] ??
    name
      .replaceAll('Channel', 'Conversation')
      .replaceAll('channel', 'conversation')
      .replaceAll('Member', 'Participant')
      .replaceAll('member', 'participant')
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
  const { tell, tellChannel, tellMember, tellMessage, tellUser } = tellersFor(get)
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
      const media = 'document' in globalThis ? form() : { contentType, filename, media: Buffer.from(bytes) }
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

export const refusalOf = (fault: unknown): Refusal => {
  const { message, status, code, body } = fault as Refusal & { body?: { code?: number } }
  return { message: message ?? String(fault), status, code: body?.code ?? code }
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
