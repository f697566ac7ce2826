/** Accounts and their keys. A secret is in the clear only when it is made; at rest it is sealed. */
import type { Selectable } from 'kysely'
import { reading } from '../store/query.ts'
import { find, insert, update } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader, Tx } from '../store/tx.ts'

export type AccountRow = Selectable<Tables['accounts']>
export type ApiKeyRow = Selectable<Tables['api_keys']>

const AUTH_TOKEN_DIGITS = 32
const API_KEY_SECRET_DIGITS = 32

export interface AccountWanted {
  readonly friendlyName: string
  readonly sid?: string | undefined
  readonly authToken?: string | undefined
  /** The account that makes this one; without it the account owns itself. */
  readonly ownerSid?: string | undefined
}

export interface NewAccount {
  readonly sid: string
  readonly authToken: string
}

export const createAccount = async (
  tx: Tx,
  {
    friendlyName,
    sid = tx.newSid('AC'),
    authToken = tx.newSecret(AUTH_TOKEN_DIGITS),
    ownerSid = sid,
  }: AccountWanted,
): Promise<NewAccount> => {
  await insert(tx, 'accounts', {
    sid,
    friendly_name: friendlyName,
    owner_sid: ownerSid,
    status: 'active',
    auth_token_sealed: tx.seal(authToken),
    date_created: tx.now(),
    date_updated: tx.now(),
  })
  return { sid, authToken }
}

/** Gives an account another auth token; the old one is good for nothing from then on. */
export const changeAuthToken = async (tx: Tx, sid: string, authToken: string): Promise<void> => {
  await update(tx, 'accounts', { sid }, { auth_token_sealed: tx.seal(authToken), date_updated: tx.now() })
}

export interface NewApiKey {
  readonly sid: string
  readonly secret: string
}

export const createApiKey = async (
  tx: Tx,
  accountSid: string,
  {
    friendlyName,
    sid = tx.newSid('SK'),
    secret = tx.newSecret(API_KEY_SECRET_DIGITS),
  }: { friendlyName: string; sid?: string | undefined; secret?: string | undefined },
): Promise<NewApiKey> => {
  await insert(tx, 'api_keys', {
    sid,
    account_sid: accountSid,
    friendly_name: friendlyName,
    secret_sealed: tx.seal(secret),
    date_created: tx.now(),
  })
  return { sid, secret }
}

export const changeApiKeySecret = async (tx: Tx, sid: string, secret: string): Promise<void> => {
  await update(tx, 'api_keys', { sid }, { secret_sealed: tx.seal(secret) })
}

export const findAccount = (reader: Reader, sid: string): Promise<AccountRow | undefined> =>
  find(reader, 'accounts', { sid })

export const findApiKey = (reader: Reader, sid: string): Promise<ApiKeyRow | undefined> =>
  find(reader, 'api_keys', { sid })

const every = reading((db, _: { all: true }) => db.selectFrom('accounts').selectAll().orderBy('sid'))

export const allAccounts = (reader: Reader): Promise<AccountRow[]> => every.all(reader, { all: true })

const firstKey = reading((db, at: { accountSid: string }) =>
  db.selectFrom('api_keys').selectAll().where('account_sid', '=', at.accountSid).orderBy('sid').limit(1),
)

/** The key that signs the guest tokens of an account: its first. */
export const signingKeyOf = async (reader: Reader, accountSid: string): Promise<NewApiKey | undefined> => {
  const key = await firstKey.first(reader, { accountSid })
  return key && { sid: key.sid, secret: reader.unseal(key.secret_sealed) }
}

/** What an account signs its webhooks with. */
export const authTokenOf = async (reader: Reader, accountSid: string): Promise<string | undefined> => {
  const account = await findAccount(reader, accountSid)
  return account && reader.unseal(account.auth_token_sealed)
}
