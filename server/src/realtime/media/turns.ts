/** How many uploads there may be at once, for each who sends them. */
import { problem } from '@parley/contract/problem.ts'

/** When to come back, in seconds. */
const RETRY_S = 1

export interface Turns {
  /**
   * Takes a turn, which its disposal gives back.
   * @throws 429 / 20429 where all are taken
   */
  take(who: string, max: number): Disposable
}

export const openTurns = (): Turns => {
  const taken = new Map<string, number>()
  return {
    take: (who, max) => {
      const before = taken.get(who) ?? 0
      if (before >= max) throw problem('too_many_uploads', { limit: max, retryAfterSeconds: RETRY_S })
      taken.set(who, before + 1)
      return {
        [Symbol.dispose]: () => {
          const left = (taken.get(who) ?? 1) - 1
          if (left > 0) taken.set(who, left)
          else taken.delete(who)
        },
      }
    },
  }
}
