/** One step of one transfer: its row and its event. What it means for the task is for the caller, who has locked it. */
import type { Actor } from '@parley/contract/actor.ts'
import { problem } from '@parley/contract/problem.ts'
import {
  TRANSFER_MOVES,
  type TransferRow,
  type TransferStatus,
} from '@parley/contract/taskrouter/transfer.ts'
import { find, update } from '../store/rows.ts'
import type { StoredTask } from '../store/tables/taskrouter.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { taskRow } from './task-row.ts'

/** The transfer that is under way with a task. */
export const openTransfer = async (
  reader: Reader,
  { transfer_sid: sid }: Pick<StoredTask, 'transfer_sid'>,
): Promise<TransferRow | undefined> => (sid === null ? undefined : find(reader, 'task_transfers', { sid }))

/**
 * Ends a transfer. Its event is told by `tellTransfer`, when the task stands as it will.
 * @throws 400 for one that has ended, in the words that the worker SDK's callers know
 */
export const settleTransfer = async (
  tx: Tx,
  transfer: TransferRow,
  to: Exclude<TransferStatus, 'initiated'>,
  reason: string | null = null,
): Promise<TransferRow> => {
  const { sid, transfer_status: status } = transfer
  if (!TRANSFER_MOVES[status].includes(to)) throw problem('transfer_over', { sid, status })
  const changes = { transfer_status: to, transfer_failed_reason: reason, date_updated: tx.now() }
  const settled = await update(tx, 'task_transfers', { sid }, changes)
  if (!settled) throw new Error(`transfer ${sid} is locked by its task and not there`)
  return settled
}

export type TransferEvent =
  | 'task.transfer-initiated'
  | 'task.transfer-attempt-failed'
  | 'task.transfer-failed'
  | 'task.transfer-canceled'
  | 'task.transfer-completed'

export const tellTransfer = (
  tx: Tx,
  name: TransferEvent,
  { transfer, task, actor }: { transfer: TransferRow; task: StoredTask; actor: Actor },
): void =>
  tx.record({
    name,
    accountSid: task.account_sid,
    at: tx.now(),
    actor,
    transfer,
    task: taskRow(task, tx.now()),
  })
