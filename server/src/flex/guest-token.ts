/**
 * Guest tokens: who asks, from anywhere, gets an identity that the house makes up and an hour to use it, for chat and
 * for Web Channels. Before the hour is over the token can be changed for another of the same identity.
 *
 * They are access tokens of the published form, signed with the account's first API key. They are made and believed
 * here, at once, because a transaction must not wait for the threads that sign and check tokens elsewhere.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  GuestToken,
  GuestTokenRefresh,
  type GuestTokenRow,
  PreviewGuestToken,
  PreviewGuestTokenRefresh,
  PreviewGuestTokenV1,
  PreviewGuestTokenV1Refresh,
} from '@parley/contract/flex/guest-token.ts'
import { problem } from '@parley/contract/problem.ts'
import { signingKeyOf } from '../accounts/index.ts'
import { type Binding, bind, type Call } from '../http/binding.ts'
import type { Tx } from '../store/tx.ts'
import { asObject } from './attributes.ts'
import { requireConfiguration } from './configuration.ts'

const LIFETIME_SECONDS = 3_600
const IDENTITY_DIGITS = 32
const GUEST = 'guest'
const HEADER = encoded({ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' })

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

const signature = (content: string, secret: string): Buffer =>
  createHmac('sha256', secret).update(content).digest()

const requireKey = async (tx: Tx, accountSid: string) => {
  const key = await signingKeyOf(tx, accountSid)
  if (!key) throw problem('flex_invalid', { reason: 'The account has no API key to sign guest tokens with' })
  return key
}

const mint = async (tx: Tx, accountSid: string, identity: string): Promise<GuestTokenRow> => {
  const key = await requireKey(tx, accountSid)
  const { chat_service_instance_sid: serviceSid } = await requireConfiguration(tx, accountSid)
  const issuedAt = Math.floor(tx.now() / 1000)
  const expiry = issuedAt + LIFETIME_SECONDS
  const content = `${HEADER}.${encoded({
    jti: `${key.sid}-${issuedAt}`,
    // The part for Flex is how a guest is told from a client whose token the account itself has made.
    grants: { identity, chat: { service_sid: serviceSid }, flex: { role: GUEST } },
    iss: key.sid,
    sub: accountSid,
    iat: issuedAt,
    exp: expiry,
  })}`
  return {
    identity,
    token: `${content}.${signature(content, key.secret).toString('base64url')}`,
    expiration: new Date(expiry * 1000).toISOString(),
    roles: JSON.stringify([GUEST]),
  }
}

/**
 * The identity of a guest token that is still good.
 * @throws 20101 for what is no guest token of this account, 20104 for one that is over, 20107 for one that we did
 *   not sign
 */
const identityIn = async (tx: Tx, accountSid: string, jwt: string): Promise<string> => {
  const [header, payload, signed, more] = jwt.split('.')
  if (header !== HEADER || payload === undefined || signed === undefined || more !== undefined)
    throw problem('token_invalid', { reason: 'it is not a guest token' })
  const key = await requireKey(tx, accountSid)
  const [ours, theirs] = [signature(`${header}.${payload}`, key.secret), Buffer.from(signed, 'base64url')]
  if (ours.length !== theirs.length || !timingSafeEqual(ours, theirs))
    throw problem('token_signature', { reason: 'it was not signed with the key of guest tokens' })
  const { sub, exp, grants } = asObject(Buffer.from(payload, 'base64url').toString())
  const { identity, flex } = asObject(JSON.stringify(grants ?? null)) as {
    identity?: unknown
    flex?: { role?: unknown }
  }
  if (sub !== accountSid || typeof identity !== 'string' || flex?.role !== GUEST)
    throw problem('token_invalid', { reason: 'it is not a guest token of this account' })
  const left = Number(exp) * 1000 - tx.now()
  if (!(left > 0))
    throw problem('token_expired', {
      ago: `${Math.floor(-left / 1000)} seconds ago`,
      reason: 'ask for a new guest token',
    })
  return identity
}

const inBody = (json: unknown, name: string): unknown =>
  typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[name] : undefined

const create = async (tx: Tx, { accountSid, json }: Call): Promise<GuestTokenRow> => {
  const products = inBody(json, 'products')
  if (!Array.isArray(products) || !products.includes('flex'))
    throw problem('invalid_parameter', { parameter: 'products', reason: 'it must be ["flex"]' })
  return mint(tx, accountSid, tx.newSecret(IDENTITY_DIGITS))
}

const refresh = async (tx: Tx, { accountSid, json }: Call): Promise<GuestTokenRow> => {
  const token = inBody(json, 'token')
  if (typeof token !== 'string') throw problem('missing_parameter', { parameter: 'token' })
  return mint(tx, accountSid, await identityIn(tx, accountSid, token))
}

export const guestTokens: readonly Binding[] = [
  bind(GuestToken, { create }),
  bind(GuestTokenRefresh, { create: refresh }),
  bind(PreviewGuestToken, { create }),
  bind(PreviewGuestTokenRefresh, { create: refresh }),
  bind(PreviewGuestTokenV1, { create }),
  bind(PreviewGuestTokenV1Refresh, { create: refresh }),
]
