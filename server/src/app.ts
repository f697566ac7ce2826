/** The house, put together: the one place that knows every room. */
import { openApi } from '@parley/contract/openapi.ts'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import {
  ACCESS_TOPIC,
  accountRoutes,
  authenticate,
  authTokenOf,
  believeToken,
  findAccount,
  requireGrantFor,
} from './accounts/index.ts'
import { newVault } from './accounts/vault.ts'
import { type Bus, openBus } from './bus/index.ts'
import { openPostgresBus } from './bus/postgres.ts'
import * as chat from './chat/index.ts'
import { openReactions } from './events/reactions.ts'
import { type FirstAccountWanted, firstAccount } from './first-account.ts'
import * as flex from './flex/index.ts'
import type { Gate, Routes } from './http/binding.ts'
import { addHousePages, openMetrics } from './http/house-pages.ts'
import { openLimit } from './http/limits.ts'
import { openPerform } from './http/operation.ts'
import { serve } from './http/serve.ts'
import { openRunner, type Runner } from './jobs/runner.ts'
import { type Provisioned, provisionAccount } from './provision.ts'
import { addEventBridgeRoute, hangDoors, openRealtime, type Realtime } from './realtime/index.ts'
import {
  addMediaRoutes,
  type BytesSettings,
  type MediaSettings,
  openBytes,
  sweepMedia,
} from './realtime/media/index.ts'
import { beforeAnyChange } from './store/away.ts'
import { openStore, type Where } from './store/open.ts'
import { realNature } from './store/sid.ts'
import type { Nature, Store } from './store/tx.ts'
import * as taskrouter from './taskrouter/index.ts'
import * as webhooks from './webhooks/index.ts'

export interface HouseOptions {
  readonly where: Where
  readonly host: string
  /** 0 takes a spare one; then `publicUrl` must not be given. */
  readonly port: number
  /** Without a slash at its end. */
  readonly publicUrl: string
  /** 32 bytes that seal the secrets at rest. */
  readonly sealKey: Buffer
  readonly account: FirstAccountWanted
  readonly webhooks: {
    readonly allowPrivate: boolean
    readonly retryHours: number
    /** Which share of the webhooks that did not fire is written down, from 0 to 1. */
    readonly silences: number
  }
  /** Where uploaded files are kept, which may be uploaded, and how long a link to one is good. */
  readonly media: BytesSettings & MediaSettings
  readonly webchatOrigins: '*' | readonly string[]
  readonly limits: {
    readonly perSecond: number
    readonly burst: number
    readonly guestsPerSecond: number
    /** How long a request may take to arrive, in milliseconds; 20 seconds unless said otherwise. */
    readonly requestTimeoutMs?: number | undefined
  }
  /** How long the events of workspaces are kept. */
  readonly eventsDays: number
  readonly log: Logger
  readonly nature?: Nature
  /** False where only a test's `settle` may run jobs. */
  readonly jobsRunByThemselves?: boolean
}

export interface House {
  readonly account: Provisioned
  readonly publicUrl: string
  readonly store: Store
  readonly runner: Runner
  readonly bus: Bus
  /** What is served and what is not, for the coverage table. */
  readonly routes: Routes
  [Symbol.asyncDispose](): Promise<void>
}

/** How long requests that run may take to end when the house closes, in milliseconds. */
const DRAIN_MS = 10_000

/**
 * Connections that may wait to be taken: after a restart every client comes back at once, and whoever finds no place
 * knocks again after seconds, each time twice as many. The system's own bound holds as well.
 */
const BACKLOG = 4_096

/** How often connections are looked for meanwhile that have become idle, in milliseconds. */
const IDLE_CHECK_MS = 50

const accounts = accountRoutes(provisionAccount)

/** Every resource, served or not. */
export const allRoutes: Routes = {
  served: [accounts, chat.routes, taskrouter.routes, flex.routes, webhooks.routes].flatMap((it) => it.served),
  unserved: [accounts, chat.routes, taskrouter.routes, flex.routes, webhooks.routes].flatMap(
    (it) => it.unserved,
  ),
}

/**
 * Opens the store, brings it to its present shape, finds or makes the first account, and listens. Disposing of the house
 * closes it in the opposite order; requests that run have ten seconds to end.
 * @throws what the system, the database or the seal says, with nothing left open
 */
export const openHouse = async (options: HouseOptions): Promise<House> => {
  const { log, publicUrl, nature = realNature } = options
  const open = new AsyncDisposableStack()
  try {
    const bus = openBus()
    let realtime: Realtime | undefined
    const metrics = openMetrics()
    const hooks = open.use(webhooks.openWebhooks({ authTokenOf, ...options.webhooks }))
    const reactions = openReactions([...taskrouter.reactions, ...flex.reactions, ...hooks.reactions], log)
    const store = open.use(
      await openStore(options.where, {
        nature,
        vault: newVault(options.sealKey),
        hooks: {
          react: reactions.run,
          committed: (events, notices) => {
            realtime?.hear(events)
            for (const { topic, about } of notices) bus.publish(topic, about)
          },
          inDoubt: (events) => realtime?.doubt(events),
        },
        onFault: (fault) => log.error({ fault }, 'the store met a fault'),
      }),
    )
    const others =
      options.where.kind === 'postgres'
        ? open.use(
            await openPostgresBus({
              url: options.where.url,
              node: nature.randomHex(32),
              onFault: (fault) => log.error({ fault }, 'the bus between nodes met a fault'),
            }),
          )
        : undefined
    // Whoever came in by a key may be connected to any node.
    if (others) bus.subscribe(ACCESS_TOPIC, (about) => others.publish(ACCESS_TOPIC, about))
    const account = await firstAccount(store, options.account)
    const bytes = open.use(await openBytes(options.media))
    const runner = open.use(
      openRunner({
        store,
        bus,
        log,
        handlers: [
          reactions.handler,
          ...chat.handlers,
          ...taskrouter.handlers,
          taskrouter.forgetEvents(options.eventsDays),
          ...flex.handlers,
          ...hooks.handlers,
          sweepMedia(bytes),
        ],
        byItself: options.jobsRunByThemselves ?? true,
        alone: options.where.kind !== 'postgres',
        ended: metrics.jobEnded,
      }),
    )
    const askWebhook = hooks.gate(store)
    const gate: Gate = async (reader, resource, verb, call, rehearse) => {
      requireGrantFor(resource.product, call)
      return beforeAnyChange(() => askWebhook(reader, resource, verb, call, rehearse))
    }
    const limit = openLimit(options.limits.perSecond, options.limits.burst)
    const app = await serve({
      store,
      publicUrl,
      ...allRoutes,
      doorkeeper: {
        authenticate: (authorization, token) =>
          token === undefined ? authenticate(store.reader, authorization) : believeToken(store.reader, token),
      },
      exists: async (sid) => (await findAccount(store.reader, sid))?.status === 'active',
      gate,
      limit,
      guestLimit: openLimit(options.limits.guestsPerSecond),
      guestOrigins: options.webchatOrigins,
      requestTimeoutMs: options.limits.requestTimeoutMs,
      log,
      answered: metrics.answered,
    })
    open.defer(() => drain(app))
    realtime = open.use(
      openRealtime({
        store,
        bus: others ?? bus,
        perform: openPerform(allRoutes.served, { store, gate }),
        believe: (jwt) => believeToken(store.reader, jwt),
        publicUrl,
        alone: options.where.kind !== 'postgres',
        log,
        now: () => nature.now(),
        randomHex: (digits) => nature.randomHex(digits),
      }),
    )
    hangDoors(app.server, realtime.doors)
    metrics.watch(realtime)
    await addEventBridgeRoute(app, { bridge: realtime.bridge, limit })
    const stallMs = options.limits.requestTimeoutMs
    await addMediaRoutes(app, { ...options, ...options.media, store, bytes, stallMs })
    await addHousePages(app, {
      metrics,
      ready: () => store.ping(),
      document: () =>
        openApi(
          allRoutes.served.map((it) => it.resource),
          allRoutes.unserved,
          publicUrl,
        ),
    })
    await app.listen({ host: options.host, port: options.port, backlog: BACKLOG })
    return {
      account,
      publicUrl,
      store,
      runner,
      bus,
      routes: allRoutes,
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    }
  } catch (fault) {
    await open.disposeAsync()
    throw fault
  }
}

/** No new requests; those that run finish, within a bound. */
const drain = async (app: FastifyInstance): Promise<void> => {
  const late = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
  // An answer that had begun before leaves its connection open when it ends.
  const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK_MS)
  await app.close()
  clearTimeout(late)
  clearInterval(idle)
}
