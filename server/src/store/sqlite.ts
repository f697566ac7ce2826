/**
 * The embedded engine: `node:sqlite`, WAL, synchronous FULL: what is acknowledged is on disk.
 *
 * Commits are grouped. Every transaction that waits in one turn of the event loop runs inside one SQLite transaction,
 * each in a savepoint of its own, and one fsync commits them all; one that fails is undone alone. A verb awaits
 * nothing but the database, whose answers come at once, so a group is done before the turn ends. A verb that awaits
 * anything else would hold everybody up: it is thrown out with its name.
 *
 * Readers have a connection of their own and see only what is committed. A database in memory has one connection;
 * there, readers wait for the group that is running.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Event } from '@parley/contract/event.ts'
import type { Statement } from './query.ts'
import { newSid } from './sid.ts'
import type { Handed, Notice, Reader, StatementResult, Store, Tx, Values } from './tx.ts'

/** How many transactions share a commit at the most: bounds how long one turn lasts. */
const GROUP_MAX = 256

/** How long a statement waits for another process that holds the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 5_000

/** How many compiled statements a connection keeps. */
const CACHE_KIB = 64 * 1024

interface Waiting {
  readonly verb: string
  readonly run: (tx: Tx) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (fault: unknown) => void
}

/** What a transaction of a group came to. */
interface Ended {
  readonly waiting: Waiting
  readonly value: unknown
  readonly tx: SqliteTx
}

const connect = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  db.exec('pragma journal_mode = wal')
  db.exec('pragma synchronous = full')
  db.exec('pragma foreign_keys = off')
  db.exec(`pragma cache_size = -${CACHE_KIB}`)
  db.exec('pragma temp_store = memory')
  return db
}

/** A connection with its prepared statements. */
class Connection {
  readonly db: DatabaseSync
  readonly #statements = new Map<Statement, { run: StatementSync; fill: (values: Values) => unknown[]; asks: boolean }>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  run(statement: Statement, values: Values): StatementResult {
    let it = this.#statements.get(statement)
    if (!it) {
      const { sql, fill } = statement.for('sqlite')
      const run = this.db.prepare(sql)
      it = { run, fill, asks: run.columns().length > 0 }
      this.#statements.set(statement, it)
    }
    const parameters = it.fill(values) as SQLInputValue[]
    if (it.asks) {
      const rows = it.run.all(...parameters)
      return { rows, changed: rows.length }
    }
    return { rows: [], changed: Number(it.run.run(...parameters).changes) }
  }
}

class SqliteTx implements Tx {
  readonly dialect = 'sqlite'
  readonly writes = true
  readonly verb: string
  readonly events: Event[] = []
  readonly notices: Notice[] = []
  readonly #connection: Connection
  readonly #handed: Handed
  readonly #moment: number
  #over: string | undefined
  #depth = 0

  constructor(verb: string, connection: Connection, handed: Handed) {
    this.verb = verb
    this.#connection = connection
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

  end(why: string): void {
    this.#over = why
  }

  async run(statement: Statement, values: Values): Promise<StatementResult> {
    if (this.#over) throw new Error(`${this.verb} uses its transaction after ${this.#over}`)
    return this.#connection.run(statement, values)
  }

  async savepoint<T>(part: () => Promise<T>): Promise<T> {
    this.#depth += 1
    const name = `part_${this.#depth}`
    const events = this.events.length
    const notices = this.notices.length
    this.#connection.db.exec(`savepoint ${name}`)
    try {
      const value = await part()
      this.#connection.db.exec(`release ${name}`)
      return value
    } catch (fault) {
      this.#connection.db.exec(`rollback to ${name}`)
      this.#connection.db.exec(`release ${name}`)
      this.events.length = events
      this.notices.length = notices
      throw fault
    } finally {
      this.#depth -= 1
    }
  }
}

const CHECKPOINTER = new URL('./checkpoint.ts', import.meta.url)

class SqliteStore implements Store {
  readonly dialect = 'sqlite'
  readonly reader: Reader
  readonly #writer: Connection
  readonly #reads: Connection
  readonly #handed: Handed
  readonly #checkpointer: Worker | undefined
  #waiting: Waiting[] = []
  #scheduled = false
  #group: Promise<void> | undefined

  constructor(path: string, handed: Handed) {
    this.#handed = handed
    this.#writer = new Connection(connect(path))
    const inMemory = path === ':memory:'
    this.#reads = inMemory ? this.#writer : new Connection(connect(path))
    this.reader = {
      dialect: 'sqlite',
      now: () => handed.nature.now(),
      unseal: (sealed) => handed.vault.unseal(sealed),
      run: inMemory
        ? async (statement, values) => {
            while (this.#group) await this.#group
            return this.#reads.run(statement, values)
          }
        : async (statement, values) => this.#reads.run(statement, values),
    }
    if (!inMemory) {
      this.#writer.db.exec('pragma wal_autocheckpoint = 0')
      this.#reads.db.exec('pragma query_only = on')
      this.#checkpointer = new Worker(CHECKPOINTER, { workerData: { path } })
      this.#checkpointer.unref()
    }
  }

  exec(sql: string): void {
    this.#writer.db.exec(sql)
  }

  transact<T>(verb: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ verb, run, resolve: resolve as (value: unknown) => void, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.#runGroups())
    })
  }

  #runGroups(): void {
    const group = this.#waiting.splice(0, GROUP_MAX)
    this.#group = this.#runGroup(group).finally(() => {
      this.#group = undefined
      if (this.#waiting.length) setImmediate(() => this.#runGroups())
      else this.#scheduled = false
    })
  }

  async #runGroup(group: Waiting[]): Promise<void> {
    const { db } = this.#writer
    const ended: Ended[] = []
    try {
      db.exec('begin immediate')
      for (const waiting of group) {
        const one = await this.#runOne(waiting)
        if (one) ended.push(one)
        if (!db.isTransaction) throw new Error(`the transaction was lost in ${waiting.verb}`)
      }
      db.exec('commit')
    } catch (fault) {
      if (db.isTransaction) db.exec('rollback')
      for (const { reject } of group) reject(fault)
      return
    }
    for (const { waiting, value, tx } of ended) {
      waiting.resolve(value)
      this.#handed.hooks.committed(tx.events, tx.notices)
    }
  }

  /** Runs one transaction of a group in its savepoint; what fails is undone alone and told to its caller. */
  async #runOne(waiting: Waiting): Promise<Ended | undefined> {
    const { db } = this.#writer
    const tx = new SqliteTx(waiting.verb, this.#writer, this.#handed)
    db.exec('savepoint one')
    try {
      const value = await withinItsTurn(waiting.verb, async () => {
        const answer = await waiting.run(tx)
        await this.#handed.hooks.react(tx, tx.events)
        return answer
      })
      tx.end('it was committed')
      db.exec('release one')
      return { waiting, value, tx }
    } catch (fault) {
      tx.end('it was undone')
      if (db.isTransaction) {
        db.exec('rollback to one')
        db.exec('release one')
      }
      waiting.reject(fault)
      return undefined
    }
  }

  async ping(): Promise<void> {
    this.#reads.db.prepare('select 1').get()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#group || this.#waiting.length) await (this.#group ?? new Promise((next) => setImmediate(next)))
    if (this.#checkpointer) {
      const gone = new Promise((resolve) => this.#checkpointer?.once('exit', resolve))
      this.#checkpointer.postMessage('close')
      await gone
    }
    if (this.#reads !== this.#writer) this.#reads.db.close()
    this.#writer.db.close()
  }
}

/** Promises of the database settle before the event loop turns; anything slower would hold up the whole group. */
const withinItsTurn = <T>(verb: string, run: () => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const turn = setImmediate(() =>
      reject(new Error(`${verb} waits for something other than the database inside its transaction`)),
    )
    run().then(
      (value) => {
        clearImmediate(turn)
        resolve(value)
      },
      (fault) => {
        clearImmediate(turn)
        reject(fault)
      },
    )
  })

/**
 * Opens the database in `path` (`:memory:` for one that is gone afterwards) with nothing migrated yet.
 * @throws where the file cannot be opened
 */
export const openSqlite = (path: string, handed: Handed): Store & { exec(sql: string): void } =>
  new SqliteStore(path, handed)
