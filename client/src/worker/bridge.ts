/**
 * The event bridge, as a worker speaks with it (docs/protocols/event-bridge.md): a socket that only tells, and requests
 * over HTTP for everything else. Each time the socket is open everything is read anew; what is told meanwhile waits.
 *
 * What is asked while there is no connection waits for one. What only reads is asked again where no answer came, or the
 * server cannot give one right now.
 */
import { AGAIN_MS, UNAVAILABLE } from '../failure.ts'
import { type ConnectionState, Line, type LineOptions } from '../line.ts'
import { refusal, WorkerError } from './error.ts'

const PATH = '/v1/wschannels'

/** The published SDK waits as long for an answer. */
const REQUEST_TIMEOUT_MS = 15_000

/** How long a request waits for a connection. */
const WAIT_TIMEOUT_MS = 30_000

/** How often what only reads is asked where the connection ends before the answer. */
const READS_MAX = 3

/** The server says something every 15 seconds: what was silent for two of these is given up. */
const HEARTBEAT_MS = 20_000

/** A new token is asked for so long before one ends, or at half of its life. */
const RENEW_BEFORE_MS = 180_000

/** Where `getToken` fails while the token is still good. */
const RENEW_AGAIN_MS = 5_000

/** How the server ends a session that another has replaced. */
const REPLACED = 1000

// biome-ignore lint/suspicious/noExplicitAny: what the server says is read member by member, each with its own type
export type Data = any

export interface BridgeOptions extends LineOptions {
  /** Where the server is. */
  readonly url: string
  readonly closeExistingSessions: boolean
  readonly setWorkerOfflineIfDisconnected: boolean
  /** Reads everything. What it returns takes it up, unless the connection has ended meanwhile. */
  readonly read: (reader: BridgeReader) => Promise<() => void>
  readonly heard: (type: string, data: Data) => void
  readonly stateChanged: (state: ConnectionState, error?: WorkerError) => void
  /** Something failed that nobody waits for. */
  readonly failed: (error: WorkerError) => void
  /** It was closed or denied. */
  readonly over: (error: WorkerError) => void
}

type Told = readonly [type: string, data: Data]

/** Asks at once, for what is read as a connection begins. */
export interface BridgeReader {
  get(path: string): Promise<Data>
  /** Every page of a list. */
  list(path: string, params?: object): Promise<Data[]>
}

interface Waiting {
  readonly goOn: () => void
  readonly reject: (error: WorkerError) => void
}

export class Bridge {
  readonly #options: BridgeOptions
  readonly #line: Line<WorkerError>
  readonly #url: string
  /** Both known from the first `init`. */
  #workspaceSid = ''
  #workerSid = ''
  /** The name of the socket in use. */
  #session = ''
  /** Of the socket in use, `init` has come. */
  #isOpen = false
  #isHeard = false
  #silentBeats = 0
  /** What is told while everything is read. */
  #held: Told[] | undefined
  #renewTimer: ReturnType<typeof setTimeout> | undefined
  #heart: ReturnType<typeof setInterval> | undefined
  readonly #waiting = new Set<Waiting>()
  readonly #asking = new Set<AbortController>()

  constructor(options: BridgeOptions) {
    this.#options = options
    this.#url = options.url.replace(/\/$/, '') + PATH
    this.#line = new Line<WorkerError>({
      Fault: WorkerError,
      WebSocket: options.WebSocket,
      getToken: options.getToken,
      addressFor: (token) => this.#addressFor(token),
      // The server speaks first.
      opened: () => {},
      received: (data) => this.#received(data),
      ended: (error, code) => this.#ended(error, code),
      left: () => {
        this.#isOpen = false
        clearTimeout(this.#renewTimer)
        clearInterval(this.#heart)
      },
      broke: () => {},
      over: (error) => {
        for (const { reject } of this.#waiting) reject(error)
        for (const it of this.#asking) it.abort(error)
        options.over(error)
      },
      stateChanged: (state, error) => {
        if (state === 'connected') for (const { goOn } of this.#waiting) goOn()
        options.stateChanged(state, error)
      },
    })
  }

  get state(): ConnectionState {
    return this.#line.state
  }

  /** The worker's address in the workspace. */
  get own(): string {
    return `Workers/${this.#workerSid}`
  }

  connect(): Promise<void> {
    return this.#line.connect()
  }

  close(): Promise<void> {
    return this.#line.close()
  }

  /** Makes the connection anew, and with it reads everything. */
  refresh(): void {
    this.#line.reopen()
  }

  /**
   * Asks, once there is a connection.
   * @param path in the workspace: `Tasks/WT…`
   * @throws WorkerError for an answer that is no success, and where none comes
   */
  async ask(method: 'GET' | 'POST', path: string, params: object = {}): Promise<Data> {
    const late = Date.now() + WAIT_TIMEOUT_MS
    for (let lost = 0; ; ) {
      await this.#connected()
      try {
        return await this.#ask(method, path, params)
      } catch (fault) {
        const { kind, status } = fault as WorkerError
        const isAway = status === UNAVAILABLE
        if (kind === 'lost') lost += 1
        const mayTry = isAway ? Date.now() < late : kind === 'lost' && lost < READS_MAX
        if (method !== 'GET' || !mayTry) throw fault
        if (isAway) await this.#wait(AGAIN_MS, (it) => it.goOn())
      }
    }
  }

  async #connected(): Promise<void> {
    if (!this.#line.isWanted) throw this.#line.closedError()
    if (this.state !== 'connected')
      await this.#wait(WAIT_TIMEOUT_MS, (it) =>
        it.reject(new WorkerError('timeout', 'There was no connection in time')),
      )
  }

  /** For a connection, or so long. @throws where there will be none */
  #wait(ms: number, late: (it: Waiting) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (then: () => void) => {
        clearTimeout(timer)
        this.#waiting.delete(it)
        then()
      }
      const it: Waiting = { goOn: () => done(resolve), reject: (error) => done(() => reject(error)) }
      const timer = setTimeout(() => late(it), ms)
      this.#waiting.add(it)
    })
  }

  /** By the name of its socket the server knows for which of them it reads, and what has to be told there. */
  #reader(session: string): BridgeReader {
    const get = (path: string, params: object = {}) => this.#ask('GET', path, params, session)
    return {
      get,
      list: (path, params) => everyPage((after) => get(path, { ...params, ...after })),
    }
  }

  /** A token that ended meanwhile is renewed once: what it was refused for was not done. */
  async #ask(method: string, path: string, params: object, session?: string): Promise<Data> {
    const url = `Workspaces/${this.#workspaceSid}/${path}`
    const token = await this.#line.token()
    try {
      return await this.#post({ method, url, params, token, session })
    } catch (fault) {
      if ((fault as WorkerError).status !== 401) throw fault
      const isStale = (await this.#line.token()) === token
      return this.#post({ method, url, params, token: await this.#line.token(isStale), session })
    }
  }

  async #post(envelope: object): Promise<Data> {
    if (!this.#line.isWanted) throw this.#line.closedError()
    const aborter = new AbortController()
    this.#asking.add(aborter)
    const timer = setTimeout(() => {
      aborter.abort(new WorkerError('timeout', 'No answer came in time'))
    }, REQUEST_TIMEOUT_MS)
    try {
      const { signal } = aborter
      // A body without a type of its own needs no question beforehand from a page of another origin.
      const answer = await fetch(this.#url, { method: 'POST', body: JSON.stringify(envelope), signal })
      const body: Data = await answer.json().catch((cause) => {
        if (answer.ok) throw cause
        return {}
      })
      if (answer.ok) return body.payload
      throw refusal(answer.status, body.code, body.message)
    } catch (fault) {
      if (fault instanceof WorkerError) throw fault
      throw new WorkerError('lost', 'The connection ended before the answer came', 0, 0, fault)
    } finally {
      clearTimeout(timer)
      this.#asking.delete(aborter)
    }
  }

  #addressFor(token: string): string {
    const { closeExistingSessions, setWorkerOfflineIfDisconnected } = this.#options
    this.#session = Math.random().toString(36).slice(2)
    const query = new URLSearchParams({
      token,
      clientVersion: 'parley',
      session: this.#session,
      // Those who were replaced are not to be replaced by us each time that we come back.
      closeExistingSessions: String(closeExistingSessions && !this.#workerSid),
      setWorkerOfflineIfDisconnected: String(setWorkerOfflineIfDisconnected),
    })
    return `${this.#url.replace(/^http/, 'ws')}?${query}`
  }

  #received(data: unknown): void {
    this.#isHeard = true
    const told = this.#parse(data)
    if (!told) return
    const [type, payload] = told
    if (type === 'init') void this.#begin(payload)
    else if (this.#held) this.#held.push(told)
    else this.#options.heard(type, payload)
  }

  /** @returns nothing for a heartbeat, which is blank */
  #parse(data: unknown): Told | undefined {
    if (typeof data === 'string' && !data.trim()) return undefined
    try {
      const { event_type: type, payload } = JSON.parse(data as string)
      return [type, payload]
    } catch {
      this.#line.drop(new WorkerError('lost', 'The server speaks another protocol'))
      return undefined
    }
  }

  /** Believed. */
  async #begin(payload: Data): Promise<void> {
    const { socket } = this.#line
    this.#line.letIn()
    this.#isOpen = true
    this.#workspaceSid = payload.workspace_sid
    this.#workerSid = payload.channel_id
    this.#silentBeats = 0
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS)
    const life = payload.token_lifetime
    this.#renewTimer = setTimeout(() => void this.#renew(), Math.max(life - RENEW_BEFORE_MS, life / 2))
    const held: Told[] = []
    this.#held = held
    let takeUp: () => void
    try {
      takeUp = await this.#options.read(this.#reader(this.#session))
    } catch (fault) {
      if (this.#line.socket === socket) this.#unreadable(fault as WorkerError)
      return
    }
    if (this.#line.socket !== socket) return
    takeUp()
    this.#held = undefined
    for (const it of held) this.#options.heard(...it)
    this.#line.resumed()
  }

  /** A worker who is gone, and a token that may not read, stay so. */
  #unreadable(error: WorkerError): void {
    if (error.kind === 'missing' || error.kind === 'forbidden') this.#line.deny(error)
    else this.#line.refused(error)
  }

  /** Why a socket was never let in no browser says; a request is told. */
  async #ended(error: WorkerError, code: number): Promise<void> {
    const { socket } = this.#line
    if (this.#isOpen) {
      if (code === REPLACED)
        this.#line.deny(new WorkerError('closed', 'Another session has replaced this one'))
      else this.#line.drop(error)
      return
    }
    const token = await this.#line.token()
    const why = await this.#post({ method: 'GET', url: '', params: {}, token }).then(
      () => error,
      (fault: WorkerError) => (fault.kind === 'token' ? fault : error),
    )
    if (this.#line.socket === socket) this.#line.refused(why)
  }

  /** Brings a new token before the one in use ends, and a connection with it. */
  async #renew(): Promise<void> {
    const { socket } = this.#line
    try {
      await this.#line.token(true)
      if (this.#line.socket === socket) this.#line.reopen()
    } catch (fault) {
      if (!this.#line.isWanted || this.#line.socket !== socket) return
      this.#renewTimer = setTimeout(() => void this.#renew(), RENEW_AGAIN_MS)
      this.#options.failed(fault as WorkerError)
    }
  }

  #beat(): void {
    this.#silentBeats = this.#isHeard ? 0 : this.#silentBeats + 1
    this.#isHeard = false
    if (this.#silentBeats === 2) this.#line.drop(new WorkerError('lost', 'The connection fell silent'))
  }
}

/** @param read reads the page after another */
export const everyPage = async (read: (after: object) => Promise<Data>): Promise<Data[]> => {
  const all: Data[] = []
  for (let after = {}; ; ) {
    const page = await read(after)
    all.push(...page.contents)
    if (!page.after_sid) return all
    after = { AfterSid: page.after_sid }
  }
}
