/** The handful of places where the two engines speak differently. Wanting one more is worth a conversation. */
import {
  type CompiledQuery,
  DummyDriver,
  type Expression,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import type { Tables } from './tables.ts'

export type DialectName = 'sqlite' | 'postgres'

export interface Dialect {
  readonly name: DialectName
  /** Builds statements; it has no connection. */
  readonly build: Kysely<Tables>
  /** Locks the rows a select found until the transaction ends. SQLite has one writer and needs no lock. */
  lock<Q extends { forUpdate(): Q }>(query: Q): Q
  /** Keeps the rows a select found from being deleted until the transaction ends; others may hold and change them. */
  hold<Q extends { forKeyShare(): Q }>(query: Q): Q
  /** Takes rows nobody else is taking. */
  claim<Q extends { forUpdate(): Q; skipLocked(): Q }>(query: Q): Q
  /** `column in (…)`, for a column of text and a list of texts handed in as one JSON text. */
  isOneOf(column: Expression<unknown> | RawBuilder<unknown>, jsonList: string): RawBuilder<boolean>
  /** Whether a fault only says that others were at work: the whole transaction is run again. */
  isBusy(fault: unknown): boolean
  /** Whether a fault only says that the database cannot do its part right now. */
  isAway(fault: unknown): boolean
}

/** Sizes the adapters: only the compilers matter, the driver is never asked. */
const builder = (name: DialectName): Kysely<Tables> =>
  new Kysely<Tables>({
    dialect:
      name === 'sqlite'
        ? {
            createAdapter: () => new SqliteAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new SqliteIntrospector(db),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          }
        : {
            createAdapter: () => new PostgresAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new PostgresIntrospector(db),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
  })

/** `SQLITE_BUSY`, where another process holds the file, `SQLITE_READONLY` and `SQLITE_FULL`. */
const NOT_NOW = new Set([5, 8, 13])

export const sqlite: Dialect = {
  name: 'sqlite',
  build: builder('sqlite'),
  lock: (query) => query,
  hold: (query) => query,
  claim: (query) => query,
  isOneOf: (column, jsonList) => sql<boolean>`${column} in (select value from json_each(${jsonList}))`,
  isBusy: () => false,
  // An extended result code has the primary one in its lowest byte.
  isAway: (fault) => NOT_NOW.has(((fault as { errcode?: number } | null)?.errcode ?? 0) % 256),
}

/** `serialization_failure` and `deadlock_detected`. */
const BUSY = new Set<unknown>(['40001', '40P01'])

/** Connection exceptions, insufficient resources, the server's end; and one that only reads, as one that has handed over. */
const AWAY = /^(08|53|57P|25006)/

/** Of connections that broke the driver tells in words alone, the system with a number. */
const BROKEN = /^Connection terminated|not queryable$/

export const postgres: Dialect = {
  name: 'postgres',
  build: builder('postgres'),
  lock: (query) => query.forUpdate(),
  hold: (query) => query.forKeyShare(),
  claim: (query) => query.forUpdate().skipLocked(),
  isOneOf: (column, jsonList) =>
    sql<boolean>`${column} = any(array(select jsonb_array_elements_text(${jsonList}::jsonb)))`,
  isBusy: (fault) => BUSY.has((fault as { code?: unknown } | null)?.code),
  isAway: (fault) => {
    if (!(fault instanceof Error)) return false
    const { code, errno, message } = fault as NodeJS.ErrnoException
    return AWAY.test(code ?? '') || errno !== undefined || BROKEN.test(message)
  },
}

export const dialects: Record<DialectName, Dialect> = { sqlite, postgres }

export type Compiled = Pick<CompiledQuery, 'sql' | 'parameters'>
