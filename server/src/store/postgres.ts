/**
 * The engine to scale out on: PostgreSQL 15 or newer through `pg`. Each transaction has a pooled connection of its
 * own; statements are prepared by name once for each connection. A transaction that PostgreSQL ends to break a
 * deadlock is run again.
 *
 * Readers have a pool of their own: a transaction that asks a reader never waits for a connection that only another
 * transaction could give back.
 */
import pg from 'pg'
import { type Fate, StoreAway } from './away.ts'
import { dialects } from './dialect.ts'
import type { Statement } from './query.ts'
import { Transaction } from './transaction.ts'
import type { Handed, Reader, StatementResult, Store, Tx, Values } from './tx.ts'

const TRANSACTIONS_MAX = 16
const READS_MAX = 8

/** How often a transaction is run again after a deadlock or a serialization failure. */
const RETRIES_MAX = 5

/** How long to wait for a connection, in milliseconds: for the server to answer, or for one to be given back. */
const CONNECT_TIMEOUT_MS = 10_000

/** A connection that says nothing is asked whether it is there, in milliseconds: a server may go without a word. */
const KEEPALIVE_MS = 10_000

/** A verb that awaits something else keeps its locks at the most so long, in milliseconds. */
const IDLE_IN_TRANSACTION_MS = 30_000

const BOOL_OID = 16
const INT8_OID = 20
const NUMERIC_OID = 1700

/** Whole numbers stay below 2^53: instants in milliseconds, counters and their sums. Flags are 0 and 1. */
const parsers = new Map<number, (text: string) => number>([
  [BOOL_OID, (it) => (it === 't' ? 1 : 0)],
  [INT8_OID, Number],
  [NUMERIC_OID, Number],
])

const types: pg.CustomTypesConfig = {
  // biome-ignore lint/suspicious/noExplicitAny: the driver's own type of a parser
  getTypeParser: (oid: number, format?: any): any => parsers.get(oid) ?? pg.types.getTypeParser(oid, format),
}

/** PostgreSQL refuses a prepared `select *` once the table has another column: a newer version has migrated it. */
const isStalePlan = (fault: unknown): boolean =>
  (fault as { routine?: unknown }).routine === 'RevalidateCachedQuery'

/** The driver knew that the connection is broken, and did not send what it was asked to. */
const isUnsent = (fault: unknown): boolean => / is not queryable$/.test((fault as Error).message)

class PostgresTransaction extends Transaction {
  readonly dialect = 'postgres'
  readonly #ask: (statement: Statement, values: Values) => Promise<StatementResult>
  readonly #client: pg.PoolClient
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    verb: string,
    handed: Handed,
    client: pg.PoolClient,
    ask: (statement: Statement, values: Values) => Promise<StatementResult>,
  ) {
    super(verb, handed)
    this.#client = client
    this.#ask = ask
  }

  protected execute(statement: Statement, values: Values): Promise<StatementResult> {
    return this.#inTurn(() => this.#ask(statement, values))
  }

  command(sql: string): Promise<pg.QueryResult> {
    return this.#inTurn(() => this.#client.query(sql))
  }

  protected stands(): boolean {
    return true
  }

  /** One after the other, whoever asks at once: what is asked last cannot slip behind the rollback. */
  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(ask)
    this.#last = answer.catch(() => {})
    return answer
  }
}

class PostgresStore implements Store {
  readonly dialect = 'postgres'
  readonly reader: Reader
  readonly #transactions: pg.Pool
  readonly #reads: pg.Pool
  readonly #handed: Handed
  readonly #onFault: (fault: Error) => void
  readonly #running = new Set<Promise<unknown>>()
  /** Part of the name of each prepared statement: raised, all are prepared anew. */
  #generation = 0
  #closed: Promise<void> | undefined

  constructor(url: string, handed: Handed, onFault: (fault: Error) => void) {
    this.#handed = handed
    this.#onFault = onFault
    this.#transactions = this.#open(url, TRANSACTIONS_MAX)
    this.#reads = this.#open(url, READS_MAX)
    this.reader = {
      dialect: 'postgres',
      now: () => handed.nature.now(),
      unseal: (sealed) => handed.vault.unseal(sealed),
      run: (statement, values) => this.#whileOpen('a question', () => this.#read(statement, values)),
    }
  }

  #open(url: string, max: number): pg.Pool {
    const pool = new pg.Pool({
      connectionString: url,
      max,
      types,
      application_name: 'parley',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    })
    // A connection that breaks is replaced by the pool; unheard, its error would end the process. The pool tells
    // of those that are idle, each tells of itself when it breaks at work between two statements.
    const told = (fault: Error) => this.#onFault(new StoreAway('not read', fault))
    pool.on('error', told)
    pool.on('connect', (client) => client.on('error', told))
    return pool
  }

  /** Whatever keeps it from one, it is the database's doing or its operator's. */
  async #connect(pool: pg.Pool, fate: Fate): Promise<pg.PoolClient> {
    try {
      return await pool.connect()
    } catch (fault) {
      throw this.#away(fate, fault)
    }
  }

  #away(fate: Fate, cause: unknown): StoreAway {
    const away = new StoreAway(fate, cause)
    this.#onFault(away)
    return away
  }

  async #ask(on: pg.PoolClient, statement: Statement, values: Values): Promise<StatementResult> {
    const { sql, name, fill } = statement.for('postgres')
    const generation = this.#generation
    try {
      const result = await on.query({ text: sql, name: name + generation, values: fill(values) })
      return { rows: result.rows, changed: result.rowCount ?? 0 }
    } catch (fault) {
      if (isStalePlan(fault)) this.#generation = generation + 1
      throw fault
    }
  }

  #read(statement: Statement, values: Values): Promise<StatementResult> {
    return this.#reading(async (client) => {
      try {
        return await this.#ask(client, statement, values)
      } catch (fault) {
        if (!isStalePlan(fault)) throw fault
        return this.#ask(client, statement, values)
      }
    })
  }

  async #reading<T>(read: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect(this.#reads, 'not read')
    let broken = false
    try {
      return await read(client)
    } catch (fault) {
      broken = dialects.postgres.isAway(fault)
      throw broken ? this.#away('not read', fault) : fault
    } finally {
      client.release(broken)
    }
  }

  transact<T>(verb: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#whileOpen(verb, async () => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await this.#once(verb, run)
        } catch (fault) {
          const again = dialects.postgres.isBusy(fault) || isStalePlan(fault)
          if (!again || attempt >= RETRIES_MAX) throw fault
        }
      }
    })
  }

  async #once<T>(verb: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.#connect(this.#transactions, 'not changed')
    let broken = false
    let fate: Fate = 'not changed'
    let tx: PostgresTransaction
    let value: T
    try {
      tx = new PostgresTransaction(verb, this.#handed, client, (statement, values) =>
        this.#ask(client, statement, values),
      )
      try {
        await tx.command('begin isolation level read committed')
        value = await run(tx)
        if (tx.events.length) await this.#handed.hooks.react(tx, tx.events)
        tx.mustRun()
        tx.end('it was committed')
        fate = 'in doubt'
        // A verb that swallowed a fault of the database has nothing to commit: PostgreSQL rolls back and says so.
        const { command } = await tx.command('commit')
        if (command !== 'COMMIT') throw new Error(`${verb} went on after a fault of the database`)
      } catch (fault) {
        tx.end('it was undone')
        await tx.command('rollback').catch(() => {
          broken = true
        })
        if (!dialects.postgres.isAway(fault)) throw fault
        // A server that has handed over may keep its connections, and only read: another leads to its successor.
        broken = true
        if (isUnsent(fault)) fate = 'not changed'
        if (fate === 'in doubt') this.#handed.hooks.inDoubt?.(tx.events)
        throw this.#away(fate, fault)
      }
    } finally {
      client.release(broken)
    }
    this.#tell(tx)
    return value
  }

  /** It is committed whatever those who hear of it make of it. */
  #tell({ events, notices }: PostgresTransaction): void {
    if (!events.length && !notices.length) return
    try {
      this.#handed.hooks.committed(events, notices)
    } catch (fault) {
      this.#onFault(fault as Error)
    }
  }

  /** The pool would leave those that wait for a connection without an answer, so closing waits for them. */
  #whileOpen<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`${what} comes after the store was closed`))
    const running = run()
    this.#running.add(running)
    const done = () => this.#running.delete(running)
    running.then(done, done)
    return running
  }

  async ping(): Promise<void> {
    await this.#whileOpen('a ping', () => this.#reading((client) => client.query('select 1')))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    while (this.#running.size) await Promise.allSettled(this.#running)
    await Promise.all([this.#transactions.end(), this.#reads.end()])
  }
}

/**
 * @param url `postgres://user:password@host:port/database`
 * @param onFault hears of connections that break
 */
export const openPostgres = (url: string, handed: Handed, onFault: (fault: Error) => void): Store =>
  new PostgresStore(url, handed, onFault)
