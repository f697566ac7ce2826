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
import { StoreAway } from './away.ts'
import { type Checkpointer, openCheckpointer } from './checkpointer.ts'
import { sqlite } from './dialect.ts'
import type { Statement } from './query.ts'
import { Transaction } from './transaction.ts'
import type { Handed, Reader, StatementResult, Store, Tx, Values } from './tx.ts'

/** How many transactions share a commit at the most. */
const GROUP_MAX = 256

/** How long a group takes in more of those that wait, in milliseconds: bounds how long one turn lasts. */
const GROUP_MS = 20

/** Where a group had company, the next one gathers for so many turns of the event loop: one fsync serves more. */
const TURNS_UNDER_LOAD = 4

/** How long a statement waits for another process that holds the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 5_000

/** On disk what is acknowledged is there after the power fails, and a connection keeps 64 MiB in memory. */
const ON_DISK = ['journal_mode = wal', 'synchronous = full', 'cache_size = -65536']

/**
 * In memory it is a file all the same, to SQLite alone, of 1 GiB at the most: `:memory:` is all cache, and there a commit
 * can cost as much as there are pages.
 */
const IN_MEMORY = [
  'journal_mode = memory',
  'synchronous = off',
  'locking_mode = exclusive',
  'cache_size = -8192',
]
const MEMORY_FILE = 'file:parley?vfs=memdb'

/** The log's pages after which a commit moves them itself; used only where the thread that does it is gone. */
const AUTOCHECKPOINT_PAGES = 1_000

interface Waiting {
  readonly verb: string
  readonly run: (tx: Tx) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (fault: unknown) => void
}

/** A transaction of a group that came to its end. */
interface Ended {
  readonly waiting: Waiting
  readonly value: unknown
  readonly tx: SqliteTransaction
}

const inTurns = (turns: number, run: () => void): void => {
  setImmediate(() => (turns > 1 ? inTurns(turns - 1, run) : run()))
}

const connect = (path: string): DatabaseSync => {
  const inMemory = path === MEMORY_FILE
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    for (const it of [...(inMemory ? IN_MEMORY : ON_DISK), 'foreign_keys = off', 'temp_store = memory'])
      db.exec(`pragma ${it}`)
    return db
  } catch (fault) {
    db.close()
    throw fault
  }
}

interface Prepared {
  readonly run: StatementSync
  readonly fill: (values: Values) => unknown[]
  /** Makes a row of its values; undefined where the statement answers with none. */
  readonly rowOf: RowOf | undefined
}

type RowOf = (values: readonly unknown[]) => Record<string, unknown>

/**
 * Rows of one statement share one shape, as if each were written down as a literal: that costs a tenth of setting one
 * property after the other, and whoever reads them is faster too.
 */
const rowMaker = (columns: readonly string[]): RowOf =>
  new Function(
    'values',
    `return {${columns.map((name, at) => `${JSON.stringify(name)}: values[${at}]`)}}`,
  ) as RowOf

/** A connection with its prepared statements. */
class Connection {
  readonly db: DatabaseSync
  readonly #prepared = new Map<Statement, Prepared>()
  readonly #commands = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  /** Begins, ends and undoes: a few texts, run so often that reading them anew would show. */
  command(sql: string): void {
    let it = this.#commands.get(sql)
    if (!it) {
      it = this.db.prepare(sql)
      this.#commands.set(sql, it)
    }
    it.run()
  }

  run(statement: Statement, values: Values): StatementResult {
    let it = this.#prepared.get(statement)
    if (!it) {
      it = this.#prepare(statement)
      this.#prepared.set(statement, it)
    }
    const { run, fill, rowOf } = it
    const parameters = fill(values) as SQLInputValue[]
    if (!rowOf) return { rows: [], changed: Number(run.run(...parameters).changes) }
    const rows = (run.all(...parameters) as unknown as unknown[][]).map(rowOf)
    return { rows, changed: rows.length }
  }

  #prepare(statement: Statement): Prepared {
    const { sql, fill } = statement.for('sqlite')
    const run = this.db.prepare(sql)
    run.setReturnArrays(true)
    const columns = run.columns().map((it) => it.name)
    return { run, fill, rowOf: columns.length ? rowMaker(columns) : undefined }
  }
}

class SqliteTransaction extends Transaction {
  readonly dialect = 'sqlite'
  /** Why SQLite gave the transaction up. */
  givenUpFor: unknown
  readonly #connection: Connection

  constructor(verb: string, connection: Connection, handed: Handed) {
    super(verb, handed)
    this.#connection = connection
  }

  protected execute(statement: Statement, values: Values): StatementResult {
    try {
      return this.#connection.run(statement, values)
    } catch (fault) {
      // A full disk ends the transaction: what the verb did next would be committed by itself.
      if (!this.stands()) {
        this.givenUpFor = fault
        this.end('SQLite gave it up')
      }
      throw fault
    }
  }

  protected command(sql: string): void {
    this.#connection.command(sql)
  }

  protected stands(): boolean {
    return this.#connection.db.isTransaction
  }
}

class SqliteStore implements Store {
  readonly dialect = 'sqlite'
  readonly reader: Reader
  readonly #writer: Connection
  readonly #reads: Connection
  readonly #handed: Handed
  readonly #onFault: (fault: Error) => void
  readonly #checkpointer: Checkpointer | undefined
  /** In memory a turn is as long as its group: what is done then depends on no clock, and can be done again. */
  readonly #groupMs: number
  #waiting: Waiting[] = []
  #scheduled = false
  /** The last group was of several. */
  #crowded = false
  /** Resolves when the group that runs is over. */
  #group: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(path: string | undefined, handed: Handed, onFault: (fault: Error) => void) {
    this.#handed = handed
    this.#onFault = onFault
    this.#writer = new Connection(connect(path ?? MEMORY_FILE))
    const inMemory = path === undefined
    this.#groupMs = inMemory ? Number.POSITIVE_INFINITY : GROUP_MS
    this.#reads = path === undefined ? this.#writer : new Connection(connect(path))
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
    if (path === undefined) return
    this.#reads.db.exec('pragma query_only = on')
    this.#writer.db.exec('pragma wal_autocheckpoint = 0')
    this.#checkpointer = openCheckpointer(path, {
      beginLogAnew: () => {
        // Inside a transaction it cannot be; the log is told to be long again.
        if (!this.#writer.db.isTransaction) this.#tryToExec('pragma wal_checkpoint(restart)')
      },
      goOnAlone: (fault) => {
        this.#tryToExec(`pragma wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES}`)
        onFault(fault)
      },
    })
  }

  exec(sql: string): void {
    this.#writer.db.exec(sql)
  }

  transact<T>(verb: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`${verb} comes after the store was closed`))
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ verb, run, resolve: resolve as (value: unknown) => void, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    inTurns(this.#crowded ? TURNS_UNDER_LOAD : 1, () => {
      const over = Promise.withResolvers<void>()
      this.#group = over.promise
      void this.#runGroup().then(() => {
        this.#group = undefined
        this.#scheduled = false
        if (this.#waiting.length) this.#schedule()
        over.resolve()
      })
    })
  }

  /** Never rejects: what goes wrong is told to whoever waits. */
  async #runGroup(): Promise<void> {
    const { db } = this.#writer
    const group = this.#waiting.splice(0, GROUP_MAX)
    this.#crowded = group.length > 1
    const ended: Ended[] = []
    try {
      if (db.isTransaction) this.#writer.command('rollback')
      this.#writer.command('begin immediate')
      const began = performance.now()
      for (const [place, waiting] of group.entries()) {
        if (place > 0 && performance.now() - began > this.#groupMs) {
          this.#waiting.unshift(...group.splice(place))
          break
        }
        const one = await this.#runOne(waiting)
        if (one) ended.push(one)
      }
      this.#writer.command('commit')
    } catch (fault) {
      // A fault of the file or the disk: nothing of the group is kept, and everybody in it is told.
      const told = this.#told(fault)
      for (const { reject } of group) reject(told)
      if (db.isTransaction) this.#tryToExec('rollback')
      return
    }
    for (const { waiting, value } of ended) waiting.resolve(value)
    for (const { tx } of ended) this.#tell(tx)
  }

  /** What whoever waits is told of a fault. */
  #told(fault: unknown): unknown {
    if (!sqlite.isAway(fault)) return fault
    const away = new StoreAway('not changed', fault)
    this.#onFault(away)
    return away
  }

  /** For what nobody waits for. */
  #tryToExec(sql: string): void {
    try {
      this.#writer.db.exec(sql)
    } catch (fault) {
      this.#onFault(fault as Error)
    }
  }

  /** It is committed whatever those who hear of it make of it. */
  #tell({ events, notices }: SqliteTransaction): void {
    if (!events.length && !notices.length) return
    try {
      this.#handed.hooks.committed(events, notices)
    } catch (fault) {
      this.#onFault(fault as Error)
    }
  }

  /**
   * Runs one transaction of a group in its savepoint; what fails is undone alone and told to its caller.
   * @throws when SQLite has given up the whole group, as it does when the disk is full
   */
  async #runOne(waiting: Waiting): Promise<Ended | undefined> {
    const { db } = this.#writer
    const tx = new SqliteTransaction(waiting.verb, this.#writer, this.#handed)
    this.#writer.command('savepoint one')
    try {
      const value = await withinItsTurn(waiting.verb, async () => {
        const answer = await waiting.run(tx)
        if (tx.events.length) await this.#handed.hooks.react(tx, tx.events)
        return answer
      })
      tx.mustRun()
      tx.end('it was committed')
      this.#writer.command('release one')
      return { waiting, value, tx }
    } catch (fault) {
      tx.end('it was undone')
      // The verb may have made something else of it.
      const cause = tx.givenUpFor ?? fault
      if (!db.isTransaction && sqlite.isAway(cause)) throw cause
      waiting.reject(this.#told(fault))
      if (!db.isTransaction)
        throw new Error(`SQLite gave up the transaction of a group in ${waiting.verb}`, { cause })
      this.#writer.command('rollback to one')
      this.#writer.command('release one')
      return undefined
    }
  }

  async ping(): Promise<void> {
    this.#reads.db.prepare('select 1').get()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    while (this.#scheduled) await (this.#group ?? new Promise((next) => setImmediate(next)))
    await this.#checkpointer?.close()
    if (this.#reads !== this.#writer) this.#reads.db.close()
    this.#writer.db.close()
  }
}

/**
 * Promises of the database settle before the event loop turns; anything slower would hold up the whole group. The
 * verb that is thrown out may go on by itself: its transaction is closed to it.
 */
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
 * Opens the database in `path`, or without one a database that is gone afterwards, with nothing migrated yet.
 * @param onFault hears of what goes wrong where nobody waits for an answer
 * @throws where the file cannot be opened
 */
export const openSqlite = (
  path: string | undefined,
  handed: Handed,
  onFault: (fault: Error) => void,
): Store => new SqliteStore(path, handed, onFault)
