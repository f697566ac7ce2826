import type { DeliveryRow } from '@parley/contract/parley/delivery.ts'

export interface WebhookTables {
  deliveries: Omit<DeliveryRow, 'why' | 'attempts' | 'next_attempt_at'> & {
    /** Retries that Twilio's own semantics grant: 0 to 3. */
    retry_count: number
    /** Deliveries of one lane (a channel's to one URL) are made in order. Null for what is never sent by a job. */
    lane: string | null
    /** The order within the lane, among what is pending in it. */
    place: number
    /** The earliest moment of the next attempt. Null for what is not pending. */
    next_attempt_at: number | null
    /** When its first attempt since it became pending failed. Null while none has. */
    failing_since: number | null
  }
  delivery_attempts: {
    delivery_sid: string
    /** From 0; it is what `RetryCount` said. */
    number: number
    at: number
    duration_ms: number
    outcome: string
    /** What went wrong, in words. */
    reason: string | null
    /** JSON: `{ method, url, headers }`; the body follows from the delivery. */
    request: string
    /** JSON: `{ status, headers, body }`, or null when none came. */
    answer: string | null
  }
}
