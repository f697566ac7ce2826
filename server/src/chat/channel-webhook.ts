/** Webhooks of one channel: five at the most, told of named events or of words in messages. */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import {
  CHANNEL_EVENT_TYPES,
  ChannelWebhook,
  type ChannelWebhookRow,
} from '@parley/contract/chat/channel-webhook.ts'
import { TRIGGER_MAX, TRIGGERS_MAX, WEBHOOK_URL_MAX, WEBHOOKS_MAX } from '@parley/contract/chat/limits.ts'
import { isSid, isWebAddress } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import type { InputFor } from '@parley/contract/resource.ts'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { find, insert, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { given, isNothing } from './given.ts'
import { inChannel, inLockedChannel } from './standing.ts'

export type WebhookType = ChannelWebhookRow['type']

/** What the answer shows as `configuration`. */
export interface WebhookConfiguration {
  readonly url?: string | undefined
  readonly method?: 'GET' | 'POST' | undefined
  readonly filters?: readonly string[] | undefined
  readonly triggers?: readonly string[] | undefined
  readonly flow_sid?: string | undefined
  readonly retry_count?: number | undefined
}

const webhooksOfChannel = reading((db, at: { channelSid: string }) =>
  db.selectFrom('channel_webhooks').selectAll().where('channel_sid', '=', at.channelSid).orderBy('sid'),
)

/** All of a channel's webhooks, the oldest first. */
export const webhooksOf = (reader: Reader, channelSid: string): Promise<ChannelWebhookRow[]> =>
  webhooksOfChannel.all(reader, { channelSid })

const pageOfWebhooks = listing('channel_webhooks', 'sid', (query, at: { channelSid: string }) =>
  query.where('channel_sid', '=', at.channelSid),
)

const findWebhook = (
  reader: Reader,
  channelSid: string,
  sid: string,
): Promise<ChannelWebhookRow | undefined> =>
  find(reader, 'channel_webhooks', { channel_sid: channelSid, sid })

/** @throws 50321 for a sixth; 50322 to 50332 for what is wrong with the configuration */
export const createChannelWebhook = async (
  tx: Tx,
  {
    channel,
    type,
    configuration,
  }: { channel: ChannelRow; type: WebhookType; configuration: WebhookConfiguration },
): Promise<ChannelWebhookRow> => {
  if ((await webhooksOf(tx, channel.sid)).length >= WEBHOOKS_MAX)
    throw problem('too_many_webhooks', { max: WEBHOOKS_MAX })
  const row: ChannelWebhookRow = {
    sid: tx.newSid('WH'),
    account_sid: channel.account_sid,
    service_sid: channel.service_sid,
    channel_sid: channel.sid,
    type,
    configuration: checked(type, configuration),
    date_created: tx.now(),
    date_updated: tx.now(),
  }
  await insert(tx, 'channel_webhooks', row)
  return row
}

export const deleteChannelWebhook = async (tx: Tx, row: Pick<ChannelWebhookRow, 'sid'>): Promise<boolean> =>
  (await remove(tx, 'channel_webhooks', { sid: row.sid })) > 0

/** The configuration as it is kept: only what its type knows. */
const checked = (type: WebhookType, it: WebhookConfiguration): string => {
  const { retry_count = 0 } = it
  switch (type) {
    case 'webhook':
      return JSON.stringify({ ...called(it), filters: checkedFilters(it.filters), retry_count })
    case 'trigger':
      return JSON.stringify({ ...called(it), triggers: checkedTriggers(it.triggers), retry_count })
    case 'studio':
      if (!isSid('FW', it.flow_sid ?? '')) throw problem('webhook_flow_sid')
      return JSON.stringify({
        flow_sid: it.flow_sid,
        retry_count,
        ...(it.filters?.length ? { filters: checkedFilters(it.filters) } : {}),
      })
  }
}

const called = ({ url = '', method = 'POST' }: WebhookConfiguration) => {
  if (!isWebAddress(url)) throw problem('webhook_url_missing')
  if (url.length > WEBHOOK_URL_MAX) throw problem('webhook_url_too_long', { max: WEBHOOK_URL_MAX })
  return { url, method }
}

const checkedFilters = (filters: readonly string[] = []): string[] => {
  if (filters.length === 0) throw problem('webhook_filters_missing')
  const known: readonly string[] = CHANNEL_EVENT_TYPES
  for (const filter of filters) if (!known.includes(filter)) throw problem('webhook_filter', { filter })
  return [...new Set(filters)]
}

const checkedTriggers = (triggers: readonly string[] = []): readonly string[] => {
  if (triggers.length === 0) throw problem('webhook_triggers_missing')
  if (triggers.length > TRIGGERS_MAX) throw problem('too_many_triggers', { max: TRIGGERS_MAX })
  for (const it of triggers)
    if (it === '' || it.length > TRIGGER_MAX) throw problem('webhook_trigger', { max: TRIGGER_MAX })
  return triggers
}

const asConfiguration = (
  input: Omit<InputFor<typeof ChannelWebhook, 'update'>, 'type'>,
): WebhookConfiguration =>
  given({
    url: input.configurationUrl,
    method: input.configurationMethod,
    filters: input.configurationFilters,
    triggers: input.configurationTriggers,
    flow_sid: input.configurationFlowSid,
    retry_count: input.configurationRetryCount,
  })

export const channelWebhooks = bind(ChannelWebhook, {
  list: async (reader, call) => {
    const { channel } = await inChannel(reader, call)
    return pageOfWebhooks(reader, { channelSid: channel.sid }, call.page)
  },
  fetch: async (reader, call) => {
    const { channel } = await inChannel(reader, call)
    return findWebhook(reader, channel.sid, call.path.sid)
  },
  create: async (tx, call) => {
    const { channel } = await inLockedChannel(tx, call)
    return createChannelWebhook(tx, {
      channel,
      type: call.input.type,
      configuration: asConfiguration(call.input),
    })
  },
  update: async (tx, call) => {
    const { channel } = await inLockedChannel(tx, call)
    const webhook = await findWebhook(tx, channel.sid, call.path.sid)
    if (!webhook) return undefined
    const asked = asConfiguration(call.input)
    if (isNothing(asked)) return webhook
    const configuration = checked(webhook.type, {
      ...(JSON.parse(webhook.configuration) as WebhookConfiguration),
      ...asked,
    })
    return update(tx, 'channel_webhooks', { sid: webhook.sid }, { configuration, date_updated: tx.now() })
  },
  delete: async (tx, call) => {
    const { channel } = await inLockedChannel(tx, call)
    const webhook = await findWebhook(tx, channel.sid, call.path.sid)
    return webhook !== undefined && deleteChannelWebhook(tx, webhook)
  },
})
