/** The ledger: a row for every webhook that is owed, was called, or could have been called and was not. */
import { hash } from 'node:crypto'
import type { DeliveryRule, DeliveryState, DeliveryType } from '@parley/contract/parley/delivery.ts'
import { type Selectable, sql } from 'kysely'
import { later } from '../jobs/later.ts'
import { changing } from '../store/query.ts'
import { insert } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Tx } from '../store/tx.ts'
import type { Outcome } from './call.ts'
import type { Fields } from './spelling.ts'

export type DeliveryStored = Selectable<Tables['deliveries']>

/** The kind of the job that makes the deliveries of a lane. */
export const DELIVER = 'webhooks.deliver'

/** What a webhook is told, and where. */
export interface Entry {
  readonly accountSid: string
  readonly serviceSid: string | null
  readonly channelSid: string | null
  readonly messageSid: string | null
  readonly workspaceSid?: string | null
  readonly taskSid?: string | null
  readonly eventType: string
  readonly webhookSid: string | null
  readonly type: DeliveryType
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly retryCount: number
  readonly rule: DeliveryRule
  readonly fields: Fields
}

const columns = (tx: Tx, it: Entry) => ({
  sid: tx.newSid('DL'),
  account_sid: it.accountSid,
  // Empty where it is about no service: the column takes no null.
  service_sid: it.serviceSid ?? '',
  channel_sid: it.channelSid,
  message_sid: it.messageSid,
  workspace_sid: it.workspaceSid ?? null,
  task_sid: it.taskSid ?? null,
  event_type: it.eventType,
  webhook_sid: it.webhookSid,
  webhook_type: it.type,
  webhook_url: it.url,
  webhook_method: it.method,
  retry_count: it.retryCount,
  params: JSON.stringify(it.fields),
  rule: it.rule,
  date_created: tx.now(),
  date_updated: tx.now(),
})

type Columns = ReturnType<typeof columns>

const insertOwed = changing((db, at: Columns & { lane: string; token: string }) =>
  db.insertInto('deliveries').values((it) => ({
    sid: at.sid,
    account_sid: at.account_sid,
    service_sid: at.service_sid,
    channel_sid: at.channel_sid,
    message_sid: at.message_sid,
    workspace_sid: at.workspace_sid,
    task_sid: at.task_sid,
    event_type: at.event_type,
    webhook_sid: at.webhook_sid,
    webhook_type: at.webhook_type,
    webhook_url: at.webhook_url,
    webhook_method: at.webhook_method,
    retry_count: at.retry_count,
    params: at.params,
    rule: at.rule,
    date_created: at.date_created,
    date_updated: at.date_updated,
    state: 'pending',
    idempotency_token: at.token,
    attempts_count: 0,
    lane: at.lane,
    next_attempt_at: at.date_created,
    // Whoever records an event holds the row that the lane is about, so nobody else adds to the lane meanwhile.
    place: it
      .selectFrom('deliveries')
      .select(sql<number>`coalesce(max(place), 0) + 1`.as('place'))
      .where('lane', '=', at.lane)
      .where(sql<boolean>`state = 'pending'`),
  })),
)

/**
 * Owes a call: it is made after commit, and its order is kept among what is owed about the same thing to the same URL.
 * @param about the channel or the user, the task or the worker
 */
export const owe = async (tx: Tx, about: string, entry: Entry): Promise<void> => {
  const lane = `${about}:${hash('sha1', entry.url)}`
  await oweInLane(tx, lane, entry)
  await wakeLane(tx, lane, entry.url)
}

/** Owes a call, and leaves it to the caller to leave the job that makes it. */
export const oweInLane = async (tx: Tx, lane: string, entry: Entry): Promise<void> => {
  await insertOwed.run(tx, { ...columns(tx, entry), lane, token: newToken(tx) })
}

/** Sees to it that the lane's deliveries are made. Jobs share a lane by endpoint, so a sick one slows only itself. */
export const wakeLane = (tx: Tx, lane: string, url: string): Promise<void> =>
  later(tx, { kind: DELIVER, key: lane, lane: originOf(url) })

/** Whom a lane of jobs is shared by. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : DELIVER)

/** The status of the answer, or the name of what went wrong. */
export const outcomeName = (it: Outcome): string => (it.kind === 'answered' ? String(it.status) : it.kind)

/** Shaped like a UUID, as Twilio's are. */
export const newToken = (tx: Tx): string =>
  tx.newSecret(32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/** Writes down what is over already: a call that was not to be made, or a gate that was asked. */
export const enter = async (
  tx: Tx,
  entry: Entry,
  ended: {
    readonly state: Exclude<DeliveryState, 'pending'>
    readonly token?: string
    readonly attempts?: number
    readonly outcome?: string
  },
): Promise<string> => {
  const row = columns(tx, entry)
  await insert(tx, 'deliveries', {
    ...row,
    state: ended.state,
    idempotency_token: ended.token ?? null,
    attempts_count: ended.attempts ?? 0,
    outcome: ended.outcome ?? null,
    lane: null,
    place: 0,
    next_attempt_at: null,
    failing_since: null,
  })
  return row.sid
}
