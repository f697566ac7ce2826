/**
 * What the rest of the house sees of the store. A `Reader` can only ask; a `Tx` can change, and is handed time,
 * names and the list of what happened. Nothing inside a transaction may wait on anything but the database.
 */
import type { Event } from '@parley/contract/event.ts'
import type { DialectName } from './dialect.ts'
import type { Statement } from './query.ts'

export type Values = Readonly<Record<string, unknown>>

export interface Reader {
  readonly dialect: DialectName
  /** Milliseconds since 1970; inside a transaction one moment throughout. */
  now(): number
  /** Opens a secret that was sealed at rest. */
  unseal(sealed: string): string
  /** Runs a compiled statement. Rooms use `reading` and `changing`, which know the types. */
  run(statement: Statement, values: Values): Promise<StatementResult>
}

export interface StatementResult {
  readonly rows: readonly unknown[]
  readonly changed: number
}

/** Said on the bus once the transaction is committed. */
export interface Notice {
  readonly topic: string
  readonly about: unknown
}

export interface Tx extends Reader {
  readonly writes: true
  /** The verb this transaction runs, for faults and metrics. */
  readonly verb: string
  /** A new SID, which sorts after those before it. Never a secret. */
  newSid(prefix: string): string
  /** Seals a secret for its column. */
  seal(plain: string): string
  /** Hexadecimal chance for tokens and secrets. */
  newSecret(hexDigits: number): string
  /** Reactions to the event run in this same transaction, after the verb. */
  record(event: Event): void
  notice(notice: Notice): void
  /** Runs `part` so that it can fail alone: what it changed is undone, and its error is thrown here. */
  savepoint<T>(part: () => Promise<T>): Promise<T>
}

export interface Store {
  readonly dialect: DialectName
  /** Sees what is committed, and nothing else. */
  readonly reader: Reader
  /** Runs a verb as one durable transaction: when the promise resolves, it is on disk. */
  transact<T>(verb: string, run: (tx: Tx) => Promise<T>): Promise<T>
  /** Answers when the store answers; throws when it does not. */
  ping(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What the house hangs into every transaction. */
export interface Hooks {
  /** The verb is done and recorded something, nothing is committed: run the reactions. `events` may grow meanwhile. */
  react(tx: Tx, events: readonly Event[]): Promise<void>
  /** It is committed, and there is something to tell. A fault here undoes nothing. */
  committed(events: readonly Event[], notices: readonly Notice[]): void
  /** It was to be committed, and no answer came: the rows will say whether it was. */
  inDoubt?(events: readonly Event[]): void
}

/** Time and chance, handed in. */
export interface Nature {
  now(): number
  randomHex(digits: number): string
}

/** What keeps secrets unreadable in the database. */
export interface Vault {
  seal(plain: string): string
  unseal(sealed: string): string
}

/** What a store is opened with. */
export interface Handed {
  readonly hooks: Hooks
  readonly nature: Nature
  readonly vault: Vault
}
