/**
 * What every store keeps, rule by rule, as `docs/protocols/store.md` states it: the same stories over SQLite in memory,
 * SQLite on disk and a real PostgreSQL server. A rule that only one engine can break is told only there.
 */
import { describe } from 'node:test'
import { jobRules } from './jobs.ts'
import { migrationRules } from './migrations.ts'
import type { Engine, OpenPlace } from './place.ts'
import { reactionRules } from './reactions.ts'
import { rowRules } from './rows.ts'
import { savepointRules } from './savepoints.ts'
import { toldRules } from './told.ts'
import { transactionRules } from './transactions.ts'
import { troubleRules } from './trouble.ts'

export const storeContract = (engine: Engine, open: OpenPlace): void => {
  // Each test has a database of its own: on PostgreSQL most of its time is waiting for that.
  const concurrency = engine === 'postgres' ? 4 : 1
  describe(`the store, ${engine}`, { concurrency }, () => {
    transactionRules(engine, open)
    savepointRules(engine, open)
    toldRules(engine, open)
    rowRules(engine, open)
    migrationRules(engine, open)
    troubleRules(engine, open)
    jobRules(engine, open)
    reactionRules(engine, open)
  })
}
