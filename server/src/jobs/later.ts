/** Durable work due at a time, left in the transaction that wants it done. */
import { insert, remove } from '../store/rows.ts'
import { changing } from '../store/query.ts'
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

const setAnew = changing(
  (db, at: { kind: string; key: string; lane: string; data: string; due_at: number }) =>
    db
      .updateTable('jobs')
      .set((it) => ({
        lane: at.lane,
        data: at.data,
        due_at: at.due_at,
        attempts: 0,
        last_error: null,
        version: it('version', '+', 1),
      }))
      .where('kind', '=', at.kind)
      .where('key', '=', at.key),
)

/** Leaves a job. A job of the same kind and key that waits is replaced; one that runs will run again after. */
export const later = async (tx: Tx, { kind, key, dueAt = tx.now(), lane = kind, data = {} }: JobWanted): Promise<void> => {
  const row = { kind, key, lane, data: JSON.stringify(data), due_at: dueAt }
  if (!(await setAnew.run(tx, row)))
    await insert(tx, 'jobs', {
      sid: tx.newSid('JB'),
      ...row,
      leased_until: null,
      attempts: 0,
      last_error: null,
      version: 0,
    })
  tx.notice({ topic: JOBS_TOPIC, about: dueAt })
}

/** Takes a waiting job back. @returns whether there was one */
export const notLater = async (tx: Tx, kind: string, key: string): Promise<boolean> =>
  (await remove(tx, 'jobs', { kind, key })) > 0
