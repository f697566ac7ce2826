/**
 * One connection to the chat socket that lasts (`line.ts`): it is opened with a token, asked through, and renewed.
 *
 * What is asked while there is no connection waits for one. What was asked when it breaks is asked again if it only
 * reads; anything else fails as `lost`, since it may have been done. What only reads is asked again, too, where the
 * server cannot answer it right now.
 */
import { ChatError, refusal } from './error.ts'
import { AGAIN_MS, UNAVAILABLE } from './failure.ts'
import { decode, encode, type Frame } from './frame.ts'
import { type ConnectionState, Line, type LineOptions } from './line.ts'

/** The published clients wait as long for an answer. */
const REQUEST_TIMEOUT_MS = 30_000

/** A connection that says nothing for so long is asked whether it is there, and for as long again is given up. */
const HEARTBEAT_MS = 20_000

/** Where `getToken` fails while the token is still good. */
const RENEW_AGAIN_MS = 5_000

export interface ConnectionOptions extends LineOptions {
  /** With `/v3/wsconnect`. */
  readonly url: string
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
  readonly timer?: ReturnType<typeof setTimeout>
  /** When it is asked again. */
  again?: ReturnType<typeof setTimeout>
  readonly resolve: (frame: Frame) => void
  readonly reject: (error: ChatError) => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #line: Line<ChatError>
  /** `init` was believed. */
  #isOpen = false
  #lastId = 0
  #isHeard = false
  #isPinged = false
  readonly #waiting: Asked[] = []
  readonly #asked = new Map<string, Asked>()
  #renewTimer: ReturnType<typeof setTimeout> | undefined
  #heart: ReturnType<typeof setInterval> | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#line = new Line<ChatError>({
      Fault: ChatError,
      WebSocket: options.WebSocket,
      getToken: options.getToken,
      addressFor: () => options.url,
      opened: (token) => this.#introduce(token),
      received: (data) => this.#received(data as ArrayBuffer),
      ended: (error) => this.drop(error),
      left: () => {
        this.#isOpen = false
        clearTimeout(this.#renewTimer)
        clearInterval(this.#heart)
      },
      broke: () => this.#broke(),
      over: (error) => {
        for (const it of [...this.#waiting, ...this.#asked.values()]) this.#fail(it, error)
      },
      stateChanged: options.stateChanged,
    })
  }

  get state(): ConnectionState {
    return this.#line.state
  }

  /**
   * Resolves once connected.
   * @throws ChatError `token` or `forbidden` where the server refuses a fresh token, `invalid` for an address that is
   * none, `closed` after `close()`
   */
  connect(): Promise<void> {
    return this.#line.connect()
  }

  /** Ends it for good. What waits fails as `closed`. Resolves when the socket is closed. */
  close(): Promise<void> {
    if (this.#isOpen) this.#send({ method: 'close', id: this.#newId() })
    return this.#line.close()
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
  token(isRefused = false): Promise<string> {
    return this.#line.token(isRefused)
  }

  /** Gives this connection up and makes another, later. */
  drop(error: ChatError): void {
    this.#line.drop(error)
  }

  #broke(): void {
    const inFlight = [...this.#asked.values()]
    this.#asked.clear()
    this.#waiting.unshift(...inFlight.filter((it) => it.reads))
    for (const it of inFlight) if (!it.reads) this.#fail(it, lostError())
  }

  /** Shows the token; what the server says of it decides how it goes on. */
  #introduce(token: string): void {
    const id = this.#newId()
    const answered = ({ header, payload }: Frame) => {
      this.#line.letIn()
      const { code, description, errorCode } = header.status as Status
      if (code < 300) void this.#opened()
      else this.#line.refused(refusal(code, errorCode, description), leastWait(payload))
    }
    const nothing = () => {}
    this.#asked.set(id, { id, header: {}, payload: '', reads: false, resolve: answered, reject: nothing })
    const metadata = { type: 'chat', sdk: 'JS', env: 'parley' }
    this.#send({
      id,
      method: 'init',
      token,
      continuation_token: null,
      metadata,
      registrations: null,
      capabilities: ['client_update'],
    })
  }

  async #opened(): Promise<void> {
    const { socket } = this.#line
    this.#isOpen = true
    this.#isPinged = false
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS)
    for (const it of this.#waiting.splice(0)) this.#dispatch(it)
    try {
      await this.#options.resume()
    } catch (fault) {
      if (this.#line.socket === socket) this.drop(fault as ChatError)
      return
    }
    if (this.#line.socket === socket) this.#line.resumed()
  }

  #received(data: ArrayBuffer): void {
    this.#isHeard = true
    const frame = this.#read(data)
    switch (frame?.method) {
      case 'reply': {
        const it = this.#asked.get(frame.id)
        this.#asked.delete(frame.id)
        if (it?.reads && (frame.header.http_status as Status)?.code === UNAVAILABLE) {
          this.#askLater(it)
          break
        }
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
    const { socket } = this.#line
    try {
      const token = await this.token(true)
      if (this.#line.socket !== socket) return
      const { header } = await this.#ask({ method: 'update', token }, undefined, false)
      const { code, description, errorCode } = header.status as Status
      if (code < 300) return
      this.#line.forgetToken()
      throw refusal(code, errorCode, description)
    } catch (fault) {
      if (!this.#line.isWanted || this.#line.socket !== socket) return
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
      if (!this.#line.isWanted) {
        reject(this.#line.closedError())
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
    clearTimeout(it.again)
    this.#asked.set(it.id, it)
    this.#send(it.header, it.payload)
  }

  /** Waits with those for whom there is no connection, and is asked with them where another is made meanwhile. */
  #askLater(it: Asked): void {
    this.#waiting.push(it)
    it.again = setTimeout(() => {
      const at = this.#waiting.indexOf(it)
      if (at < 0 || !this.#isOpen) return
      this.#waiting.splice(at, 1)
      this.#dispatch(it)
    }, AGAIN_MS)
  }

  #fail(it: Asked, error: ChatError): void {
    clearTimeout(it.timer)
    clearTimeout(it.again)
    this.#asked.delete(it.id)
    const at = this.#waiting.indexOf(it)
    if (at >= 0) this.#waiting.splice(at, 1)
    it.reject(error)
  }

  #send(header: object, payload?: string): void {
    this.#line.send(encode(header, payload))
  }

  #newId(): string {
    return `TM${(++this.#lastId).toString(16).padStart(32, '0')}`
  }
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

const lostError = () => new ChatError('lost', 'The connection ended before the answer came')
