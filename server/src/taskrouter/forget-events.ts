/** The log of events forgets what is older than it is told to keep, some rows at a time. */
import type { JobHandler } from '../jobs/handler.ts'
import { changing, reading } from '../store/query.ts'
import { firstSidAt } from '../store/sid.ts'

const DAY_MS = 86_400_000

/** How many rows go in one transaction: bounds how long others wait for it. */
const BATCH = 500

const oldOnes = reading((db, at: { before: string; limit: number }) =>
  db
    .selectFrom('taskrouter_events')
    .select('sid')
    .where('sid', '<', at.before)
    .orderBy('sid')
    .limit(at.limit),
)

const forget = changing((db, at: { sids: string }, dialect) =>
  db.deleteFrom('taskrouter_events').where((it) => dialect.isOneOf(it.ref('sid'), at.sids)),
)

/**
 * Sets itself anew each day; its first job comes with the table.
 * @param days how long events are kept
 */
export const forgetEvents = (days: number): JobHandler => ({
  kind: 'taskrouter.forget-events',
  perLane: 1,
  leaseMs: 60_000,
  run: async (_, { store, now }) => {
    const before = firstSidAt('EV', now() - days * DAY_MS)
    const old = await oldOnes.all(store.reader, { before, limit: BATCH })
    if (old.length)
      await store.transact('taskrouter.forget-events', (tx) =>
        forget.run(tx, { sids: JSON.stringify(old.map((it) => it.sid)) }),
      )
    return { again: old.length === BATCH ? now() : now() + DAY_MS }
  },
})
