/**
 * That the database cannot do its part right now, whoever asks: it does not answer, ends its connections, has no room.
 * Nobody asked for anything wrong and nothing of ours is broken: it is worth asking again.
 */
import { Problem, problem } from '@parley/contract/problem.ts'
import type { Nature } from './tx.ts'

/** When it is worth it, in seconds: a server starts anew, or hands over to another, in about as long. */
const RETRY_AFTER_S = 5

/** However many meet it, the log is told once in so long, in milliseconds. */
const TOLD_EVERY_MS = 10_000

/** What is known of what was asked. `in doubt`: it was to be committed, and no answer came. */
export type Fate = 'not read' | 'not changed' | 'in doubt'

const SAID: Readonly<Record<Fate, string>> = {
  'not read': 'the database cannot be used right now',
  'not changed': 'the database cannot be used right now, and nothing was changed',
  'in doubt': 'the database was lost while this was written down: it may have been done',
}

export class StoreAway extends Error {
  override readonly name = 'StoreAway'
  readonly #fate: Fate

  constructor(fate: Fate, cause: unknown) {
    super(SAID[fate], { cause })
    this.#fate = fate
  }

  /** What whoever asked is told. Without a time to ask again where that might do something twice. */
  get refusal(): Problem {
    const retryAfterSeconds = this.#fate === 'in doubt' ? undefined : RETRY_AFTER_S
    return problem('unavailable', { reason: this.message, retryAfterSeconds })
  }
}

/** What a fault says to whoever asked; undefined where it is a bug of ours. */
export const refusalIn = (fault: unknown): Problem | undefined => {
  if (fault instanceof StoreAway) return fault.refusal
  return fault instanceof Problem ? fault : undefined
}

/** Runs what comes before anything is changed: that nothing was is then known, whatever it asked of the store. */
export const beforeAnyChange = async <T>(run: () => Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (fault) {
    throw fault instanceof StoreAway ? new StoreAway('not changed', fault.cause) : fault
  }
}

/** Tells the log sparingly that the store is away, and of everything else each time. */
export const tellSparingly = (tell: (fault: Error) => void, { now }: Pick<Nature, 'now'>) => {
  let toldAt = Number.NEGATIVE_INFINITY
  return (fault: Error): void => {
    if (fault instanceof StoreAway) {
      if (now() - toldAt < TOLD_EVERY_MS) return
      toldAt = now()
    }
    tell(fault)
  }
}

/** For those who tell of their own faults: that it is away the store tells by itself. */
export const unlessAway =
  (tell: (fault: unknown) => void) =>
  (fault: unknown): void => {
    if (!(fault instanceof StoreAway)) tell(fault)
  }
