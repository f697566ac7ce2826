/** Durable work due at a time, left in the transaction that wants it done. */
import { byShape, changing, statement } from '../store/query.ts'
import { remove } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'

export interface JobWanted {
  /** Which handler runs it: `webhooks.deliver`. */
  readonly kind: string
  /** One job of a kind and key: a later one replaces an earlier. */
  readonly key: string
  /** Milliseconds since 1970; now unless given. */
  readonly dueAt?: number
  /** Jobs of one lane run a bounded number at a time; the kind unless given. */
  readonly lane?: string
  readonly data?: unknown
}

/** The bus topic that wakes runners; it says when the earliest new job is due. */
export const JOBS_TOPIC = 'jobs'

interface NewJob {
  sid: string
  kind: string
  key: string
  lane: string
  data: string
  due_at: number
}

/** One statement: two transactions that leave the same job at once wait for each other and do not clash. */
const leave = changing((db, { sid, kind, key, lane, data, due_at }: NewJob) =>
  db
    .insertInto('jobs')
    .values({
      ...{ sid, kind, key, lane, data, due_at },
      ...{ leased_until: null, attempts: 0, last_error: null, version: 0 },
    })
    .onConflict((on) =>
      on.columns(['kind', 'key']).doUpdateSet((it) => ({
        lane: it.ref('excluded.lane'),
        data: it.ref('excluded.data'),
        due_at: it.ref('excluded.due_at'),
        attempts: 0,
        last_error: null,
        version: it('jobs.version', '+', 1),
      })),
    ),
)

/** Leaves a job. A job of the same kind and key that waits is replaced; one that runs will run again after. */
export const later = async (
  tx: Tx,
  { kind, key, dueAt = tx.now(), lane = kind, data = {} }: JobWanted,
): Promise<void> => {
  await leave.run(tx, { sid: tx.newSid('JB'), kind, key, lane, data: JSON.stringify(data), due_at: dueAt })
  tx.notice({ topic: JOBS_TOPIC, about: dueAt })
}

/** Takes a job back; one that runs already is not stopped. @returns whether there was one */
export const notLater = async (tx: Tx, kind: string, key: string): Promise<boolean> =>
  (await remove(tx, 'jobs', { kind, key })) > 0

/** Takes back the jobs of several kinds about one thing. */
export const noneLater = async (tx: Tx, kinds: readonly string[], key: string): Promise<void> => {
  const it = takingBack(String(kinds.length), () => ({ count: kinds.length }))
  await tx.run(it, { ...kinds, key })
}

const takingBack = byShape<{ count: number }>(({ count }) =>
  statement((db, at: Record<string | number, string>) =>
    db
      .deleteFrom('jobs')
      .where(
        'kind',
        'in',
        Array.from({ length: count }, (_, place) => at[place] as string),
      )
      .where('key', '=', at.key as string),
  ),
)
