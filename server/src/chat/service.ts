/** Chat services: made with their roles, deleted with everything in them. */
import { SERVICE_EVENT_TYPES } from '@parley/contract/chat/channel-webhook.ts'
import { MEDIA_MB, MEDIA_TYPE } from '@parley/contract/chat/media.ts'
import { Service, type ServiceRow } from '@parley/contract/chat/service.ts'
import { problem } from '@parley/contract/problem.ts'
import type { InputFor } from '@parley/contract/resource.ts'
import { bind, type Call } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { changing, reading } from '../store/query.ts'
import { insert, remove, update } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'
import { given, isNothing } from './given.ts'
import { DEFAULT_ROLES } from './permission.ts'
import { createRole, requireRole } from './role.ts'
import { findService, limitsOf } from './service-row.ts'

const TYPING_INDICATOR_TIMEOUT_S = 5
const CONSUMPTION_REPORT_INTERVAL_S = 10

const LIMITS = { channel_members: 100, user_channels: 250 }

const NOTIFICATIONS = {
  log_enabled: false,
  added_to_channel: { enabled: false },
  invited_to_channel: { enabled: false },
  new_message: { enabled: false, badge_count_enabled: false },
  removed_from_channel: { enabled: false },
}

const MEDIA = {
  size_limit_mb: MEDIA_MB,
  compatibility_message: 'Media messages are not supported by your client',
}

const serviceToChange = reading((db, at: { accountSid: string; sid: string }, { lock }) =>
  lock(
    db.selectFrom('services').selectAll().where('sid', '=', at.sid).where('account_sid', '=', at.accountSid),
  ),
)

const servicesOf = listing('services', 'sid', (query, at: { accountSid: string }) =>
  query.where('account_sid', '=', at.accountSid),
)

/** Makes a service with the roles that every service begins with. */
export const provisionService = async (
  tx: Tx,
  { accountSid, friendlyName }: { accountSid: string; friendlyName: string },
): Promise<ServiceRow> => {
  const service = { sid: tx.newSid('IS'), account_sid: accountSid }
  const roleSids: Record<string, string> = {}
  for (const [name, { type, permissions }] of Object.entries(DEFAULT_ROLES))
    roleSids[name] = (await createRole(tx, { service, friendlyName: name, type, permissions })).sid
  const row: ServiceRow = {
    ...service,
    friendly_name: friendlyName,
    date_created: tx.now(),
    date_updated: tx.now(),
    default_service_role_sid: roleSids['service user'] as string,
    default_channel_role_sid: roleSids['channel user'] as string,
    default_channel_creator_role_sid: roleSids['channel admin'] as string,
    read_status_enabled: 1,
    reachability_enabled: 0,
    typing_indicator_timeout: TYPING_INDICATOR_TIMEOUT_S,
    consumption_report_interval: CONSUMPTION_REPORT_INTERVAL_S,
    limits: JSON.stringify(LIMITS),
    pre_webhook_url: null,
    post_webhook_url: null,
    webhook_method: null,
    webhook_filters: null,
    pre_webhook_retry_count: 0,
    post_webhook_retry_count: 0,
    notifications: JSON.stringify(NOTIFICATIONS),
    media: JSON.stringify(MEDIA),
  }
  await insert(tx, 'services', row)
  return row
}

type Changes = InputFor<typeof Service, 'update'>

const updateService = async (tx: Tx, service: ServiceRow, input: Changes): Promise<ServiceRow> => {
  if (isNothing(given(input))) return service
  const { defaultServiceRoleSid, defaultChannelRoleSid, defaultChannelCreatorRoleSid } = input
  if (defaultServiceRoleSid)
    await requireRole(tx, service, defaultServiceRoleSid, 'deployment', 'service_role_not_found')
  if (defaultChannelRoleSid)
    await requireRole(tx, service, defaultChannelRoleSid, 'channel', 'channel_role_not_found')
  if (defaultChannelCreatorRoleSid)
    await requireRole(tx, service, defaultChannelCreatorRoleSid, 'channel', 'creator_role_not_found')
  if (input.friendlyName === '') throw problem('friendly_name_missing')
  const changes = given({
    friendly_name: input.friendlyName,
    default_service_role_sid: defaultServiceRoleSid,
    default_channel_role_sid: defaultChannelRoleSid,
    default_channel_creator_role_sid: defaultChannelCreatorRoleSid,
    read_status_enabled: asFlag(input.readStatusEnabled),
    reachability_enabled: asFlag(input.reachabilityEnabled),
    typing_indicator_timeout: input.typingIndicatorTimeout,
    consumption_report_interval: input.consumptionReportInterval,
    limits: mergedLimits(service, input),
    // An empty address takes the webhook away.
    pre_webhook_url: input.preWebhookUrl === '' ? null : input.preWebhookUrl,
    post_webhook_url: input.postWebhookUrl === '' ? null : input.postWebhookUrl,
    webhook_method: input.webhookMethod,
    webhook_filters: filtersToKeep(input.webhookFilters),
    pre_webhook_retry_count: input.preWebhookRetryCount,
    post_webhook_retry_count: input.postWebhookRetryCount,
    notifications: mergedNotifications(service, input),
    media: mergedMedia(service, input),
  })
  const changed = await update(tx, 'services', { sid: service.sid }, { ...changes, date_updated: tx.now() })
  return changed ?? service
}

const asFlag = (it: boolean | undefined): number | undefined => (it === undefined ? undefined : Number(it))

const mergedLimits = (service: ServiceRow, { limitsChannelMembers, limitsUserChannels }: Changes): string =>
  JSON.stringify({
    ...limitsOf(service),
    ...given({ channel_members: limitsChannelMembers, user_channels: limitsUserChannels }),
  })

/** Filters that are empty take all of them away. */
const filtersToKeep = (filters: readonly string[] | undefined): string | null | undefined => {
  if (filters === undefined) return undefined
  const kept = [...new Set(filters.filter((it) => it !== ''))]
  const known: readonly string[] = SERVICE_EVENT_TYPES
  for (const filter of kept) if (!known.includes(filter)) throw problem('webhook_filter', { filter })
  return kept.length > 0 ? JSON.stringify(kept) : null
}

const mergedNotifications = (service: ServiceRow, input: Changes): string => {
  const was = JSON.parse(service.notifications) as typeof NOTIFICATIONS
  return JSON.stringify({
    ...was,
    ...given({ log_enabled: input.notificationsLogEnabled }),
    added_to_channel: {
      ...was.added_to_channel,
      ...given({
        enabled: input.notificationsAddedToChannelEnabled,
        template: input.notificationsAddedToChannelTemplate,
        sound: input.notificationsAddedToChannelSound,
      }),
    },
    invited_to_channel: {
      ...was.invited_to_channel,
      ...given({
        enabled: input.notificationsInvitedToChannelEnabled,
        template: input.notificationsInvitedToChannelTemplate,
        sound: input.notificationsInvitedToChannelSound,
      }),
    },
    new_message: {
      ...was.new_message,
      ...given({
        enabled: input.notificationsNewMessageEnabled,
        template: input.notificationsNewMessageTemplate,
        sound: input.notificationsNewMessageSound,
        badge_count_enabled: input.notificationsNewMessageBadgeCountEnabled,
      }),
    },
    removed_from_channel: {
      ...was.removed_from_channel,
      ...given({
        enabled: input.notificationsRemovedFromChannelEnabled,
        template: input.notificationsRemovedFromChannelTemplate,
        sound: input.notificationsRemovedFromChannelSound,
      }),
    },
  })
}

const mergedMedia = (service: ServiceRow, input: Changes): string => {
  const { mediaCompatibilityMessage, mediaSizeLimitMb, mediaTypes } = input
  return JSON.stringify({
    ...(JSON.parse(service.media) as object),
    ...given({
      compatibility_message: mediaCompatibilityMessage,
      size_limit_mb: mediaSizeLimitMb,
      types: mediaTypes?.filter((it) => it !== '').map(asMediaType),
    }),
  })
}

/** @throws 20001 for what is no content type */
const asMediaType = (said: string): string => {
  const type = said.trim().toLowerCase()
  if (!MEDIA_TYPE.test(type))
    throw problem('invalid_parameter', { parameter: 'Media.Types', reason: `${said} is no content type` })
  return type
}

const deleteMessagesOf = changing((db, at: { serviceSid: string }) =>
  db
    .deleteFrom('messages')
    .where('channel_sid', 'in', (it) =>
      it.selectFrom('channels').select('sid').where('service_sid', '=', at.serviceSid),
    ),
)

const deleteWebhooksOf = changing((db, at: { serviceSid: string }) =>
  db
    .deleteFrom('channel_webhooks')
    .where('channel_sid', 'in', (it) =>
      it.selectFrom('channels').select('sid').where('service_sid', '=', at.serviceSid),
    ),
)

const lockChannelsOf = reading((db, at: { serviceSid: string }, { lock }) =>
  lock(db.selectFrom('channels').select('sid').where('service_sid', '=', at.serviceSid).orderBy('sid')),
)

/**
 * Whoever makes something in the service holds it, and whoever does in a channel has that locked: both have ended when
 * what is in them is deleted.
 * @returns whether there was such a service
 */
const deleteService = async (
  tx: Tx,
  {
    accountSid,
    path: { sid: serviceSid },
    actor,
  }: Pick<Call<{ sid: string }>, 'accountSid' | 'path' | 'actor'>,
): Promise<boolean> => {
  const service = await findService(tx, accountSid, serviceSid)
  if (!service || !(await remove(tx, 'services', { sid: serviceSid, account_sid: accountSid }))) return false
  await lockChannelsOf.all(tx, { serviceSid })
  await deleteMessagesOf.run(tx, { serviceSid })
  await deleteWebhooksOf.run(tx, { serviceSid })
  for (const table of [
    'members',
    'invites',
    'channels',
    'users',
    'roles',
    'tombstones',
    'presences',
  ] as const)
    await remove(tx, table, { service_sid: serviceSid })
  tx.record({ name: 'service.removed', accountSid, at: tx.now(), actor, service })
  return true
}

export const services = bind(Service, {
  list: (reader, { accountSid, page }) => servicesOf(reader, { accountSid }, page),
  fetch: (reader, { accountSid, path }) => findService(reader, accountSid, path.sid),
  create: (tx, { accountSid, input }) => {
    if (input.friendlyName === '') throw problem('friendly_name_missing')
    return provisionService(tx, { accountSid, friendlyName: input.friendlyName })
  },
  update: async (tx, { accountSid, path, input }) => {
    const service = await serviceToChange.first(tx, { accountSid, sid: path.sid })
    return service && updateService(tx, service, input)
  },
  delete: deleteService,
})
