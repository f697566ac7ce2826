/**
 * The chat socket: the one file that touches WebSockets. It turns what comes over one into happenings of a Twilsock
 * session and does the session's deeds; what is asked goes to the upstream. Its bounds are CS80 to CS99 of
 * docs/protocols/chat-socket.md.
 *
 * A connection that nobody uses holds no timer: one sweep a second serves all alarms and heartbeats.
 */
import type { IncomingMessage } from 'node:http'
import { Problem, problem } from '@parley/contract/problem.ts'
import type { Logger } from 'pino'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { AccessToken } from '../http/binding.ts'
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
  /** Bytes that a client has not taken yet; beyond them it is cheaper to let it come back and resume. */
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

const BINARY = { binary: true, compress: false, fin: true } as const

interface Connection {
  readonly socket: WebSocket
  readonly address: string | undefined
  /** At which of the sweeps its heart beats. */
  readonly beat: number
  session: Session
  /** Milliseconds since 1970. */
  wakeAt: number
  isHeard: boolean
  pings: number
  isOver: boolean
  readonly judging: Lane
  /** Made when something is asked: most connections are idle most of the time. */
  asking: Lane | undefined
  client: (Client & { token: AccessToken }) | undefined
}

export const openSockets = (options: SocketOptions): Sockets => {
  const { upstream, believe, log, now, newId } = options
  const bounds: Bounds = { ...BOUNDS, ...options.bounds }
  const judging: LaneBounds = { ...bounds, running: 1, waiting: bounds.judged }
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

  const opened = (socket: WebSocket, { socket: { remoteAddress } }: IncomingMessage): void => {
    const connection: Connection = {
      socket,
      address: remoteAddress,
      beat: sweeps % bounds.heartbeatSweeps,
      session: FRESH,
      wakeAt: Number.POSITIVE_INFINITY,
      isHeard: true,
      pings: 0,
      isOver: false,
      judging: new Lane(judging),
      asking: undefined,
      client: undefined,
    }
    connections.add(connection)
    socket.on('message', (data, isBinary) => received(connection, data, isBinary))
    socket.on('ping', () => pinged(connection))
    socket.on('pong', () => pinged(connection))
    socket.on('error', (fault) => logged(connection, 'a connection failed', { reason: fault.message }))
    socket.once('close', () => over(connection))
    happen(connection, { what: 'opened' })
  }

  const received = (connection: Connection, data: RawData, isBinary: boolean): void => {
    connection.isHeard = true
    if (connection.session.state === 'closing') return
    const decoded = isBinary ? decode(data as Buffer) : ({ fault: 'not_binary' } as const)
    happen(connection, { what: 'received', decoded })
  }

  const pinged = (connection: Connection): void => {
    connection.isHeard = true
    connection.pings += 1
    if (connection.pings > bounds.pings) end(connection, TRY_AGAIN, 'too many pings')
    else checkTaken(connection)
  }

  const happen = (connection: Connection, happening: Happening): void => {
    try {
      const [session, deeds] = step(connection.session, happening, { now: now(), newId })
      connection.session = session
      for (const deed of deeds) act(connection, deed)
    } catch (fault) {
      broken(connection, fault)
    }
  }

  const act = (connection: Connection, deed: Deed): void => {
    switch (deed.deed) {
      case 'send':
        send(connection, deed.frame)
        break
      case 'wake':
        connection.wakeAt = deed.at
        break
      case 'log':
        logged(connection, deed.says, deed.fields)
        break
      case 'close':
        connection.socket.close(deed.code, fitting(deed.reason))
        break
      case 'renew':
        if (connection.client) connection.client.token = deed.token
        break
      case 'believe':
        judge(connection, deed, deed.jwt.length, () => believed(deed))
        break
      case 'arrive':
        judge(connection, deed, 0, () => arrived(connection, deed.token))
        break
      case 'ask':
        ask(connection, deed)
    }
  }

  const believed = async ({ frameId, jwt }: { frameId: string; jwt: string }): Promise<Happening> => ({
    what: 'believed',
    frameId,
    token: await believe(jwt),
  })

  const arrived = async (connection: Connection, token: AccessToken): Promise<Happening> => {
    const client = newClient(connection, token, await upstream.arrive(token))
    if (!connection.isOver) {
      connection.client = client
      upstream.join(client)
    }
    return { what: 'arrived', token }
  }

  /** Has a verdict made in its turn, and the session told of it. */
  const judge = (
    connection: Connection,
    { frameId }: { frameId: string },
    bytes: number,
    verdict: () => Promise<Happening>,
  ): void => {
    const run = async () => {
      try {
        happen(connection, await verdict())
      } catch (fault) {
        if (!(fault instanceof Problem)) log.error({ fault }, 'a token could not be judged')
        const why = fault instanceof Problem ? fault : problem('internal')
        happen(connection, { what: 'refused', frameId, why })
      }
    }
    if (!connection.judging.take({ bytes, run })) end(connection, TRY_AGAIN, 'too many tokens wait')
  }

  const ask = (connection: Connection, { frameId, request, bytes }: Deed & { deed: 'ask' }): void => {
    const run = async () => {
      if (!connection.client) return
      const answer = await answered(connection.client, request)
      happen(connection, { what: 'answered', frameId, answer })
    }
    connection.asking ??= new Lane(bounds)
    if (!connection.asking.take({ bytes, run })) end(connection, TRY_AGAIN, 'too many requests wait')
  }

  const answered = async (client: Client, request: TunnelledRequest): Promise<TunnelledAnswer> => {
    try {
      return await upstream.answer(client, request)
    } catch (fault) {
      log.error({ fault, path: request.path }, 'a request through a socket failed')
      const { status, code, message } = problem('internal')
      return { status, body: { status, code, message } }
    }
  }

  const newClient = (
    connection: Connection,
    token: AccessToken,
    { serviceSid, userSid }: Pick<Client, 'serviceSid' | 'userSid'>,
  ): NonNullable<Connection['client']> => ({
    accountSid: token.accountSid,
    serviceSid,
    identity: token.identity,
    userSid,
    token,
    send: (frame) => send(connection, frame),
    close: (why) => end(connection, TRY_AGAIN, why),
  })

  const send = (connection: Connection, frame: Uint8Array): void => {
    if (connection.socket.readyState !== connection.socket.OPEN) return
    connection.socket.send(frame, BINARY)
    checkTaken(connection)
  }

  const checkTaken = (connection: Connection): void => {
    if (connection.socket.bufferedAmount > bounds.unsentBytes) end(connection, TRY_AGAIN, 'slow consumer')
  }

  const end = (connection: Connection, code: number, reason: string): void => {
    if (connection.session.state === 'closing') return
    logged(connection, 'a connection was ended', { reason })
    happen(connection, { what: 'ended', code, reason })
  }

  /** A bug of ours ends the one connection that met it. */
  const broken = (connection: Connection, fault: unknown): void => {
    log.error({ fault }, 'a connection met a fault')
    end(connection, FAULT, 'internal error')
  }

  const over = (connection: Connection): void => {
    connection.isOver = true
    connections.delete(connection)
    void connection.judging.stop()
    void connection.asking?.stop()
    if (connection.client) leave(connection.client)
  }

  const leave = (client: Client): void => {
    try {
      upstream.leave(client)
    } catch (fault) {
      log.error({ fault }, 'a client that left could not be forgotten')
    }
  }

  const logged = ({ client, address }: Connection, says: string, fields: object): void =>
    log.info(
      { ...fields, address, ...(client && { identity: client.identity, service: client.serviceSid }) },
      says,
    )

  const sweep = (): void => {
    sweeps += 1
    const [at, beat] = [now(), sweeps % bounds.heartbeatSweeps]
    for (const connection of connections) {
      if (connection.wakeAt <= at) {
        connection.wakeAt = Number.POSITIVE_INFINITY
        happen(connection, { what: 'woken' })
      }
      if (connection.beat === beat) beatHeart(connection)
    }
  }

  const beatHeart = (connection: Connection): void => {
    const { socket, isHeard } = connection
    connection.isHeard = false
    connection.pings = 0
    if (!isHeard) socket.terminate()
    else if (socket.readyState === socket.OPEN) socket.ping()
  }

  const sweeper = setInterval(sweep, bounds.sweepMs)

  return {
    get size() {
      return connections.size
    },
    isFor: (path) => path === PATH || path.endsWith(PATH),
    upgrade: (request, socket, head) => {
      if (isClosing) turnAway(socket, 503)
      else server.handleUpgrade(request, socket, head, (made) => opened(made, request))
    },
    [Symbol.asyncDispose]: async () => {
      isClosing = true
      const open = [...connections]
      const ends = open.flatMap(({ socket, judging, asking }) => [
        isClosed(socket),
        judging.stop(),
        asking?.stop(),
      ])
      for (const connection of open) {
        happen(connection, { what: 'ended', code: RESTART, reason: 'restart' })
        connection.socket.close(RESTART)
      }
      await allWithin(ends, bounds.drainMs)
      clearInterval(sweeper)
    },
  }
}

const isClosed = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
  })

const allWithin = async (ends: readonly (Promise<void> | undefined)[], ms: number): Promise<void> => {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([Promise.all(ends), late.promise])
  clearTimeout(timer)
}

const fitting = (reason: string): string => {
  const bytes = Buffer.from(reason)
  if (bytes.length <= CLOSE_REASON_BYTES_MAX) return reason
  // A character that is cut in two would not be text any more.
  return new TextDecoder().decode(bytes.subarray(0, CLOSE_REASON_BYTES_MAX - 3), { stream: true })
}
