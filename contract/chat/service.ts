/** A chat service: a world of its own of users, roles and channels. */
import {
  address,
  choice,
  flag,
  instant,
  jsonObject,
  many,
  orNull,
  required,
  sid,
  text,
  whole,
} from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName, LIMIT_MAX, PAGES, WEBHOOK_RETRIES_MAX, WEBHOOK_URL_MAX } from './limits.ts'
import { MEDIA_MB_MAX } from './media.ts'

/** A notification's text, in characters. */
const TEMPLATE_MAX = 2048

/** The name of a notification's sound, in characters. */
const SOUND_MAX = 256

const COMPATIBILITY_MESSAGE_MAX = 1024

/** Both intervals, in seconds. */
const INTERVAL_MAX = 3600

const template = () => text({ max: TEMPLATE_MAX, tooLong: 'template_too_long' })
const sound = () => text({ max: SOUND_MAX, tooLong: 'sound_too_long' })
const retryCount = () => whole({ min: 0, max: WEBHOOK_RETRIES_MAX, wrong: 'webhook_retry_count' })

export const Service = resource({
  product: 'chat',
  name: 'chat.v2.service',
  many: '/v2/Services',
  one: '/v2/Services/{Sid}',
  key: 'services',
  pageSize: PAGES,
  answer: {
    sid: sid('IS'),
    account_sid: sid('AC'),
    friendly_name: text(),
    date_created: instant(),
    date_updated: instant(),
    default_service_role_sid: sid('RL'),
    default_channel_role_sid: sid('RL'),
    default_channel_creator_role_sid: sid('RL'),
    read_status_enabled: flag(),
    reachability_enabled: flag(),
    typing_indicator_timeout: whole(),
    consumption_report_interval: whole(),
    limits: jsonObject(),
    pre_webhook_url: orNull(text()),
    post_webhook_url: orNull(text()),
    webhook_method: orNull(text()),
    webhook_filters: orNull(many(text())),
    pre_webhook_retry_count: whole(),
    post_webhook_retry_count: whole(),
    notifications: jsonObject(),
    media: jsonObject(),
    url: address(),
    links: text(),
  },
  links: {
    users: '/v2/Services/{sid}/Users',
    channels: '/v2/Services/{sid}/Channels',
    roles: '/v2/Services/{sid}/Roles',
    bindings: '/v2/Services/{sid}/Bindings',
  },
  operations: {
    list: {},
    fetch: {},
    create: { form: { FriendlyName: required(friendlyName(), 'friendly_name_missing') } },
    update: {
      about:
        'Notifications are kept and answered; none is sent. Media.SizeLimitMb and Media.Types (image/png, image/*; empty: any) are ours.',
      form: {
        FriendlyName: friendlyName(),
        DefaultServiceRoleSid: sid('RL', 'service_role_not_found'),
        DefaultChannelRoleSid: sid('RL', 'channel_role_not_found'),
        DefaultChannelCreatorRoleSid: sid('RL', 'creator_role_not_found'),
        ReadStatusEnabled: flag(),
        ReachabilityEnabled: flag(),
        TypingIndicatorTimeout: whole({ min: 0, max: INTERVAL_MAX, wrong: 'typing_interval' }),
        ConsumptionReportInterval: whole({ min: 0, max: INTERVAL_MAX, wrong: 'consumption_interval' }),
        'Notifications.NewMessage.Enabled': flag(),
        'Notifications.NewMessage.Template': template(),
        'Notifications.NewMessage.Sound': sound(),
        'Notifications.NewMessage.BadgeCountEnabled': flag(),
        'Notifications.AddedToChannel.Enabled': flag(),
        'Notifications.AddedToChannel.Template': template(),
        'Notifications.AddedToChannel.Sound': sound(),
        'Notifications.RemovedFromChannel.Enabled': flag(),
        'Notifications.RemovedFromChannel.Template': template(),
        'Notifications.RemovedFromChannel.Sound': sound(),
        'Notifications.InvitedToChannel.Enabled': flag(),
        'Notifications.InvitedToChannel.Template': template(),
        'Notifications.InvitedToChannel.Sound': sound(),
        'Notifications.LogEnabled': flag(),
        PreWebhookUrl: address({ max: WEBHOOK_URL_MAX, wrong: 'pre_webhook_url' }),
        PostWebhookUrl: address({ max: WEBHOOK_URL_MAX, wrong: 'post_webhook_url' }),
        WebhookMethod: choice(['GET', 'POST'], 'webhook_method'),
        WebhookFilters: many(text({ max: 64 }), { max: 64 }),
        'Limits.ChannelMembers': whole({ min: 1, max: LIMIT_MAX, wrong: 'members_limit_invalid' }),
        'Limits.UserChannels': whole({ min: 1, max: LIMIT_MAX, wrong: 'channels_limit_invalid' }),
        'Media.CompatibilityMessage': text({ max: COMPATIBILITY_MESSAGE_MAX }),
        'Media.SizeLimitMb': whole({ min: 1, max: MEDIA_MB_MAX }),
        'Media.Types': many(text({ max: 255 }), { max: 64 }),
        PreWebhookRetryCount: retryCount(),
        PostWebhookRetryCount: retryCount(),
      },
    },
    delete: { about: 'Deletes everything in the service as well.' },
  },
})

export type ServiceRow = RowOf<typeof Service>
