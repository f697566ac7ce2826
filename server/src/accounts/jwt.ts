/** What access tokens and capability tokens share: reading a JWT, its signature and its times. */
import { problem } from '@parley/contract/problem.ts'
import { compactVerify, decodeJwt, decodeProtectedHeader, errors } from 'jose'

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

/**
 * Takes a JWT apart; believes nothing yet.
 * @throws 20101 when it is none
 */
export const readJwt = (raw: string): Jwt => {
  if (raw.length > JWT_LENGTH_MAX)
    throw problem('token_invalid', { reason: `it is longer than ${JWT_LENGTH_MAX} characters` })
  if (raw.split('.').length !== 3)
    throw problem('token_invalid', { reason: 'it is not a JWT of three parts' })
  return {
    header: part(raw, decodeProtectedHeader, 'header'),
    claims: part(raw, decodeJwt, 'payload'),
  }
}

const part = <T>(raw: string, decode: (raw: string) => T, which: string): T => {
  try {
    return decode(raw)
  } catch {
    throw problem('token_invalid', { reason: `its ${which} is not a JSON object in base64url` })
  }
}

/**
 * @param whose names the secret in the sentence of a failure
 * @throws 20102 when the algorithm is not one of those, 20107 when the signature is not made with the secret
 */
export const checkSignature = async (
  raw: string,
  header: Record<string, unknown>,
  secret: string,
  algorithms: string[],
  whose: string,
): Promise<void> => {
  if (typeof header.alg !== 'string' || !algorithms.includes(header.alg))
    throw problem('token_header', { reason: `alg must be ${algorithms.join(', ')}` })
  try {
    await compactVerify(raw, new TextEncoder().encode(secret), { algorithms })
  } catch (fault) {
    if (fault instanceof errors.JWSSignatureVerificationFailed)
      throw problem('token_signature', { reason: `it was not signed with ${whose}` })
    // What is left is a `crit` or `b64` that asks for more than a plain JWT, or a third part that is no base64url.
    if (fault instanceof errors.JOSENotSupported || Object.hasOwn(header, 'crit'))
      throw problem('token_header', { reason: 'it asks for an extension that is not served' })
    if (fault instanceof errors.JOSEError)
      throw problem('token_signature', { reason: 'its signature is not base64url' })
    throw fault
  }
}

/**
 * @param now milliseconds since 1970
 * @returns when it expires, in milliseconds since 1970
 * @throws 20101 for a time that is none, 20104 expired, 20105 not yet valid
 */
export const checkTimes = (claims: Record<string, unknown>, now: number): number => {
  const exp = time(claims, 'exp')
  const nbf = time(claims, 'nbf')
  time(claims, 'iat')
  if (exp === undefined) throw problem('token_invalid', { reason: 'exp is missing' })
  if (exp + SKEW_SECONDS * 1000 <= now)
    throw problem('token_expired', {
      ago: `${span(now - exp)} ago`,
      reason: `it was valid until ${new Date(exp).toISOString()}`,
    })
  if (nbf !== undefined && nbf - SKEW_SECONDS * 1000 > now)
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
