/**
 * Brings a database to the present shape. Safe under a race: one at a time migrates, and the others find it done.
 */
import { type Migration, migrations } from './migrations/index.ts'
import { reading } from './query.ts'
import type { Store } from './tx.ts'

/** One name for everybody who migrates the same PostgreSQL database at once. */
const MIGRATION_LOCK = 7_245_301

const TABLE = 'create table if not exists migrations (name text primary key, ran_at bigint not null)'

const ran = reading((db, _: { all: true }) => db.selectFrom('migrations').select('name'))

export type Executing = Store & { exec(sql: string): void | Promise<void> }

/** @returns the names of the migrations that ran now */
export const migrate = async (store: Executing, all: readonly Migration[] = migrations): Promise<string[]> =>
  store.dialect === 'sqlite' ? migrateSqlite(store, all) : migratePostgres(store, all)

const due = async (store: Store, all: readonly Migration[]): Promise<readonly Migration[]> => {
  const known = new Set((await ran.all(store.reader, { all: true })).map((it) => it.name))
  return all.filter((it) => !known.has(it.name))
}

const mark = (store: Store, name: string): string =>
  `insert into migrations (name, ran_at) values ('${name}', ${store.reader.now()})`

/** Whoever holds the write lock asks what is due: nobody else can have changed it by then. */
const migrateSqlite = async (store: Executing, all: readonly Migration[]): Promise<string[]> => {
  await store.exec(TABLE)
  await store.exec('begin immediate')
  try {
    const now = await due(store, all)
    for (const { name, statements } of now)
      for (const it of [...statements, mark(store, name)]) await store.exec(it)
    await store.exec('commit')
    return now.map((it) => it.name)
  } catch (fault) {
    await store.exec('rollback')
    throw fault
  }
}

/** Each migration is one text, sent as a whole; a lock makes a second runner wait and then do nothing. */
const migratePostgres = async (store: Executing, all: readonly Migration[]): Promise<string[]> => {
  await store.exec(alone(TABLE))
  const now = await due(store, all)
  for (const { name, statements } of now)
    await store.exec(
      alone(`do $migration$ begin
        if not exists (select from migrations where name = '${name}') then
          ${[...statements.map(inOneOrder), mark(store, name)].join(';\n')};
        end if;
      end $migration$`),
    )
  return now.map((it) => it.name)
}

const alone = (sql: string): string =>
  `begin; select pg_advisory_xact_lock(${MIGRATION_LOCK}); ${sql}; commit;`

/** Text is in the order of its bytes, as on SQLite, and not in that of the server's language. */
const inOneOrder = (statement: string): string =>
  /^\s*(create|alter) table/i.test(statement)
    ? statement.replace(/ text(?=[\s,)]|$)/g, ' text collate "C"')
    : statement
