/** Brings a database to the present shape. Safe under a race: whoever inserts a migration's row first runs it. */
import { migrations } from './migrations/index.ts'
import { reading } from './query.ts'
import type { Store } from './tx.ts'

/** One name for everybody who migrates the same PostgreSQL database at once. */
const MIGRATION_LOCK = 7_245_301

const ran = reading((db, _: { all: true }) => db.selectFrom('migrations').select('name'))

type Executing = Store & { exec(sql: string): void | Promise<void> }

/** @returns the names of the migrations that ran now */
export const migrate = async (store: Executing): Promise<string[]> => {
  await store.exec('create table if not exists migrations (name text primary key, ran_at bigint not null)')
  const known = new Set((await ran.all(store.reader, { all: true })).map((it) => it.name))
  const due = migrations.filter((it) => !known.has(it.name))
  for (const { name, statements } of due) await store.exec(asOneTransaction(store, name, statements))
  return due.map((it) => it.name)
}

/** Several statements in one text run in order; on PostgreSQL a lock makes a second runner wait and then do nothing. */
const asOneTransaction = (store: Store, name: string, statements: readonly string[]): string => {
  const mark = `insert into migrations (name, ran_at) values ('${name}', ${store.reader.now()})`
  if (store.dialect === 'sqlite') return ['begin immediate', ...statements, mark, 'commit'].join(';\n')
  return `
    begin;
    select pg_advisory_xact_lock(${MIGRATION_LOCK});
    do $migration$ begin
      if not exists (select from migrations where name = '${name}') then
        ${[...statements, mark].join(';\n')};
      end if;
    end $migration$;
    commit;`
}
