/** The account of whoever started the house: made at the first start, kept at every other, as the settings say. */
import {
  allAccounts,
  authTokenOf,
  changeApiKeySecret,
  changeAuthToken,
  createApiKey,
  findApiKey,
  signingKeyOf,
} from './accounts/index.ts'
import { type Provisioned, provisionAccount } from './provision.ts'
import { SettingsError } from './settings.ts'
import type { Store, Tx } from './store/tx.ts'

export interface FirstAccountWanted {
  readonly accountSid?: string | undefined
  readonly authToken?: string | undefined
  readonly apiKeySid?: string | undefined
  readonly apiKeySecret?: string | undefined
}

/**
 * Settings that name an account, a token or a key win over what is kept.
 * @throws SettingsError where the key is another account's
 */
export const firstAccount = (store: Store, wanted: FirstAccountWanted): Promise<Provisioned> =>
  store.transact('first account', async (tx) => {
    const known = await allAccounts(tx)
    const kept = wanted.accountSid
      ? known.find((it) => it.sid === wanted.accountSid)
      : known.find((it) => it.owner_sid === it.sid)
    if (!kept)
      return provisionAccount(tx, {
        friendlyName: 'First account',
        sid: wanted.accountSid,
        authToken: wanted.authToken,
        apiKeySid: wanted.apiKeySid,
        apiKeySecret: wanted.apiKeySecret,
      })
    if (wanted.authToken) await changeAuthToken(tx, kept.sid, wanted.authToken)
    const key = await keyOf(tx, kept.sid, wanted)
    return {
      sid: kept.sid,
      authToken: (await authTokenOf(tx, kept.sid)) ?? '',
      apiKeySid: key.sid,
      apiKeySecret: key.secret,
    }
  })

const keyOf = async (tx: Tx, accountSid: string, { apiKeySid, apiKeySecret }: FirstAccountWanted) => {
  const first = await signingKeyOf(tx, accountSid)
  if (!apiKeySid)
    return first ?? createApiKey(tx, accountSid, { friendlyName: 'First key', secret: apiKeySecret })
  const kept = await findApiKey(tx, apiKeySid)
  if (!kept)
    return createApiKey(tx, accountSid, {
      friendlyName: 'From settings',
      sid: apiKeySid,
      secret: apiKeySecret,
    })
  if (kept.account_sid !== accountSid)
    throw new SettingsError([
      {
        name: 'PARLEY_API_KEY_SID',
        value: apiKeySid,
        wants: `is a key of another account in this database; take one of ${accountSid}, or none`,
      },
    ])
  if (apiKeySecret) await changeApiKeySecret(tx, apiKeySid, apiKeySecret)
  return { sid: apiKeySid, secret: apiKeySecret ?? tx.unseal(kept.secret_sealed) }
}
