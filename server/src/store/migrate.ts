/** Brings a database to the present shape, in one transaction. Of several who come at once, one does it. */
import { sql } from 'kysely'
import type { DialectName } from './dialect.ts'
import { type Migration, migrations } from './migrations/index.ts'
import { reading, statement } from './query.ts'
import { insert } from './rows.ts'
import type { Store, Tx } from './tx.ts'

/** One name for everybody who migrates the same PostgreSQL database at once. SQLite has one writer. */
const LOCK = 'select pg_advisory_xact_lock(7245301)'

const TABLE = 'create table if not exists migrations (name text primary key, ran_at bigint not null)'

const ran = reading((db, _: { all: true }) => db.selectFrom('migrations').select('name'))

/** @returns the names of the migrations that ran now */
export const migrate = (store: Store, all: readonly Migration[] = migrations): Promise<string[]> =>
  store.transact('migrate', async (tx) => {
    if (tx.dialect === 'postgres') await execute(tx, LOCK)
    await execute(tx, TABLE)
    const known = new Set((await ran.all(tx, { all: true })).map((it) => it.name))
    const due = all.filter((it) => !known.has(it.name))
    for (const { name, statements } of due) {
      for (const it of statements) await execute(tx, it)
      await insert(tx, 'migrations', { name, ran_at: tx.now() })
    }
    return due.map((it) => it.name)
  })

const execute = async (tx: Tx, text: string): Promise<void> => {
  const plain = sql.raw(inOneOrder(tx.dialect, text))
  await tx.run(
    statement((db) => ({ compile: () => plain.compile(db) })),
    {},
  )
}

/** Text is in the order of its bytes, as it is on SQLite, and not in that of the server's language. A column may be called text. */
const inOneOrder = (dialect: DialectName, text: string): string =>
  dialect === 'postgres' && /^\s*(create|alter) table/i.test(text)
    ? text.replace(/ text(?! (?:text|bigint)\b)(?=[\s,)]|$)/g, ' text collate "C"')
    : text
