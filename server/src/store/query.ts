/**
 * Statements, built once and run ever after. A builder is handed holes in place of values; the compiled parameters
 * say which hole goes where. No SQL text is made on a hot path.
 *
 * ```ts
 * const findMessage = reading((db, at: { channelSid: string; sid: string }) =>
 *   db.selectFrom('messages').selectAll().where('channel_sid', '=', at.channelSid).where('sid', '=', at.sid))
 *
 * await findMessage.first(reader, { channelSid, sid })
 * ```
 */
import { createHash } from 'node:crypto'
import type { Compilable, Kysely } from 'kysely'
import { type Compiled, type Dialect, type DialectName, dialects } from './dialect.ts'
import type { Tables } from './tables.ts'
import type { Reader, Tx, Values } from './tx.ts'

/** Stands in a built statement for a value that comes with each run. */
class Hole {
  readonly of: string
  constructor(of: string) {
    this.of = of
  }

  /** A text or a number made of it would stand in the statement for ever, whatever the runs hand in. */
  [Symbol.toPrimitive](): never {
    throw new TypeError(`the value of ${this.of} is not there when its statement is built`)
  }
}

const holes = new Proxy(
  {},
  {
    get: (_, name: string) => new Hole(name),
    ownKeys: () => {
      throw new TypeError('the names of the values are not there when their statement is built')
    },
  },
)

interface Prepared {
  readonly sql: string
  /** A name for the server's prepared statement. */
  readonly name: string
  /** Fills the parameters, in order. */
  readonly fill: (values: Values) => unknown[]
}

/** A statement in both dialects, each compiled when first asked for. */
export class Statement {
  readonly #build: (dialect: Dialect) => Compilable<unknown>
  readonly #prepared: Partial<Record<DialectName, Prepared>> = {}

  constructor(build: (dialect: Dialect) => Compilable<unknown>) {
    this.#build = build
  }

  for(name: DialectName): Prepared {
    this.#prepared[name] ??= prepare(this.#build(dialects[name]))
    return this.#prepared[name]
  }
}

/**
 * Whole numbers that stand in a statement for ever, written out: SQLite plans a statement anew at each run where its
 * `limit` is a parameter, which costs ten times the run. PostgreSQL's text has other marks and stays as it is.
 */
const writtenOut = ({ sql, parameters }: Compiled): Compiled => {
  const parts = sql.split('?')
  if (parts.length !== parameters.length + 1) return { sql, parameters }
  const isFixed = (it: unknown): boolean => Number.isSafeInteger(it)
  return {
    sql: parts.reduce((text, part, at) => {
      const it = parameters[at - 1]
      return text + (isFixed(it) ? String(it) : '?') + part
    }),
    parameters: parameters.filter((it) => !isFixed(it)),
  }
}

const prepare = (query: Compilable<unknown>): Prepared => {
  const { sql, parameters } = writtenOut(query.compile())
  const slots = parameters.map((it) =>
    it instanceof Hole ? { hole: it.of, value: undefined } : { hole: undefined, value: it },
  )
  return {
    sql,
    name: createHash('sha1').update(sql).digest('hex'),
    fill: (values) => slots.map(({ hole, value }) => toColumn(hole === undefined ? value : values[hole])),
  }
}

/** Columns are text and whole numbers: flags are 0 and 1, and what is not given is null. */
const toColumn = (value: unknown): unknown => {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'object') throw new TypeError('a column holds text or a number, not an object')
  return value
}

type Build<V, Out> = (db: Kysely<Tables>, at: V, dialect: Dialect) => Compilable<Out>

export interface Reading<V, Out> {
  all(reader: Reader, values: V): Promise<Out[]>
  first(reader: Reader, values: V): Promise<Out | undefined>
}

export interface Changing<V, Out> {
  all(tx: Tx, values: V): Promise<Out[]>
  first(tx: Tx, values: V): Promise<Out | undefined>
  /** @returns how many rows changed */
  run(tx: Tx, values: V): Promise<number>
}

export const statement = <V, Out>(build: Build<V, Out>): Statement =>
  new Statement((dialect) => build(dialect.build, holes as V, dialect))

/** A question. Anyone may ask it. */
export const reading = <V extends object, Out>(build: Build<V, Out>): Reading<V, Out> => {
  const it = statement(build)
  return {
    all: async (reader, values) => (await reader.run(it, values as Values)).rows as Out[],
    first: async (reader, values) => (await reader.run(it, values as Values)).rows[0] as Out | undefined,
  }
}

/**
 * A question for so many rows at the most. Each limit is a statement of its own, since SQLite plans one whose `limit` is
 * a parameter anew at each run: ask with a few different limits.
 */
export const readingUpTo = <V extends object, Out>(
  build: (db: Kysely<Tables>, at: V, limit: number, dialect: Dialect) => Compilable<Out>,
): ((limit: number) => Reading<V, Out>) => {
  const known = new Map<number, Reading<V, Out>>()
  return (limit) => {
    const it = known.get(limit) ?? reading((db, at: V, dialect) => build(db, at, limit, dialect))
    known.set(limit, it)
    return it
  }
}

/** A change. Only a transaction can make it. */
export const changing = <V extends object, Out>(build: Build<V, Out>): Changing<V, Out> => {
  const it = statement(build)
  return {
    all: async (tx, values) => (await tx.run(it, values as Values)).rows as Out[],
    first: async (tx, values) => (await tx.run(it, values as Values)).rows[0] as Out | undefined,
    run: async (tx, values) => (await tx.run(it, values as Values)).changed,
  }
}

/** One statement for each shape that is met: a list with these filters, an update of those columns. */
export const byShape = <S>(build: (shape: S) => Statement): ((key: string, shape: () => S) => Statement) => {
  const known = new Map<string, Statement>()
  return (key, shape) => {
    let it = known.get(key)
    if (!it) {
      it = build(shape())
      known.set(key, it)
    }
    return it
  }
}
