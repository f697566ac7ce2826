/**
 * Clients of the chat socket by the thousand: what a published client asks for when it comes and follows afterwards,
 * and nothing that a bench does not need. What they hear is handed on unparsed.
 */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { frameOf, readFrame } from './frames.ts'
import { API_KEY, CREDENTIALS } from './programs.ts'

/** Channels with their members, in a service that is served somewhere. */
export interface Scene {
  readonly url: string
  readonly serviceSid: string
  readonly channels: readonly { readonly sid: string; readonly members: readonly string[] }[]
}

export const memberName = (channel: number, seat: number): string => `member-${channel}-${seat}`

/** How long anything that was asked or is awaited may take, in milliseconds. Beyond it the bench has failed. */
const PATIENCE_MS = 60_000

const TOKEN_SECONDS = 3_600

const jwtPart = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** @param grants as in the token: `{ identity, chat: { service_sid } }` */
export const tokenWith = (grants: object): string => {
  const now = Math.floor(Date.now() / 1000)
  const content = `${jwtPart({ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' })}.${jwtPart({
    jti: `${API_KEY.sid}-${now}`,
    iss: API_KEY.sid,
    sub: CREDENTIALS.accountSid,
    exp: now + TOKEN_SECONDS,
    grants,
  })}`
  return `${content}.${createHmac('sha256', API_KEY.secret).update(content).digest('base64url')}`
}

export const tokenFor = (identity: string, serviceSid: string): string =>
  tokenWith({ identity, chat: { service_sid: serviceSid } })

/** What a client follows: the name, and the number of the last event that it has of it. */
export interface Following {
  readonly sid: string
  readonly name: string
  lastEvent: number
}

interface Asked {
  readonly resolve: (body: string) => void
  readonly reject: (fault: Error) => void
}

/** @param kind the last word of the message type, such as `list` for a message added, or `event` for one replayed */
export type Hear = (kind: string, payload: string) => void

let ids = 0

export class ChatClient {
  readonly scene: Scene
  readonly identity: string
  hear: Hear = () => {}
  #socket: WebSocket | undefined
  readonly #asked = new Map<string, Asked>()

  constructor(scene: Scene, identity: string) {
    this.scene = scene
    this.identity = identity
  }

  /** Opens the socket and is let in. @throws where it is not */
  async enter(url = this.scene.url): Promise<void> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v3/wsconnect`, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    })
    this.#socket = socket
    socket.on('message', (bytes: Buffer) => this.#received(bytes))
    // What becomes of it is told by its end.
    socket.on('error', () => {})
    socket.on('close', (code) => this.#lost(`the connection of ${this.identity} ended with ${code}`))
    await once(socket, 'open')
    const token = tokenFor(this.identity, this.scene.serviceSid)
    await this.#request({ method: 'init', token, capabilities: ['client_update'] })
  }

  /** @returns the answer's JSON @throws where it is refused */
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  async ask(method: string, path: string, body?: object): Promise<any> {
    const http_request = { host: 'aim.us1.twilio.com', method, path, params: {}, headers: {} }
    return JSON.parse(await this.#request({ method: 'message', http_request }, body))
  }

  /** What a client has of its own and of one channel, each with the number it has come to. */
  async findOut(channelSid: string): Promise<Following[]> {
    const { sync_objects: own } = await this.ask('GET', '/Client/v1/Configuration')
    const roots = [
      `Maps/${own.my_conversations}`,
      `Maps/${own.my_user_info}`,
      `Documents/${channelSid}.channel`,
      `Lists/${channelSid}.messages`,
      `Maps/${channelSid}.roster`,
    ]
    return Promise.all(
      roots.map(async (root) => {
        const { sid, unique_name: name, last_event_id: lastEvent } = await this.ask('GET', `/v3/${root}`)
        return { sid, name, lastEvent }
      }),
    )
  }

  /** Follows all in one request, each from where it was; what was missed is heard. @returns when that was answered */
  async follow(following: readonly Following[]): Promise<void> {
    await this.ask('POST', '/v4/Subscriptions', {
      event_protocol_version: 4,
      action: 'establish',
      correlation_id: Date.now(),
      requests: following.map((it) => ({
        object_sid: it.sid,
        object_type: it.name.endsWith('.channel')
          ? 'document'
          : it.name.endsWith('.messages')
            ? 'list'
            : 'map',
        last_event_id: it.lastEvent,
      })),
    })
  }

  say(channelSid: string, body: string): Promise<unknown> {
    const { serviceSid } = this.scene
    const path = `/Client/v1/Services/${serviceSid}/Conversations/${channelSid}/Messages`
    return this.ask('POST', path, { body, attributes: '{}' })
  }

  cut(): void {
    this.#socket?.removeAllListeners('close')
    this.#socket?.terminate()
    this.#socket = undefined
  }

  #request(header: object, payload?: object): Promise<string> {
    const id = `TM${String(++ids).padStart(32, '0')}`
    const answered = Promise.withResolvers<string>()
    this.#asked.set(id, answered)
    this.#socket?.send(frameOf({ id, ...header }, payload))
    return answered.promise
  }

  #received(bytes: Buffer): void {
    const { header, payload } = readFrame(bytes)
    if (header.method === 'notification') {
      this.hear(header.message_type.slice(header.message_type.lastIndexOf('.') + 1), payload)
      return
    }
    const asked = this.#asked.get(header.id)
    this.#asked.delete(header.id)
    const code = header.http_status?.code ?? header.status?.code
    if (code < 300) asked?.resolve(payload)
    else asked?.reject(new Error(`${this.identity} was answered ${code}: ${payload || header.status}`))
  }

  #lost(why: string): void {
    for (const { reject } of this.#asked.values()) reject(new Error(why))
    this.#asked.clear()
  }
}

/** Runs something for each, so many at once. */
export const forEach = async <T>(
  all: readonly T[],
  atOnce: number,
  run: (it: T, at: number) => Promise<void>,
): Promise<void> => {
  let at = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      const mine = at++
      if (mine >= all.length) return
      await run(all[mine] as T, mine)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker))
}

const ENTERING_AT_ONCE = 64

/** A member in a channel, connected, and what they follow. */
export interface Present {
  readonly client: ChatClient
  readonly channelSid: string
  readonly following: readonly Following[]
}

/** Every member of every channel comes in and follows their own maps and their channel; channel by channel. */
export const assemble = async (scene: Scene): Promise<Present[]> => {
  const all = scene.channels.flatMap(({ sid, members }) =>
    members.map((identity) => ({ channelSid: sid, client: new ChatClient(scene, identity) })),
  )
  const present: Present[] = []
  await forEach(all, ENTERING_AT_ONCE, async ({ client, channelSid }, at) => {
    await client.enter()
    const following = await client.findOut(channelSid)
    const established = heardTimes(client, following.length, isEstablished)
    await client.follow(following)
    await established
    present[at] = { client, channelSid, following }
  })
  return present
}

export const isEstablished = (kind: string, payload: string): boolean =>
  kind === 'event' && payload.includes('"subscription_established"')

/** Resolves when a client has heard something fitting so many times. It must have nothing else to hear. */
const heardTimes = (
  client: ChatClient,
  times: number,
  fits: (kind: string, payload: string) => boolean,
): Promise<void> => {
  const heard = Promise.withResolvers<void>()
  let left = times
  client.hear = (kind, payload) => {
    if (fits(kind, payload)) left -= 1
    if (left > 0) return
    client.hear = () => {}
    heard.resolve()
  }
  return patiently(heard.promise, `what ${client.identity} follows`)
}

/** @throws where it takes too long */
export const patiently = async <T>(awaited: Promise<T>, what: string): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what} never came`)), PATIENCE_MS)
  try {
    return await Promise.race([awaited, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

export const dismiss = (present: readonly Present[]): void => {
  for (const { client } of present) client.cut()
}
