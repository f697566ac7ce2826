/**
 * Links to content that need no credentials: signed for one file, good for a while. The key follows from the one that
 * seals secrets, so that links outlive a restart and every node knows every node's.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

const KEY_BYTES = 32

export interface Links {
  /** @param now in milliseconds since 1970 */
  to(sid: string, now: number): string
  /** What a link that was followed is worth. */
  check(sid: string, query: URLSearchParams, now: number): 'good' | 'expired' | 'forged'
}

/**
 * @param sealKey 32 bytes
 * @param seconds how long a link is good
 */
export const openLinks = (sealKey: Buffer, publicUrl: string, seconds: number): Links => {
  const key = Buffer.from(hkdfSync('sha256', sealKey, '', 'parley media links', KEY_BYTES))
  const sign = (sid: string, expires: string): Buffer =>
    createHmac('sha256', key).update(`${sid}.${expires}`).digest()
  return {
    to: (sid, now) => {
      const expires = String(now + seconds * 1_000)
      return `${publicUrl}/content/${sid}?expires=${expires}&signature=${sign(sid, expires).toString('base64url')}`
    },
    check: (sid, query, now) => {
      const expires = query.get('expires') ?? ''
      const shown = Buffer.from(query.get('signature') ?? '', 'base64url')
      const right = sign(sid, expires)
      if (shown.length !== right.length || !timingSafeEqual(shown, right)) return 'forged'
      return Number(expires) > now ? 'good' : 'expired'
    },
  }
}
