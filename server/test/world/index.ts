/**
 * The world: the house opened as `main` opens it, on a spare port, over a chosen engine, with a clock that moves when
 * told, a listener that catches webhooks and the published client wired to it.
 *
 * ```ts
 * await using world = await openWorld()
 * const service = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
 * await world.settle()
 * ```
 *
 * The cast: visitor Vera, agents Ana and Ben, supervisor Sol.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { globalAgent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import twilio6 from 'twilio'
import twilio5 from 'twilio5'
import { type House, type HouseOptions, openHouse } from '../../src/app.ts'
import type { Where } from '../../src/store/open.ts'
import { reading } from '../../src/store/query.ts'
import { type Clock, openClock } from './clock.ts'
import { type Listener, openListener } from './listener.ts'
import { openPostgres } from './postgres.ts'
import { sparePort } from './spare-port.ts'

// Node's agent gives up on a connection that takes 5 s to be made; the published client's own 30 s begin only after.
const agent = globalAgent as unknown as { options: { timeout: number | undefined } }
agent.options.timeout = undefined

export type Engine = 'memory' | 'disk' | 'postgres'

export type Twilio = twilio6.Twilio

export interface WorldOptions {
  readonly engine?: Engine
  /** A PostgreSQL database of the test's own, such as one behind a proxy, instead of a fresh one. */
  readonly databaseUrl?: string
  /** Real time and jobs that run by themselves, for tests that watch the house live. */
  readonly live?: boolean
  readonly webhooks?: Partial<HouseOptions['webhooks']>
  readonly limits?: Partial<HouseOptions['limits']>
  readonly media?: Partial<HouseOptions['media']>
  readonly eventsDays?: number
  readonly webchatOrigins?: HouseOptions['webchatOrigins']
}

export interface World {
  readonly url: string
  readonly house: House
  readonly account: House['account']
  /** The current published client, as the account's back end uses it. */
  readonly twilio: Twilio
  readonly twilio5: Twilio
  readonly clock: Clock
  readonly listener: Listener
  /** Where uploaded files are. */
  readonly mediaFolder: string
  /** Runs due jobs until none is due. */
  settle(): Promise<void>
  /** Closes the house and opens it again on the same data. Not for memory. */
  restart(): Promise<void>
  /** Another process over the same database, as it were. Only for PostgreSQL; dispose of it before the world. */
  anotherNode(): Promise<Pick<World, 'url' | 'twilio' | 'twilio5'> & AsyncDisposable>
  /** Another account of its own, with its client. */
  newAccount(friendlyName: string): Promise<{ sid: string; authToken: string; twilio: Twilio }>
  /** A request as curl makes it; Basic authentication with the account unless told otherwise. */
  fetch(path: string, init?: RequestInit & { form?: Form; as?: string | null }): Promise<Response>
  [Symbol.asyncDispose](): Promise<void>
}

type Form = Readonly<Record<string, string | readonly string[]>>

/** Points a published client at us, by its own `baseUrl`s. */
export const pointAt = <T extends Twilio>(client: T, url: string): T => {
  for (const domain of ['flexApi', 'chat', 'taskrouter', 'studio'] as const) client[domain].baseUrl = url
  return client
}

const clients = (url: string, sid: string, authToken: string) => ({
  twilio: pointAt(twilio6(sid, authToken), url),
  twilio5: pointAt(twilio5(sid, authToken) as unknown as Twilio, url),
})

export const openWorld = async (options: WorldOptions = {}): Promise<World> => {
  const open = new AsyncDisposableStack()
  try {
    return await openIn(open, options)
  } catch (fault) {
    await open.disposeAsync()
    throw fault
  }
}

const openIn = async (
  open: AsyncDisposableStack,
  { databaseUrl, engine = databaseUrl ? 'postgres' : 'memory', live = false, ...options }: WorldOptions,
): Promise<World> => {
  const clock = openClock(live)
  const mediaFolder = join(tmpdir(), `parley-media-${randomBytes(8).toString('hex')}`)
  open.defer(() => rm(mediaFolder, { recursive: true, force: true }))
  const listener = open.use(await openListener())
  const where = await placeFor(engine, open, databaseUrl)
  const port = await sparePort()
  const url = `http://127.0.0.1:${port}`
  const sealKey = randomBytes(32)
  const openOn = (port: number): Promise<House> =>
    openHouse({
      where,
      host: '127.0.0.1',
      port,
      publicUrl: `http://127.0.0.1:${port}`,
      sealKey,
      account: {},
      webhooks: { allowPrivate: true, retryHours: 24, silences: 1, ...options.webhooks },
      limits: { perSecond: 0, burst: 0, guestsPerSecond: 0, ...options.limits },
      eventsDays: options.eventsDays ?? 30,
      media: { folder: mediaFolder, urlSeconds: 300, types: ['*'], ...options.media },
      webchatOrigins: options.webchatOrigins ?? '*',
      log: pino({ level: process.env.PARLEY_LOG ?? 'fatal' }),
      nature: clock.nature,
      jobsRunByThemselves: live,
    })
  const openAgain = () => openOn(port)
  let house = await openAgain()
  open.defer(() => close(house))
  const { account } = house
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return {
    url,
    account,
    clock,
    listener,
    mediaFolder,
    ...clients(url, account.sid, account.authToken),
    get house() {
      return house
    },
    settle: () => house.runner.settle(),
    anotherNode: async () => {
      assert.equal(engine, 'postgres', 'only PostgreSQL is shared by several nodes')
      const node = await openOn(await sparePort())
      return {
        url: node.publicUrl,
        ...clients(node.publicUrl, account.sid, account.authToken),
        [Symbol.asyncDispose]: () => close(node),
      }
    },
    restart: async () => {
      await close(house)
      house = await openAgain()
    },
    newAccount: async (friendlyName) => {
      const { provisionAccount } = await import('../../src/provision.ts')
      const made = await house.store.transact('new account', (tx) => provisionAccount(tx, { friendlyName }))
      return {
        sid: made.sid,
        authToken: made.authToken,
        twilio: clients(url, made.sid, made.authToken).twilio,
      }
    },
    fetch: (path, { form, as, ...init } = {}) => {
      const headers = new Headers(init.headers)
      const who = as === undefined ? basic(account.sid, account.authToken) : as
      if (who !== null && !headers.has('authorization')) headers.set('authorization', who)
      return fetch(url + path, {
        ...init,
        headers,
        ...(form ? { method: init.method ?? 'POST', body: urlEncoded(form) } : {}),
      })
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

const leased = reading((db) =>
  db.selectFrom('jobs').select(['kind', 'key']).where('leased_until', 'is not', null),
)

/**
 * Closes a house that must have put down whatever it took up.
 * @throws where a job still runs, or is still claimed when nothing runs any more
 */
const close = async (house: House): Promise<void> => {
  try {
    await house.runner[Symbol.asyncDispose]()
    assert.equal(house.runner.running, 0, 'a job ran on after the runner was closed')
    assert.deepEqual(await leased.all(house.store.reader, {}), [], 'a claimed job was not put down')
  } finally {
    await house[Symbol.asyncDispose]()
  }
}

const urlEncoded = (form: Form): URLSearchParams => {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(form))
    for (const one of typeof value === 'string' ? [value] : value) body.append(name, one)
  return body
}

const placeFor = async (
  engine: Engine,
  open: AsyncDisposableStack,
  databaseUrl: string | undefined,
): Promise<Where> => {
  if (databaseUrl) return { kind: 'postgres', url: databaseUrl }
  if (engine === 'memory') return { kind: 'memory' }
  if (engine === 'disk') {
    const folder = await mkdtemp(join(tmpdir(), 'parley-'))
    open.defer(() => rm(folder, { recursive: true, force: true }))
    return { kind: 'folder', folder }
  }
  const { url } = open.use(await openPostgres())
  return { kind: 'postgres', url }
}

/** `Basic token:<jwt>`, as clients ask with an access token. */
export const asToken = (jwt: string): string => `Basic ${Buffer.from(`token:${jwt}`).toString('base64')}`
