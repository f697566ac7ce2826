/** The configuration of an account's Flex, kept as one document. */
import {
  Configuration,
  type ConfigurationRow,
  configurationFields,
  ProvisioningStatus,
  PublicConfiguration,
} from '@parley/contract/flex/configuration.ts'
import { problem } from '@parley/contract/problem.ts'
import { bind } from '../http/binding.ts'
import { reading } from '../store/query.ts'
import { find, insert, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { isDesk } from './desk.ts'

type Name = keyof typeof configurationFields

/** The configuration as JSON has it. */
export type ConfigurationDocument = { readonly [N in Name]?: unknown }

/** How deep a configuration may be, and how long it may be written, in bytes. */
const DEPTH_MAX = 100
const DOCUMENT_BYTES_MAX = 256 * 1024

/** Set once, when Flex is set up; what is given for them is passed over. */
const READ_ONLY: ReadonlySet<string> = new Set<Name>([
  'status',
  'taskrouter_workspace_sid',
  'chat_service_instance_sid',
  'flex_service_instance_sid',
  'flex_instance_sid',
  'runtime_domain',
  'service_version',
])

interface StoredConfiguration {
  readonly account_sid: string
  readonly document: string
  readonly date_created: number
  readonly date_updated: number
}

const asRow = ({ document, ...row }: StoredConfiguration): ConfigurationRow => {
  const known = JSON.parse(document) as ConfigurationDocument
  const columns = Object.entries(configurationFields).map(([name, { shows }]) => {
    const value = known[name as Name] ?? null
    return [name, value === null ? null : shows === 'json' ? JSON.stringify(value) : value]
  })
  return { ...row, ...Object.fromEntries(columns) } as ConfigurationRow
}

export const findConfiguration = async (
  reader: Reader,
  accountSid: string,
): Promise<ConfigurationRow | undefined> => {
  const stored = await find(reader, 'flex_configurations', { account_sid: accountSid })
  return stored && asRow(stored)
}

/** @throws 45004 where Flex is not set up */
export const requireConfiguration = async (reader: Reader, accountSid: string): Promise<ConfigurationRow> => {
  const row = await findConfiguration(reader, accountSid)
  if (!row) throw problem('flex_invalid', { reason: 'Flex is not set up for this account' })
  return row
}

export const createConfiguration = (
  tx: Tx,
  accountSid: string,
  document: ConfigurationDocument,
): Promise<void> =>
  insert(tx, 'flex_configurations', {
    account_sid: accountSid,
    document: JSON.stringify(document),
    date_created: tx.now(),
    date_updated: tx.now(),
  })

const locked = reading((db, at: { accountSid: string }, dialect) =>
  dialect.lock(db.selectFrom('flex_configurations').selectAll().where('account_sid', '=', at.accountSid)),
)

/** What a member must be, by the kind of its field. */
const fits = (name: Name, value: unknown): boolean => {
  if (value === null) return true
  const { shows, schema, reads } = configurationFields[name]
  if (shows === 'flag') return typeof value === 'boolean'
  if (shows === 'json') return schema.type === 'array' ? Array.isArray(value) : isRecord(value)
  return typeof value === 'string' && reads.safeParse(value).success
}

const isDeeperThan = (levels: number, value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((it) => isDeeperThan(levels - 1, it)))

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The members of a request that the configuration takes. Unknown ones are passed over.
 * @throws 45004 for a member of the wrong kind, or deeper than any honest one
 */
const readChanges = (accountSid: string, json: unknown): ConfigurationDocument => {
  if (!isRecord(json)) throw problem('flex_invalid', { reason: 'The configuration must be a JSON object' })
  if (isDeeperThan(DEPTH_MAX, json))
    throw problem('flex_invalid', { reason: 'The configuration is too deep' })
  if (json.account_sid !== undefined && json.account_sid !== accountSid)
    throw problem('flex_invalid', { reason: 'account_sid is not the account that asks' })
  const changes: Partial<Record<Name, unknown>> = {}
  for (const name of Object.keys(configurationFields) as Name[]) {
    if (!Object.hasOwn(json, name) || READ_ONLY.has(name)) continue
    if (!fits(name, json[name])) throw problem('flex_invalid', { reason: `${name} is not what it must be` })
    changes[name] = json[name]
  }
  return changes
}

export const configuration = bind(Configuration, {
  fetch: async (reader, { accountSid, token }) => {
    if (token && !isDesk(token))
      throw problem('access_denied', { reason: 'the access token is not that of an agent' })
    return findConfiguration(reader, accountSid)
  },
  update: async (tx, { accountSid, json }) => {
    const was = await locked.first(tx, { accountSid })
    if (!was) return undefined
    const document = JSON.stringify({ ...JSON.parse(was.document), ...readChanges(accountSid, json) })
    if (Buffer.byteLength(document) > DOCUMENT_BYTES_MAX)
      throw problem('flex_invalid', {
        reason: `The configuration is longer than ${DOCUMENT_BYTES_MAX} bytes`,
      })
    const now = await update(
      tx,
      'flex_configurations',
      { account_sid: accountSid },
      { document, date_updated: tx.now() },
    )
    return now && asRow(now)
  },
})

export const publicConfiguration = bind(PublicConfiguration, {
  fetch: async (reader, { input }) => {
    const row = input.accountSid === undefined ? undefined : await findConfiguration(reader, input.accountSid)
    const shown = row && {
      account_sid: row.account_sid,
      runtime_domain: row.runtime_domain,
      public_attributes: row.public_attributes === null ? null : JSON.parse(row.public_attributes),
    }
    return { configurations: JSON.stringify(shown ? [shown] : []) }
  },
})

export const provisioningStatus = bind(ProvisioningStatus, {
  fetch: async (reader, { accountSid }) => ({
    status: (await findConfiguration(reader, accountSid)) ? ('active' as const) : ('not-configured' as const),
  }),
})
