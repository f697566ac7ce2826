/**
 * What an attempt came to, and when the next one is. Twilio's own retries come first, as the webhook's retry count
 * grants them; then ours, further and further apart, until the time is up and the delivery is set aside.
 */
import type { Outcome } from './call.ts'

/** How long before a retry of Twilio's own kind: a moment for an endpoint that said it was busy. */
const QUICK_RETRY_MS = 1_000

/** Our first wait; the next ones double. Short, since what comes after it in the channel waits as well. */
const FIRST_WAIT_MS = 2_000

/** An endpoint that comes back is heard of within this time. */
const WAIT_MAX_MS = 3_600_000

/** The answers that Twilio retries, beside no answer in time. */
const TWILIO_RETRIES: readonly number[] = [429, 503, 504]

/** 4xx answers that say nothing about the request itself. */
const PASSING: readonly number[] = [408, 425, 429]

export type Verdict =
  | { readonly state: 'delivered' }
  | { readonly state: 'set-aside' }
  | { readonly state: 'pending'; readonly nextAttemptAt: number; readonly failingSince: number }

export interface Standing {
  readonly now: number
  /** How many attempts were made before this one. */
  readonly attempts: number
  /** How many retries Twilio's semantics grant. */
  readonly retryCount: number
  /** When the first of the attempts that failed was made. */
  readonly failingSince: number | null
  /** How long it is retried. */
  readonly retryMs: number
  /** From 0 to 1: deliveries that failed together do not come back together. */
  readonly chance: number
}

export const judge = (outcome: Outcome, standing: Standing): Verdict => {
  if (isDelivered(outcome)) return { state: 'delivered' }
  if (isFinal(outcome)) return { state: 'set-aside' }
  const { now, attempts, retryCount, retryMs, chance } = standing
  const failingSince = standing.failingSince ?? now
  if (attempts < retryCount && isRetriedByTwilio(outcome))
    return { state: 'pending', nextAttemptAt: now + QUICK_RETRY_MS, failingSince }
  // Waiting as long as it has failed so far doubles each wait.
  const wait = Math.min(WAIT_MAX_MS, Math.max(FIRST_WAIT_MS, now - failingSince))
  const nextAttemptAt = now + wait + Math.floor((chance * wait) / 4)
  return nextAttemptAt > failingSince + retryMs
    ? { state: 'set-aside' }
    : { state: 'pending', nextAttemptAt, failingSince }
}

const isDelivered = (it: Outcome): boolean => it.kind === 'answered' && it.status >= 200 && it.status < 300

/** Whether trying again could not help: it was understood and refused, or it must not be called. */
const isFinal = (it: Outcome): boolean => {
  switch (it.kind) {
    case 'answered':
      return it.status < 500 && !PASSING.includes(it.status)
    case 'refused-address':
    case 'redirected':
    case 'bad-url':
    case 'answer-too-large':
      return true
    case 'timed-out':
    case 'unresolvable':
    case 'unreachable':
    case 'bad-tls':
      return false
  }
}

export const isRetriedByTwilio = (it: Outcome): boolean =>
  it.kind === 'timed-out' || (it.kind === 'answered' && TWILIO_RETRIES.includes(it.status))
