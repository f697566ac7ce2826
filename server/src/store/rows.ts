/** Whole rows in and out: each set of columns that is met is compiled once. */
import type { Insertable, Selectable, Updateable } from 'kysely'
import { byShape, statement } from './query.ts'
import type { Tables } from './tables.ts'
import type { Tx, Values } from './tx.ts'

type TableName = keyof Tables & string

interface Key {
  readonly column: string
  readonly isNull: boolean
}

interface Shape {
  readonly table: TableName
  readonly columns: readonly string[]
  readonly keys: readonly Key[]
}

// biome-ignore lint/suspicious/noExplicitAny: the typed doors are `insert`, `update` and `remove` below
type AnyDb = any

const keyNames = new Map<string, string>()

/** Of a column by which the row that changes is found, since the same column may change. Made once: updates are hot. */
const asKey = (column: string): string => {
  const it = keyNames.get(column) ?? `where ${column}`
  keyNames.set(column, it)
  return it
}

/** How many rows go into one statement: each number of rows is a statement of its own. */
const TOGETHER_MAX = 16

/** Of a column in one of several rows. */
const inRow = (row: number, column: string): string => `${row} ${column}`

const inserting = byShape<Shape>(({ table, columns }) =>
  statement((db: AnyDb, at: Values) =>
    db.insertInto(table).values(Object.fromEntries(columns.map((it) => [it, at[it]]))),
  ),
)

interface Several extends Shape {
  readonly count: number
}

const insertingAll = byShape<Several>(({ table, columns, count }) =>
  statement((db: AnyDb, at: Values) =>
    db
      .insertInto(table)
      .values(
        Array.from({ length: count }, (_, row) =>
          Object.fromEntries(columns.map((it) => [it, at[inRow(row, it)]])),
        ),
      ),
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

/** Narrows to the rows that equal the keys; of one whose value is null, to the rows that have none. */
const narrowed = (
  query: AnyDb,
  keys: readonly Key[],
  at: Values,
  nameOf = (column: string) => column,
): AnyDb =>
  keys.reduce(
    (it, { column, isNull }) =>
      isNull ? it.where(column, 'is', null) : it.where(column, '=', at[nameOf(column)]),
    query,
  )

const updating = byShape<Shape>(({ table, columns, keys }) =>
  statement((db: AnyDb, at: Values) =>
    narrowed(
      db.updateTable(table).set(Object.fromEntries(columns.map((it) => [it, at[it]]))),
      keys,
      at,
      asKey,
    ).returningAll(),
  ),
)

const removing = byShape<Shape>(({ table, keys }) =>
  statement((db: AnyDb, at: Values) => narrowed(db.deleteFrom(table), keys, at)),
)

const finding = byShape<Shape>(({ table, keys }) =>
  statement((db: AnyDb, at: Values) => narrowed(db.selectFrom(table).selectAll(), keys, at)),
)

interface Where {
  readonly keys: readonly Key[]
  /** Tells apart the statements that need to be. */
  readonly shape: string
}

/** @throws without a column: the whole table is never meant */
const read = (where: object): Where => {
  const keys: Key[] = []
  let shape = ''
  for (const [column, value] of Object.entries(where)) {
    const isNull = value === null
    keys.push({ column, isNull })
    shape += isNull ? `${column} is null,` : `${column},`
  }
  if (!keys.length) throw new TypeError('a row is found by at least one column')
  return { keys, shape }
}

/** Inserts a row; a clash with a unique index is a fault. */
export const insert = async <T extends TableName>(
  tx: Tx,
  table: T,
  row: Insertable<Tables[T]>,
): Promise<void> => {
  const columns = Object.keys(row)
  const it = inserting(`${table}:${columns}`, () => ({ table, columns, keys: [] }))
  await tx.run(it, row as Values)
}

/**
 * Inserts rows of the same columns, in few questions to a server; a clash with a unique index is a fault. The embedded
 * engine is no further away for each row than for all.
 */
export const insertAll = async <T extends TableName>(
  tx: Tx,
  table: T,
  rows: readonly Insertable<Tables[T]>[],
): Promise<void> => {
  if (tx.dialect === 'sqlite') {
    for (const row of rows) await insert(tx, table, row)
    return
  }
  for (let from = 0; from < rows.length; from += TOGETHER_MAX) {
    const those = rows.slice(from, from + TOGETHER_MAX) as Values[]
    const columns = Object.keys(those[0] ?? {})
    const count = those.length
    const it = insertingAll(`${table}:${columns}:${count}`, () => ({ table, columns, count, keys: [] }))
    const values: Record<string, unknown> = {}
    for (const [row, named] of those.entries())
      for (const column of columns) values[inRow(row, column)] = named[column]
    await tx.run(it, values)
  }
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

/**
 * Changes the rows that equal `where` in every named column; without a change they stay as they are.
 * @returns the first of them as it now stands
 */
export const update = async <T extends TableName>(
  tx: Tx,
  table: T,
  where: Partial<Selectable<Tables[T]>>,
  changes: Updateable<Tables[T]>,
): Promise<Selectable<Tables[T]> | undefined> => {
  const columns = Object.keys(changes)
  if (!columns.length) return find(tx, table, where)
  const { keys, shape } = read(where)
  const it = updating(`${table}:${columns}:${shape}`, () => ({ table, columns, keys }))
  const values: Record<string, unknown> = { ...changes }
  for (const { column } of keys) values[asKey(column)] = (where as Values)[column]
  const { rows } = await tx.run(it, values)
  return rows[0] as Selectable<Tables[T]> | undefined
}

/** Deletes the rows that equal `where`. @returns how many there were */
export const remove = async <T extends TableName>(
  tx: Tx,
  table: T,
  where: Partial<Selectable<Tables[T]>>,
): Promise<number> => {
  const { keys, shape } = read(where)
  const it = removing(`${table}:${shape}`, () => ({ table, columns: [], keys }))
  return (await tx.run(it, where as Values)).changed
}

/** No row holds a NUL: PostgreSQL keeps none in text, and takes none in a question. */
const isNowhere = (value: unknown): boolean => typeof value === 'string' && value.includes('\0')

/** The first row that equals `where` in every named column; what no column can hold finds nothing. */
export const find = async <T extends TableName>(
  reader: Pick<Tx, 'run'>,
  table: T,
  where: Partial<Selectable<Tables[T]>>,
): Promise<Selectable<Tables[T]> | undefined> => {
  const { keys, shape } = read(where)
  if (Object.values(where).some(isNowhere)) return undefined
  const it = finding(`${table}:${shape}`, () => ({ table, columns: [], keys }))
  return (await reader.run(it, where as Values)).rows[0] as Selectable<Tables[T]> | undefined
}
