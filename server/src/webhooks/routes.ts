/** The ledger over REST: read it, and replay from it. */
import { DELIVERY_RULES, Delivery, type DeliveryRow } from '@parley/contract/parley/delivery.ts'
import { problem } from '@parley/contract/problem.ts'
import type { Selectable } from 'kysely'
import { bind, type Routes } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { find, update } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Tx } from '../store/tx.ts'
import { type Attempt, paramsOf } from './attempt.ts'
import { type DeliveryStored, wakeLane } from './ledger.ts'

interface Filters {
  readonly accountSid: string
  readonly channelSid: string | undefined
  readonly messageSid: string | undefined
  readonly taskSid: string | undefined
  readonly eventType: string | undefined
  readonly state: string | undefined
  readonly webhookSid: string | undefined
}

const deliveriesOf = listing('deliveries', 'sid', (query, at: Filters, given) => {
  let narrowed = query.where('account_sid', '=', at.accountSid)
  if (given('channelSid')) narrowed = narrowed.where('channel_sid', '=', at.channelSid as string)
  if (given('messageSid')) narrowed = narrowed.where('message_sid', '=', at.messageSid as string)
  if (given('taskSid')) narrowed = narrowed.where('task_sid', '=', at.taskSid as string)
  if (given('eventType')) narrowed = narrowed.where('event_type', '=', at.eventType as string)
  if (given('state')) narrowed = narrowed.where('state', '=', at.state as DeliveryStored['state'])
  if (given('webhookSid')) narrowed = narrowed.where('webhook_sid', '=', at.webhookSid as string)
  return narrowed
})

const attemptsOf = reading((db, at: { deliverySid: string }) =>
  db.selectFrom('delivery_attempts').selectAll().where('delivery_sid', '=', at.deliverySid).orderBy('number'),
)

/** Locks the delivery, so that a replay and an attempt that ends meanwhile do not undo each other. */
const lockDelivery = reading((db, at: { accountSid: string; sid: string }, dialect) =>
  dialect.lock(
    db
      .selectFrom('deliveries')
      .selectAll()
      .where('sid', '=', at.sid)
      .where('account_sid', '=', at.accountSid),
  ),
)

/** Basic credentials in a URL are sent, signed and kept, but not shown again. */
const masked = (url: string): string => url.replace(/^(https?:\/\/[^/?#]*?:)[^/?#]*@/i, '$1***@')

const show = (row: DeliveryStored, attempts: string | null = null): DeliveryRow => ({
  ...row,
  service_sid: row.service_sid || null,
  webhook_url: masked(row.webhook_url),
  why: DELIVERY_RULES[row.rule],
  attempts,
})

type AttemptStored = Selectable<Tables['delivery_attempts']>

const showAttempt = (row: DeliveryStored, it: AttemptStored) => {
  const request = JSON.parse(it.request) as Attempt['request']
  return {
    number: it.number,
    at: new Date(it.at).toISOString(),
    duration_ms: it.duration_ms,
    outcome: it.outcome,
    reason: it.reason,
    request: {
      ...request,
      url: masked(request.url),
      body: request.method === 'POST' ? bodyOf(row, it.number) : null,
    },
    answer: it.answer === null ? null : (JSON.parse(it.answer) as unknown),
  }
}

/** The form as it was sent. */
const bodyOf = ({ params }: DeliveryStored, number: number): string =>
  new URLSearchParams(paramsOf(JSON.parse(params), number)).toString()

/**
 * Sends it again, with the same idempotency token and a fresh span of retries. What is pending is sent at once.
 * @throws 400 for what was never to be sent, and for what asked a question: it is long decided without an answer
 */
const replay = async (tx: Tx, row: DeliveryStored): Promise<DeliveryStored> => {
  const reason = whyNotAgain(row)
  if (row.lane === null || reason !== undefined)
    throw problem('invalid_parameter', { parameter: 'Sid', reason })
  await wakeLane(tx, row.lane, row.webhook_url)
  return (await update(
    tx,
    'deliveries',
    { sid: row.sid },
    { state: 'pending', next_attempt_at: tx.now(), failing_since: null, date_updated: tx.now() },
  )) as DeliveryStored
}

const whyNotAgain = ({ state, webhook_type: type }: DeliveryStored): string | undefined => {
  if (state === 'silent') return 'this delivery was silenced, so there is nothing to send again'
  if (type === 'gate') return 'a pre-event webhook asks before an action, so it cannot be asked again'
  if (type === 'assignment' || type === 'assignment-fallback')
    return 'an assignment callback asks about an offer that stands, so it cannot be asked again'
  return undefined
}

export const routes: Routes = {
  served: [
    bind(Delivery, {
      list: async (reader, { accountSid, input, page }) => {
        const { channelSid, messageSid, taskSid, eventType, state, webhookSid } = input
        const filters = { accountSid, channelSid, messageSid, taskSid, eventType, state, webhookSid }
        return (await deliveriesOf(reader, filters, page, 'desc')).map((it) => show(it))
      },
      fetch: async (reader, { accountSid, path }) => {
        const row = await find(reader, 'deliveries', { sid: path.sid, account_sid: accountSid })
        if (!row) return undefined
        const attempts = await attemptsOf.all(reader, { deliverySid: row.sid })
        return show(row, JSON.stringify(attempts.map((it) => showAttempt(row, it))))
      },
      update: async (tx, { accountSid, path }) => {
        const row = await lockDelivery.first(tx, { accountSid, sid: path.sid })
        return row && show(await replay(tx, row))
      },
    }),
  ],
  unserved: [],
}
