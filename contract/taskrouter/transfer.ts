/**
 * A task on its way from the worker who has it to another one, or to a queue. Twilio publishes them through the worker
 * SDK alone. WARM: who gives it stays with the task until the other has it, and after. COLD: they leave at once.
 */

export const TRANSFER_STATUSES = ['initiated', 'complete', 'failed', 'canceled'] as const

export type TransferStatus = (typeof TRANSFER_STATUSES)[number]

/** What becomes of a transfer, by what it is. One to a queue does not fail: the queue has other workers. */
export const TRANSFER_MOVES: Readonly<Record<TransferStatus, readonly TransferStatus[]>> = {
  initiated: ['complete', 'failed', 'canceled'],
  complete: [],
  failed: [],
  canceled: [],
}

export const TRANSFER_MODES = ['WARM', 'COLD'] as const

export type TransferMode = (typeof TRANSFER_MODES)[number]

export interface TransferRow {
  readonly sid: string
  readonly account_sid: string
  readonly workspace_sid: string
  readonly task_sid: string
  readonly initiating_reservation_sid: string
  readonly initiating_worker_sid: string
  /** Where the task was, to go back to. */
  readonly initiating_queue_sid: string | null
  readonly initiating_workflow_sid: string | null
  readonly transfer_mode: TransferMode
  readonly transfer_type: 'WORKER' | 'QUEUE'
  /** The worker's or the queue's SID. */
  readonly transfer_to: string
  readonly transfer_status: TransferStatus
  readonly transfer_failed_reason: string | null
  readonly date_created: number
  readonly date_updated: number
}
