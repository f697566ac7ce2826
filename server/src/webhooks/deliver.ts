/**
 * Makes the deliveries of a lane: what is owed about one channel (user, task, worker) to one URL, in order.
 *
 * - What was never tried goes in the order it was owed.
 * - A delivery that failed and waits keeps those after it waiting, until it is `LANE_HOLD_MS` old. From then on it is
 *   retried beside them, and they pass.
 * - Each attempt is recorded in one transaction with what it came to. A process that dies between the call and the
 *   record calls again, with the same idempotency token.
 */
import { sql } from 'kysely'
import type { Job, JobHandler } from '../jobs/handler.ts'
import { changing, reading } from '../store/query.ts'
import type { Reader, Store, Tx } from '../store/tx.ts'
import { type Attempt, attempt, EVENT_TIMEOUT_MS, type Means, writeAttempt } from './attempt.ts'
import { DELIVER, type DeliveryStored, outcomeName } from './ledger.ts'
import { judge } from './retry.ts'

/** Long enough for an endpoint to be started again, short enough that a conversation goes on without it. */
export const LANE_HOLD_MS = 120_000

/** Lanes of one endpoint that are served at once: a hanging one holds this many places of the runner, no more. */
const PER_ENDPOINT = 32

/** How long one run goes on taking deliveries; a house that closes waits for no more than this and one call. */
const RUN_MS = 4_000

/** A run, one call that hangs, and room for the store. */
const LEASE_MS = 30_000

const HOUR_MS = 3_600_000

export interface DeliverSettings {
  /** How long a delivery is retried before it is set aside. */
  readonly retryHours: number
}

export const deliver = (means: Means, { retryHours }: DeliverSettings): JobHandler => ({
  kind: DELIVER,
  perLane: PER_ENDPOINT,
  leaseMs: LEASE_MS,
  run: async (job, { store, now }) => {
    const began = performance.now()
    let next = await nextOf(store.reader, job.key, now())
    for (;;) {
      if (!next) return undefined
      if (next.at > now()) return { again: next.at }
      if (performance.now() - began > RUN_MS) return { again: now() }
      const after: After = await deliverOne(store, job, next.row, means, retryHours * HOUR_MS)
      if (after === 'ended') return after
      next = after ?? (await nextOf(store.reader, job.key, now()))
    }
  },
})

/** The first that holds the lane, and the first that was passed: one question for both, asked twice a delivery. */
const firsts = reading((db, at: { lane: string; cutoff: number }) => {
  const pending = db
    .selectFrom('deliveries')
    .where('lane', '=', at.lane)
    .where(sql<boolean>`state = 'pending'`)
  const holding = pending.selectAll().where('date_created', '>', at.cutoff).orderBy('place').limit(1)
  const aside = pending
    .selectAll()
    .where('date_created', '<=', at.cutoff)
    .orderBy(sql`case when failing_since is null then 0 else next_attempt_at end`)
    .orderBy('place')
    .limit(1)
  return db
    .selectFrom(holding.as('holding'))
    .selectAll()
    .unionAll(db.selectFrom(aside.as('aside')).selectAll())
})

interface Next {
  readonly row: DeliveryStored
  /** When it is due, or when the one that holds the lane lets go of it. */
  readonly at: number
}

/** The pending delivery whose turn comes first, due or not. */
const nextOf = async (reader: Reader, lane: string, now: number): Promise<Next | undefined> => {
  const cutoff = now - LANE_HOLD_MS
  const both = await firsts.all(reader, { lane, cutoff })
  const holding = both.find((it) => it.date_created > cutoff)
  const aside = both.find((it) => it.date_created <= cutoff)
  const dueAt = (row: DeliveryStored | undefined) => row?.next_attempt_at ?? Number.POSITIVE_INFINITY
  const row = dueAt(aside) <= dueAt(holding) ? aside : holding
  if (!row) return undefined
  const letsGoAt = holding ? holding.date_created + LANE_HOLD_MS : Number.POSITIVE_INFINITY
  return { row, at: Math.min(dueAt(row), letsGoAt) }
}

/** The lane's next delivery as the record of this one sees it; ended where it sees none and the job is over. */
type After = Next | 'ended' | undefined

const deliverOne = async (
  store: Store,
  job: Job,
  row: DeliveryStored,
  means: Means,
  retryMs: number,
): Promise<After> => {
  const made = await attempt(
    store.reader,
    {
      accountSid: row.account_sid,
      url: row.webhook_url,
      method: row.webhook_method,
      fields: JSON.parse(row.params),
      token: row.idempotency_token as string,
      number: row.attempts_count,
      timeoutMs: row.webhook_type === 'workspace' ? EVENT_TIMEOUT_MS : undefined,
    },
    means,
  )
  return store.transact('webhooks.deliver', async (tx) => {
    await record(tx, row, made, retryMs)
    const next = await nextOf(tx, job.key, tx.now())
    return next ?? (await job.end(tx))
  })
}

const standing = changing(
  (
    db,
    at: {
      sid: string
      state: DeliveryStored['state']
      outcome: string
      nextAttemptAt: number | null
      failingSince: number | null
      now: number
    },
  ) =>
    db
      .updateTable('deliveries')
      .set((it) => ({
        state: at.state,
        outcome: at.outcome,
        attempts_count: it('attempts_count', '+', 1),
        next_attempt_at: at.nextAttemptAt,
        failing_since: at.failingSince,
        date_updated: at.now,
      }))
      .where('sid', '=', at.sid),
)

const record = async (tx: Tx, row: DeliveryStored, made: Attempt, retryMs: number): Promise<void> => {
  const verdict = judge(made.outcome, {
    now: tx.now(),
    attempts: row.attempts_count,
    retryCount: row.retry_count,
    failingSince: row.failing_since,
    retryMs,
    chance: Number.parseInt(tx.newSecret(4), 16) / 0x10000,
  })
  const waits = verdict.state === 'pending'
  await writeAttempt(tx, row.sid, made)
  await standing.run(tx, {
    sid: row.sid,
    state: verdict.state,
    outcome: outcomeName(made.outcome),
    nextAttemptAt: waits ? verdict.nextAttemptAt : null,
    failingSince: waits ? verdict.failingSince : null,
    now: tx.now(),
  })
}
