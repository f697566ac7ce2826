/**
 * The ledger of webhooks: each call that is owed, was made or was asked for, with all of its attempts, and each call
 * that could have been made and was not, with the rule that silenced it.
 */
import { choice, instant, jsonObject, orNull, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'

/**
 * - `pending`: owed; it is tried until it is delivered or its time is up.
 * - `delivered`: answered with a 2xx (a gate: with a 200; an assignment callback: with what could be followed).
 * - `set-aside`: given up, and waiting for someone to replay it.
 * - `silent`: could have been called and was not; `rule` says which rule was in the way.
 * - `vetoed`: a gate that answered anything but 200, so that the action was refused.
 * - `failed`: a gate that could not be asked, so that the action was refused; an assignment callback that could not be
 *   asked, or whose answer could not be followed.
 */
export const DELIVERY_STATES = ['pending', 'delivered', 'set-aside', 'silent', 'vetoed', 'failed'] as const

/**
 * Where the webhook is written down: on the channel (`webhook`, `trigger`, `studio`), on the service (`service`, `gate`),
 * on the workspace or on the workflow (`assignment`, `assignment-fallback`).
 */
export const DELIVERY_TYPES = [
  'webhook',
  'trigger',
  'studio',
  'service',
  'gate',
  'workspace',
  'assignment',
  'assignment-fallback',
] as const

/** Each rule by which a webhook is called or not, and its sentence. */
export const DELIVERY_RULES = {
  channel_filter: 'The channel webhook asks for this event in Configuration.Filters.',
  channel_trigger: 'The message contains one of the Configuration.Triggers of the channel webhook.',
  service_filter: 'The service asks for this event in WebhookFilters.',
  gate_filter: 'The service asks to be asked before this action, in PreWebhookUrl and WebhookFilters.',
  events_filter: 'The workspace asks for this event: its EventsFilter names it, or names none.',
  assignment_callback: 'The workflow asks to be told of each reservation, in AssignmentCallbackUrl.',
  fallback_callback:
    'The AssignmentCallbackUrl could not be used, so the FallbackAssignmentCallbackUrl was asked.',
  not_enabled: 'It was done by the API in a request without the header X-Twilio-Webhook-Enabled: true.',
  not_in_channel_filters: 'The Configuration.Filters of the channel webhook do not name this event.',
  no_trigger_found: 'The message contains none of the Configuration.Triggers of the channel webhook.',
  not_in_service_filters: 'The WebhookFilters of the service do not name this event.',
  not_in_events_filter: 'The EventsFilter of the workspace does not name this event.',
  reservation_over: 'The reservation was no longer pending when its callback was to be called.',
  no_studio: 'Studio flows are not run here, so a webhook of type studio calls nothing.',
} as const

export type DeliveryRule = keyof typeof DELIVERY_RULES
export type DeliveryState = (typeof DELIVERY_STATES)[number]
export type DeliveryType = (typeof DELIVERY_TYPES)[number]

export const Delivery = resource({
  product: 'parley',
  name: 'parley.v1.delivery',
  many: '/v1/Parley/Deliveries',
  one: '/v1/Parley/Deliveries/{Sid}',
  key: 'deliveries',
  pageSize: { default: 50, max: 1000 },
  answer: {
    sid: sid('DL'),
    account_sid: sid('AC'),
    service_sid: orNull(sid('IS')),
    channel_sid: orNull(sid('CH')),
    message_sid: orNull(sid('IM')),
    workspace_sid: orNull(sid('WS')),
    task_sid: orNull(sid('WT')),
    event_type: text(),
    webhook_sid: orNull(sid('WH')),
    webhook_type: choice(DELIVERY_TYPES),
    webhook_url: text(),
    webhook_method: choice(['GET', 'POST']),
    /** The form, in order. `RetryCount` is that of the first attempt. */
    params: jsonObject(),
    state: choice(DELIVERY_STATES),
    rule: choice(Object.keys(DELIVERY_RULES) as [DeliveryRule, ...DeliveryRule[]]),
    /** The rule's sentence. */
    why: text(),
    /** What each attempt carries as `I-Twilio-Idempotency-Token`. */
    idempotency_token: orNull(text()),
    attempts_count: whole(),
    /** How the latest attempt ended: the status of its answer, or the name of what went wrong. */
    outcome: orNull(text()),
    next_attempt_at: orNull(instant()),
    date_created: instant(),
    date_updated: instant(),
    /** Only where one delivery is fetched: each attempt's request, answer, duration and outcome. */
    attempts: orNull(jsonObject()),
    url: text(),
  },
  operations: {
    list: {
      about: 'The ledger of webhooks, the latest first.',
      form: {
        ChannelSid: sid('CH'),
        MessageSid: sid('IM'),
        TaskSid: sid('WT'),
        EventType: text({ max: 64 }),
        State: choice(DELIVERY_STATES),
        WebhookSid: sid('WH'),
      },
    },
    fetch: { about: 'One delivery with the request, answer, duration and outcome of each of its attempts.' },
    update: { about: 'Replays a delivery: it is sent again with the same idempotency token.' },
  },
})

export type DeliveryRow = RowOf<typeof Delivery>
