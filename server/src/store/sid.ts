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

/** Begins with the time, so that keys made together lie together on disk. */
export const newSid = (prefix: string, { now, randomHex }: Nature): string =>
  prefix + Math.floor(now()).toString(16).padStart(12, '0') + randomHex(20)
