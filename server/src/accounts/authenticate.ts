/**
 * Who is asking. Basic authentication in the three ways Twilio has: account SID and auth token, API key SID and
 * secret, and the user name `token` with an access token for password.
 */
import { timingSafeEqual } from 'node:crypto'
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import type { AccessToken } from '../http/binding.ts'
import type { Reader } from '../store/tx.ts'
import { verifyAccessToken } from './access-token.ts'
import { findAccount, findApiKey } from './account.ts'

export interface Caller {
  readonly accountSid: string
  /** Present when a client asks. */
  readonly token: AccessToken | undefined
}

/** The user name that says the password is an access token. */
const TOKEN_USER = 'token'

/**
 * @param authorization the header, as it came
 * @throws 20003 without good credentials; 20101 to 20107 for what is wrong with an access token
 */
export const authenticate = async (reader: Reader, authorization: string | undefined): Promise<Caller> => {
  const [user, password] = credentials(authorization)
  if (user === TOKEN_USER) return believeToken(reader, password)
  const accountSid = await accountOf(reader, user, password)
  if (accountSid === undefined) throw problem('unauthenticated')
  return { accountSid, token: undefined }
}

const credentials = (authorization: string | undefined): [user: string, password: string] => {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) throw problem('unauthenticated')
  const plain = Buffer.from(encoded, 'base64').toString()
  const colon = plain.indexOf(':')
  if (colon < 0) throw problem('unauthenticated')
  return [plain.slice(0, colon), plain.slice(colon + 1)]
}

/** What is no SID is not looked up: a database may choke on what people send. */
const accountOf = async (reader: Reader, user: string, password: string): Promise<string | undefined> => {
  if (isSid('AC', user)) return accountOfAuthToken(reader, user, password)
  return isSid('SK', user) ? accountOfApiKey(reader, user, password) : undefined
}

const accountOfAuthToken = async (
  reader: Reader,
  sid: string,
  given: string,
): Promise<string | undefined> => {
  const account = await findAccount(reader, sid)
  if (account?.status !== 'active') return undefined
  return isSame(reader.unseal(account.auth_token_sealed), given) ? sid : undefined
}

const accountOfApiKey = async (reader: Reader, sid: string, given: string): Promise<string | undefined> => {
  const key = await findApiKey(reader, sid)
  if (!key || !isSame(reader.unseal(key.secret_sealed), given)) return undefined
  const account = await findAccount(reader, key.account_sid)
  return account?.status === 'active' ? account.sid : undefined
}

/** In a time that tells nothing about where they differ. */
const isSame = (kept: string, given: string): boolean => {
  const [a, b] = [Buffer.from(kept), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Reads and believes an access token.
 * @throws 20101 to 20107, each with its sentence
 */
export const believeToken = async (reader: Reader, jwt: string): Promise<Caller> => {
  const token = await verifyAccessToken(jwt, {
    now: reader.now(),
    findKey: async (sid) => {
      const key = await findApiKey(reader, sid)
      return key && { accountSid: key.account_sid, secret: reader.unseal(key.secret_sealed) }
    },
  })
  const account = await findAccount(reader, token.accountSid)
  if (account?.status !== 'active')
    throw problem('token_issuer', { reason: `its account ${account ? 'is suspended' : 'does not exist'}` })
  return { accountSid: token.accountSid, token }
}
