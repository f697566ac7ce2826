/** Time and chance for a world: time that stands still until it is moved, SIDs that differ all the same. */
import { realNature } from '../../src/store/sid.ts'
import type { Nature } from '../../src/store/tx.ts'

export interface Clock {
  readonly nature: Nature
  now(): number
  advance(ms: number): void
}

/** Standing time begins at the real moment: access tokens that the published libraries mint carry it. */
export const openClock = (live: boolean): Clock => {
  let now = realNature.now()
  const nature: Nature = live ? realNature : { now: () => now, randomHex: realNature.randomHex }
  return {
    nature,
    now: nature.now,
    advance: (ms) => {
      now += ms
    },
  }
}
