/**
 * Who a browser is, in a cookie that its scripts do not see. It is signed because agents see a visitor's identity:
 * whoever knows one must not get a token for it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const NAME = 'browser-chat'
/** Seconds: a day. */
const MAX_AGE = 86_400

const signatureOf = (visitorId: string, secret: string): Buffer =>
  createHmac('sha256', secret).update(`visitor ${visitorId}`).digest()

/** The value of a `Set-Cookie`. @param isSecure whether the page came over https */
export const writeCookie = (visitorId: string, secret: string, isSecure: boolean): string => {
  const value = `${visitorId}.${signatureOf(visitorId, secret).toString('base64url')}`
  return `${NAME}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${MAX_AGE}${isSecure ? '; Secure' : ''}`
}

/** The visitor of a `Cookie` header; undefined where there is none, or it is not one of ours. */
export const readCookie = (header: string | undefined, secret: string): string | undefined => {
  for (const pair of header?.split(/; */) ?? []) {
    const [, visitorId, signature] = /^browser-chat=([0-9a-f-]{36})\.([\w-]{43})$/.exec(pair) ?? []
    if (!visitorId || !signature) continue
    if (timingSafeEqual(Buffer.from(signature, 'base64url'), signatureOf(visitorId, secret))) return visitorId
  }
  return undefined
}
