/** What a transaction is on either engine: a moment, names, what happened, and parts that can fail alone. */
import type { Event } from '@parley/contract/event.ts'
import type { DialectName } from './dialect.ts'
import type { Statement } from './query.ts'
import { newSid } from './sid.ts'
import type { Handed, Notice, StatementResult, Tx, Values } from './tx.ts'

export abstract class Transaction implements Tx {
  abstract readonly dialect: DialectName
  readonly writes = true
  readonly verb: string
  readonly events: Event[] = []
  readonly notices: Notice[] = []
  readonly #handed: Handed
  readonly #moment: number
  #over: string | undefined
  #depth = 0

  constructor(verb: string, handed: Handed) {
    this.verb = verb
    this.#handed = handed
    this.#moment = handed.nature.now()
  }

  protected abstract execute(statement: Statement, values: Values): StatementResult | Promise<StatementResult>

  /** Runs a savepoint's command. */
  protected abstract command(sql: string): unknown

  /** Whether the engine still has the transaction that this one belongs to. */
  protected abstract stands(): boolean

  now(): number {
    return this.#moment
  }

  newSid(prefix: string): string {
    return newSid(prefix, this.#handed.nature, this.#moment)
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

  /** From here on nobody may use it: whoever still holds it is told why. */
  end(why: string): void {
    this.#over ??= why
  }

  /** @throws when it may not be used any more */
  mustRun(): void {
    if (this.#over) throw new Error(`${this.verb} uses its transaction after ${this.#over}`)
  }

  async run(statement: Statement, values: Values): Promise<StatementResult> {
    this.mustRun()
    return this.execute(statement, values)
  }

  async savepoint<T>(part: () => Promise<T>): Promise<T> {
    this.mustRun()
    this.#depth += 1
    const depth = this.#depth
    const name = `part_${depth}`
    const events = this.events.length
    const notices = this.notices.length
    await this.command(`savepoint ${name}`)
    try {
      const value = await part()
      this.mustRun()
      // The engines nest savepoints and cannot keep two apart that run side by side.
      if (this.#depth !== depth) this.end('two of its savepoints ran at the same time')
      this.mustRun()
      await this.command(`release ${name}`)
      return value
    } catch (fault) {
      // A part that ends after its transaction must not reach into the one that runs by then.
      if (!this.#over && this.stands()) {
        await this.command(`rollback to ${name}`)
        await this.command(`release ${name}`)
        this.events.length = events
        this.notices.length = notices
      }
      throw fault
    } finally {
      this.#depth = depth - 1
    }
  }
}
