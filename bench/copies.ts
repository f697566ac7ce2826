/** Rows by the hundred thousand: copies of one that Parley made, written while it does not run. */
import { randomFillSync } from 'node:crypto'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'

export type Sample = Record<string, SQLInputValue>

/** A SID as they are made: time, then chance. */
export const sid = (prefix: string, at: number): string =>
  prefix +
  (1_700_000_000_000 + at).toString(16).padStart(12, '0') +
  randomFillSync(Buffer.alloc(10)).toString('hex')

/** Inserts the sample again, but for what is said to be different. */
export const copier = (db: DatabaseSync, table: string, sample: Sample) => {
  const columns = Object.keys(sample)
  const statement = db.prepare(
    `insert into ${table} (${columns.map((it) => `"${it}"`)}) values (${columns.map(() => '?')})`,
  )
  return (changes: Sample) => statement.run(...Object.values({ ...sample, ...changes }))
}
