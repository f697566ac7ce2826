/**
 * The house without its door: the real store, the real verbs, bound as the door has them; the real jobs, router and
 * attendance. What is ours is time, chance, and trouble: transactions that fail before they are committed, and crashes.
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
import {
  type Attendance,
  openAttendance,
  type Repeat,
} from '../../src/realtime/protocols/event-bridge/attendance.ts'
import { openStore, type Where } from '../../src/store/open.ts'
import { reading } from '../../src/store/query.ts'
import type { Reader, Store, Tx } from '../../src/store/tx.ts'
import * as taskrouter from '../../src/taskrouter/index.ts'
import { openRouter } from '../../src/taskrouter/router/route.ts'
import { Broken } from './broken.ts'
import type { Chance } from './chance.ts'
import { inOrder } from './in-order.ts'
import { inTurns } from './in-turns.ts'

/** 1 June 2026, a Monday, at eight. */
const BEGINS_AT = Date.UTC(2026, 5, 1, 8)

/** How long the log of events is kept: what is simulated is not read there, and it lives in memory. */
const EVENTS_DAYS = 1

export const WORKSPACE = 'taskrouter.v1.workspace'
export const WORKER = `${WORKSPACE}.worker`
export const TASK = `${WORKSPACE}.task`

export const ACCOUNT = `AC${'0'.repeat(32)}`

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
  /** Runs what has no address, as the event bridge does. @returns undefined where it was refused, or met trouble */
  run<T>(what: string, verb: (tx: Tx) => Promise<T>): Promise<T | undefined>
  /** Who has a socket in the process that is up. */
  readonly attendance: Pick<Attendance, 'arrived' | 'left'>
  /** When a lease could last not be written, in milliseconds since 1970. */
  readonly leaseLostAt: number
  /** Until nothing is being written. */
  quiet(): Promise<void>
  /** Runs what is due until nothing is, and all leases are written. @throws Broken where a job failed without trouble */
  settle(): Promise<void>
  /** The process ends, in the middle of whatever it does, and begins again on the same rows. */
  restart(): Promise<void>
  /** How often each verb was done and refused. */
  readonly counts: Map<string, number>
  [Symbol.asyncDispose](): Promise<void>
}

export type Row = Readonly<Record<string, unknown>> & { readonly sid: string }

export interface Watching {
  /** What was recorded, once it is committed, in the order in which it was done. */
  readonly committed: (events: readonly Event[]) => void
  /** A reservation is being made: rows are as they stand then. */
  readonly reserving?: (tx: Tx, event: Event) => Promise<void>
}

export interface StageOptions {
  /** In memory unless given. */
  readonly where?: Where | undefined
  /** Whether the store does one thing after the other, so that each engine gives the same run. */
  readonly inTurns?: boolean | undefined
  readonly routes?: boolean
  /** Whether the log of events and what statistics are counted from are written; both are unless said otherwise. */
  readonly records?: boolean | undefined
}

export const openStage = async (
  chance: Chance,
  watching: Watching,
  { where = { kind: 'memory' }, routes = true, records = true, ...options }: StageOptions = {},
): Promise<Stage> => {
  /** What failed and was not meant to: bugs. */
  const faults: unknown[] = []
  const log = pino({
    level: 'error',
    hooks: {
      logMethod: ([about]) => {
        const { fault } = about as { fault?: unknown }
        if (!(fault instanceof Trouble)) faults.push(fault)
      },
    },
  })
  const bus = openBus()
  let now = BEGINS_AT
  const reactions = openReactions(records ? [...taskrouter.reactions] : [], log)
  const told = inOrder(watching.committed)
  const opened = await openStore(where, {
    nature: { now: () => now, randomHex: (digits) => chance.hex(digits) },
    vault: newVault(randomBytes(32)),
    hooks: {
      react: async (tx, events) => {
        await reactions.run(tx, events)
        if (watching.reserving)
          for (const it of events) if (it.name === 'reservation.created') await watching.reserving(tx, it)
        told.done(events)
      },
      committed: (events) => told.committed(events),
    },
  })
  const real = options.inTurns ? inTurns(opened) : opened
  const running = new Set<Promise<unknown>>()
  const trials: Trials = { troublePercent: 0, crashAfter: Number.POSITIVE_INFINITY }
  const store: Store = {
    dialect: real.dialect,
    reader: real.reader,
    ping: () => real.ping(),
    transact: (verb, run) => {
      const done = real.transact(verb, async (tx) => {
        trials.crashAfter -= 1
        if (trials.crashAfter < 0) throw new Trouble('the process is gone')
        const value = await run(tx)
        if (trials.troublePercent > 0 && chance.percent(trials.troublePercent))
          throw new Trouble('the disk said no')
        return value
      })
      running.add(done)
      const over = () => running.delete(done)
      done.then(over, over)
      return done
    },
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
  const timers = new Set<{ readonly run: () => void; readonly everyMs: number; nextAt: number }>()
  const repeat: Repeat = (run, everyMs) => {
    const timer = { run, everyMs, nextAt: now + everyMs }
    timers.add(timer)
    return () => timers.delete(timer)
  }
  let leaseLostAt = Number.NEGATIVE_INFINITY
  const attend = (): Attendance =>
    openAttendance({
      store,
      repeat,
      onFault: (fault) => {
        if (!(fault instanceof Trouble)) faults.push(fault)
        leaseLostAt = now
        counted('a lease was not written')
      },
    })
  let attendance = attend()
  const quiet = async (): Promise<void> => {
    do {
      await Promise.allSettled(running)
      await new Promise((turn) => setImmediate(turn))
    } while (running.size)
    told.rest()
  }
  const attempt: Stage['run'] = async (what, verb) => {
    try {
      const done = await store.transact(what, verb)
      counted(what)
      return done
    } catch (fault) {
      if (fault instanceof Problem && fault.status < 500) counted(`refused: ${what}`)
      else if (fault instanceof Trouble) counted('trouble')
      else throw fault
      return undefined
    }
  }
  const verbs = new Map(taskrouter.routes.served.map((it) => [it.resource.name, it.verbs]))
  return {
    store,
    reader: real.reader,
    trials,
    counts,
    now: () => now,
    advance: (ms) => {
      now += ms
      for (const it of timers)
        if (it.nextAt <= now) {
          it.nextAt = now + it.everyMs
          it.run()
        }
    },
    run: attempt,
    quiet,
    attendance: {
      arrived: (sid) => attendance.arrived(sid),
      left: (sid) => attendance.left(sid),
    },
    get leaseLostAt() {
      return leaseLostAt
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
      return attempt(`${verb} ${resource}`, (tx) => run(tx, call))
    },
    settle: async () => {
      for (;;)
        try {
          await runner.settle()
          await quiet()
          if (faults.length) throw new Broken('jobs', String(faults[0]))
          return
        } catch (fault) {
          // A claim that failed is made again when the runner is next woken.
          if (!(fault instanceof Trouble)) throw fault
          counted('trouble')
          if (trials.crashAfter < 0) return
        }
    },
    restart: async () => {
      await runner[Symbol.asyncDispose]()
      await attendance[Symbol.asyncDispose]()
      await quiet()
      trials.crashAfter = Number.POSITIVE_INFINITY
      trials.troublePercent = 0
      runner = open()
      attendance = attend()
    },
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]()
      await attendance[Symbol.asyncDispose]()
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
