/** Flex Flows: declared, changed, found. */
import { FlexFlow, type FlexFlowRow } from '@parley/contract/flex/flex-flow.ts'
import { problem } from '@parley/contract/problem.ts'
import { findService } from '../chat/index.ts'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { find, insertNew, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { DEFAULT_INTEGRATION_TYPE, type IntegrationType, NO_STUDIO, readIntegration } from './integration.ts'

export const findFlexFlow = (
  reader: Reader,
  accountSid: string,
  sid: string,
): Promise<FlexFlowRow | undefined> => find(reader, 'flex_flows', { sid, account_sid: accountSid })

/** @throws 45205 where the account has no such flow */
export const requireFlexFlow = async (
  reader: Reader,
  accountSid: string,
  sid: string,
): Promise<FlexFlowRow> => {
  const flow = await findFlexFlow(reader, accountSid, sid)
  if (!flow) throw problem('flex_flow_not_found', { sid })
  return flow
}

export const flexFlowsOf = listing(
  'flex_flows',
  'sid',
  (query, at: { accountSid: string; friendlyName?: string | undefined }, given) => {
    const ofAccount = query.where('account_sid', '=', at.accountSid)
    return given('friendlyName')
      ? ofAccount.where('friendly_name', '=', at.friendlyName as string)
      : ofAccount
  },
)

const lockFlexFlow = reading((db, at: { accountSid: string; sid: string }, dialect) =>
  dialect.lock(
    db
      .selectFrom('flex_flows')
      .selectAll()
      .where('sid', '=', at.sid)
      .where('account_sid', '=', at.accountSid),
  ),
)

/**
 * Whoever enables flows of an account does so one after the other, so that the look for a conflict holds until the
 * commit; the unique index stands behind it.
 */
const lockEnabling = reading((db, at: { accountSid: string }, dialect) =>
  dialect.lock(db.selectFrom('accounts').select('sid').where('sid', '=', at.accountSid)),
)

const enabledFlow = reading(
  (db, at: { accountSid: string; channelType: FlexFlowRow['channel_type']; contactIdentity: string }) =>
    db
      .selectFrom('flex_flows')
      .select('sid')
      .where('account_sid', '=', at.accountSid)
      .where('channel_type', '=', at.channelType)
      .where((it) => it(it.fn.coalesce('contact_identity', it.val('')), '=', at.contactIdentity))
      .where('enabled', '=', 1),
)

/**
 * At most one enabled flow per channel type and contact identity: by them a conversation that comes in finds its flow.
 * @throws 45004 for a flow that cannot run; 45210 where another one is enabled
 */
const requireEnabling = async (tx: Tx, row: FlexFlowRow): Promise<void> => {
  if (row.enabled !== 1) return
  if (row.integration_type === 'studio') throw problem('flex_invalid', { reason: `Enabled: ${NO_STUDIO}` })
  await lockEnabling.first(tx, { accountSid: row.account_sid })
  const other = await enabledFlow.first(tx, {
    accountSid: row.account_sid,
    channelType: row.channel_type,
    contactIdentity: row.contact_identity ?? '',
  })
  if (other && other.sid !== row.sid)
    throw problem('flex_flow_conflict', {
      channelType: row.channel_type,
      contactIdentity: row.contact_identity ?? '(none)',
      sid: other.sid,
    })
}

const requireService = async (reader: Reader, accountSid: string, sid: string): Promise<void> => {
  if (!(await findService(reader, accountSid, sid)))
    throw problem('flex_invalid', { reason: `ChatServiceSid: ${sid} was not found` })
}

export interface FlexFlowWanted {
  readonly accountSid: string
  readonly friendlyName: string
  readonly chatServiceSid: string
  readonly channelType: FlexFlowRow['channel_type']
  readonly contactIdentity?: string | undefined
  readonly enabled?: boolean | undefined
  readonly integrationType: IntegrationType
  /** JSON, as `readIntegration` gives it. */
  readonly integration: string
  readonly longLived?: boolean | undefined
  readonly janitorEnabled?: boolean | undefined
}

/** @throws 45004, 45210 */
export const createFlexFlow = async (tx: Tx, wanted: FlexFlowWanted): Promise<FlexFlowRow> => {
  const row: FlexFlowRow = {
    sid: tx.newSid('FO'),
    account_sid: wanted.accountSid,
    friendly_name: wanted.friendlyName,
    chat_service_sid: wanted.chatServiceSid,
    channel_type: wanted.channelType,
    contact_identity: wanted.contactIdentity || null,
    enabled: Number(wanted.enabled ?? false),
    integration_type: wanted.integrationType,
    integration: wanted.integration,
    long_lived: Number(wanted.longLived ?? false),
    janitor_enabled: Number(wanted.janitorEnabled ?? false),
    date_created: tx.now(),
    date_updated: tx.now(),
  }
  await requireEnabling(tx, row)
  if (!(await insertNew(tx, 'flex_flows', row))) throw problem('flex_exists')
  return row
}

export const flexFlow = bind(FlexFlow, {
  list: (reader, { accountSid, input, page }) =>
    flexFlowsOf(reader, { accountSid, friendlyName: input.friendlyName }, page),
  fetch: (reader, { accountSid, path }) => findFlexFlow(reader, accountSid, path.sid),
  create: async (tx, { accountSid, input }) => {
    await requireService(tx, accountSid, input.chatServiceSid)
    const integrationType = input.integrationType ?? DEFAULT_INTEGRATION_TYPE
    return createFlexFlow(tx, {
      ...input,
      accountSid,
      integrationType,
      integration: await readIntegration(tx, accountSid, integrationType, input),
    })
  },
  update: async (tx, { accountSid, path, input }) => {
    // Before the flow's own row, in the order in which `requireEnabling` of a new flow takes them.
    await lockEnabling.first(tx, { accountSid })
    const was = await lockFlexFlow.first(tx, { accountSid, sid: path.sid })
    if (!was) return undefined
    if (input.chatServiceSid) await requireService(tx, accountSid, input.chatServiceSid)
    const integrationType = input.integrationType ?? was.integration_type
    const kept = integrationType === was.integration_type ? was.integration : undefined
    const row: FlexFlowRow = {
      ...was,
      friendly_name: input.friendlyName ?? was.friendly_name,
      chat_service_sid: input.chatServiceSid ?? was.chat_service_sid,
      channel_type: input.channelType ?? was.channel_type,
      contact_identity:
        input.contactIdentity === undefined ? was.contact_identity : input.contactIdentity || null,
      enabled: input.enabled === undefined ? was.enabled : Number(input.enabled),
      integration_type: integrationType,
      integration: asksIntegration(input)
        ? await readIntegration(tx, accountSid, integrationType, input, kept)
        : was.integration,
      long_lived: input.longLived === undefined ? was.long_lived : Number(input.longLived),
      janitor_enabled:
        input.janitorEnabled === undefined ? was.janitor_enabled : Number(input.janitorEnabled),
      date_updated: tx.now(),
    }
    await requireEnabling(tx, row)
    const { sid, ...changes } = row
    return update(tx, 'flex_flows', { sid }, changes)
  },
  delete: async (tx, { accountSid, path }) =>
    (await remove(tx, 'flex_flows', { sid: path.sid, account_sid: accountSid })) > 0,
})

const asksIntegration = (input: object): boolean =>
  Object.keys(input).some((it) => it.startsWith('integration'))
