/** What nobody can ask about any more is forgotten. */
import type { JobHandler } from '../../jobs/handler.ts'
import { changing, reading } from '../../store/query.ts'
import { KEPT_MS } from './window.ts'

const DAY_MS = 86_400_000

/** How much time is forgotten in one transaction: bounds how long others wait for it. */
const BATCH_MS = 10_000

const oldestHappening = reading((db, _: { all: true }) =>
  db.selectFrom('task_happenings').select('at').orderBy('at').limit(1),
)

const oldestStay = reading((db, _: { all: true }) =>
  db.selectFrom('worker_stays').select('ended_at as at').orderBy('ended_at').limit(1),
)

const forgetHappenings = changing((db, at: { before: number }) =>
  db.deleteFrom('task_happenings').where('at', '<', at.before),
)

const forgetStays = changing((db, at: { before: number }) =>
  db.deleteFrom('worker_stays').where('ended_at', '<', at.before),
)

/** Sets itself anew each day; its first job comes with the tables. */
export const sweep: JobHandler = {
  kind: 'taskrouter.statistics-sweep',
  perLane: 1,
  leaseMs: 300_000,
  run: async (_, { store, now }) => {
    const cutoff = now() - KEPT_MS
    const all = { all: true } as const
    const [happening, stay] = [
      await oldestHappening.first(store.reader, all),
      await oldestStay.first(store.reader, all),
    ]
    const oldest = Math.min(happening?.at ?? cutoff, stay?.at ?? cutoff)
    if (oldest >= cutoff) return { again: now() + DAY_MS }
    const before = Math.min(cutoff, oldest + BATCH_MS)
    await store.transact('taskrouter.statistics-sweep', async (tx) => {
      await forgetHappenings.run(tx, { before })
      await forgetStays.run(tx, { before })
    })
    return { again: now() }
  },
}
