/**
 * The engine to scale out on: PostgreSQL 15 or newer through `pg`. Each transaction has a pooled connection of its
 * own; statements are prepared by name once for each connection. A transaction that PostgreSQL ends to break a
 * deadlock is run again.
 */
import type { Event } from '@parley/contract/event.ts'
import pg from 'pg'
import type { Statement } from './query.ts'
import { newSid } from './sid.ts'
import type { Handed, Notice, Reader, StatementResult, Store, Tx, Values } from './tx.ts'

const POOL_SIZE = 16

/** How often a transaction is run again after a deadlock or a serialization failure. */
const RETRIES_MAX = 5

const DEADLOCK = '40P01'
const SERIALIZATION_FAILURE = '40001'

const INT8_OID = 20

/** Whole numbers stay below 2^53: instants in milliseconds and counters. */
pg.types.setTypeParser(INT8_OID, Number)

const runOn = async (
  on: Pick<pg.ClientBase, 'query'> | Pick<pg.Pool, 'query'>,
  statement: Statement,
  values: Values,
): Promise<StatementResult> => {
  const { sql, name, fill } = statement.for('postgres')
  const result = await on.query({ text: sql, name, values: fill(values) })
  return { rows: result.rows, changed: result.rowCount ?? 0 }
}

class PostgresTx implements Tx {
  readonly dialect = 'postgres'
  readonly writes = true
  readonly verb: string
  readonly events: Event[] = []
  readonly notices: Notice[] = []
  readonly #client: pg.PoolClient
  readonly #handed: Handed
  readonly #moment: number
  #over = false
  #depth = 0

  constructor(verb: string, client: pg.PoolClient, handed: Handed) {
    this.verb = verb
    this.#client = client
    this.#handed = handed
    this.#moment = handed.nature.now()
  }

  now(): number {
    return this.#moment
  }

  newSid(prefix: string): string {
    return newSid(prefix, { now: () => this.#moment, randomHex: this.#handed.nature.randomHex })
  }

  newSecret(hexDigits: number): string {
    return this.#handed.nature.randomHex(hexDigits)
  }

  seal(plain: string): string {
    return this.#handed.vault.seal(plain)
  }

  unseal(sealed: string): string {
    return this.#handed.vault.unseal(sealed)
  }

  record(event: Event): void {
    this.events.push(event)
  }

  notice(notice: Notice): void {
    this.notices.push(notice)
  }

  end(): void {
    this.#over = true
  }

  async run(statement: Statement, values: Values): Promise<StatementResult> {
    if (this.#over) throw new Error(`${this.verb} uses its transaction after its end`)
    return runOn(this.#client, statement, values)
  }

  async savepoint<T>(part: () => Promise<T>): Promise<T> {
    this.#depth += 1
    const name = `part_${this.#depth}`
    const events = this.events.length
    const notices = this.notices.length
    await this.#client.query(`savepoint ${name}`)
    try {
      const value = await part()
      await this.#client.query(`release ${name}`)
      return value
    } catch (fault) {
      await this.#client.query(`rollback to ${name}`)
      await this.#client.query(`release ${name}`)
      this.events.length = events
      this.notices.length = notices
      throw fault
    } finally {
      this.#depth -= 1
    }
  }
}

const isRetried = (fault: unknown): boolean => {
  const { code } = fault as { code?: unknown }
  return code === DEADLOCK || code === SERIALIZATION_FAILURE
}

class PostgresStore implements Store {
  readonly dialect = 'postgres'
  readonly reader: Reader
  readonly #pool: pg.Pool
  readonly #handed: Handed

  constructor(url: string, handed: Handed, onFault: (fault: Error) => void) {
    this.#handed = handed
    this.#pool = new pg.Pool({ connectionString: url, max: POOL_SIZE })
    // An idle connection that breaks is replaced by the pool; unheard, its error would end the process.
    this.#pool.on('error', onFault)
    this.reader = {
      dialect: 'postgres',
      now: () => handed.nature.now(),
      unseal: (sealed) => handed.vault.unseal(sealed),
      run: (statement, values) => runOn(this.#pool, statement, values),
    }
  }

  async exec(sql: string): Promise<void> {
    await this.#pool.query(sql)
  }

  async transact<T>(verb: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(verb, run)
      } catch (fault) {
        if (!isRetried(fault) || attempt >= RETRIES_MAX) throw fault
      }
    }
  }

  async #once<T>(verb: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken = false
    try {
      const tx = new PostgresTx(verb, client, this.#handed)
      await client.query('begin')
      let value: T
      try {
        value = await run(tx)
        await this.#handed.hooks.react(tx, tx.events)
        tx.end()
        await client.query('commit')
      } catch (fault) {
        tx.end()
        await client.query('rollback').catch(() => {
          broken = true
        })
        throw fault
      }
      this.#handed.hooks.committed(tx.events, tx.notices)
      return value
    } finally {
      client.release(broken)
    }
  }

  async ping(): Promise<void> {
    await this.#pool.query('select 1')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }
}

/** @param url `postgres://user:password@host:port/database` */
export const openPostgres = (
  url: string,
  handed: Handed,
  onFault: (fault: Error) => void,
): Store & { exec(sql: string): Promise<void> } => new PostgresStore(url, handed, onFault)
