/**
 * A socket that lasts: it is opened with a token, and when it breaks opened again, later each time, until it is closed or
 * the token is refused for good. What is said over it is its holder's business.
 *
 * disconnected ─ connect ─▶ connecting ─ let in, everything resumed ─▶ connected
 *                               ▲  └ a fresh token refused ─▶ denied       │
 *                               └──────────────── broken ──────────────────┘
 */
import type { Failure, FailureClass } from './failure.ts'

/** Waits between two attempts: the first about so long, doubled with each that fails, each shortened by chance. */
const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 30_000

/** For a token, a socket and being let in. Slow networks take some seconds for TLS alone. */
const CONNECT_TIMEOUT_MS = 15_000

/** WebSocket's own code for a normal end. */
const NORMAL = 1000

/** Where an app stands. `denied` lasts until `connect()` is called again. */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'denied'

/** A browser's WebSocket, or Node's; `ws` fits as well. */
export type WebSocketClass = new (url: string) => WebSocket

export interface LineOptions {
  readonly getToken: () => Promise<string> | string
  readonly WebSocket: WebSocketClass
}

/** Whoever speaks over a line. */
export interface Holder<Fault extends Failure> extends LineOptions {
  readonly Fault: FailureClass<Fault>
  readonly addressFor: (token: string) => string
  /** The socket is open. To be called as an answer: `letIn()`, then `resumed()`; or `refused()`, `drop()`. */
  readonly opened: (token: string) => void
  readonly received: (data: unknown) => void
  /** The other side ended it, or the network. To be called as an answer: `drop()`, or whatever else fits. */
  readonly ended: (error: Fault, code: number) => void
  /** The socket is given up: its timers end here. */
  readonly left: () => void
  /** It was lost, and another will come. */
  readonly broke: () => void
  /** It is closed or denied: whatever waits fails with this. */
  readonly over: (error: Fault) => void
  readonly stateChanged: (state: ConnectionState, error?: Fault) => void
}

export class Line<Fault extends Failure> {
  state: ConnectionState = 'disconnected'
  readonly #holder: Holder<Fault>
  #socket: WebSocket | undefined
  #isClosed = false
  #token: string | undefined
  /** The token was minted for this attempt. */
  #isFresh = false
  #attempts = 0
  #ready: Deferred | undefined
  #attemptTimer: ReturnType<typeof setTimeout> | undefined

  constructor(holder: Holder<Fault>) {
    this.#holder = holder
  }

  /** `connect()` was called, and nothing has ended it. */
  get isWanted(): boolean {
    return !this.#isClosed && this.#ready !== undefined
  }

  /** The one in use; to know whether it is still the same. */
  get socket(): WebSocket | undefined {
    return this.#socket
  }

  /**
   * Resolves once connected.
   * @throws `token` or `forbidden` where the server refuses a fresh token, `invalid` for an address that is none,
   * `closed` after `close()`
   */
  connect(): Promise<void> {
    if (this.#isClosed) return Promise.reject(this.closedError())
    if (!this.#ready) {
      this.#ready = deferred()
      // An app may await it later, or listen to states instead.
      this.#ready.promise.catch(() => {})
      onceOnline('addEventListener', this.#hurry)
      void this.#open()
    }
    return this.#ready.promise
  }

  /** Ends it for good. What waits fails as `closed`. Resolves when the socket is closed. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const socket = this.#socket
    this.#leave()
    this.#holder.over(this.closedError())
    this.#ready?.reject(this.closedError())
    this.#setState('disconnected')
    if (!socket || socket.readyState === socket.CLOSED) return
    await new Promise<void>((resolve) => {
      socket.onclose = () => resolve()
      socket.close(NORMAL)
    })
  }

  /** The token in use. @param isRefused asks for a new one */
  async token(isRefused = false): Promise<string> {
    if (!isRefused && this.#token !== undefined) return this.#token
    try {
      this.#token = await this.#holder.getToken()
      return this.#token
    } catch (cause) {
      const message = `getToken failed: ${(cause as Error)?.message ?? cause}`
      throw new this.#holder.Fault('token', message, 0, 0, cause)
    }
  }

  /** A new one is asked for where it is next needed. */
  forgetToken(): void {
    this.#token = undefined
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    const socket = this.#socket
    if (socket?.readyState === socket?.OPEN) socket?.send(data)
  }

  /** Everything that was missed is known: it is connected. */
  resumed(): void {
    this.#attempts = 0
    if (this.state !== 'connected') this.#setState('connected')
    this.#ready?.resolve()
  }

  /** Let in: it need not be timed any more. */
  letIn(): void {
    clearTimeout(this.#attemptTimer)
  }

  /** Gives this socket up and makes another, later. */
  drop(error: Fault, leastMs = 0): void {
    if (!this.isWanted) return
    this.#socket?.close()
    this.#leave()
    this.#holder.broke()
    const most = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#attempts++)
    const pause = Math.max(leastMs, most * (0.5 + Math.random() / 2))
    this.#attemptTimer = setTimeout(() => void this.#open(), pause)
    this.#setState('connecting', error)
  }

  /** Makes another socket at once, as for a new token. It stays connected where nothing goes wrong. */
  reopen(): void {
    this.#socket?.close()
    void this.#open(true)
  }

  /** A token of some age may have ended meanwhile; one that was just minted will be refused again. */
  refused(error: Fault, leastMs = 0): void {
    if (error.status !== 401 && error.status !== 403) {
      this.drop(error, leastMs)
      return
    }
    this.#token = undefined
    if (this.#isFresh) {
      this.deny(error)
      return
    }
    this.#socket?.close()
    void this.#open()
  }

  /** There is no use in going on. */
  deny(error: Fault): void {
    this.#socket?.close()
    this.#leave()
    this.#holder.over(error)
    this.#ready?.reject(error)
    this.#ready = undefined
    this.#setState('denied', error)
  }

  closedError(): Fault {
    return new this.#holder.Fault('closed', 'The client is not connected')
  }

  async #open(isQuiet = false): Promise<void> {
    this.#leave()
    if (this.state !== 'connecting' && !isQuiet) this.#setState('connecting')
    this.#isFresh = this.#token === undefined
    const timer = setTimeout(() => {
      this.drop(new this.#holder.Fault('lost', 'No token came, or the server did not let us in, in time'))
    }, CONNECT_TIMEOUT_MS)
    this.#attemptTimer = timer
    let token: string
    try {
      token = await this.token()
    } catch (fault) {
      if (this.#attemptTimer === timer) this.drop(fault as Fault)
      return
    }
    // Closed meanwhile, or a later attempt has begun.
    if (this.#attemptTimer !== timer) return
    const socket = this.#newSocket(this.#holder.addressFor(token))
    if (!socket) return
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    const isCurrent = () => this.#socket === socket
    socket.onopen = () => isCurrent() && this.#holder.opened(token)
    socket.onmessage = ({ data }) => isCurrent() && this.#holder.received(data)
    // A close follows each error; an emitter without a listener for errors would throw.
    socket.onerror = () => {}
    socket.onclose = ({ code, reason }) => {
      if (!isCurrent()) return
      const message = `The connection ended (${code}${reason && `: ${reason}`})`
      this.#holder.ended(new this.#holder.Fault('lost', message), code)
    }
  }

  /** An address that is none will not become one; nor may a page of https ever speak to http. */
  #newSocket(url: string): WebSocket | undefined {
    const { WebSocket, Fault } = this.#holder
    try {
      return new WebSocket(url)
    } catch (cause) {
      const [place] = url.split('?')
      this.deny(new Fault('invalid', `There is no connecting to ${place}`, 0, 0, cause))
      return undefined
    }
  }

  /** Forgets the socket and every timer. */
  #leave(): void {
    this.#socket = undefined
    clearTimeout(this.#attemptTimer)
    this.#attemptTimer = undefined
    this.#holder.left()
    if (this.#isClosed) onceOnline('removeEventListener', this.#hurry)
  }

  /** The network is back: a browser knows before the next attempt is due. */
  readonly #hurry = (): void => {
    if (!this.#socket && this.state === 'connecting' && this.#token !== undefined) void this.#open()
  }

  #setState(state: ConnectionState, error?: Fault): void {
    this.state = state
    this.#holder.stateChanged(state, error)
  }
}

interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Failure) => void
}

const deferred = (): Deferred => {
  let settle: Omit<Deferred, 'promise'> | undefined
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...(settle as Omit<Deferred, 'promise'>) }
}

/** Browsers tell when the network is back; Node does not. */
const onceOnline = (what: 'addEventListener' | 'removeEventListener', hear: () => void): void =>
  (globalThis as unknown as Record<string, ((name: string, hear: () => void) => void) | undefined>)[what]?.(
    'online',
    hear,
  )
