/** A new account has what a new Flex project has, from its first moment. */
import { createAccount, createApiKey, type NewAccount } from './accounts/index.ts'
import { provisionFlex } from './flex/index.ts'
import type { Tx } from './store/tx.ts'

export interface AccountProvided {
  readonly friendlyName: string
  readonly ownerSid?: string | undefined
  readonly sid?: string | undefined
  readonly authToken?: string | undefined
  readonly apiKeySid?: string | undefined
  readonly apiKeySecret?: string | undefined
}

export interface Provisioned extends NewAccount {
  readonly apiKeySid: string
  readonly apiKeySecret: string
}

/** The account, its first API key (which signs its guest tokens), and its Flex project. */
export const provisionAccount = async (tx: Tx, wanted: AccountProvided): Promise<Provisioned> => {
  const account = await createAccount(tx, wanted)
  const key = await createApiKey(tx, account.sid, {
    friendlyName: 'First key',
    sid: wanted.apiKeySid,
    secret: wanted.apiKeySecret,
  })
  await provisionFlex(tx, { accountSid: account.sid })
  return { ...account, apiKeySid: key.sid, apiKeySecret: key.secret }
}
