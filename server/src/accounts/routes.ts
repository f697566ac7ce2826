/** Accounts and their keys over REST: an account sees itself and those it made, and nobody else's. */
import { Account, type AccountAnswer, ApiKey, type ApiKeyAnswer } from '@parley/contract/accounts/account.ts'
import { problem } from '@parley/contract/problem.ts'
import { bind, type Routes } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { find, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { sayAccessEnded } from './access.ts'
import { type AccountRow, type ApiKeyRow, createApiKey, findAccount, type NewAccount } from './account.ts'

const answerAccount = (row: AccountRow, authToken: string | null = null): AccountAnswer => ({
  sid: row.sid,
  owner_sid: row.owner_sid,
  friendly_name: row.friendly_name,
  status: row.status,
  auth_token: authToken,
  date_created: row.date_created,
  date_updated: row.date_updated,
})

const answerKey = (row: ApiKeyRow, secret: string | null = null): ApiKeyAnswer => ({
  sid: row.sid,
  account_sid: row.account_sid,
  friendly_name: row.friendly_name,
  secret,
  date_created: row.date_created,
})

const owned = listing('accounts', 'sid', (query, at: { ownerSid: string }) =>
  query.where((it) => it.or([it('owner_sid', '=', at.ownerSid), it('sid', '=', at.ownerSid)])),
)

const keysOf = listing('api_keys', 'sid', (query, at: { accountSid: string }) =>
  query.where('account_sid', '=', at.accountSid),
)

/** An account as `asker` may see it: itself, or one it made. */
const visible = async (reader: Reader, asker: string, sid: string): Promise<AccountRow | undefined> => {
  const account = await findAccount(reader, sid)
  return account && (account.sid === asker || account.owner_sid === asker) ? account : undefined
}

const requireVisible = async (reader: Reader, asker: string, sid: string): Promise<AccountRow> => {
  const account = await visible(reader, asker, sid)
  if (!account) throw problem('not_found', { path: `/Parley/Accounts/${sid}` })
  return account
}

/** Makes an account with all that belongs to it. */
export type ProvisionAccount = (
  tx: Tx,
  wanted: { friendlyName: string; ownerSid: string },
) => Promise<NewAccount>

export const accountRoutes = (provision: ProvisionAccount): Routes => ({
  served: [
    bind(Account, {
      list: async (reader, { accountSid, page }) =>
        (await owned(reader, { ownerSid: accountSid }, page)).map((it) => answerAccount(it)),
      fetch: async (reader, { accountSid, path }) => {
        const row = await visible(reader, accountSid, path.sid)
        return row && answerAccount(row)
      },
      create: async (tx, { accountSid, input }) => {
        const asker = await findAccount(tx, accountSid)
        if (asker?.owner_sid !== accountSid)
          throw problem('access_denied', { reason: 'only an account that nobody made can make others' })
        const made = await provision(tx, { friendlyName: input.friendlyName, ownerSid: accountSid })
        const row = await requireVisible(tx, accountSid, made.sid)
        return answerAccount(row, made.authToken)
      },
      update: async (tx, { accountSid, path, input }) => {
        const row = await visible(tx, accountSid, path.sid)
        if (!row) return undefined
        if (row.sid === accountSid && input.status === 'suspended')
          throw problem('access_denied', { reason: 'an account cannot suspend itself' })
        const changed = await update(
          tx,
          'accounts',
          { sid: row.sid },
          {
            ...(input.friendlyName === undefined ? {} : { friendly_name: input.friendlyName }),
            ...(input.status === undefined ? {} : { status: input.status }),
            date_updated: tx.now(),
          },
        )
        if (input.status === 'suspended') sayAccessEnded(tx)
        return changed && answerAccount(changed)
      },
    }),
    bind(ApiKey, {
      list: async (reader, { accountSid, path, page }) => {
        await requireVisible(reader, accountSid, path.accountSid)
        return (await keysOf(reader, { accountSid: path.accountSid }, page)).map((it) => answerKey(it))
      },
      fetch: async (reader, { accountSid, path }) => {
        await requireVisible(reader, accountSid, path.accountSid)
        const row = await find(reader, 'api_keys', { sid: path.sid, account_sid: path.accountSid })
        return row && answerKey(row)
      },
      create: async (tx, { accountSid, path, input }) => {
        await requireVisible(tx, accountSid, path.accountSid)
        const { sid, secret } = await createApiKey(tx, path.accountSid, {
          friendlyName: input.friendlyName ?? '',
        })
        return answerKey((await find(tx, 'api_keys', { sid })) as ApiKeyRow, secret)
      },
      delete: async (tx, { accountSid, path }) => {
        await requireVisible(tx, accountSid, path.accountSid)
        const isGone = (await remove(tx, 'api_keys', { sid: path.sid, account_sid: path.accountSid })) > 0
        if (isGone) sayAccessEnded(tx)
        return isGone
      },
    }),
  ],
  unserved: [],
})
