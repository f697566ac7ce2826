/**
 * What access tokens and capability tokens share: writing and reading a JWT, its signature and its times.
 *
 * All of it happens at once, without a promise, so that a transaction may sign and check: it must wait for nothing
 * but the database.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Problem, problem } from '@parley/contract/problem.ts'

const HASHES = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const

export type Algorithm = keyof typeof HASHES

/** Clocks of those who make tokens and ours may differ by this much. */
const SKEW_SECONDS = 60

/** Far above any token the published libraries make; nothing longer is looked at. */
const JWT_LENGTH_MAX = 16 * 1024

export interface Jwt {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A JWT with these claims, signed with HS256. */
export const writeJwt = (header: object, claims: object, secret: string): string => {
  const content = `${encoded({ alg: 'HS256', ...header })}.${encoded(claims)}`
  return `${content}.${signatureOf(content, 'HS256', secret).toString('base64url')}`
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

const signatureOf = (content: string, algorithm: Algorithm, secret: string): Buffer =>
  createHmac(HASHES[algorithm], secret).update(content).digest()

/**
 * Takes a JWT apart; believes nothing yet.
 * @throws 20101 when it is none
 */
export const readJwt = (raw: string): Jwt => {
  if (raw.length > JWT_LENGTH_MAX)
    throw problem('token_invalid', { reason: `it is longer than ${JWT_LENGTH_MAX} characters` })
  const [header = '', claims = '', signature, more] = raw.split('.')
  if (signature === undefined || more !== undefined)
    throw problem('token_invalid', { reason: 'it is not a JWT of three parts' })
  return { header: part(header, 'header'), claims: part(claims, 'payload') }
}

/** `Buffer` passes over what is not of the alphabet, and two texts must not be one token. */
const BASE64URL = /^[\w-]+$/

const part = (text: string, which: string): Record<string, unknown> => {
  const value = BASE64URL.test(text) ? parsed(Buffer.from(text, 'base64url').toString()) : undefined
  if (!isRecord(value))
    throw problem('token_invalid', { reason: `its ${which} is not a JSON object in base64url` })
  return value
}

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/**
 * @param whose names the secret in the sentence of a failure
 * @throws 20102 when the algorithm is not one of those, 20107 when the signature is not made with the secret
 */
export const checkSignature = (
  raw: string,
  header: Record<string, unknown>,
  secret: string,
  algorithms: readonly Algorithm[],
  whose: string,
): void => {
  const algorithm = algorithms.find((it) => it === header.alg)
  if (algorithm === undefined)
    throw problem('token_header', { reason: `alg must be ${algorithms.join(', ')}` })
  // RFC 7515 §4.1.11: what must be understood and is not makes the whole token void.
  if (Object.hasOwn(header, 'crit'))
    throw problem('token_header', { reason: 'it asks for an extension that is not served' })
  const end = raw.lastIndexOf('.')
  const given = raw.slice(end + 1)
  if (given !== '' && !BASE64URL.test(given))
    throw problem('token_signature', { reason: 'its signature is not base64url' })
  const [ours, theirs] = [signatureOf(raw.slice(0, end), algorithm, secret), Buffer.from(given, 'base64url')]
  if (ours.length !== theirs.length || !timingSafeEqual(ours, theirs))
    throw problem('token_signature', { reason: `it was not signed with ${whose}` })
}

/**
 * @param now milliseconds since 1970
 * @param skewSeconds what the clock that made it may differ from ours; none for what we have made ourselves
 * @returns when it expires, in milliseconds since 1970
 * @throws 20101 for a time that is none, 20104 expired, 20105 not yet valid
 */
export const checkTimes = (
  claims: Record<string, unknown>,
  now: number,
  skewSeconds = SKEW_SECONDS,
): number => {
  const exp = time(claims, 'exp')
  const nbf = time(claims, 'nbf')
  time(claims, 'iat')
  if (exp === undefined) throw problem('token_invalid', { reason: 'exp is missing' })
  if (exp + skewSeconds * 1000 <= now) throw expired(exp, now)
  if (nbf !== undefined && nbf - skewSeconds * 1000 > now)
    throw problem('token_not_yet_valid', {
      reason: `it is valid in ${span(nbf - now)}, from ${new Date(nbf).toISOString()}`,
    })
  return exp
}

/** The last second a `Date` can name. */
const TIME_SECONDS_MAX = 8.64e12

const time = (claims: Record<string, unknown>, name: 'exp' | 'nbf' | 'iat'): number | undefined => {
  const seconds = claims[name]
  if (seconds === undefined) return undefined
  if (typeof seconds !== 'number' || !(Math.abs(seconds) <= TIME_SECONDS_MAX))
    throw problem('token_invalid', { reason: `${name} is not a time in seconds since 1970` })
  return seconds * 1000
}

/** 20104 for what ended at `exp`, both in milliseconds since 1970. */
export const expired = (exp: number, now: number): Problem =>
  problem('token_expired', {
    ago: `${span(now - exp)} ago`,
    reason: `it was valid until ${new Date(exp).toISOString()}`,
  })

/** A length of time in its largest whole unit, as `5 minutes`. */
const span = (ms: number): string => {
  const seconds = Math.floor(ms / 1000)
  const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? [1, 'second']
  const count = Math.floor(seconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
]
