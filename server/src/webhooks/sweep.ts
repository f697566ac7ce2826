/** The ledger forgets: what is over is kept for a month, what was only silent for three days. */
import { sql } from 'kysely'
import type { JobHandler } from '../jobs/handler.ts'
import { changing, reading } from '../store/query.ts'
import { firstSidAt } from '../store/sid.ts'
import type { Tx } from '../store/tx.ts'

const DAY_MS = 86_400_000

/** Long enough to find out in, after the end of a month, what was not told. */
const KEPT_MS = 30 * DAY_MS

/** There are many, and they answer the question of the day: why was I not called? */
const SILENT_KEPT_MS = 3 * DAY_MS

/** How many rows go in one transaction: bounds how long others wait for it. */
const BATCH = 500

const over = reading((db, at: { before: string; limit: number }) =>
  db
    .selectFrom('deliveries')
    .select('sid')
    .where('sid', '<', at.before)
    .where('state', '<>', 'pending')
    .orderBy('sid')
    .limit(at.limit),
)

const silentOnes = reading((db, at: { after: string; before: string; limit: number }) =>
  db
    .selectFrom('deliveries')
    .select('sid')
    .where('sid', '>=', at.after)
    .where('sid', '<', at.before)
    .where(sql<boolean>`state = 'silent'`)
    .orderBy('sid')
    .limit(at.limit),
)

const forgetAttempts = changing((db, at: { sids: string }, dialect) =>
  db.deleteFrom('delivery_attempts').where((it) => dialect.isOneOf(it.ref('delivery_sid'), at.sids)),
)

const forget = changing((db, at: { sids: string }, dialect) =>
  db.deleteFrom('deliveries').where((it) => dialect.isOneOf(it.ref('sid'), at.sids)),
)

const forgetThese = async (tx: Tx, rows: readonly { sid: string }[]): Promise<void> => {
  const sids = JSON.stringify(rows.map((it) => it.sid))
  await forgetAttempts.run(tx, { sids })
  await forget.run(tx, { sids })
}

/** Sets itself anew each day; its first job comes with the table. */
export const sweep: JobHandler = {
  kind: 'webhooks.sweep',
  perLane: 1,
  leaseMs: 300_000,
  run: async (_, { store, now }) => {
    const [ended, silent] = [firstSidAt('DL', now() - KEPT_MS), firstSidAt('DL', now() - SILENT_KEPT_MS)]
    const old = await over.all(store.reader, { before: ended, limit: BATCH })
    const unheard = await silentOnes.all(store.reader, { after: ended, before: silent, limit: BATCH })
    const gone = [...old, ...unheard]
    if (gone.length) await store.transact('webhooks.sweep', (tx) => forgetThese(tx, gone))
    return { again: old.length === BATCH || unheard.length === BATCH ? now() : now() + DAY_MS }
  },
}
