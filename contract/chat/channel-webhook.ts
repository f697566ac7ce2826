/** A webhook of one channel: for named events, for words in messages, or into a Studio flow. */
import { address, choice, instant, jsonObject, many, required, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { WEBHOOK_RETRIES_MAX, WEBHOOK_URL_MAX, WEBHOOKS_MAX } from './limits.ts'

/** The events that a channel's webhook can be told of. */
export const CHANNEL_EVENT_TYPES = [
  'onMessageSent',
  'onMessageUpdated',
  'onMessageRemoved',
  'onMediaMessageSent',
  'onChannelAdded',
  'onChannelUpdated',
  'onChannelDestroyed',
  'onMemberAdded',
  'onMemberUpdated',
  'onMemberRemoved',
] as const

/** The events that a service's `WebhookFilters` can name: those of channels and users, after and before the fact. */
export const SERVICE_EVENT_TYPES = [
  ...CHANNEL_EVENT_TYPES,
  'onUserAdded',
  'onUserUpdated',
  'onMessageSend',
  'onMessageUpdate',
  'onMessageRemove',
  'onMediaMessageSend',
  'onChannelAdd',
  'onChannelUpdate',
  'onChannelDestroy',
  'onMemberAdd',
  'onMemberUpdate',
  'onMemberRemove',
  'onUserUpdate',
] as const

const configured = {
  'Configuration.Url': text({ max: WEBHOOK_URL_MAX, tooLong: 'webhook_url_too_long' }),
  'Configuration.Method': choice(['GET', 'POST'], 'webhook_method'),
  'Configuration.Filters': many(text({ max: 64 }), { max: 64 }),
  'Configuration.Triggers': many(text(), { max: 64 }),
  'Configuration.FlowSid': sid('FW', 'webhook_flow_sid'),
  'Configuration.RetryCount': whole({ min: 0, max: WEBHOOK_RETRIES_MAX, wrong: 'webhook_retry_count' }),
}

export const ChannelWebhook = resource({
  product: 'chat',
  name: 'chat.v2.service.channel.channel_webhook',
  many: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Webhooks',
  one: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Webhooks/{Sid}',
  key: 'webhooks',
  pageSize: { default: WEBHOOKS_MAX, max: WEBHOOKS_MAX },
  answer: {
    sid: sid('WH'),
    account_sid: sid('AC'),
    service_sid: sid('IS'),
    channel_sid: sid('CH'),
    type: choice(['webhook', 'trigger', 'studio']),
    url: address(),
    configuration: jsonObject(),
    date_created: instant(),
    date_updated: instant(),
  },
  operations: {
    list: {},
    fetch: {},
    create: {
      form: {
        Type: required(choice(['webhook', 'trigger', 'studio'], 'webhook_type'), 'webhook_type_missing'),
        ...configured,
      },
    },
    update: { form: configured },
    delete: {},
  },
})

export type ChannelWebhookRow = RowOf<typeof ChannelWebhook>
