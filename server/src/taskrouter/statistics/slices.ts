/** A long window is read an hour at a time, and between two hours everybody else has their turn. */
import { setImmediate } from 'node:timers/promises'
import type { Window } from './window.ts'

/** So much is read at once: a busy centre's hour is some ten thousand rows. */
const SLICE_MS = 3_600_000

/** Reads each part of the window in turn. Only for readers: a transaction must not wait. */
export const eachSlice = async (
  { start, end }: Window,
  read: (slice: { from: number; to: number }) => Promise<void>,
): Promise<void> => {
  for (let from = start; from <= end; from += SLICE_MS) {
    if (from > start) await setImmediate()
    await read({ from, to: Math.min(end, from + SLICE_MS - 1) })
  }
}
