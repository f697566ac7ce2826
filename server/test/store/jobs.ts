/** Durable work: left in a transaction, claimed once, never lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { type Bus, openBus } from '../../src/bus/index.ts'
import type { Job, JobHandler, Outcome } from '../../src/jobs/handler.ts'
import { type JobWanted, later, notLater } from '../../src/jobs/later.ts'
import { openRunner, type Runner } from '../../src/jobs/runner.ts'
import { reading } from '../../src/store/query.ts'
import { update } from '../../src/store/rows.ts'
import { realNature } from '../../src/store/sid.ts'
import type { Reader, Store } from '../../src/store/tx.ts'
import { add, ask, sidOf } from './given.ts'
import type { Engine, OpenPlace, Place } from './place.ts'

const LEASE_MS = 10_000

/** How much later than due a job may run by itself on a busy machine; less than a poll's length. */
const LATE_MS = 800

/** How long a condition may take to come true before a test gives up, in milliseconds. */
const PATIENCE_MS = 60_000

/** How often a machine that stalls may keep a runner from being on time before it is the runner that is late. */
const TRIES_MAX = 5

const log = pino({ level: 'silent' })

const rows = reading((db, at: { kind: string }) =>
  db.selectFrom('jobs').selectAll().where('kind', '=', at.kind).orderBy('key'),
)

const jobs = (reader: Reader) => rows.all(reader, { kind: 'test' })

interface Yard {
  readonly store: Store
  readonly runner: Runner
  readonly ran: Job[]
  /** Standing time. */
  advance(ms: number): void
  leave(wanted: Partial<JobWanted> & { key: string }): Promise<void>
  anotherRunner(run: JobHandler['run'], alone?: boolean): Runner
  [Symbol.asyncDispose](): Promise<void>
}

type Options = Partial<Omit<JobHandler, 'run'>>

const standingTime = () => {
  let now = 1_000_000
  return {
    nature: { now: () => now, randomHex: realNature.randomHex },
    advance: (ms: number) => {
      now += ms
    },
  }
}

const open = async (
  place: Place,
  run: (job: Job) => unknown = () => {},
  options: Options = {},
): Promise<Yard> => {
  const { nature, advance } = standingTime()
  const bus = openBus()
  const store = await place.open({ nature, hooks: tellsBus(bus) })
  const ran: Job[] = []
  const runners = new AsyncDisposableStack()
  const runnerOf = (those: JobHandler['run'], alone = false): Runner => {
    const handler = { kind: 'test', perLane: 4, leaseMs: LEASE_MS, ...options, run: those }
    return runners.use(openRunner({ store, bus, log, handlers: [handler], byItself: false, alone }))
  }
  return {
    store,
    ran,
    advance,
    runner: runnerOf(async (job) => {
      ran.push(job)
      return (await run(job)) as Outcome | undefined
    }),
    leave: (wanted) => store.transact('leave', (tx) => later(tx, { kind: 'test', ...wanted })),
    anotherRunner: runnerOf,
    [Symbol.asyncDispose]: () => runners.disposeAsync(),
  }
}

const tellsBus = (bus: Bus) => ({
  react: async () => {},
  committed: (_: unknown, notices: readonly { topic: string; about: unknown }[]) => {
    for (const { topic, about } of notices) bus.publish(topic, about)
  },
})

const keys = (ran: readonly Job[]) => ran.map((it) => it.key)

export const jobRules = (engine: Engine, openPlace: OpenPlace): void => {
  test('[ST70] a job is left with its transaction, or not at all', async () => {
    await using place = await openPlace()
    await using yard = await open(place)
    await assert.rejects(
      add(yard.store, sidOf(1), async (tx) => {
        await later(tx, { kind: 'test', key: 'undone' })
        throw new Error('no')
      }),
    )
    await yard.leave({ key: 'kept', data: { for: 'Vera' } })
    await yard.runner.settle()
    assert.deepEqual(
      yard.ran.map(({ key, data, attempts }) => ({ key, data, attempts })),
      [{ key: 'kept', data: { for: 'Vera' }, attempts: 0 }],
    )
    assert.deepEqual(await jobs(yard.store.reader), [], 'what is done is gone')
  })

  test('[ST71] a job runs when it is due, the earliest first, and not before', async () => {
    await using place = await openPlace()
    await using yard = await open(place, () => {}, { perLane: 1 })
    const now = yard.store.reader.now()
    for (const [key, wait] of [
      ['third', 3],
      ['first', 1],
      ['second', 2],
    ] as const)
      await yard.leave({ key, dueAt: now + wait })
    await yard.runner.settle()
    assert.deepEqual(yard.ran, [])
    yard.advance(2)
    await yard.runner.settle()
    assert.deepEqual(keys(yard.ran), ['first', 'second'])
    yard.advance(1)
    await yard.runner.settle()
    assert.deepEqual(keys(yard.ran), ['first', 'second', 'third'])
  })

  test('[ST72] a later job of a kind and key replaces an earlier, whoever leaves them at once', async () => {
    await using place = await openPlace()
    await using yard = await open(place)
    await yard.leave({ key: 'one', data: 1, dueAt: yard.store.reader.now() + 60_000 })
    await yard.leave({ key: 'one', data: 2 })
    await Promise.all(Array.from({ length: 30 }, () => yard.leave({ key: 'two' })))
    await yard.runner.settle()
    assert.deepEqual(yard.ran.map((it) => [it.key, it.data]).toSorted(), [
      ['one', 2],
      ['two', {}],
    ])
  })

  test('[ST73] a job that is taken back does not run', async () => {
    await using place = await openPlace()
    await using yard = await open(place)
    await yard.leave({ key: 'one' })
    const back = () => yard.store.transact('take back', (tx) => notLater(tx, 'test', 'one'))
    assert.equal(await back(), true)
    assert.equal(await back(), false)
    await yard.runner.settle()
    assert.deepEqual(yard.ran, [])
  })

  test('[ST74] a job is claimed once, however many runners look for it', async () => {
    await using place = await openPlace()
    await using yard = await open(place)
    for (let n = 0; n < 60; n += 1) await yard.leave({ key: `${n}`, lane: `${n % 30}` })
    const others = Array.from({ length: 3 }, () =>
      yard.anotherRunner(async (job) => {
        yard.ran.push(job)
        return undefined
      }),
    )
    await Promise.all([yard.runner, ...others].map((it) => it.settle()))
    assert.equal(yard.ran.length, 60)
    assert.equal(new Set(keys(yard.ran)).size, 60)
  })

  test('[ST75] a job whose runner is gone is taken over when its lease ends, and a late end spoils nothing', async () => {
    await using place = await openPlace()
    const stuck = Promise.withResolvers<void>()
    const secondGate = Promise.withResolvers<void>()
    await using yard = await open(place, async () => {
      await stuck.promise
      throw new Error('too late')
    })
    await yard.leave({ key: 'one' })
    const first = yard.runner.settle()
    await until(() => yard.ran.length === 1)
    const taken: Job[] = []
    const second = yard.anotherRunner(async (job) => {
      taken.push(job)
      await secondGate.promise
      return undefined
    })
    yard.advance(LEASE_MS - 1)
    await second.settle()
    assert.deepEqual(taken, [], 'the lease lasts')
    yard.advance(1)
    const secondSettles = second.settle()
    await until(() => taken.length === 1)
    stuck.resolve()
    await until(() => yard.runner.running === 0)
    await first
    const [row] = await jobs(yard.store.reader)
    assert.ok((row?.leased_until ?? 0) > yard.store.reader.now(), 'the second keeps its lease')
    secondGate.resolve()
    await secondSettles
    assert.deepEqual(await jobs(yard.store.reader), [])
  })

  test('[ST84] a runner that is alone waits for no lease of one that died', async () => {
    await using place = await openPlace()
    await using yard = await open(place)
    const stuck = Promise.withResolvers<void>()
    const dying = yard.anotherRunner(async () => {
      await stuck.promise
      return undefined
    })
    await yard.leave({ key: 'one' })
    const first = dying.settle()
    await until(() => dying.running === 1)
    await yard.runner.settle()
    assert.deepEqual(yard.ran, [], 'the lease lasts')
    const taken: Job[] = []
    const alone = yard.anotherRunner(async (job) => {
      taken.push(job)
      return undefined
    }, true)
    await alone.settle()
    assert.deepEqual(keys(taken), ['one'])
    stuck.resolve()
    await first
  })

  test('[ST76] a job that fails is set back with growing waits, its error kept, until it is done', async () => {
    await using place = await openPlace()
    await using yard = await open(place, ({ attempts }) => {
      if (attempts < 4) throw new Error(`attempt ${attempts} fails`)
    })
    await yard.leave({ key: 'one' })
    const waits: number[] = []
    for (let n = 0; n < 4; n += 1) {
      await yard.runner.settle()
      const [row] = await jobs(yard.store.reader)
      assert.equal(row?.attempts, n + 1)
      assert.match(row?.last_error ?? '', new RegExp(`attempt ${n} fails`))
      const wait = (row?.due_at ?? 0) - yard.store.reader.now()
      waits.push(wait)
      yard.advance(wait)
    }
    await yard.runner.settle()
    assert.equal(yard.ran.length, 5)
    for (const [n, wait] of waits.entries())
      assert.ok(wait >= 1_000 * 2 ** n && wait <= 1_250 * 2 ** n, `${waits}`)
    assert.deepEqual(await jobs(yard.store.reader), [])
  })

  test('[ST77] a job that asks to run again does so at its time, and has not failed', async () => {
    await using place = await openPlace()
    await using yard = await open(place, ({ dueAt }) =>
      yard.ran.length < 3 ? { again: dueAt + 5_000 } : undefined,
    )
    await yard.leave({ key: 'one' })
    for (let n = 1; n <= 3; n += 1) {
      await yard.runner.settle()
      assert.equal(yard.ran.length, n)
      yard.advance(5_000)
    }
    assert.deepEqual(
      yard.ran.map((it) => it.attempts),
      [0, 0, 0],
    )
    assert.deepEqual(await jobs(yard.store.reader), [])
  })

  test('[ST78] a job that is set anew while it runs runs again, with what it was set to', async () => {
    await using place = await openPlace()
    await using yard = await open(place, async ({ data }) => {
      if (data === 'first') await yard.leave({ key: 'one', data: 'second' })
      if (data === 'second') {
        await yard.leave({ key: 'one', data: 'third' })
        throw new Error('its failing does not touch the third')
      }
    })
    await yard.leave({ key: 'one', data: 'first' })
    await yard.runner.settle()
    assert.deepEqual(
      yard.ran.map((it) => [it.data, it.attempts]),
      [
        ['first', 0],
        ['second', 0],
        ['third', 0],
      ],
    )
    assert.deepEqual(await jobs(yard.store.reader), [])
  })

  test('[ST79] a lane runs a bounded number at once, and a full one holds up no other', async () => {
    await using place = await openPlace()
    const sick = Promise.withResolvers<void>()
    let inLane = 0
    let most = 0
    await using yard = await open(
      place,
      async ({ key }) => {
        if (!key.startsWith('sick')) return
        inLane += 1
        most = Math.max(most, inLane)
        await sick.promise
        inLane -= 1
      },
      { perLane: 3 },
    )
    await yard.store.transact('many', async (tx) => {
      for (let n = 0; n < 300; n += 1) await later(tx, { kind: 'test', key: `sick ${n}`, lane: 'sick' })
    })
    yard.advance(1)
    await yard.leave({ key: 'well', lane: 'well' })
    const settled = yard.runner.settle()
    await until(() => keys(yard.ran).includes('well'))
    assert.equal(yard.ran.length, 4)
    sick.resolve()
    await settled
    assert.equal(yard.ran.length, 301)
    assert.equal(most, 3)
  })

  test('[ST80] jobs of a kind this node does not know are left for one that does', async () => {
    await using place = await openPlace()
    await using yard = await open(place)
    await yard.store.transact('many', async (tx) => {
      for (let n = 0; n < 200; n += 1) await later(tx, { kind: 'newer', key: `${n}` })
    })
    yard.advance(1)
    await yard.leave({ key: 'ours' })
    await yard.runner.settle()
    assert.deepEqual(keys(yard.ran), ['ours'])
    const count = `select count(*) as count from jobs where kind = 'newer' and leased_until is null`
    assert.deepEqual(await ask(yard.store.reader, count), [{ count: 200 }])
  })

  test('[ST81] a job whose data cannot be read fails like any other', async () => {
    await using place = await openPlace()
    await using yard = await open(place)
    await yard.leave({ key: 'one' })
    await yard.store.transact('spoil', async (tx) => {
      await update(tx, 'jobs', { key: 'one' }, { data: '{' })
    })
    await yard.runner.settle()
    assert.equal((await jobs(yard.store.reader))[0]?.attempts, 1)
  })

  test('[ST82] a runner wakes by itself: at once for what is due, on time for what will be', async () => {
    await using place = await openPlace()
    const bus = openBus()
    const store = await place.open({ hooks: tellsBus(bus) })
    const ran = new Map<string, number>()
    const hangs = Promise.withResolvers<void>()
    const run = async ({ key }: Job) => {
      ran.set(key, Date.now())
      if (key.startsWith('hangs')) await hangs.promise
      return undefined
    }
    const handlers = [{ kind: 'test', perLane: 1, leaseMs: LEASE_MS, run }]
    await using runner = openRunner({ store, bus, log, handlers, byItself: true })
    const leave = (key: string, dueAt: number, lane = 'test') =>
      store.transact('leave', (tx) => later(tx, { kind: 'test', key, dueAt, lane }))
    // A lane with work that is due and no place for it keeps nobody from waking on time.
    await leave('hangs', Date.now(), 'sick')
    await leave('hangs as well', Date.now(), 'sick')
    const lateness = async (): Promise<number[]> => {
      const at = Date.now()
      await leave('soon', at + 120)
      await leave('at once', at)
      await until(() => ran.has('soon') && ran.has('at once'))
      const [soon = 0, atOnce = 0] = ['soon', 'at once'].map((key) => ran.get(key))
      ran.delete('soon')
      ran.delete('at once')
      assert.ok(soon >= at + 120, 'not before its time')
      return [soon - at - 120, atOnce - at]
    }
    let late = await lateness()
    for (let tries = 1; tries < TRIES_MAX && Math.max(...late) >= LATE_MS; tries += 1) late = await lateness()
    assert.ok(Math.max(...late) < LATE_MS, `${late} ms late`)
    assert.ok(!ran.has('hangs as well'))
    hangs.resolve()
    await until(() => ran.has('hangs as well') && runner.running === 0)
  })

  test('[ST83] closing a runner waits for what it runs, starts nothing, and leaves no timer', async () => {
    await using place = await openPlace()
    const bus = openBus()
    const store = await place.open({ hooks: tellsBus(bus) })
    const gate = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    let ended = false
    const run = async () => {
      started.resolve()
      await gate.promise
      ended = true
      return undefined
    }
    const handlers = [{ kind: 'test', perLane: 1, leaseMs: LEASE_MS, run }]
    const runner = openRunner({ store, bus, log, handlers, byItself: true })
    for (const key of ['one', 'two']) await store.transact('leave', (tx) => later(tx, { kind: 'test', key }))
    await started.promise
    const closing = runner[Symbol.asyncDispose]()
    gate.resolve()
    await closing
    assert.ok(ended)
    assert.equal((await jobs(store.reader)).length, 1)
    await store.transact('leave', (tx) => later(tx, { kind: 'test', key: 'three' }))
    assert.equal((await jobs(store.reader)).length, 2)
    // PostgreSQL's own connections have timers of their own.
    if (engine !== 'postgres') assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })
}

/** Waits for a condition to come true. */
const until = async (isTrue: () => boolean): Promise<void> => {
  const end = Date.now() + PATIENCE_MS
  while (!isTrue()) {
    assert.ok(Date.now() < end, `it never comes true that ${isTrue}`)
    await new Promise((next) => setTimeout(next, 1))
  }
}
