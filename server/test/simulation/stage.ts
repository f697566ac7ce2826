/**
 * The house without its door: the real store, in memory; the real verbs, bound as the door has them; the real jobs and
 * router. What is ours is time, chance, and trouble: transactions that fail before they are committed, and crashes.
 */
import { randomBytes } from 'node:crypto'
import type { Event } from '@parley/contract/event.ts'
import { Problem } from '@parley/contract/problem.ts'
import type { Verb } from '@parley/contract/resource.ts'
import pino from 'pino'
import { newVault } from '../../src/accounts/vault.ts'
import { openBus } from '../../src/bus/index.ts'
import { openReactions } from '../../src/events/reactions.ts'
import type { Call } from '../../src/http/binding.ts'
import { openRunner, type Runner } from '../../src/jobs/runner.ts'
import { openStore } from '../../src/store/open.ts'
import { reading } from '../../src/store/query.ts'
import type { Reader, Store, Tx } from '../../src/store/tx.ts'
import * as taskrouter from '../../src/taskrouter/index.ts'
import { openRouter } from '../../src/taskrouter/router/route.ts'
import type { Chance } from './chance.ts'

/** 1 June 2026, a Monday, at eight. */
const BEGINS_AT = Date.UTC(2026, 5, 1, 8)

/** How long the log of events is kept: what is simulated is not read there, and it lives in memory. */
const EVENTS_DAYS = 1

const ACCOUNT = `AC${'0'.repeat(32)}`

/** Said by a transaction that fails because the simulation wants it to. */
class Trouble extends Error {}

export interface Trials {
  /** How many of a hundred transactions fail before they are committed. */
  troublePercent: number
  /** After so many more transactions the process is gone: nothing it does has any effect until it is opened again. */
  crashAfter: number
}

export interface Stage {
  readonly store: Store
  readonly reader: Reader
  readonly trials: Trials
  now(): number
  advance(ms: number): void
  /** Runs a verb as a request would. @returns the row; undefined where it was refused, or met trouble */
  ask(resource: string, verb: Verb, path: object, input?: object): Promise<Row | undefined>
  /** Runs what is due until nothing is. */
  settle(): Promise<void>
  /** The process ends, in the middle of whatever it does, and begins again on the same rows. */
  restart(): Promise<void>
  /** How often each verb was done and refused. */
  readonly counts: Map<string, number>
  [Symbol.asyncDispose](): Promise<void>
}

export type Row = Readonly<Record<string, unknown>> & { readonly sid: string }

export interface Watching {
  /** What was recorded, once it is committed. */
  readonly committed: (events: readonly Event[]) => void
  /** A reservation is being made: rows are as they stand then. */
  readonly reserving?: (tx: Tx, event: Event) => Promise<void>
}

export const openStage = async (
  chance: Chance,
  watching: Watching,
  { routes = true }: { routes?: boolean } = {},
): Promise<Stage> => {
  const log = pino({ level: 'silent' })
  const bus = openBus()
  let now = BEGINS_AT
  const reactions = openReactions([...taskrouter.reactions], log)
  const real = await openStore(
    { kind: 'memory' },
    {
      nature: { now: () => now, randomHex: (digits) => chance.hex(digits) },
      vault: newVault(randomBytes(32)),
      hooks: {
        react: async (tx, events) => {
          await reactions.run(tx, events)
          if (watching.reserving)
            for (const it of events) if (it.name === 'reservation.created') await watching.reserving(tx, it)
        },
        committed: (events) => watching.committed(events),
      },
    },
  )
  const trials: Trials = { troublePercent: 0, crashAfter: Number.POSITIVE_INFINITY }
  const store: Store = {
    dialect: real.dialect,
    reader: real.reader,
    ping: () => real.ping(),
    transact: (verb, run) =>
      real.transact(verb, async (tx) => {
        trials.crashAfter -= 1
        if (trials.crashAfter < 0) throw new Trouble('the process is gone')
        const value = await run(tx)
        if (trials.troublePercent > 0 && chance.percent(trials.troublePercent))
          throw new Trouble('the disk said no')
        return value
      }),
    [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
  }
  const counts = new Map<string, number>()
  const counted = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  const open = (): Runner =>
    openRunner({
      store,
      bus,
      log,
      byItself: false,
      alone: true,
      // A process that begins knows nothing: its router has a memory of its own.
      handlers: [
        reactions.handler,
        taskrouter.forgetEvents(EVENTS_DAYS),
        ...taskrouter.handlers.flatMap((it) =>
          it.kind === openRouter().kind ? (routes ? [openRouter()] : []) : [it],
        ),
      ],
      ended: (kind, end) => counted(`job ${kind} ${end}`),
    })
  let runner = open()
  const verbs = new Map(taskrouter.routes.served.map((it) => [it.resource.name, it.verbs]))
  return {
    store,
    reader: real.reader,
    trials,
    counts,
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    ask: async (resource, verb, path, input = {}) => {
      const run = verbs.get(resource)?.[verb] as (tx: Tx, call: Call) => Promise<Row | undefined>
      const call: Call = {
        accountSid: ACCOUNT,
        actor: { kind: 'api', webhooks: false },
        token: undefined,
        path,
        input,
        page: { limit: 0 },
        ifMatch: undefined,
        json: undefined,
        say: () => undefined,
      }
      try {
        const row = await store.transact(`${verb} ${resource}`, (tx) => run(tx, call))
        counted(`${verb} ${resource}`)
        return row
      } catch (fault) {
        if (fault instanceof Problem && fault.status < 500) counted(`refused: ${verb} ${resource}`)
        else if (fault instanceof Trouble) counted('trouble')
        else throw fault
        return undefined
      }
    },
    settle: async () => {
      for (;;)
        try {
          return await runner.settle()
        } catch (fault) {
          // A claim that failed is made again when the runner is next woken.
          if (!(fault instanceof Trouble)) throw fault
          counted('trouble')
          if (trials.crashAfter < 0) return
        }
    },
    restart: async () => {
      await runner[Symbol.asyncDispose]()
      trials.crashAfter = Number.POSITIVE_INFINITY
      trials.troublePercent = 0
      runner = open()
    },
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]()
      await real[Symbol.asyncDispose]()
    },
  }
}

/** When what was set back is due again, and until when what nobody finished is claimed. */
export const readLate = async (reader: Reader): Promise<number[]> =>
  (await late.all(reader, { all: true })).flatMap((it) => [
    ...(it.last_error === null ? [] : [it.due_at]),
    ...(it.leased_until === null || it.leased_until <= reader.now() ? [] : [it.leased_until]),
  ])

/** Whether jobs of these kinds are due. */
export const isDue = async (reader: Reader, kinds: readonly string[]): Promise<boolean> =>
  (await due.all(reader, { now: reader.now() })).some((it) => kinds.includes(it.kind))

const late = reading((db, _: { all: true }) =>
  db
    .selectFrom('jobs')
    .select(['due_at', 'leased_until', 'last_error'])
    .where((it) => it.or([it('last_error', 'is not', null), it('leased_until', 'is not', null)])),
)

const due = reading((db, at: { now: number }) =>
  db.selectFrom('jobs').select('kind').where('due_at', '<=', at.now),
)
