/**
 * Pages of a table in the order a request asks for, `Priority:desc,DateCreated:asc`. The place of a page's last row
 * is its values of those columns and its SID, so that the next page begins there even if the row is gone.
 */
import { problem } from '@parley/contract/problem.ts'
import { type RawBuilder, type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { Dialect } from '../store/dialect.ts'
import type { PageAsked } from '../store/listing.ts'
import { byShape, statement } from '../store/query.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader, Values } from '../store/tx.ts'

export interface OrderPart {
  readonly column: string
  readonly way: 'asc' | 'desc'
}

/**
 * Reads `Ordering`.
 * @param columns what may be named, with the column each means
 * @param notBoth two of them that do not go together, as published
 * @throws 400 for anything else
 */
export const readOrdering = (
  text: string | undefined,
  columns: Readonly<Record<string, string>>,
  { notBoth = [] }: { notBoth?: readonly string[] } = {},
): OrderPart[] => {
  if (text === undefined || text.trim() === '') return []
  const named = new Set<string>()
  const parts = text.split(',').map((part) => {
    const [name = '', way = 'asc'] = part.trim().split(':')
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined
    // Each order that is met becomes a statement that is kept, so there must be few: no column counts twice.
    if (!column || named.has(column) || !/^(asc|desc)$/i.test(way))
      throw problem('invalid_parameter', {
        parameter: 'Ordering',
        reason: `expected ${Object.keys(columns).join(', ')}, each once, with :asc or :desc, found ${part.trim().slice(0, 60)}`,
      })
    named.add(column)
    return { column, way: way.toLowerCase() as 'asc' | 'desc' }
  })
  if (notBoth.length && notBoth.every((it) => named.has(columns[it] as string)))
    throw problem('invalid_parameter', {
      parameter: 'Ordering',
      reason: `${notBoth.join(' and ')} do not go together`,
    })
  return parts
}

/** Where a row stands in the list that was asked for; `keyOf` reads it for page tokens. */
const PLACE = Symbol('place in the list')

export const keyOf = (row: { readonly sid: string }): string =>
  (row as unknown as Record<symbol, string>)[PLACE] ?? row.sid

type TableName = keyof Tables & string
type Narrowed<T extends TableName> = SelectQueryBuilder<Tables, T, Selectable<Tables[T]>>

// biome-ignore lint/suspicious/noExplicitAny: a generic table is beyond what the builder's types can follow
type AnyQuery = any

interface Shape {
  readonly given: ReadonlySet<string>
  readonly order: readonly OrderPart[]
  readonly from: 'start' | 'after' | 'before'
}

type Fits<Found> = (rows: readonly Found[]) => readonly boolean[] | Promise<readonly boolean[]>

/** Rows are read this many at a time where an expression must be held against each. */
const SCAN = 500

/**
 * @param narrow adds the conditions; `given(name)` tells whether an optional value is there
 */
export const orderedListing = <T extends TableName, V extends object>(
  table: T,
  narrow: (query: Narrowed<T>, at: V, given: (name: keyof V) => boolean, dialect: Dialect) => Narrowed<T>,
) => {
  type Found = Selectable<Tables[T]> & { readonly sid: string }
  const statements = byShape<Shape>(({ given, order, from }) =>
    statement((db: AnyQuery, at: V & Values, dialect) => {
      let query: AnyQuery = narrow(
        db.selectFrom(table).selectAll(),
        at,
        (name) => given.has(name as string),
        dialect,
      )
      const parts = order.map((it) => ({
        ...it,
        way: (it.way === 'asc') === (from !== 'before') ? 'asc' : 'desc',
      }))
      if (from !== 'start') query = query.where(beyond(parts, at))
      for (const { column, way } of parts) query = query.orderBy(column, way)
      return query.limit(at.limit)
    }),
  )

  /**
   * @param fits holds an expression against each row; rows are read on until the page is full
   */
  return async (
    reader: Reader,
    values: V,
    page: PageAsked,
    { order: asked = [], fits }: { order?: readonly OrderPart[]; fits?: Fits<Found> | undefined } = {},
  ): Promise<Found[]> => {
    const order = asked.some((it) => it.column === 'sid')
      ? asked
      : [...asked, { column: 'sid', way: 'asc' as const }]
    const given = new Set(Object.keys(values).filter((it) => (values as Values)[it] !== undefined))
    const from: Shape['from'] =
      page.after !== undefined ? 'after' : page.before !== undefined ? 'before' : 'start'
    const place = (row: Found) => JSON.stringify(order.map(({ column }) => (row as Values)[column]))
    const found: Found[] = []
    let edge = readPlace(page.after ?? page.before, order.length)
    let way: Shape['from'] = from
    for (;;) {
      const shape = { given, order, from: way } as const
      const it = statements(
        `${[...given].sort()}|${order.map((o) => `${o.column} ${o.way}`)}|${way}`,
        () => shape,
      )
      const limit = fits ? SCAN : page.limit
      const edges = Object.fromEntries(edge.map((value, at) => [`edge${at}`, value]))
      const rows = (await reader.run(it, { ...values, ...edges, limit })).rows as Found[]
      const fitting = fits && (await fits(rows))
      for (const [at, row] of rows.entries()) {
        if (fitting && !fitting[at]) continue
        found.push(Object.assign(row, { [PLACE]: place(row) }))
        if (found.length === page.limit) break
      }
      const last = rows.at(-1)
      if (found.length === page.limit || rows.length < limit || !last) break
      edge = order.map(({ column }) => (last as Values)[column])
      way = from === 'before' ? 'before' : 'after'
    }
    return from === 'before' ? found.reverse() : found
  }
}

/** `(a, b, c)` comes after the edge, each column in its own direction. */
const beyond = (parts: readonly { column: string; way: string }[], at: Values): RawBuilder<boolean> => {
  const past = ({ column, way }: { column: string; way: string }, index: number) =>
    way === 'asc'
      ? sql<boolean>`${sql.ref(column)} > ${at[`edge${index}`]}`
      : sql<boolean>`${sql.ref(column)} < ${at[`edge${index}`]}`
  const [first, ...rest] = parts.map((part, index) => {
    const equal = parts
      .slice(0, index)
      .map((it, before) => sql`${sql.ref(it.column)} = ${at[`edge${before}`]}`)
    return sql`(${sql.join([...equal, past(part, index)], sql` and `)})`
  })
  return sql<boolean>`(${sql.join([first, ...rest], sql` or `)})`
}

const readPlace = (token: string | undefined, length: number): unknown[] => {
  if (token === undefined) return []
  try {
    const values: unknown = JSON.parse(token)
    // All that can be ordered by is a whole number; the SID comes last.
    const isPart = (it: unknown, at: number) =>
      at === length - 1 ? typeof it === 'string' && !it.includes('\0') : Number.isSafeInteger(it)
    if (Array.isArray(values) && values.length === length && values.every(isPart)) return values
  } catch {
    // Said below.
  }
  throw problem('invalid_page_token')
}
