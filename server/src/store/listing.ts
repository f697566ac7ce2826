/**
 * Pages of a table, by key: a page begins after the last row of the one before, so rows that are added meanwhile
 * neither repeat nor hide any. Each set of filters that is met is compiled once.
 */
import type { Selectable, SelectQueryBuilder } from 'kysely'
import type { Dialect } from './dialect.ts'
import { byShape, statement } from './query.ts'
import type { Tables } from './tables.ts'
import type { Reader, Values } from './tx.ts'

/** Which rows of a list: `limit` of them, after or before a key, or the first. */
export interface PageAsked {
  /** One more than is shown, so that the last page knows it is the last. */
  readonly limit: number
  readonly after?: string | undefined
  readonly before?: string | undefined
}

export type Order = 'asc' | 'desc'

type TableName = keyof Tables & string

interface Shape {
  readonly given: ReadonlySet<string>
  readonly order: Order
  readonly from: 'start' | 'after' | 'before'
}

/** The query as a listing narrows it. */
export type Narrowed<T extends TableName> = SelectQueryBuilder<Tables, T, Selectable<Tables[T]>>

/**
 * @param by the column whose order the list has; unique within what `narrow` leaves
 * @param narrow adds the conditions; `given(name)` tells whether an optional value is there
 */
export const listing = <T extends TableName, V extends object>(
  table: T,
  by: keyof Selectable<Tables[T]> & string,
  narrow: (query: Narrowed<T>, at: V, given: (name: keyof V) => boolean, dialect: Dialect) => Narrowed<T>,
) => {
  const statements = byShape<Shape>(({ given, order, from }) =>
    // biome-ignore lint/suspicious/noExplicitAny: a generic table is beyond what the builder's types can follow
    statement((db: any, at: V & { edge: unknown; limit: number }, dialect) => {
      const backwards = from === 'before'
      const direction = (order === 'asc') !== backwards ? 'asc' : 'desc'
      let query = narrow(db.selectFrom(table).selectAll(), at, (name) => given.has(name as string), dialect)
      // biome-ignore lint/suspicious/noExplicitAny: as above
      if (from !== 'start') query = (query as any).where(by, direction === 'asc' ? '>' : '<', at.edge)
      // biome-ignore lint/suspicious/noExplicitAny: as above
      return (query as any).orderBy(by, direction).limit(at.limit)
    }),
  )
  return async (
    reader: Reader,
    values: V,
    page: PageAsked,
    order: Order = 'asc',
  ): Promise<Selectable<Tables[T]>[]> => {
    const given = new Set(Object.keys(values).filter((it) => (values as Values)[it] !== undefined))
    const from = page.after !== undefined ? 'after' : page.before !== undefined ? 'before' : 'start'
    const it = statements(`${[...given].sort()}|${order}|${from}`, () => ({ given, order, from }))
    const { rows } = await reader.run(it, { ...values, edge: page.after ?? page.before, limit: page.limit })
    return (from === 'before' ? [...rows].reverse() : [...rows]) as Selectable<Tables[T]>[]
  }
}
