/** What the contract's tests write and read: accounts, which every database has. */
import type { TestContext } from 'node:test'
import { sql } from 'kysely'
import { changing, reading } from '../../src/store/query.ts'
import { find, insert } from '../../src/store/rows.ts'
import type { Tables } from '../../src/store/tables.ts'
import type { Reader, Store, Tx, Values } from '../../src/store/tx.ts'

export type Account = Tables['accounts']

export const sidOf = (number: number): string => `AC${String(number).padStart(32, '0')}`

export const account = (sid: string, row: Partial<Account> = {}): Account => ({
  sid,
  friendly_name: 'Vera',
  owner_sid: sid,
  status: 'active',
  auth_token_sealed: 'sealed',
  date_created: 0,
  date_updated: 0,
  ...row,
})

/** Writes an account's row, and does what else is asked in the same transaction. */
export const add = (store: Store, sid: string, and: (tx: Tx) => unknown = () => {}): Promise<void> =>
  store.transact('add', async (tx) => {
    await insert(tx, 'accounts', account(sid))
    await and(tx)
  })

export const isThere = async (reader: Reader, sid: string): Promise<boolean> =>
  (await find(reader, 'accounts', { sid })) !== undefined

const every = reading((db, _: { all: true }) => db.selectFrom('accounts').selectAll().orderBy('sid'))

export const accounts = (reader: Reader): Promise<Account[]> => every.all(reader, { all: true })

export const sids = async (reader: Reader): Promise<string[]> => (await accounts(reader)).map((it) => it.sid)

const locking = reading((db, at: { sid: string }, dialect) =>
  dialect.lock(db.selectFrom('accounts').selectAll().where('sid', '=', at.sid)),
)

export const lock = async (tx: Tx, sid: string): Promise<Account> => {
  const row = await locking.first(tx, { sid })
  if (!row) throw new Error(`no account ${sid}`)
  return row
}

/** A question in plain SQL, for what no room asks. */
export const ask = async (reader: Reader, text: string): Promise<readonly Values[]> =>
  reading<Values, Values>((db) => ({ compile: () => sql<Values>`${sql.raw(text)}`.compile(db) })).all(
    reader,
    {},
  )

/** A change in plain SQL. */
export const change = async (tx: Tx, text: string): Promise<number> =>
  changing<Values, unknown>((db) => ({ compile: () => sql`${sql.raw(text)}`.compile(db) })).run(tx, {})

/** How a promise ended, for many at once. */
export const outcomes = async (those: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(those)).map((it) => it.status)

/** A group takes in all who wait, however slow the machine: it is bounded by time as well, which a test cannot rule. */
export const standStill = (t: TestContext): void => void t.mock.method(performance, 'now', () => 0)
