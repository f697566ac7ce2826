/**
 * Who hears of an event: the channel's webhooks and the service's, or the workspace's. In the transaction that caused it, each call that
 * is owed becomes a row and a job. A webhook that could have been called and was not becomes a row as well, with the
 * rule that silenced it. Where there is no webhook, nothing is written.
 */
import { identityOf, isHeard, sourceOf } from '@parley/contract/actor.ts'
import type { Event, EventName } from '@parley/contract/event.ts'
import type { DeliveryRule } from '@parley/contract/parley/delivery.ts'
import { findService, webhooksOf } from '../chat/index.ts'
import { type Reaction, reaction } from '../events/react.ts'
import type { Tx } from '../store/tx.ts'
import { hearWorkspace } from './hear-workspace.ts'
import { type Entry, enter, owe } from './ledger.ts'
import type { Fields, Silent, Spelling, Told } from './spelling.ts'
import { spellings } from './spellings.ts'

export interface HearSettings {
  /** Which share of the calls that were not made is written down, from 0 to 1. */
  readonly silences: number
}

const isTold = (name: EventName): boolean => !('silent' in spellings[name])

/** The reaction that owes calls, and writes down silences, for every event that webhooks are told of. */
export const hear = ({ silences }: HearSettings): Reaction =>
  reaction({
    name: 'webhooks: hear',
    to: (Object.keys(spellings) as EventName[]).filter(isTold),
    react: async (tx, event) => {
      const spelling = spellings[event.name] as Spelling<EventName> | Silent
      if ('silent' in spelling) return
      const told = spelling.tell(event)
      if ('workspace' in told) return hearWorkspace(tx, told, () => isSampled(tx, silences))
      const webhooks = told.channelSid === null ? [] : await webhooksOf(tx, told.channelSid)
      const service = await findService(tx, event.accountSid, told.serviceSid)
      if (webhooks.length === 0 && !service?.post_webhook_url) return

      const common = commonFields(event, told)
      const entry = { ...told, accountSid: event.accountSid }
      const settle = async (
        asked: Omit<Entry, 'fields' | 'rule'>,
        ruling: DeliveryRule,
        fields: () => Fields,
      ) => {
        const rule = isFiring(ruling) && !isHeard(event.actor) ? 'not_enabled' : ruling
        if (isFiring(rule)) return owe(tx, told.about, { ...asked, rule, fields: fields() })
        if (isSampled(tx, silences)) await enter(tx, { ...asked, rule, fields: {} }, { state: 'silent' })
      }

      for (const webhook of webhooks) {
        const wanted = JSON.parse(webhook.configuration) as Configuration
        const rule = channelRule(webhook.type, wanted, told)
        if (rule === undefined) continue
        await settle(
          {
            ...entry,
            webhookSid: webhook.sid,
            type: webhook.type as Entry['type'],
            url: wanted.url ?? '',
            method: methodOf(wanted.method),
            retryCount: wanted.retry_count ?? 0,
          },
          rule,
          () => ({ ...common, RetryCount: '0', WebhookType: webhook.type, WebhookSid: webhook.sid }),
        )
      }
      if (service?.post_webhook_url)
        await settle(
          {
            ...entry,
            webhookSid: null,
            type: 'service',
            url: service.post_webhook_url,
            method: methodOf(service.webhook_method),
            retryCount: service.post_webhook_retry_count,
          },
          filtersOf(service.webhook_filters).includes(told.eventType)
            ? 'service_filter'
            : 'not_in_service_filters',
          () => common,
        )
    },
  })

/** A channel webhook's `configuration`. */
interface Configuration {
  readonly url?: string
  readonly method?: string
  readonly filters?: readonly string[]
  readonly triggers?: readonly string[]
  readonly retry_count?: number
}

/** Which rule says whether a channel's webhook is called; none where it never hears of such a thing. */
const channelRule = (
  type: string,
  { filters, triggers }: Configuration,
  told: Told,
): DeliveryRule | undefined => {
  switch (type) {
    case 'webhook':
      return filters?.includes(told.eventType) ? 'channel_filter' : 'not_in_channel_filters'
    case 'trigger':
      if (told.body === undefined) return undefined
      return triggers?.some((it) => told.body?.includes(it)) ? 'channel_trigger' : 'no_trigger_found'
    default:
      return told.body === undefined ? undefined : 'no_studio'
  }
}

const FIRING: readonly DeliveryRule[] = ['channel_filter', 'channel_trigger', 'service_filter']

const isFiring = (rule: DeliveryRule): boolean => FIRING.includes(rule)

const isSampled = (tx: Tx, share: number): boolean =>
  share >= 1 || (share > 0 && Number.parseInt(tx.newSecret(4), 16) / 0x10000 < share)

/** The fields of every call, then those of the event. */
const commonFields = ({ accountSid, actor }: Event, { eventType, serviceSid, fields }: Told): Fields => ({
  EventType: eventType,
  InstanceSid: serviceSid,
  AccountSid: accountSid,
  Source: sourceOf(actor),
  ClientIdentity: identityOf(actor),
  ...fields,
})

export const methodOf = (method: string | null | undefined): 'GET' | 'POST' =>
  method?.toUpperCase() === 'GET' ? 'GET' : 'POST'

/** `webhook_filters`, kept as a JSON array; none are set as null. */
export const filtersOf = (kept: string | null): readonly string[] => (kept === null ? [] : JSON.parse(kept))
