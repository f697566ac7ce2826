/** What runs when a job is due. Handlers are idempotent: after a crash a job runs again. */
import type { Store, Tx } from '../store/tx.ts'

export interface Job {
  readonly sid: string
  readonly kind: string
  readonly key: string
  readonly data: unknown
  /** How often it was tried before. */
  readonly attempts: number
  readonly dueAt: number
  /**
   * Ends the job in the transaction of its last work, which spares it one of its own: `run` then answers `ended`. One that
   * was left anew meanwhile stays, and runs again at its new time.
   */
  readonly end: (tx: Tx) => Promise<'ended'>
}

export interface JobHandler {
  readonly kind: string
  /** How many of one lane may run at once. */
  readonly perLane: number
  /** How long one run may take before another runner may take the job over, in milliseconds. */
  readonly leaseMs: number
  /** A thrown fault is recorded and the job set back with a growing wait. */
  readonly run: (job: Job, house: { store: Store; now(): number }) => Promise<Outcome | undefined>
}

/** `undefined` is done; `ended` is done and already taken away. */
export type Outcome = { readonly again: number } | 'ended'
