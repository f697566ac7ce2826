/** Who works when in a large centre: eight hours on five days of seven, most of them by day. */
import type { Chance } from './chance.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const SHIFT_MS = 8 * HOUR_MS
const DAYS_OFF = 2

/** Of a hundred, those who begin at six and at two; the others have the night. */
const EARLY = 45
const LATE = 45

export interface Shift {
  /** When it begins, in milliseconds after midnight. */
  readonly begins: number
  /** The first day of the week that is free, counted from the day that 1970 began with. */
  readonly off: number
}

export const someShift = (chance: Chance): Shift => {
  const which = chance.int(1, 100)
  const hour = which <= EARLY ? 6 : which <= EARLY + LATE ? 14 : 22
  // Nobody comes on the stroke of the hour.
  return { begins: hour * HOUR_MS + chance.int(0, HOUR_MS / 2), off: chance.int(0, 6) }
}

/** @param now in milliseconds since 1970 */
export const worksAt = ({ begins, off }: Shift, now: number): boolean => {
  const since = now - begins
  const day = Math.floor(since / DAY_MS)
  return since - day * DAY_MS < SHIFT_MS && (((day - off) % 7) + 7) % 7 >= DAYS_OFF
}
