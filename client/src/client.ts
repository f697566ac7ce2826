import { Channel, type ChannelNames, inAnswer } from './channel.ts'
import { Connection } from './connection.ts'
import type { Core, Links } from './core.ts'
import { Emitter } from './emitter.ts'
import { ChatError } from './error.ts'
import type { ChatEvents } from './events.ts'
import type { ConnectionState, WebSocketClass } from './line.ts'
import { type Place, Room } from './room.ts'
import { type Change, type Data, type Following, Sync } from './sync.ts'
import { type User, Users } from './users.ts'

/** Channels read at once at the start: three requests each, and the server runs sixteen. */
const ENTERED_AT_ONCE = 16

const PATH = '/v3/wsconnect'

const CONFIGURATION = 'https://aim.us1.twilio.com/Client/v1/Configuration'

const TYPING = 'twilio.ipmsg.typing_indicator'

export interface ChatClientOptions {
  /** Where the server is: `https://chat.example.org`. */
  readonly url: string
  /**
   * Brings an access token with a chat grant, minted anew: asked at first, before one ends, and when one is refused.
   * What it throws counts as trouble of the network, and it is asked again later.
   */
  readonly getToken: () => Promise<string> | string
  /** Browsers and Node 22 have one of their own. */
  readonly WebSocket?: WebSocketClass
}

export interface NewChannel extends ChannelNames {
  /** Private unless said. */
  readonly type?: 'public' | 'private'
  /** False leaves its maker outside. */
  readonly join?: boolean
}

/** Some public channels. */
export interface ChannelPage {
  readonly items: readonly Channel[]
  readonly hasNext: boolean
  /** The page after; empty where there is none. */
  next(): Promise<ChannelPage>
}

/**
 * Somebody's chat, over one connection that lasts. Channels, messages, members and users are snapshots that never
 * change; what changes is told by events. Everything asked rejects with a `ChatError`, which says what to do.
 *
 * ```ts
 * const client = new ChatClient({ url: 'https://chat.example.org', getToken: () => fetch('/token').then((it) => it.text()) })
 * client.on('messageAdded', (message) => console.log(message.author, message.body))
 * await client.connect()
 * ```
 */
export class ChatClient {
  readonly #connection: Connection
  readonly #sync: Sync
  readonly #events = new Emitter<ChatEvents>()
  readonly #rooms = new Map<string, Room>()
  readonly #users: Users
  readonly #core: Core
  readonly #waiters = new Set<Waiter>()
  #configuration: Configuration | undefined
  #starting: Promise<void> | undefined
  #isStarted = false
  /** Its channels are told of as they are found. */
  #isNewUser = false

  constructor({ url, getToken, WebSocket = globalThis.WebSocket }: ChatClientOptions) {
    this.#connection = new Connection({
      url: url.replace(/^http/, 'ws').replace(/\/$/, '') + PATH,
      getToken,
      WebSocket,
      resume: () => this.#resume(),
      notified: (type, payload) => this.#notified(type, payload),
      stateChanged: (state, error) => {
        if (state === 'denied' && error) this.#giveUp(error)
        this.#events.emit('stateChanged', state, error)
      },
      failed: (error) => this.#events.emit('error', error),
    })
    this.#sync = new Sync(this.#connection)
    const configured = () => this.#requireConfiguration()
    this.#core = {
      connection: this.#connection,
      sync: this.#sync,
      events: this.#events,
      rooms: this.#rooms,
      typingSaid: new Map(),
      get users(): Users {
        return users
      },
      get identity() {
        return configured().identity
      },
      get links() {
        return configured().links
      },
      untilIn: (sid, isIn) => this.#untilIn(sid, isIn) as never,
    }
    const users = new Users(this.#core, () => configured().options.reachability_enabled === true)
    this.#users = users
  }

  /** `disconnected` before `connect()` and after `close()`. */
  get state(): ConnectionState {
    return this.#connection.state
  }

  /** Who this user is. @throws ChatError `closed` before the first connection */
  get identity(): string {
    return this.#requireConfiguration().identity
  }

  /** This user, as of now. @throws ChatError `closed` before the first connection */
  get user(): User {
    const { me } = this.#users
    if (!me) throw notConnected()
    return me
  }

  /** The channels that this user is in or invited to, as of now. */
  get channels(): readonly Channel[] {
    return [...this.#rooms.values()].flatMap(({ channel }) => channel ?? [])
  }

  /** Listens. @returns what ends the listening */
  on<Name extends keyof ChatEvents>(name: Name, listener: (...args: ChatEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /**
   * Connects, and stays so: a connection that breaks is made again, later each time, and everything missed is told
   * before the state is `connected` again. Resolves once `channels` are known and followed; while the network fails it
   * goes on trying.
   * @throws ChatError `token` or `forbidden` where a fresh token is refused, `invalid` for a `url` that is none;
   * `connect()` may be called again
   */
  connect(): Promise<void> {
    return this.#connection.connect()
  }

  /** Ends it for good, and leaves no timer. What still waits for an answer rejects with `closed`. */
  async close(): Promise<void> {
    for (const room of this.#rooms.values()) room.stop()
    this.#giveUp(notConnected())
    await this.#connection.close()
  }

  /**
   * A channel by its SID or unique name: one of this user's, or a public one.
   * @throws ChatError `missing` where there is none that this user sees
   */
  async getChannel(sidOrUniqueName: string): Promise<Channel> {
    const mine = this.channels.find((it) => it.sid === sidOrUniqueName || it.uniqueName === sidOrUniqueName)
    if (mine) return mine
    const { body } = await this.#connection.request(
      'GET',
      `${this.#core.links.conversations}/${encodeURIComponent(sidOrUniqueName)}`,
    )
    return this.#rooms.get(body.sid)?.channel ?? new Channel(this.#core, inAnswer(body))
  }

  /** Public channels, this user's own among them, a hundred to a page. */
  getPublicChannels(): Promise<ChannelPage> {
    return this.#publicChannels('')
  }

  async #publicChannels(query: string): Promise<ChannelPage> {
    const { body } = await this.#connection.request('GET', this.#core.links.conversations + query)
    const { conversations, meta } = body as { conversations: Data[]; meta: { next_token?: string | null } }
    const next = meta.next_token
    const items = conversations.map(
      (it) => this.#rooms.get(it.sid)?.channel ?? new Channel(this.#core, inAnswer(it)),
    )
    return {
      items: Object.freeze(items),
      hasNext: Boolean(next),
      next: async () => (next ? this.#publicChannels(`?PageToken=${encodeURIComponent(next)}`) : NO_CHANNELS),
    }
  }

  /** @throws ChatError `conflict` where the unique name is taken */
  async createChannel({ join = true, type = 'private', ...names }: NewChannel = {}): Promise<Channel> {
    const { friendlyName, uniqueName, attributes } = names
    const { body } = await this.#connection.request('POST', this.#core.links.conversations, {
      type,
      ...(friendlyName === undefined ? {} : { friendly_name: friendlyName }),
      ...(uniqueName === undefined ? {} : { unique_name: uniqueName }),
      attributes: JSON.stringify(attributes ?? {}),
    })
    const channel = new Channel(this.#core, inAnswer(body))
    return join ? channel.join() : channel
  }

  /**
   * Somebody of the service, followed from now on: `userUpdated` tells when they change, come and go.
   * @throws ChatError `missing` where the service has no such user
   */
  getUser(identity: string): Promise<User> {
    return this.#users.get(identity)
  }

  /** The connection works: at first everything is read, later what was missed. */
  async #resume(): Promise<void> {
    if (this.#isStarted) for (const room of this.#rooms.values()) room.resume()
    const again = this.#sync.resume()
    this.#starting ??= this.#start()
    try {
      await Promise.all([again, this.#starting])
    } catch (fault) {
      this.#starting = undefined
      throw fault
    }
    // Somebody may have come to other channels meanwhile.
    await Promise.all(Array.from(this.#rooms.values(), ({ settled }) => settled))
    this.#check()
  }

  async #start(): Promise<void> {
    const { body } = await this.#connection.request('GET', CONFIGURATION)
    const configuration = body as Configuration
    this.#configuration = configuration
    const { identity, sync_objects: names } = configuration
    const me = this.#users.followMe(identity, names.my_user_info)
    // What it fails with is heard below, unless something else has failed before.
    me.catch(() => {})
    const places = new Map<string, Place>()
    let following: Following | undefined
    following = await this.#sync.read('map', names.my_conversations, (change) => {
      if (following) this.#placeChanged(change)
      else places.set(String(change.item), change.data)
    })
    await me
    const entering = [...places]
    const enterNext = async (): Promise<void> => {
      for (let it = entering.shift(); it; it = entering.shift())
        await this.#roomOf(...it).stand(it[1], !this.#isNewUser)
    }
    await Promise.all(Array.from({ length: ENTERED_AT_ONCE }, enterNext))
    this.#isStarted = true
    await this.#sync.follow([following])
  }

  #roomOf(sid: string, place: Place): Room {
    const room = this.#rooms.get(sid) ?? new Room(this.#core, sid, place)
    this.#rooms.set(sid, room)
    return room
  }

  readonly #placeChanged = ({ what, item, data }: Change): void => {
    if (item === undefined) {
      this.#userRemoved()
      return
    }
    const sid = String(item)
    if (what === 'removed') {
      this.#left(sid)
      return
    }
    const room = this.#roomOf(sid, data)
    if (what === 'added') void room.followAgain()
    void room.stand(data).then(() => this.#check())
  }

  #left(sid: string): void {
    const room = this.#rooms.get(sid)
    this.#rooms.delete(sid)
    room?.leave()
    this.#check()
    for (const { look } of [...this.#waiters]) look(sid)
  }

  /** This user is no more: who comes back by that name is a new one, with places of their own. */
  #userRemoved(): void {
    for (const sid of [...this.#rooms.keys()]) this.#left(sid)
    this.#giveUp(new ChatError('missing', 'The user was removed'))
    this.#isStarted = false
    this.#isNewUser = true
    this.#starting = undefined
    this.#connection.drop(new ChatError('lost', 'The user was removed'))
  }

  #check(): void {
    for (const { check } of [...this.#waiters]) check()
  }

  #giveUp(error: ChatError): void {
    for (const { reject } of [...this.#waiters]) reject(error)
  }

  #untilIn(sid: string, isIn: boolean): Promise<Channel | undefined> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        check: () => {
          const room = this.#rooms.get(sid)
          if (isIn ? room?.isJoined : !room) waiter.settle()
        },
        settle: () => {
          this.#waiters.delete(waiter)
          resolve(this.#rooms.get(sid)?.channel)
        },
        look: async (changed) => {
          if (changed !== sid) return
          const status = await this.#standingIn(sid)
          if (status === 'unknown') return
          if (isIn && status !== 'joined') waiter.reject(putOut())
          if (!isIn && status !== 'none') waiter.settle()
        },
        reject: (error) => {
          this.#waiters.delete(waiter)
          reject(error)
        },
      }
      this.#waiters.add(waiter)
      waiter.check()
      // What was told before the answer came may have been undone by then, and is not told again.
      const isToldSoon = isIn && this.#rooms.get(sid)?.standing === 'joined'
      if (this.#waiters.has(waiter) && !isToldSoon) waiter.look(sid)
    })
  }

  async #standingIn(sid: string): Promise<Channel['status'] | 'unknown'> {
    try {
      const { body } = await this.#connection.request('GET', `${this.#core.links.my_conversations}/${sid}`)
      return inAnswer(body).status
    } catch (fault) {
      return (fault as ChatError).kind === 'missing' ? 'none' : 'unknown'
    }
  }

  #notified(type: unknown, payload: Data): void {
    if (type === TYPING) this.#rooms.get(payload.channel_sid)?.types(payload.identity, payload.typing_timeout)
    else this.#sync.hear(type, payload)
  }

  #requireConfiguration(): Configuration {
    if (!this.#configuration) throw notConnected()
    return this.#configuration
  }
}

/** Somebody who has joined or left, and waits until this is known here. */
interface Waiter {
  readonly check: () => void
  readonly settle: () => void
  /** What it waits for may have been undone, and may never be told. */
  readonly look: (channelSid: string) => void
  readonly reject: (error: ChatError) => void
}

interface Configuration {
  readonly identity: string
  readonly options: { readonly reachability_enabled?: boolean }
  readonly sync_objects: { readonly my_conversations: string; readonly my_user_info: string }
  readonly links: Links
}

const NO_CHANNELS: ChannelPage = { items: [], hasNext: false, next: async () => NO_CHANNELS }

const putOut = () => new ChatError('missing', 'This user was put out of the channel again')

const notConnected = () => new ChatError('closed', 'The client is not connected')
