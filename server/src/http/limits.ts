/** How much one account, or one address of the unauthenticated, may ask. Kept in memory, for each node by itself. */
import { problem } from '@parley/contract/problem.ts'
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export interface Limit {
  /** Requests a second; 0 is no limit. */
  readonly perSecond: number
  /**
   * @returns how many more there may be in this second, before what is kept for bursts
   * @throws 429 / 20429 with `Retry-After`
   */
  take(who: string): Promise<number>
}

const none: Limit = { perSecond: 0, take: async () => Number.POSITIVE_INFINITY }

/** How long the burst allowance takes to fill again, in seconds. */
const BURST_WINDOW_S = 10

/** @param perSecond 0 is no limit */
export const openLimit = (perSecond: number, burst = 0): Limit => {
  if (perSecond === 0) return none
  const steady = new RateLimiterMemory({ points: perSecond, duration: 1 })
  const limiter = burst
    ? new BurstyRateLimiter(
        steady,
        new RateLimiterMemory({ keyPrefix: 'burst', points: burst, duration: BURST_WINDOW_S }),
      )
    : steady
  return {
    perSecond,
    take: async (who) => {
      try {
        return (await limiter.consume(who)).remainingPoints
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        const retryAfterSeconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000))
        throw problem('too_many_requests', { limit: perSecond, retryAfterSeconds })
      }
    },
  }
}
