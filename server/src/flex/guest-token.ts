/**
 * Guest tokens: who asks, from anywhere, gets an identity that the house makes up and an hour to use it, for chat and
 * for Web Channels. Before the hour is over the token can be changed for another of the same identity.
 *
 * They are access tokens of the published form, signed with the account's first API key.
 */
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
import {
  checkSignature,
  checkTimes,
  isRecord,
  mintAccessToken,
  readJwt,
  signingKeyOf,
} from '../accounts/index.ts'
import { type Binding, bind, type Call } from '../http/binding.ts'
import type { Tx } from '../store/tx.ts'
import { requireConfiguration } from './configuration.ts'
import { guestRoleSidOf } from './role.ts'

const IDENTITY_DIGITS = 32
const GUEST = 'guest'

const requireKey = async (tx: Tx, accountSid: string) => {
  const key = await signingKeyOf(tx, accountSid)
  if (!key) throw problem('flex_invalid', { reason: 'The account has no API key to sign guest tokens with' })
  return key
}

const mint = async (tx: Tx, accountSid: string, identity: string): Promise<GuestTokenRow> => {
  const key = await requireKey(tx, accountSid)
  const { chat_service_instance_sid: serviceSid } = await requireConfiguration(tx, accountSid)
  const roleSid = await guestRoleSidOf(tx, { sid: String(serviceSid) })
  const { jwt, expiresAt } = mintAccessToken({
    accountSid,
    keySid: key.sid,
    secret: key.secret,
    identity,
    // The part for Flex is how a guest is told from a client whose token the account itself has made.
    grants: {
      chat: { service_sid: serviceSid, ...(roleSid && { deployment_role_sid: roleSid }) },
      flex: { role: GUEST },
    },
    now: tx.now(),
  })
  return {
    identity,
    token: jwt,
    expiration: new Date(expiresAt).toISOString(),
    roles: JSON.stringify([GUEST]),
  }
}

/**
 * The identity of a guest token that is still good.
 * @throws 20101 or 20102 for what is no guest token of this account, 20104 for one that is over, 20107 for one we did
 *   not sign
 */
const identityIn = async (tx: Tx, accountSid: string, jwt: string): Promise<string> => {
  const { header, claims } = readJwt(jwt)
  const { secret } = await requireKey(tx, accountSid)
  checkSignature(jwt, header, secret, ['HS256'], 'the key of guest tokens')
  // Our own clock made it, so there is nothing to allow for.
  checkTimes(claims, tx.now(), 0)
  const { sub, grants } = claims
  const { identity, flex } = isRecord(grants) ? grants : {}
  if (sub !== accountSid || typeof identity !== 'string' || !isRecord(flex) || flex.role !== GUEST)
    throw problem('token_invalid', { reason: 'it is not a guest token of this account' })
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
