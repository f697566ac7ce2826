import { randomFillSync } from 'node:crypto'
import type { Nature } from './tx.ts'

const POOL_BYTES = 4096

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

let lastMoment = 0
let sequence = 0

/** A million names a millisecond before the order within it wraps. */
const SEQUENCE_MAX = 0xfffff

/**
 * Two letters, 12 hexadecimal digits of milliseconds, 5 of a sequence within the millisecond, 15 of chance: what one
 * node makes later sorts later, and keys made together lie together on disk.
 */
export const newSid = (prefix: string, { now, randomHex }: Nature): string => {
  const moment = Math.floor(now())
  sequence = moment === lastMoment && sequence < SEQUENCE_MAX ? sequence + 1 : 0
  lastMoment = moment
  return prefix + moment.toString(16).padStart(12, '0') + sequence.toString(16).padStart(5, '0') + randomHex(15)
}
