/**
 * The event bridge's sockets, which only ever speak: what is here touches WebSockets and knows no event. A token stands
 * in the address; who is not believed is answered 401, upon which the worker SDK says that it could not connect. Its
 * bounds are EB1 to EB9 and EB95 of docs/protocols/event-bridge.md.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { refusalIn } from '../store/away.ts'
import { type SocketDoor, turnAway } from './upgrades.ts'

export const BRIDGE_BOUNDS = {
  /** How often a client hears a blank frame, in milliseconds: after 30 seconds of silence it believes it is cut off. */
  heartbeatMs: 15_000,
  /** How often hearts and tokens are looked at, in milliseconds. */
  sweepMs: 1_000,
  /** How long a connection outlives its token, in milliseconds: the SDK says nothing here of a token it renewed. */
  graceMs: 30_000,
  /**
   * How long a client may take to begin, in milliseconds: two answers after one another, for each of which the SDK waits
   * 15 seconds. Where its beginning failed it neither tries again nor leaves, and would hear of nothing for ever.
   */
  beginMs: 30_000,
  /** Bytes that a client was sent and has not taken; beyond them it is cheaper to let it come back. */
  unsentBytes: 4 * 1024 * 1024,
  /** What clients say between two heartbeats, in messages. They have nothing to say. */
  messages: 100,
  /** How long the other side may take to confirm the end of a connection, in milliseconds. */
  closeTimeoutMs: 2_000,
} as const

export type BridgeBounds = { readonly [Name in keyof typeof BRIDGE_BOUNDS]: number }

/** The longest message that is taken from a client, in bytes. */
const MESSAGE_BYTES_MAX = 4_096

/** The published clients' own path; with a region it stands at the end of another. */
const PATH = '/v1/wschannels'

const REPLACED = 1000
const POLICY = 1008
const RESTART = 1012
const TRY_AGAIN = 1013

/** One connection, as those see it who have something to say through it. */
export interface BridgeLine {
  send(frame: string): void
  /** Ends it; the SDK comes back within seconds while it believes in its token. */
  close(why: string): void
  /** Ends it for another session of the same worker. */
  replace(): void
}

/** Somebody who is let in. */
export interface Visit {
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Its client has not read what it begins with. */
  isBeginning(): boolean
  /** It is open: says what is said first. */
  opened(line: BridgeLine): void
  /** It is over. Called once if it was opened. */
  closed(): void
}

export interface BridgeSocketOptions {
  /** @throws a Problem that says why somebody is not let in */
  readonly arrive: (query: URLSearchParams) => Promise<Visit>
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly bounds?: Partial<BridgeBounds> | undefined
}

export interface BridgeSockets extends SocketDoor {
  readonly size: number
  /** Ends every connection with 1012, upon which the SDK comes back. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The door of the event bridge, for `hangDoors`. */
export const openBridgeSockets = ({ arrive, log, now, ...options }: BridgeSocketOptions): BridgeSockets => {
  const bounds: BridgeBounds = { ...BRIDGE_BOUNDS, ...options.bounds }
  const connections = new Set<Connection>()
  let isClosing = false

  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    closeTimeout: bounds.closeTimeoutMs,
  } as ConstructorParameters<typeof WebSocketServer>[0])

  const enter = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const address = request.socket.remoteAddress
    // Whoever has gone before they are judged needs no answer; unheard, the error would end the process.
    const gone = () => socket.destroy()
    socket.on('error', gone)
    try {
      const visit = await arrive(queryOf(request.url))
      socket.off('error', gone)
      if (isClosing) turnAway(socket, 503)
      else if (!socket.destroyed)
        server.handleUpgrade(request, socket, head, (made) => {
          const connection = new Connection(made, visit, { bounds, log, now, address })
          connections.add(connection)
          made.once('close', () => connections.delete(connection))
        })
    } catch (fault) {
      const why = refusalIn(fault)
      if (why) log.info({ code: why.code, reason: why.message, address }, 'a worker was not let in')
      else log.error({ fault, address }, 'a worker could not be judged')
      turnAway(socket, why?.status ?? 500)
    }
  }

  const sweep = (): void => {
    const at = now()
    for (const connection of connections) connection.look(at)
  }
  const sweeper = setInterval(sweep, bounds.sweepMs)
  const beat = (): void => {
    for (const connection of connections) connection.beatHeart()
  }
  const heart = setInterval(beat, bounds.heartbeatMs)

  return {
    get size() {
      return connections.size
    },
    isFor: (path) => path.endsWith(PATH),
    upgrade: (request, socket, head) => {
      if (isClosing) turnAway(socket, 503)
      else void enter(request, socket, head)
    },
    [Symbol.asyncDispose]: async () => {
      isClosing = true
      clearInterval(sweeper)
      clearInterval(heart)
      await Promise.all([...connections].map((it) => it.endForGood()))
    },
  }
}

const queryOf = (url = '/'): URLSearchParams => {
  const at = url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : url.slice(at))
}

interface Given {
  readonly bounds: BridgeBounds
  readonly log: Logger
  readonly now: () => number
  readonly address: string | undefined
}

class Connection {
  readonly #socket: WebSocket
  readonly #visit: Visit
  readonly #given: Given
  readonly #beginBy: number
  #isHeard = true
  #messages = 0

  constructor(socket: WebSocket, visit: Visit, given: Given) {
    this.#socket = socket
    this.#visit = visit
    this.#given = given
    this.#beginBy = given.now() + given.bounds.beginMs
    socket.on('error', ({ message }) => this.#log('a connection of the event bridge failed', message))
    socket.on('pong', () => {
      this.#isHeard = true
    })
    socket.on('message', () => this.#said())
    socket.on('ping', () => this.#said())
    socket.once('close', () => this.#over())
    visit.opened({
      send: (frame) => this.#send(frame),
      close: (why) => this.#end(TRY_AGAIN, why),
      replace: () => this.#end(REPLACED, 'replaced by another session of the worker'),
    })
  }

  look(now: number): void {
    if (now > this.#visit.expiresAt + this.#given.bounds.graceMs) this.#end(POLICY, 'the token has expired')
    if (now > this.#beginBy && this.#visit.isBeginning()) this.#end(TRY_AGAIN, 'it did not begin')
  }

  beatHeart(): void {
    if (!this.#isHeard) this.#socket.terminate()
    this.#isHeard = false
    this.#messages = 0
    this.#send('\n')
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
  }

  async endForGood(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#socket.close(RESTART, 'restart')
    await closed
  }

  #said(): void {
    this.#isHeard = true
    this.#messages += 1
    if (this.#messages > this.#given.bounds.messages) this.#end(TRY_AGAIN, 'too much was said')
  }

  #send(frame: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.send(frame)
    if (this.#socket.bufferedAmount > this.#given.bounds.unsentBytes) this.#end(TRY_AGAIN, 'slow consumer')
  }

  #end(code: number, reason: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#log('a connection of the event bridge was ended', reason)
    this.#socket.close(code, reason)
  }

  #over(): void {
    try {
      this.#visit.closed()
    } catch (fault) {
      this.#given.log.error({ fault }, 'a worker who left could not be forgotten')
    }
  }

  #log(says: string, reason: string): void {
    this.#given.log.info({ reason, address: this.#given.address }, says)
  }
}
