/** The event bridge as any program would speak it: a plain WebSocket and plain requests. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { type Credentials, tokenOf } from '../conformance/worker-sdk/agent.ts'
import { type Centre, openCentre } from '../taskrouter/centre.ts'
import { openWorld, type World, type WorldOptions } from '../world/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes, which the assertions look into
export type Json = any

/** On a machine that stalls what comes comes late; what does not come in this time never does. */
const PATIENCE_MS = 60_000

export class RawBridge {
  /** What it was told, in order; blank frames are left out. */
  readonly told: { event_type: string; payload: Json }[] = []
  blanks = 0
  readonly socket: WebSocket
  readonly ended: Promise<{ code: number; reason: string }>
  readonly #ears = new Set<() => void>()

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.ended = once(this.socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }))
    this.socket.on('message', (data, isBinary) => {
      assert.equal(isBinary, false)
      const text = String(data)
      if (text.trim() === '') this.blanks += 1
      else this.told.push(JSON.parse(text))
      for (const look of [...this.#ears]) look()
    })
  }

  get types(): string[] {
    return this.told.map((it) => it.event_type)
  }

  /** @throws where it does not come to hold while it is waited for: what it was told says why */
  until(holds: (it: RawBridge) => boolean, what = 'what was waited for'): Promise<void> {
    // Made here, it says which line of the test waits.
    const late = new Error()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#ears.delete(look)
        late.message = `${what} did not come in ${PATIENCE_MS} ms, after ${this.types.join(', ')}`
        reject(late)
      }, PATIENCE_MS)
      const look = () => {
        if (!holds(this)) return
        clearTimeout(timer)
        this.#ears.delete(look)
        resolve()
      }
      this.#ears.add(look)
      look()
    })
  }

  async hears(type: string, times = 1): Promise<Json> {
    await this.until((it) => it.types.filter((one) => one === type).length >= times, type)
    return this.told.findLast((it) => it.event_type === type)?.payload
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close()
    await this.ended
  }
}

export interface Bridge extends AsyncDisposable {
  readonly world: World
  readonly centre: Centre
  readonly workspaceSid: string
  token(workerSid?: string, more?: Partial<Credentials>): string
  ask(
    method: string,
    path: string,
    token: string,
    params?: object,
    how?: { headers?: Record<string, string>; url?: string },
  ): Promise<{ status: number; body: Json }>
  open(token: string, query?: string, url?: string): Promise<RawBridge>
  /** Opened, and given its reservations. */
  begin(workerSid: string, query?: string, url?: string): Promise<RawBridge>
  /** The status that an upgrade is answered with. */
  refusal(query: string): Promise<number>
}

export const openBridge = async (options: WorldOptions = {}): Promise<Bridge> => {
  const stack = new AsyncDisposableStack()
  const world = stack.use(await openWorld(options))
  const centre = await openCentre(world)
  const workspaceSid = (await centre.workspace.fetch()).sid
  const token: Bridge['token'] = (workerSid, more = {}) =>
    tokenOf(world, { workspaceSid, ...(workerSid && { workerSid }), ...more })
  const ask: Bridge['ask'] = async (
    method,
    path,
    jwt,
    params = {},
    { headers = {}, url = world.url } = {},
  ) => {
    const answer = await fetch(`${url}/v1/wschannels`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: JSON.stringify({ url: `Workspaces/${workspaceSid}/${path}`, method, params, token: jwt }),
    })
    const body = (await answer.json()) as Json
    return { status: answer.status, body: answer.status === 200 ? body.payload : body }
  }
  const open: Bridge['open'] = async (jwt, query = '', url = world.url) => {
    const address = `${url.replace('http', 'ws')}/v1/wschannels?token=${jwt}&clientVersion=2.1.1${query}`
    const raw = stack.use(new RawBridge(address))
    await raw.hears('init')
    return raw
  }
  return {
    world,
    centre,
    workspaceSid,
    token,
    ask,
    open,
    begin: async (workerSid, query, url) => {
      const jwt = token(workerSid)
      const raw = await open(jwt, query, url)
      const given = await ask(
        'GET',
        `Workers/${workerSid}/Reservations`,
        jwt,
        { Active: 'true' },
        { ...(url && { url }) },
      )
      assert.equal(given.status, 200)
      return raw
    },
    refusal: async (query) => {
      const socket = new WebSocket(`${world.url.replace('http', 'ws')}/v1/wschannels?${query}`)
      socket.on('error', () => {})
      const [, response] = await once(socket, 'unexpected-response')
      response.resume()
      socket.terminate()
      return response.statusCode
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
