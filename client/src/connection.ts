/**
 * One connection to the chat socket that lasts: it is opened with a token, asked through, renewed, and when it breaks
 * opened again, later each time, until it is closed or the token is refused for good.
 *
 * disconnected ─ connect ─▶ connecting ─ init believed, everything resumed ─▶ connected
 *                               ▲  └ a fresh token refused ─▶ denied              │
 *                               └──────────────────── broken ─────────────────────┘
 *
 * What is asked while there is no connection waits for one. What was asked when it breaks is asked again if it only
 * reads; anything else fails as `lost`, since it may have been done.
 */
import { ChatError, refusal } from './error.ts'
import { decode, encode, type Frame } from './frame.ts'

/** Waits between two attempts: the first about so long, doubled with each that fails, each shortened by chance. */
const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 30_000

/** For a token, a socket and the answer to `init`. Slow networks take some seconds for TLS alone. */
const CONNECT_TIMEOUT_MS = 15_000

/** The published clients wait as long for an answer. */
const REQUEST_TIMEOUT_MS = 30_000

/** A connection that says nothing for so long is asked whether it is there, and for as long again is given up. */
const HEARTBEAT_MS = 20_000

/** Where `getToken` fails while the token is still good. */
const RENEW_AGAIN_MS = 5_000

/** WebSocket's own code for a normal end. */
const NORMAL = 1000

/** Where an app stands. `denied` lasts until `connect()` is called again. */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'denied'

/** A browser's WebSocket, or Node's; `ws` fits as well. */
export type WebSocketClass = new (url: string) => WebSocket

export interface ConnectionOptions {
  /** With `/v3/wsconnect`. */
  readonly url: string
  readonly getToken: () => Promise<string> | string
  readonly WebSocket: WebSocketClass
  /** The connection works again: whatever was followed must be followed again. `connected` follows its end. */
  readonly resume: () => Promise<void>
  readonly notified: (type: unknown, payload: unknown) => void
  readonly stateChanged: (state: ConnectionState, error?: ChatError) => void
  /** Something failed that nobody waits for. */
  readonly failed: (error: ChatError) => void
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: what the server says is read member by member, each with its own type
  readonly body: any
}

interface Asked {
  readonly id: string
  readonly header: object
  readonly payload: string
  readonly reads: boolean
  readonly timer: ReturnType<typeof setTimeout>
  readonly resolve: (frame: Frame) => void
  readonly reject: (error: ChatError) => void
}

export class Connection {
  state: ConnectionState = 'disconnected'
  readonly #options: ConnectionOptions
  #socket: WebSocket | undefined
  /** `init` was believed. */
  #isOpen = false
  #isClosed = false
  #token: string | undefined
  #attempts = 0
  #lastId = 0
  #isHeard = false
  #isPinged = false
  readonly #waiting: Asked[] = []
  readonly #asked = new Map<string, Asked>()
  #ready: Deferred | undefined
  #attemptTimer: ReturnType<typeof setTimeout> | undefined
  #renewTimer: ReturnType<typeof setTimeout> | undefined
  #heart: ReturnType<typeof setInterval> | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /**
   * Resolves once connected.
   * @throws ChatError `token` or `forbidden` where the server refuses a fresh token, `invalid` for an address that is
   * none, `closed` after `close()`
   */
  connect(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError())
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
    if (this.#isOpen) this.#send({ method: 'close', id: this.#newId() })
    this.#leave()
    for (const it of [...this.#waiting, ...this.#asked.values()]) this.#fail(it, closedError())
    this.#ready?.reject(closedError())
    this.#setState('disconnected')
    if (!socket || socket.readyState === socket.CLOSED) return
    await new Promise<void>((resolve) => {
      socket.onclose = () => resolve()
      socket.close(NORMAL)
    })
  }

  /**
   * Asks through the tunnel.
   * @param body an object is sent as JSON, a text as a form
   * @throws ChatError for an answer that is no success, and where none comes
   */
  async request(method: string, url: string, body?: object | string): Promise<Answer> {
    const { host, pathname, search } = new URL(url)
    const isForm = typeof body === 'string'
    const frame = await this.#ask(
      {
        method: 'message',
        active_grant: 'ip_messaging',
        payload_type: isForm ? 'application/x-www-form-urlencoded' : 'application/json',
        http_request: { host, path: pathname + search, method, params: {}, headers: {} },
      },
      body === undefined || isForm ? body : JSON.stringify(body),
      method === 'GET',
    )
    const { code: status } = frame.header.http_status as { code: number }
    const answer = { status, body: frame.payload as Answer['body'] }
    if (status >= 300) throw refusal(status, answer.body?.code, answer.body?.message)
    return answer
  }

  /** The token in use, for what does not go through the socket. @param isRefused asks for a new one */
  async token(isRefused = false): Promise<string> {
    if (!isRefused && this.#token !== undefined) return this.#token
    try {
      this.#token = await this.#options.getToken()
      return this.#token
    } catch (cause) {
      throw new ChatError('token', `getToken failed: ${(cause as Error)?.message ?? cause}`, 0, 0, cause)
    }
  }

  /** Gives this connection up and makes another, later. */
  drop(error: ChatError, leastMs = 0): void {
    if (this.#isClosed || !this.#ready) return
    this.#socket?.close()
    this.#leave()
    const inFlight = [...this.#asked.values()]
    this.#asked.clear()
    this.#waiting.unshift(...inFlight.filter((it) => it.reads))
    for (const it of inFlight) if (!it.reads) this.#fail(it, lostError())
    const most = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#attempts++)
    const pause = Math.max(leastMs, most * (0.5 + Math.random() / 2))
    this.#attemptTimer = setTimeout(() => void this.#open(), pause)
    this.#setState('connecting', error)
  }

  async #open(): Promise<void> {
    this.#leave()
    if (this.state !== 'connecting') this.#setState('connecting')
    const isFresh = this.#token === undefined
    const timer = setTimeout(() => {
      this.drop(new ChatError('lost', 'No token came, or the server did not let us in, in time'))
    }, CONNECT_TIMEOUT_MS)
    this.#attemptTimer = timer
    try {
      await this.token()
    } catch (fault) {
      if (this.#attemptTimer === timer) this.drop(fault as ChatError)
      return
    }
    // Closed meanwhile, or a later attempt has begun.
    if (this.#attemptTimer !== timer) return
    const socket = this.#newSocket()
    if (!socket) return
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    const isCurrent = () => this.#socket === socket
    const end = (message: string) => isCurrent() && this.drop(new ChatError('lost', message))
    socket.onopen = () => isCurrent() && this.#introduce(socket, isFresh)
    socket.onmessage = ({ data }) => isCurrent() && this.#received(data as ArrayBuffer)
    // A close follows each error; an emitter without a listener for errors would throw.
    socket.onerror = () => {}
    socket.onclose = ({ code, reason }) => end(`The connection ended (${code}${reason && `: ${reason}`})`)
  }

  /** An address that is none will not become one; nor may a page of https ever speak to http. */
  #newSocket(): WebSocket | undefined {
    const { url, WebSocket } = this.#options
    try {
      return new WebSocket(url)
    } catch (cause) {
      this.#deny(new ChatError('invalid', `There is no connecting to ${url}`, 0, 0, cause))
      return undefined
    }
  }

  /** Shows the token; what the server says of it decides how it goes on. */
  #introduce(socket: WebSocket, isFresh: boolean): void {
    const id = this.#newId()
    const answered = ({ header, payload }: Frame) => {
      const { code, description, errorCode } = header.status as Status
      if (code < 300) void this.#opened(socket)
      else this.#refused(refusal(code, errorCode, description), isFresh, leastWait(payload))
    }
    const nothing = () => {}
    const timer = this.#attemptTimer as ReturnType<typeof setTimeout>
    const it = { id, header: {}, payload: '', reads: false, timer, resolve: answered, reject: nothing }
    this.#asked.set(id, it)
    const metadata = { type: 'chat', sdk: 'JS', env: 'parley' }
    this.#send({
      id,
      method: 'init',
      token: this.#token,
      continuation_token: null,
      metadata,
      registrations: null,
      capabilities: ['client_update'],
    })
  }

  async #opened(socket: WebSocket): Promise<void> {
    this.#isOpen = true
    this.#isPinged = false
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS)
    for (const it of this.#waiting.splice(0)) this.#dispatch(it)
    try {
      await this.#options.resume()
    } catch (fault) {
      if (this.#socket === socket) this.drop(fault as ChatError)
      return
    }
    if (this.#socket !== socket) return
    this.#attempts = 0
    this.#setState('connected')
    this.#ready?.resolve()
  }

  /** A token of some age may have ended meanwhile; one that was just minted will be refused again. */
  #refused(error: ChatError, isFresh: boolean, leastMs: number): void {
    if (error.status !== 401 && error.status !== 403) {
      this.drop(error, leastMs)
      return
    }
    this.#token = undefined
    if (isFresh) {
      this.#deny(error)
      return
    }
    this.#socket?.close()
    void this.#open()
  }

  #deny(error: ChatError): void {
    this.#socket?.close()
    this.#leave()
    for (const it of this.#waiting.splice(0)) this.#fail(it, error)
    this.#ready?.reject(error)
    this.#ready = undefined
    this.#setState('denied', error)
  }

  /** Forgets the socket and every timer. */
  #leave(): void {
    this.#socket = undefined
    this.#isOpen = false
    clearTimeout(this.#attemptTimer)
    this.#attemptTimer = undefined
    clearTimeout(this.#renewTimer)
    clearInterval(this.#heart)
    if (this.#isClosed) onceOnline('removeEventListener', this.#hurry)
  }

  /** The network is back: a browser knows before the next attempt is due. */
  readonly #hurry = (): void => {
    if (!this.#socket && this.state === 'connecting' && this.#token !== undefined) void this.#open()
  }

  #received(data: ArrayBuffer): void {
    this.#isHeard = true
    const frame = this.#read(data)
    switch (frame?.method) {
      case 'reply': {
        const it = this.#asked.get(frame.id)
        this.#asked.delete(frame.id)
        clearTimeout(it?.timer)
        it?.resolve(frame)
        break
      }
      case 'notification':
        this.#options.notified(frame.header.message_type, frame.payload)
        break
      case 'client_update':
        if (frame.header.client_update_type === 'token_about_to_expire') void this.#renew()
    }
  }

  #read(data: ArrayBuffer): Frame | undefined {
    try {
      return decode(data)
    } catch {
      this.drop(new ChatError('lost', 'The server speaks another protocol'))
      return undefined
    }
  }

  /** Brings a new token before the one in use ends. */
  async #renew(): Promise<void> {
    const socket = this.#socket
    try {
      const token = await this.token(true)
      if (this.#socket !== socket) return
      const { header } = await this.#ask({ method: 'update', token }, undefined, false)
      const { code, description, errorCode } = header.status as Status
      if (code < 300) return
      this.#token = undefined
      throw refusal(code, errorCode, description)
    } catch (fault) {
      if (this.#isClosed || this.#socket !== socket) return
      this.#renewTimer = setTimeout(() => void this.#renew(), RENEW_AGAIN_MS)
      this.#options.failed(fault as ChatError)
    }
  }

  /** Any method that the server does not know is replied to, so that a ping needs no pong of its own. */
  #beat(): void {
    if (this.#isHeard) this.#isPinged = false
    else if (this.#isPinged) this.drop(new ChatError('lost', 'The connection fell silent'))
    else {
      this.#isPinged = true
      this.#send({ method: 'ping', id: this.#newId() })
    }
    this.#isHeard = false
  }

  #ask(header: object, payload = '', reads: boolean): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed || !this.#ready) {
        reject(closedError())
        return
      }
      const id = this.#newId()
      const timer = setTimeout(() => {
        this.#fail(it, new ChatError('timeout', 'No answer came in time'))
      }, REQUEST_TIMEOUT_MS)
      const it: Asked = { id, header: { ...header, id }, payload, reads, timer, resolve, reject }
      if (this.#isOpen) this.#dispatch(it)
      else this.#waiting.push(it)
    })
  }

  #dispatch(it: Asked): void {
    this.#asked.set(it.id, it)
    this.#send(it.header, it.payload)
  }

  #fail(it: Asked, error: ChatError): void {
    clearTimeout(it.timer)
    this.#asked.delete(it.id)
    const at = this.#waiting.indexOf(it)
    if (at >= 0) this.#waiting.splice(at, 1)
    it.reject(error)
  }

  #send(header: object, payload?: string): void {
    const socket = this.#socket
    if (socket?.readyState === socket?.OPEN) socket?.send(encode(header, payload))
  }

  #newId(): string {
    return `TM${(++this.#lastId).toString(16).padStart(32, '0')}`
  }

  #setState(state: ConnectionState, error?: ChatError): void {
    this.state = state
    this.#options.stateChanged(state, error)
  }
}

interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: ChatError) => void
}

const deferred = (): Deferred => {
  let settle: Omit<Deferred, 'promise'> | undefined
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...(settle as Omit<Deferred, 'promise'>) }
}

interface Status {
  readonly code: number
  readonly description?: string
  readonly errorCode?: number
}

const leastWait = (payload: unknown): number =>
  Number(
    (payload as { backoff_policy?: { reconnect_min_ms?: number } })?.backoff_policy?.reconnect_min_ms ?? 0,
  )

const closedError = () => new ChatError('closed', 'The client is not connected')

const lostError = () => new ChatError('lost', 'The connection ended before the answer came')

/** Browsers tell when the network is back; Node does not. */
const onceOnline = (what: 'addEventListener' | 'removeEventListener', hear: () => void): void =>
  (globalThis as unknown as Record<string, ((name: string, hear: () => void) => void) | undefined>)[what]?.(
    'online',
    hear,
  )
