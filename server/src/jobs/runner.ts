/**
 * Runs what is due: claims a batch under a lease, runs each job, and finishes it or sets it back. A notice wakes the
 * runner; a slow poll catches what a notice missed and what a node that died had claimed.
 *
 * No lane takes all the places: of the jobs that are due, those whose lane is full wait while others pass.
 */
import type { Logger } from 'pino'
import type { Bus } from '../bus/index.ts'
import { changing, reading } from '../store/query.ts'
import type { Store } from '../store/tx.ts'
import type { Job, JobHandler } from './handler.ts'
import { JOBS_TOPIC } from './later.ts'

/** How many jobs run at once on this node. */
const RUNNING_MAX = 256

/** How many are claimed in one go. */
const CLAIM_MAX = 128

/** How long a missed notice can delay a job, in milliseconds. */
const POLL_MS = 1_000

/** A failed job waits 1 s, 2 s, 4 s … with up to a quarter of chance added, at the most an hour. */
const SET_BACK_MS = 1_000
const SET_BACK_MAX_MS = 3_600_000

const ERROR_LENGTH_MAX = 2_000

interface JobRow {
  sid: string
  kind: string
  key: string
  lane: string
  data: string
  due_at: number
  attempts: number
  version: number
}

const due = reading((db, at: { now: number; full: string; limit: number }, dialect) =>
  dialect.claim(
    db
      .selectFrom('jobs')
      .selectAll()
      .where('due_at', '<=', at.now)
      .where((it) => it.or([it('leased_until', 'is', null), it('leased_until', '<=', at.now)]))
      .where((it) => it.not(dialect.isOneOf(it.ref('lane'), at.full)))
      .orderBy('due_at')
      .limit(at.limit),
  ),
)

const lease = changing((db, at: { sid: string; until: number }) =>
  db.updateTable('jobs').set({ leased_until: at.until }).where('sid', '=', at.sid),
)

const finish = changing((db, at: { sid: string; version: number }) =>
  db.deleteFrom('jobs').where('sid', '=', at.sid).where('version', '=', at.version),
)

/** The job was set anew while it ran: it keeps its new time and loses only the lease. */
const free = changing((db, at: { sid: string }) =>
  db.updateTable('jobs').set({ leased_until: null }).where('sid', '=', at.sid),
)

const setBack = changing(
  (db, at: { sid: string; version: number; dueAt: number; attempts: number; error: string | null }) =>
    db
      .updateTable('jobs')
      .set({ leased_until: null, due_at: at.dueAt, attempts: at.attempts, last_error: at.error })
      .where('sid', '=', at.sid)
      .where('version', '=', at.version),
)

const earliest = reading((db, _: { all: true }) =>
  db.selectFrom('jobs').select('due_at').where('leased_until', 'is', null).orderBy('due_at').limit(1),
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
  readonly ended?: (kind: string, outcome: 'done' | 'again' | 'failed') => void
}

export const openRunner = ({ store, bus, handlers, log, byItself, ended }: RunnerOptions): Runner => {
  const byKind = new Map(handlers.map((it) => [it.kind, it]))
  const lanes = new Map<string, number>()
  const inFlight = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let claiming: Promise<number> | undefined
  let askedAgain = false
  let closed = false

  /** Lanes that take no more; claims pass them by. */
  const full = (): string => {
    const those: string[] = []
    for (const [lane, count] of lanes) if (count >= (perLane.get(lane) ?? 1)) those.push(lane)
    return JSON.stringify(those)
  }
  const perLane = new Map<string, number>()

  const claim = async (): Promise<number> => {
    const limit = Math.min(CLAIM_MAX, RUNNING_MAX - inFlight.size)
    if (limit <= 0 || closed) return 0
    const now = store.reader.now()
    const filled = full()
    // A look without a transaction first: an idle node writes nothing.
    if (!(await due.first(store.reader, { now, full: filled, limit: 1 }))) return 0
    const claimed = await store.transact('claim jobs', async (tx) => {
      const rows = (await due.all(tx, { now, full: filled, limit })) as JobRow[]
      const room = new Map<string, number>()
      const taken: JobRow[] = []
      for (const row of rows) {
        const handler = byKind.get(row.kind)
        if (!handler) continue
        const left = room.get(row.lane) ?? handler.perLane - (lanes.get(row.lane) ?? 0)
        if (left <= 0) continue
        room.set(row.lane, left - 1)
        await lease.run(tx, { sid: row.sid, until: now + handler.leaseMs })
        taken.push(row)
      }
      return taken
    })
    for (const row of claimed) start(row)
    return claimed.length
  }

  const start = (row: JobRow): void => {
    const handler = byKind.get(row.kind) as JobHandler
    perLane.set(row.lane, handler.perLane)
    lanes.set(row.lane, (lanes.get(row.lane) ?? 0) + 1)
    const running = runJob(handler, row).finally(() => {
      const left = (lanes.get(row.lane) ?? 1) - 1
      if (left > 0) lanes.set(row.lane, left)
      else {
        lanes.delete(row.lane)
        perLane.delete(row.lane)
      }
      inFlight.delete(running)
      wake()
    })
    inFlight.add(running)
  }

  const runJob = async (handler: JobHandler, row: JobRow): Promise<void> => {
    const job: Job = {
      sid: row.sid,
      kind: row.kind,
      key: row.key,
      data: JSON.parse(row.data),
      attempts: row.attempts,
      dueAt: row.due_at,
    }
    try {
      const outcome = await handler.run(job, { store, now: () => store.reader.now() })
      if (outcome) await endAgain(row, outcome.again, row.attempts, null)
      else
        await store.transact(`finish ${row.kind}`, async (tx) => {
          if (!(await finish.run(tx, row))) await free.run(tx, row)
        })
      ended?.(row.kind, outcome ? 'again' : 'done')
    } catch (fault) {
      if (closed) return
      log.error({ fault, kind: row.kind, key: row.key, attempts: row.attempts + 1 }, 'a job failed and is set back')
      ended?.(row.kind, 'failed')
      const wait = Math.min(SET_BACK_MAX_MS, SET_BACK_MS * 2 ** Math.min(row.attempts, 20))
      const error = String((fault as Error)?.stack ?? fault).slice(0, ERROR_LENGTH_MAX)
      await endAgain(row, store.reader.now() + wait + jitter(row.sid, wait), row.attempts + 1, error).catch(
        (second) => log.error({ fault: second, kind: row.kind }, 'a failed job could not be set back; its lease will end'),
      )
    }
  }

  const endAgain = (row: JobRow, dueAt: number, attempts: number, error: string | null): Promise<void> =>
    store.transact(`set back ${row.kind}`, async (tx) => {
      if (!(await setBack.run(tx, { sid: row.sid, version: row.version, dueAt, attempts, error })))
        await free.run(tx, row)
    })

  /** Claims while there is something; whoever asks meanwhile is heard after. */
  const work = async (): Promise<void> => {
    if (claiming) {
      askedAgain = true
      return
    }
    try {
      do {
        askedAgain = false
        claiming = claim()
        if ((await claiming) > 0) askedAgain = true
      } while (askedAgain && !closed)
    } catch (fault) {
      if (!closed) log.error({ fault }, 'due jobs could not be claimed')
    } finally {
      claiming = undefined
    }
    await plan()
  }

  /** Sleeps until the next job is due, or for a poll's length. */
  const plan = async (): Promise<void> => {
    if (!byItself || closed) return
    const next = await earliest.first(store.reader, { all: true }).catch(() => undefined)
    if (closed) return
    const wait = Math.min(POLL_MS, Math.max(1, (next?.due_at ?? Number.POSITIVE_INFINITY) - store.reader.now()))
    clearTimeout(timer)
    // A due job that was not claimed waits for a place in its lane; its end wakes us.
    timer = setTimeout(() => void work(), wait <= 1 && inFlight.size ? POLL_MS : wait)
  }

  let woken = false
  const wake = (): void => {
    if (!byItself || closed || woken) return
    woken = true
    setImmediate(() => {
      woken = false
      void work()
    })
  }

  const unsubscribe = bus.subscribe(JOBS_TOPIC, (dueAt) => {
    if ((dueAt as number) <= store.reader.now()) wake()
    else if (byItself && !closed && !claiming) void plan()
  })
  wake()

  return {
    settle: async () => {
      for (;;) {
        const claimed = await claim()
        if (inFlight.size) await Promise.race(inFlight)
        else if (claimed === 0) return
      }
    },
    get running() {
      return inFlight.size
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      unsubscribe()
      clearTimeout(timer)
      await claiming?.catch(() => 0)
      await Promise.all(inFlight)
    },
  }
}

/** Up to a quarter more, drawn from the job's own name: jobs that failed together do not come back together. */
const jitter = (sid: string, wait: number): number =>
  Math.floor((Number.parseInt(sid.slice(-4), 16) / 0xffff) * (wait / 4))
