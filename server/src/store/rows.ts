/** Whole rows in and out: each set of columns that is met is compiled once. */
import type { Insertable, Selectable, Updateable } from 'kysely'
import { byShape, statement } from './query.ts'
import type { Tables } from './tables.ts'
import type { Tx, Values } from './tx.ts'

type TableName = keyof Tables & string

interface Shape {
  readonly table: TableName
  readonly columns: readonly string[]
  readonly keys: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: the typed doors are `insert`, `update` and `remove` below
type AnyDb = any

const inserting = byShape<Shape>(({ table, columns }) =>
  statement((db: AnyDb, at: Values) =>
    db.insertInto(table).values(Object.fromEntries(columns.map((it) => [it, at[it]]))),
  ),
)

const insertingNew = byShape<Shape>(({ table, columns }) =>
  statement((db: AnyDb, at: Values) =>
    db
      .insertInto(table)
      .values(Object.fromEntries(columns.map((it) => [it, at[it]])))
      .onConflict((on: AnyDb) => on.doNothing()),
  ),
)

const updating = byShape<Shape>(({ table, columns, keys }) =>
  statement((db: AnyDb, at: Values) => {
    let query = db.updateTable(table).set(Object.fromEntries(columns.map((it) => [it, at[it]])))
    for (const key of keys) query = query.where(key, '=', at[`where ${key}`])
    return query.returningAll()
  }),
)

const removing = byShape<Shape>(({ table, keys }) =>
  statement((db: AnyDb, at: Values) => {
    let query = db.deleteFrom(table)
    for (const key of keys) query = query.where(key, '=', at[`where ${key}`])
    return query
  }),
)

const finding = byShape<Shape>(({ table, keys }) =>
  statement((db: AnyDb, at: Values) => {
    let query = db.selectFrom(table).selectAll()
    for (const key of keys) query = query.where(key, '=', at[`where ${key}`])
    return query
  }),
)

const keyed = (where: object) => Object.fromEntries(Object.entries(where).map(([key, it]) => [`where ${key}`, it]))

/** Inserts a row; a clash with a unique index is a fault. */
export const insert = async <T extends TableName>(tx: Tx, table: T, row: Insertable<Tables[T]>): Promise<void> => {
  const columns = Object.keys(row)
  const it = inserting(`${table}:${columns}`, () => ({ table, columns, keys: [] }))
  await tx.run(it, row as Values)
}

/** Inserts a row unless a unique index already holds it. @returns whether it was inserted */
export const insertNew = async <T extends TableName>(
  tx: Tx,
  table: T,
  row: Insertable<Tables[T]>,
): Promise<boolean> => {
  const columns = Object.keys(row)
  const it = insertingNew(`${table}:${columns}`, () => ({ table, columns, keys: [] }))
  return (await tx.run(it, row as Values)).changed > 0
}

/** Changes the rows that equal `where` in every named column. @returns the first of them as it now stands */
export const update = async <T extends TableName>(
  tx: Tx,
  table: T,
  where: Partial<Selectable<Tables[T]>>,
  changes: Updateable<Tables[T]>,
): Promise<Selectable<Tables[T]> | undefined> => {
  const columns = Object.keys(changes)
  const keys = Object.keys(where)
  const it = updating(`${table}:${columns}:${keys}`, () => ({ table, columns, keys }))
  const { rows } = await tx.run(it, { ...changes, ...keyed(where) } as Values)
  return rows[0] as Selectable<Tables[T]> | undefined
}

/** Deletes the rows that equal `where`. @returns how many there were */
export const remove = async <T extends TableName>(
  tx: Tx,
  table: T,
  where: Partial<Selectable<Tables[T]>>,
): Promise<number> => {
  const keys = Object.keys(where)
  const it = removing(`${table}:${keys}`, () => ({ table, columns: [], keys }))
  return (await tx.run(it, keyed(where))).changed
}

/** The first row that equals `where` in every named column. */
export const find = async <T extends TableName>(
  reader: Pick<Tx, 'run'>,
  table: T,
  where: Partial<Selectable<Tables[T]>>,
): Promise<Selectable<Tables[T]> | undefined> => {
  const keys = Object.keys(where)
  const it = finding(`${table}:${keys}`, () => ({ table, columns: [], keys }))
  return (await reader.run(it, keyed(where))).rows[0] as Selectable<Tables[T]> | undefined
}
