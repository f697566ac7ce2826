/**
 * The chat socket: the one file that touches WebSockets. It turns what comes over one into happenings of a Twilsock
 * session and does the session's deeds; what is asked goes to the upstream. Its bounds are CS80 to CS99 of
 * docs/protocols/chat-socket.md.
 *
 * A connection that nobody uses holds no timer: one sweep a second serves all alarms and heartbeats.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { problem } from '@parley/contract/problem.ts'
import type { Logger } from 'pino'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { AccessToken } from '../http/binding.ts'
import { refusalIn } from '../store/away.ts'
import type { Client, TunnelledAnswer, TunnelledRequest, Upstream } from './client.ts'
import { Lane, type LaneBounds } from './lane.ts'
import { decode, FRAME_BYTES_MAX, type NewFrameId } from './protocols/twilsock/frame.ts'
import { type Deed, FRESH, type Happening, type Session, step } from './protocols/twilsock/session.ts'
import { type SocketDoor, turnAway } from './upgrades.ts'

export const BOUNDS = {
  /** Requests of one connection that run at once: one that a webhook holds up must not hold up the others. */
  running: 16,
  /** Requests that wait behind them. A client with 250 channels asks for some 1,000 things when it starts. */
  waiting: 2_000,
  /** Bytes of what waits. */
  waitingBytes: 8 * 1024 * 1024,
  /**
   * Bytes that a client was sent unasked and has not taken yet; beyond them it is cheaper to let it come back and
   * resume. Answers do not count: a client that asks for much over a slow line is answered as fast as it takes them.
   */
  unsentBytes: 4 * 1024 * 1024,
  /** Pings and pongs between two heartbeats. Each ping costs an answer, and no client needs more than a few. */
  pings: 300,
  /** Tokens of one connection that wait to be judged, one after the other: requests must not hold up a renewal. */
  judged: 10,
  /** How often alarms are looked at, in milliseconds. */
  sweepMs: 1_000,
  /** How many sweeps lie between two heartbeats of a connection. One that is not heard of in between is gone. */
  heartbeatSweeps: 30,
  /** How long the other side may take to confirm the end of a connection, in milliseconds. */
  closeTimeoutMs: 2_000,
  /** How long requests that run may take to end when the house closes, in milliseconds. */
  drainMs: 10_000,
} as const

export type Bounds = { readonly [Name in keyof typeof BOUNDS]: number }

export interface SocketOptions {
  readonly upstream: Upstream
  /** @throws a Problem, 20101 to 20107, that says what is wrong with the token */
  readonly believe: (jwt: string) => Promise<AccessToken>
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly newId: NewFrameId
  readonly bounds?: Partial<Bounds>
}

export interface Sockets extends SocketDoor {
  /** How many are connected, believed or not. */
  readonly size: number
  /** Ends every connection with 1012, upon which the published clients come back, and waits for what runs. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The published clients' own path; with a region such as `chat.example.org/r` it stands at the end of another. */
const PATH = '/v3/wsconnect'

/** WebSocket's own codes. */
const RESTART = 1012
const TRY_AGAIN = 1013
const FAULT = 1011

/** What a close frame has room for, in bytes. */
const CLOSE_REASON_BYTES_MAX = 123

/** How much is gathered before it is sent without waiting for the turn's end, in bytes. */
const GATHERED_BYTES_MAX = 64 * 1024

const BINARY = { binary: true, compress: false, fin: true } as const

/**
 * The door of the chat socket, for `hangDoors`. Dispose of it before the HTTP server: that one waits for connections
 * to end, and these do not end by themselves.
 */
export const openSockets = (options: SocketOptions): Sockets => {
  const bounds: Bounds = { ...BOUNDS, ...options.bounds }
  const given: Given = { ...options, bounds, judging: { ...bounds, running: 1, waiting: bounds.judged } }
  const connections = new Set<Connection>()
  let sweeps = 0
  let isClosing = false

  const webSocket = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    // Text is refused whatever it says.
    skipUTF8Validation: true,
    closeTimeout: bounds.closeTimeoutMs,
    // Its own bound cuts without a word.
    maxPendingAutoPongs: 0,
  }
  const server = new WebSocketServer(webSocket)

  const opened = (socket: WebSocket, { socket: line }: IncomingMessage): void => {
    const connection = new Connection(socket, line, sweeps % bounds.heartbeatSweeps, given)
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  }

  const sweep = (): void => {
    sweeps += 1
    const [now, beat] = [options.now(), sweeps % bounds.heartbeatSweeps]
    for (const connection of connections) {
      connection.wake(now)
      if (connection.beat === beat) connection.beatHeart()
    }
  }
  const sweeper = setInterval(sweep, bounds.sweepMs)

  return {
    get size() {
      return connections.size
    },
    isFor: (path) => path.endsWith(PATH),
    upgrade: (request, socket, head) => {
      if (isClosing) turnAway(socket, 503)
      else server.handleUpgrade(request, socket, head, (made) => opened(made, request))
    },
    [Symbol.asyncDispose]: async () => {
      isClosing = true
      const ended = Promise.all([...connections].map((connection) => connection.endForGood()))
      await within(ended, bounds.drainMs)
      clearInterval(sweeper)
    },
  }
}

type Given = Omit<SocketOptions, 'bounds'> & { readonly bounds: Bounds; readonly judging: LaneBounds }

/** One WebSocket with the session it carries. */
class Connection {
  /** At which of the sweeps its heart beats. */
  readonly beat: number
  readonly #socket: WebSocket
  /** What the WebSocket runs over. */
  readonly #line: Socket
  readonly #address: string | undefined
  readonly #given: Given
  #session: Session = FRESH
  /** Milliseconds since 1970. */
  #wakeAt = Number.POSITIVE_INFINITY
  #isHeard = true
  #pings = 0
  #isOver = false
  /** Bytes of what was asked for and is not on its way yet. */
  #askedBytes = 0
  /** Resolves when the last answer is. */
  #answerGiven: Promise<void> | undefined
  readonly #judging: Lane
  /** Made when something is asked: most connections are idle most of the time. */
  #asking: Lane | undefined
  #client: (Client & { token: AccessToken; isGone: boolean }) | undefined

  constructor(socket: WebSocket, line: Socket, beat: number, given: Given) {
    this.beat = beat
    this.#socket = socket
    this.#line = line
    this.#address = line.remoteAddress
    this.#given = given
    this.#judging = new Lane(given.judging)
    socket.on('message', (data, isBinary) => this.#received(data, isBinary))
    socket.on('ping', () => this.#pinged())
    socket.on('pong', () => this.#pinged())
    socket.on('error', ({ message }) => this.#log('a connection failed', { reason: message }))
    socket.once('close', () => this.#over())
    this.#happen({ what: 'opened' })
  }

  wake(now: number): void {
    if (this.#wakeAt > now) return
    this.#wakeAt = Number.POSITIVE_INFINITY
    this.#happen({ what: 'woken' })
  }

  beatHeart(): void {
    if (!this.#isHeard) this.#socket.terminate()
    else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
    this.#isHeard = false
    this.#pings = 0
  }

  /** The house closes. Resolves when the socket is closed and nothing runs for it any more. */
  async endForGood(): Promise<void> {
    const ended = [isClosed(this.#socket), this.#judging.stop(), this.#asking?.stop()]
    this.#happen({ what: 'ended', code: RESTART, reason: 'restart' })
    // One that was refused still waits for its client to leave.
    this.#socket.close(RESTART)
    await Promise.all(ended)
  }

  #received(data: RawData, isBinary: boolean): void {
    this.#isHeard = true
    if (this.#session.state === 'closing') return
    const decoded = isBinary ? decode(data as Buffer) : ({ fault: 'not_binary' } as const)
    this.#happen({ what: 'received', decoded })
  }

  #pinged(): void {
    this.#isHeard = true
    this.#pings += 1
    if (this.#pings > this.#given.bounds.pings) this.#end(TRY_AGAIN, 'too many pings')
    else this.#checkTaken()
  }

  #happen(happening: Happening): void {
    const { now, newId, log } = this.#given
    try {
      const [session, deeds] = step(this.#session, happening, { now: now(), newId })
      this.#session = session
      for (const deed of deeds) this.#do(deed)
    } catch (fault) {
      // A bug of ours ends the one connection that met it.
      log.error({ fault }, 'a connection met a fault')
      this.#end(FAULT, 'internal error')
    }
  }

  #do(deed: Deed): void {
    switch (deed.deed) {
      case 'send':
        this.#send(deed.frame)
        break
      case 'answer':
        this.#answerGiven = this.#give(deed.frame)
        break
      case 'wake':
        this.#wakeAt = deed.at
        break
      case 'log':
        this.#log(deed.says, deed.fields)
        break
      case 'close':
        this.#socket.close(deed.code, fitting(deed.reason))
        break
      case 'renew':
        if (this.#client) this.#client.token = deed.token
        break
      case 'believe':
        this.#judge(deed.frameId, deed.jwt.length, () => this.#believed(deed.frameId, deed.jwt))
        break
      case 'arrive':
        this.#judge(deed.frameId, 0, () => this.#arrived(deed.token))
        break
      case 'ask':
        this.#ask(deed)
    }
  }

  /** Has a verdict made in its turn, and the session told of it. */
  #judge(frameId: string, bytes: number, verdict: () => Promise<Happening>): void {
    const run = async () => {
      try {
        this.#happen(await verdict())
      } catch (fault) {
        const why = refusalIn(fault)
        if (!why) this.#given.log.error({ fault }, 'a token could not be judged')
        this.#happen({ what: 'refused', frameId, why: why ?? problem('internal') })
      }
    }
    if (!this.#judging.take({ bytes, run })) this.#end(TRY_AGAIN, 'too many tokens wait')
  }

  async #believed(frameId: string, jwt: string): Promise<Happening> {
    return { what: 'believed', frameId, token: await this.#given.believe(jwt) }
  }

  async #arrived(token: AccessToken): Promise<Happening> {
    const { serviceSid, userSid } = await this.#given.upstream.arrive(token)
    if (this.#isOver) return { what: 'arrived', token }
    const { accountSid, identity } = token
    this.#client = {
      accountSid,
      serviceSid,
      identity,
      userSid,
      token,
      isGone: false,
      send: (frame) => this.#send(frame),
      give: (frame) => this.#give(frame),
      close: (why) => this.#end(TRY_AGAIN, why),
    }
    this.#given.upstream.join(this.#client)
    return { what: 'arrived', token }
  }

  #ask({ frameId, request, bytes }: Deed & { deed: 'ask' }): void {
    const run = async () => {
      if (!this.#client) return
      const answer = await this.#answered(this.#client, request)
      this.#happen({ what: 'answered', frameId, answer })
      await this.#answerGiven
    }
    this.#asking ??= new Lane(this.#given.bounds)
    if (!this.#asking.take({ bytes, run })) this.#end(TRY_AGAIN, 'too many requests wait')
  }

  async #answered(client: Client, request: TunnelledRequest): Promise<TunnelledAnswer> {
    const { upstream, log } = this.#given
    try {
      return await upstream.answer(client, request)
    } catch (fault) {
      log.error({ fault, path: request.path }, 'a request through a socket failed')
      const { status, code, message } = problem('internal')
      return { status, body: { status, code, message } }
    }
  }

  #send(frame: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#gather()
    this.#socket.send(frame, BINARY)
    this.#checkTaken()
  }

  #give(frame: Uint8Array): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve()
    const isGiven = Promise.withResolvers<void>()
    this.#askedBytes += frame.length
    this.#gather()
    this.#socket.send(frame, BINARY, () => {
      this.#askedBytes -= frame.length
      isGiven.resolve()
    })
    return isGiven.promise
  }

  /** Frames of one turn go out together: to send each by itself costs more than everything else about it. */
  #gather(): void {
    const line = this.#line
    if (line.writableCorked === 0) {
      line.cork()
      process.nextTick(letGo, line)
    } else if (line.writableLength > GATHERED_BYTES_MAX) {
      line.uncork()
      line.cork()
    }
  }

  #checkTaken(): void {
    const unasked = this.#socket.bufferedAmount - this.#askedBytes
    if (unasked > this.#given.bounds.unsentBytes) this.#end(TRY_AGAIN, 'slow consumer')
  }

  #end(code: number, reason: string): void {
    if (this.#session.state === 'closing') return
    this.#log('a connection was ended', { reason })
    this.#happen({ what: 'ended', code, reason })
  }

  #over(): void {
    this.#isOver = true
    void this.#judging.stop()
    void this.#asking?.stop()
    if (!this.#client) return
    this.#client.isGone = true
    const { upstream, log } = this.#given
    try {
      upstream.leave(this.#client)
    } catch (fault) {
      log.error({ fault }, 'a client that left could not be forgotten')
    }
  }

  #log(says: string, fields: object): void {
    const who = this.#client && { identity: this.#client.identity, service: this.#client.serviceSid }
    this.#given.log.info({ ...fields, address: this.#address, ...who }, says)
  }
}

const letGo = (line: Socket): void => line.uncork()

const isClosed = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
  })

const within = async (ended: Promise<unknown>, ms: number): Promise<void> => {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([ended, late.promise])
  clearTimeout(timer)
}

const fitting = (reason: string): string => {
  const bytes = Buffer.from(reason)
  if (bytes.length <= CLOSE_REASON_BYTES_MAX) return reason
  // A character that is cut in two would not be text any more.
  return new TextDecoder().decode(bytes.subarray(0, CLOSE_REASON_BYTES_MAX - 3), { stream: true })
}
