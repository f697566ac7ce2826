/**
 * Names for what is made: two letters and 32 hexadecimal digits, of which 12 are milliseconds since 1970, 5 count
 * within the millisecond and 15 are chance. What one process makes is in order, even while its clock stands still or
 * is set back.
 */
import { randomFillSync } from 'node:crypto'
import type { Nature } from './tx.ts'

const POOL_BYTES = 4096

const TIME_DIGITS = 12
const SEQUENCE_DIGITS = 5
const CHANCE_DIGITS = 15

const SEQUENCE_MAX = 16 ** SEQUENCE_DIGITS - 1

const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

const randomHex = (digits: number): string => {
  const bytes = Math.ceil(digits / 2)
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used).slice(0, digits)
}

/** The one place where real time and real chance come in. */
export const realNature: Nature = { now: () => Date.now(), randomHex }

/** Where each nature's sequence stands. */
const lasts = new WeakMap<Nature, { at: number; sequence: number }>()

/** Sorts after every SID made before a moment and before every one made from then on: SIDs begin with their time. */
export const firstSidAt = (prefix: string, ms: number): string =>
  prefix + Math.max(0, Math.floor(ms)).toString(16).padStart(TIME_DIGITS, '0')

/** When a SID was made, in milliseconds since 1970; NaN of what is none. */
export const momentOf = (sid: string): number => Number.parseInt(sid.slice(2, 2 + TIME_DIGITS), 16)

/**
 * @param at the transaction's moment, in milliseconds
 * @returns a SID that sorts after every one this nature had before. Never a secret.
 */
export const newSid = (prefix: string, nature: Nature, at: number): string => {
  let last = lasts.get(nature)
  if (!last) {
    last = { at: 0, sequence: 0 }
    lasts.set(nature, last)
  }
  const now = Math.floor(at)
  if (now > last.at) {
    last.at = now
    last.sequence = 0
  } else if (last.sequence < SEQUENCE_MAX) last.sequence += 1
  else {
    last.at += 1
    last.sequence = 0
  }
  return (
    prefix +
    last.at.toString(16).padStart(TIME_DIGITS, '0') +
    last.sequence.toString(16).padStart(SEQUENCE_DIGITS, '0') +
    nature.randomHex(CHANCE_DIGITS)
  )
}
