/**
 * Runs what is due: claims a batch under a lease, runs each job, and finishes it or sets it back. A notice wakes the
 * runner; a slow poll catches what a notice missed and what a node that died had claimed.
 *
 * No lane takes all the places: of the jobs that are due, those whose lane is full wait while others pass.
 */
import { type ExpressionBuilder, sql } from 'kysely'
import type { Logger } from 'pino'
import type { Bus } from '../bus/index.ts'
import { unlessAway } from '../store/away.ts'
import { changing, reading } from '../store/query.ts'
import type { Tables } from '../store/tables.ts'
import type { Store, Tx } from '../store/tx.ts'
import type { Job, JobHandler } from './handler.ts'
import { JOBS_TOPIC } from './later.ts'

/** How many jobs run at once on this node. */
const RUNNING_MAX = 1_024

/** How many are claimed in one go. */
const CLAIM_MAX = 128

/** How long a missed notice can delay a job, in milliseconds. */
const POLL_MS = 1_000

/** The shortest sleep, in milliseconds: a job that another node is claiming is not asked for without a pause. */
const SLEEP_MIN_MS = 5

/** A failed job waits 1 s, 2 s, 4 s … with up to a quarter of chance added, at the most an hour. */
const SET_BACK_MS = 1_000
const SET_BACK_MAX_MS = 3_600_000

const ERROR_LENGTH_MAX = 2_000

interface JobRow {
  readonly sid: string
  readonly kind: string
  readonly key: string
  readonly lane: string
  readonly data: string
  readonly due_at: number
  readonly attempts: number
  readonly version: number
}

/** A job under our lease. Until when it lasts is also its mark: whoever takes the job over has a later one. */
interface Claimed extends JobRow {
  readonly until: number
}

interface Wanted {
  now: number
  /** The kinds that this node can run, as a JSON list; so are the lanes that are full. */
  kinds: string
  full: string
}

/** As an expression: by the index of kinds an engine would read every job there is, by that of times only the due. */
const kindOf = (it: ExpressionBuilder<Tables, 'jobs'>) => sql<string>`${it.ref('kind')} || ''`

const looking = reading((db, at: Wanted, dialect) =>
  db
    .selectFrom('jobs')
    .select('sid')
    .where('due_at', '<=', at.now)
    .where((it) => it.or([it('leased_until', 'is', null), it('leased_until', '<=', at.now)]))
    .where((it) => dialect.isOneOf(kindOf(it), at.kinds))
    .where((it) => it.not(dialect.isOneOf(it.ref('lane'), at.full)))
    .limit(1),
)

const claiming = reading((db, at: Wanted, dialect) =>
  dialect.claim(
    db
      .selectFrom('jobs')
      .select(['sid', 'kind', 'key', 'lane', 'data', 'due_at', 'attempts', 'version'])
      .where('due_at', '<=', at.now)
      .where((it) => it.or([it('leased_until', 'is', null), it('leased_until', '<=', at.now)]))
      .where((it) => dialect.isOneOf(kindOf(it), at.kinds))
      .where((it) => it.not(dialect.isOneOf(it.ref('lane'), at.full)))
      .orderBy('due_at')
      .limit(CLAIM_MAX),
  ),
)

const lease = changing((db, at: { sids: string; until: number }, dialect) =>
  db
    .updateTable('jobs')
    .set({ leased_until: at.until })
    .where((it) => dialect.isOneOf(it.ref('sid'), at.sids)),
)

const finish = changing((db, at: { sid: string; version: number }) =>
  db.deleteFrom('jobs').where('sid', '=', at.sid).where('version', '=', at.version),
)

/** The job was set anew while it ran: it keeps its new time and loses only the lease, if that is still ours. */
const free = changing((db, at: { sid: string; until: number }) =>
  db
    .updateTable('jobs')
    .set({ leased_until: null })
    .where('sid', '=', at.sid)
    .where('leased_until', '=', at.until),
)

const setBack = changing(
  (
    db,
    at: {
      sid: string
      version: number
      until: number
      dueAt: number
      attempts: number
      error: string | null
    },
  ) =>
    db
      .updateTable('jobs')
      .set({ leased_until: null, due_at: at.dueAt, attempts: at.attempts, last_error: at.error })
      .where('sid', '=', at.sid)
      .where('version', '=', at.version)
      .where('leased_until', '=', at.until),
)

/** What was claimed by a process that died. */
const takeBack = changing((db) =>
  db.updateTable('jobs').set({ leased_until: null }).where('leased_until', 'is not', null),
)

/** @param at.poll is when we look again anyway: nobody has to read past it */
const earliest = reading((db, at: { poll: number; kinds: string; full: string }, dialect) =>
  db
    .selectFrom('jobs')
    .select('due_at')
    .where('due_at', '<', at.poll)
    .where('leased_until', 'is', null)
    .where((it) => dialect.isOneOf(kindOf(it), at.kinds))
    .where((it) => it.not(dialect.isOneOf(it.ref('lane'), at.full)))
    .orderBy('due_at')
    .limit(1),
)

export interface Runner {
  /** Runs what is due until nothing is, and nothing runs. For tests. */
  settle(): Promise<void>
  readonly running: number
  [Symbol.asyncDispose](): Promise<void>
}

export interface RunnerOptions {
  readonly store: Store
  readonly bus: Bus
  readonly handlers: readonly JobHandler[]
  readonly log: Logger
  /** In tests nothing runs by itself: only `settle` runs jobs. */
  readonly byItself: boolean
  /**
   * No other process runs jobs of this store: whatever is claimed when the runner opens was claimed by one that died,
   * and need not wait for its lease to end.
   */
  readonly alone?: boolean
  readonly ended?: (kind: string, outcome: JobEnd) => void
}

export type JobEnd = 'done' | 'again' | 'failed'

export const openRunner = ({
  store,
  bus,
  handlers,
  log,
  byItself,
  alone = false,
  ended,
}: RunnerOptions): Runner => {
  const byKind = new Map(handlers.map((it) => [it.kind, it]))
  const kinds = JSON.stringify([...byKind.keys()])
  const lanes = openLanes()
  const inFlight = new Set<Promise<void>>()
  let closed = false
  const toldAs = (says: string, about: object = {}) =>
    unlessAway((fault) => log.error({ fault, ...about }, says))

  /** One claim after the other: each must know what the one before has taken of the lanes. */
  let lastClaim: Promise<unknown> = alone
    ? store
        .transact('take jobs back', (tx) => takeBack.run(tx, {}))
        .catch(toldAs('claimed jobs could not be taken back; their leases will end'))
    : Promise.resolve()
  const claim = (): Promise<number> => {
    const next = lastClaim.then(claimNow, claimNow)
    lastClaim = next
    return next
  }

  const claimNow = async (): Promise<number> => {
    const places = RUNNING_MAX - inFlight.size
    if (places <= 0 || closed) return 0
    const wanted = { now: store.reader.now(), kinds, full: lanes.full() }
    // A look without a transaction first: an idle node writes nothing.
    if (!(await looking.first(store.reader, wanted))) return 0
    const claimed = await store.transact('claim jobs', async (tx) => {
      if (closed) return []
      const taken: Claimed[] = []
      const room = new Map<string, number>()
      for (const row of (await claiming.all(tx, wanted)).slice(0, places)) {
        const { perLane, leaseMs } = byKind.get(row.kind) as JobHandler
        const left = room.get(row.lane) ?? perLane - lanes.count(row.lane)
        room.set(row.lane, left - 1)
        if (left > 0) taken.push({ ...row, until: wanted.now + leaseMs })
      }
      for (const [until, those] of Map.groupBy(taken, (it) => it.until))
        await lease.run(tx, { sids: JSON.stringify(those.map((it) => it.sid)), until })
      return taken
    })
    for (const row of claimed) start(row)
    return claimed.length
  }

  const start = (row: Claimed): void => {
    const handler = byKind.get(row.kind) as JobHandler
    lanes.enter(row.lane, handler.perLane)
    const running = runJob(handler, row).then(() => {
      lanes.leave(row.lane)
      inFlight.delete(running)
      wake()
    })
    inFlight.add(running)
  }

  /** Never rejects. */
  const runJob = async (handler: JobHandler, row: Claimed): Promise<void> => {
    let became: JobEnd
    try {
      const { sid, kind, key, attempts, due_at: dueAt } = row
      const end = async (tx: Tx): Promise<'ended'> => {
        if (!(await finish.run(tx, row))) await free.run(tx, row)
        return 'ended'
      }
      const job: Job = { sid, kind, key, data: JSON.parse(row.data), attempts, dueAt, end }
      const outcome = await handler.run(job, { store, now: () => store.reader.now() })
      became = typeof outcome === 'object' ? 'again' : 'done'
      if (typeof outcome === 'object') await endLater(row, outcome.again, attempts, null)
      else if (outcome !== 'ended') await store.transact(`finish ${kind}`, job.end)
    } catch (fault) {
      became = 'failed'
      await fail(row, fault)
    }
    ended?.(row.kind, became)
  }

  const fail = async (row: Claimed, fault: unknown): Promise<void> => {
    const attempts = row.attempts + 1
    const { kind, key } = row
    toldAs('a job failed and is set back', { kind, key, attempts })(fault)
    const wait = Math.min(SET_BACK_MAX_MS, SET_BACK_MS * 2 ** Math.min(row.attempts, 20))
    const error = String((fault as Error)?.stack ?? fault).slice(0, ERROR_LENGTH_MAX)
    try {
      await endLater(row, store.reader.now() + wait + jitter(row.sid, wait), attempts, error)
    } catch (second) {
      toldAs('a failed job could not be set back; its lease will end', { kind })(second)
    }
  }

  const endLater = (row: Claimed, dueAt: number, attempts: number, error: string | null): Promise<void> =>
    store.transact(`set back ${row.kind}`, async (tx) => {
      const { sid, version, until } = row
      if (!(await setBack.run(tx, { sid, version, until, dueAt, attempts, error }))) await free.run(tx, row)
    })

  let working = false
  let askedAgain = false

  /** Claims while there is something; whoever asks meanwhile is heard after. */
  const work = async (): Promise<void> => {
    if (working) {
      askedAgain = true
      return
    }
    working = true
    try {
      do {
        askedAgain = false
        if ((await claim()) > 0) askedAgain = true
      } while (askedAgain && !closed)
    } catch (fault) {
      if (!closed) toldAs('due jobs could not be claimed')(fault)
    } finally {
      working = false
    }
    await plan()
  }

  let timer: NodeJS.Timeout | undefined
  let wakesAt = Number.POSITIVE_INFINITY
  /** The earliest that was heard of while we looked when to wake. */
  let heardOf = Number.POSITIVE_INFINITY
  let plans = 0

  /** Sleeps until the next job is due, or for a poll's length. */
  const plan = async (): Promise<void> => {
    // With every place taken, the end of a job wakes us; so it does where only full lanes have work.
    if (!byItself || closed || inFlight.size >= RUNNING_MAX) return
    plans += 1
    const mine = plans
    heardOf = Number.POSITIVE_INFINITY
    const wanted = { poll: store.reader.now() + POLL_MS, kinds, full: lanes.full() }
    const next = await earliest.first(store.reader, wanted).catch(() => undefined)
    if (!closed && mine === plans) sleepUntil(Math.min(next?.due_at ?? Number.POSITIVE_INFINITY, heardOf))
  }

  const sleepUntil = (at: number): void => {
    const now = store.reader.now()
    wakesAt = Math.min(at, now + POLL_MS)
    clearTimeout(timer)
    timer = setTimeout(() => void work(), Math.max(SLEEP_MIN_MS, wakesAt - now))
  }

  let woken = false
  const wake = (): void => {
    if (!byItself || closed || woken) return
    woken = true
    setImmediate(() => {
      woken = false
      if (!closed) void work()
    })
  }

  const unsubscribe = bus.subscribe(JOBS_TOPIC, (about) => {
    const dueAt = about as number
    if (!byItself || closed) return
    if (dueAt <= store.reader.now()) wake()
    else {
      heardOf = Math.min(heardOf, dueAt)
      if (!working && dueAt < wakesAt) sleepUntil(dueAt)
    }
  })
  wake()

  return {
    settle: async () => {
      for (;;) {
        // What ended while we looked has made room that we did not see.
        const running = inFlight.size
        if ((await claim()) > 0) continue
        if (inFlight.size) await Promise.race(inFlight)
        else if (running === 0) return
      }
    },
    get running() {
      return inFlight.size
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      unsubscribe()
      clearTimeout(timer)
      await lastClaim.catch(() => 0)
      await Promise.all(inFlight)
    },
  }
}

/** How many jobs of each lane run on this node. */
const openLanes = () => {
  const lanes = new Map<string, { count: number; max: number }>()
  return {
    count: (lane: string): number => lanes.get(lane)?.count ?? 0,
    /** Those that take no more, as a JSON list: claims pass them by. */
    full: (): string =>
      JSON.stringify([...lanes].filter(([, { count, max }]) => count >= max).map(([lane]) => lane)),
    enter: (lane: string, max: number): void => {
      lanes.set(lane, { count: (lanes.get(lane)?.count ?? 0) + 1, max })
    },
    leave: (lane: string): void => {
      const it = lanes.get(lane)
      if (!it) return
      it.count -= 1
      if (it.count === 0) lanes.delete(lane)
    },
  }
}

/** Up to a quarter more, drawn from the job's own name: jobs that failed together do not come back together. */
const jitter = (sid: string, wait: number): number =>
  Math.floor((Number.parseInt(sid.slice(-4), 16) / 0xffff) * (wait / 4))
