/** One attempt: the signed call, and its row in the ledger. */

import { insert } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import type { Caller, Outcome } from './call.ts'
import { sign } from './signature.ts'
import type { Fields } from './spelling.ts'

/** Twilio's: an endpoint that has not answered by then has not answered. */
const TIMEOUT_MS = 5_000

/** Twilio's as well, for what hears of the events of a workspace. */
export const EVENT_TIMEOUT_MS = 15_000

/** How much of an answer is kept. */
const ANSWER_KEPT_MAX = 4_096

export interface Means {
  readonly caller: Caller
  /** What an account signs its webhooks with; nothing for an account that is gone. */
  readonly authTokenOf: (reader: Reader, accountSid: string) => Promise<string | undefined>
}

export interface Attempt {
  /** When it began, in milliseconds since 1970. */
  readonly at: number
  /** From 0. */
  readonly number: number
  readonly outcome: Outcome
  /** As it was called last: a redirect within the host is followed. */
  readonly request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
  }
}

export interface Attempted {
  readonly accountSid: string
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Without the number of the attempt. */
  readonly fields: Fields
  readonly token: string
  readonly number: number
  /** 5 seconds unless given. */
  readonly timeoutMs?: number | undefined
}

/** A form's fields for one attempt: `RetryCount` says which it is, wherever the webhook tells it or it is a retry. */
export const paramsOf = (fields: Fields, number: number): [name: string, value: string][] => {
  const all = 'RetryCount' in fields || number > 0 ? { ...fields, RetryCount: String(number) } : fields
  return Object.entries(all)
}

/** Never throws for what the network does: that is its outcome. */
export const attempt = async (
  reader: Reader,
  it: Attempted,
  { caller, authTokenOf }: Means,
): Promise<Attempt> => {
  const at = reader.now()
  const authToken = await authTokenOf(reader, it.accountSid)
  if (authToken === undefined) throw new Error(`account ${it.accountSid} has no auth token to sign with`)
  const headers: Record<string, string> = { 'I-Twilio-Idempotency-Token': it.token }
  let url = it.url
  const outcome = await caller.call({
    url,
    method: it.method,
    params: paramsOf(it.fields, it.number),
    headers: { ...headers },
    timeoutMs: it.timeoutMs ?? TIMEOUT_MS,
    sign: (called, form) => {
      url = called
      headers['X-Twilio-Signature'] = sign(authToken, called, form)
      return headers['X-Twilio-Signature']
    },
  })
  return { at, number: it.number, outcome, request: { method: it.method, url, headers } }
}

/** @param reason why its answer cannot be used, where it has one */
export const writeAttempt = (
  tx: Tx,
  deliverySid: string,
  { at, number, outcome, request }: Attempt,
  reason: string | null = null,
): Promise<void> =>
  insert(tx, 'delivery_attempts', {
    delivery_sid: deliverySid,
    number,
    at,
    duration_ms: outcome.durationMs,
    outcome: outcome.kind,
    reason: outcome.kind === 'answered' ? reason : outcome.detail,
    request: JSON.stringify(request),
    answer:
      outcome.kind === 'answered'
        ? JSON.stringify({ status: outcome.status, headers: outcome.headers, body: kept(outcome.body) })
        : null,
  })

/** PostgreSQL keeps no NUL in text. */
const kept = (body: string): string => body.slice(0, ANSWER_KEPT_MAX).replaceAll('\0', '')
