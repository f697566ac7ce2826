/**
 * Access tokens: what a client shows instead of a key.
 *
 * A JWT signed with an API key's secret, in the form of Twilio's published helper libraries: header `typ` JWT and
 * `cty` twilio-fpa;v=1, issuer the API key, subject the account, and `grants` with the identity and a part for each
 * product. Every way it can be wrong has Twilio's own code (20101 to 20107, 20157) and a sentence of its own.
 */
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import type { AccessToken } from '../http/binding.ts'
import { type Algorithm, checkSignature, checkTimes, isRecord, readJwt, writeJwt } from './jwt.ts'

const CONTENT_TYPE = 'twilio-fpa;v=1'
const ALGORITHMS: readonly Algorithm[] = ['HS256', 'HS384', 'HS512']

/** Twilio's limit, 24 hours (error 20157). */
const LIFETIME_SECONDS_MAX = 24 * 60 * 60

/** The life of a guest's token: one hour. */
export const GUEST_TOKEN_SECONDS = 60 * 60

export interface SigningKey {
  readonly accountSid: string
  readonly secret: string
}

/**
 * Believes an access token, or says why not.
 * @param now milliseconds since 1970
 * @throws 20101 not a token, 20102 header, 20103 issuer or subject, 20104 expired, 20105 not yet valid,
 *   20106 grants, 20107 signature, 20157 made to live longer than 24 hours
 */
export const verifyAccessToken = async (
  raw: string,
  { findKey, now }: { findKey(sid: string): Promise<SigningKey | undefined>; now: number },
): Promise<AccessToken> => {
  const { header, claims } = readJwt(raw)
  if (header.typ !== 'JWT')
    throw problem('token_header', { reason: `typ is ${shown(header.typ)}, not "JWT"` })
  if (header.cty !== CONTENT_TYPE)
    throw problem('token_header', { reason: `cty is ${shown(header.cty)}, not "${CONTENT_TYPE}"` })

  const { iss: keySid, sub: accountSid } = claims
  if (typeof keySid !== 'string' || !isSid('SK', keySid))
    throw problem('token_issuer', { reason: `iss is ${shown(keySid)}, not the SID of an API key` })
  if (typeof accountSid !== 'string' || !isSid('AC', accountSid))
    throw problem('token_issuer', { reason: `sub is ${shown(accountSid)}, not the SID of an account` })
  const key = await findKey(keySid)
  if (!key) throw problem('token_issuer', { reason: `there is no API key ${shown(keySid)}` })
  if (key.accountSid !== accountSid)
    throw problem('token_issuer', {
      reason: `API key ${keySid} is not a key of account ${shown(accountSid)}`,
    })

  checkSignature(raw, header, key.secret, ALGORITHMS, `the secret of API key ${keySid}`)
  const expiresAt = checkTimes(claims, now)
  checkLifetime(claims, now)
  const { identity, grants } = readGrants(claims.grants)
  return { accountSid, keySid, identity, grants, expiresAt }
}

/** From when it was made; a token that says it is made in the future is measured from now. */
const checkLifetime = ({ iat, nbf, exp }: Record<string, unknown>, now: number) => {
  const nowSeconds = Math.ceil(now / 1000)
  const began = [iat, nbf].find((it) => typeof it === 'number') ?? nowSeconds
  const seconds = Number(exp) - Math.min(began, nowSeconds)
  // The clock that made it may run a little before ours.
  const allowed = began > nowSeconds ? LIFETIME_SECONDS_MAX + 60 : LIFETIME_SECONDS_MAX
  if (seconds > allowed)
    throw problem('token_lifetime', {
      reason: `it lives ${seconds} seconds, and ${LIFETIME_SECONDS_MAX} are the most`,
    })
}

/** `grants` as they came, the identity among them, since that is how the published libraries read them. */
const readGrants = (grants: unknown): { identity: string; grants: Record<string, unknown> } => {
  if (!isRecord(grants)) throw problem('token_grants', { reason: 'grants is missing or not an object' })
  const { identity } = grants
  if (typeof identity !== 'string' || identity === '')
    throw problem('token_grants', { reason: 'grants.identity is missing or not a non-empty string' })
  // Identities and SIDs of grants are looked up, and PostgreSQL keeps no NUL in text.
  if (holdsNul(grants)) throw problem('token_grants', { reason: 'grants contain a NUL character' })
  for (const [name, grant] of Object.entries(grants))
    if (name !== 'identity' && !isRecord(grant))
      throw problem('token_grants', { reason: `grants.${quotable(name)} is not an object` })
  return { identity, grants }
}

const holdsNul = (value: unknown): boolean => {
  if (typeof value === 'string') return value.includes('\0')
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsNul)
}

/** The products whose doors ask for a grant. */
export type GrantName = 'chat' | 'task_router' | 'data_sync'

/**
 * The part of a token for one product, such as `{ service_sid }` for `chat`.
 * @throws 20106 when the token has none
 */
export const requireGrant = (
  { grants }: Pick<AccessToken, 'grants'>,
  name: GrantName,
): Readonly<Record<string, unknown>> => {
  const grant = Object.hasOwn(grants, name) ? grants[name] : undefined
  if (!isRecord(grant)) throw problem('token_grants', { reason: `it has no ${name} grant` })
  return grant
}

/**
 * Refuses a client whose token is not for what it asks of a product. Chat's grant names the one service it opens;
 * TaskRouter knows a worker's token by itself.
 * @throws 20106 without the grant, 50107 when it is for another service
 */
export const requireGrantFor = (
  product: string,
  { token, path }: { readonly token: AccessToken | undefined; readonly path: object },
): void => {
  if (!token || product !== 'chat') return
  const { service_sid: granted } = requireGrant(token, 'chat')
  if (typeof granted !== 'string')
    throw problem('token_grants', { reason: 'its chat grant names no service' })
  const { serviceSid } = path as { serviceSid?: string }
  if (serviceSid !== granted) throw problem('not_permitted')
}

export interface TokenWanted {
  readonly accountSid: string
  readonly keySid: string
  readonly secret: string
  readonly identity: string
  /** A part for each product, as `{ chat: { service_sid } }`; the identity is added. */
  readonly grants: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** From 1 second to 24 hours; an hour, a guest's, unless said otherwise. */
  readonly ttlSeconds?: number | undefined
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Makes a token as the published helper libraries make theirs, and when it expires, in milliseconds since 1970. */
export const mintAccessToken = ({
  accountSid,
  keySid,
  secret,
  identity,
  grants,
  ttlSeconds = GUEST_TOKEN_SECONDS,
  now,
}: TokenWanted): { jwt: string; expiresAt: number } => {
  if (!(ttlSeconds >= 1 && ttlSeconds <= LIFETIME_SECONDS_MAX))
    throw new RangeError(`A token lives from 1 to ${LIFETIME_SECONDS_MAX} seconds, not ${ttlSeconds}`)
  const issuedAt = Math.floor(now / 1000)
  const expiry = issuedAt + Math.floor(ttlSeconds)
  const jwt = writeJwt(
    { typ: 'JWT', cty: CONTENT_TYPE },
    {
      jti: `${keySid}-${issuedAt}`,
      grants: { identity, ...grants },
      iss: keySid,
      sub: accountSid,
      iat: issuedAt,
      exp: expiry,
    },
    secret,
  )
  return { jwt, expiresAt: expiry * 1000 }
}

const SHOWN_LENGTH_MAX = 64

/** What a client sent, short enough to say back. */
const shown = (value: unknown): string =>
  value === undefined ? 'missing' : quotable(JSON.stringify(value) ?? typeof value)

const quotable = (text: string): string =>
  text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text
