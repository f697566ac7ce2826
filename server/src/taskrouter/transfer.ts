/**
 * Transfers: a worker gives a task that they have to another worker, or to a queue. The task is offered as any other is;
 * what becomes of the offer decides what becomes of the transfer (`reservation.ts`).
 */
import type { Actor } from '@parley/contract/actor.ts'
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import type { TransferMode, TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { find, insert, update } from '../store/rows.ts'
import type { StoredReservation, StoredTask } from '../store/tables/taskrouter.ts'
import type { Tx } from '../store/tx.ts'
import { hold } from './held.ts'
import { liveReservations, moveReservation } from './offer.ts'
import { lockTask, lockWorkers } from './parents.ts'
import { placeIn } from './placing.ts'
import { offerTask, timeoutsOf } from './router/reserve.ts'
import { expectTimeout } from './task-end.ts'
import { taskRow } from './task-row.ts'
import { mustMoveByTransfer, takeBack } from './transfer-back.ts'
import { settleTransfer, tellTransfer } from './transfer-row.ts'
import { wakeRouter } from './wake-router.ts'

interface Whose {
  readonly accountSid: string
  readonly workspaceSid: string
  /** Who gives the task away. */
  readonly workerSid: string
  readonly taskSid: string
  readonly actor: Actor
}

export interface TransferWanted extends Whose {
  readonly reservationSid: string
  /** A worker's or a queue's SID. */
  readonly to: string
  readonly mode: TransferMode
  readonly priority?: number | undefined
  /** JSON. */
  readonly attributes?: string | undefined
}

const refused = (reason: string) => problem('transfer_refused', { reason })

/**
 * Gives a task away.
 * @throws 404 for a reservation that the worker does not have, 400 where the task is not theirs now, is being given away
 *   already, or would go to nobody: oneself, a stranger, somebody who is not available or has no capacity left
 */
export const startTransfer = async (tx: Tx, wanted: TransferWanted): Promise<TransferRow> => {
  const { task, workspace } = await lockOwn(tx, wanted)
  const { reservationSid: sid, workerSid, to, actor } = wanted
  const reservation = await find(tx, 'reservations', { sid, task_sid: task.sid, worker_sid: workerSid })
  if (!reservation) throw problem('not_found', { path: `/Workers/${workerSid}/Reservations/${sid}` })
  if (task.transfer_sid !== null) throw refused('it is being transferred already')
  if (reservation.reservation_status !== 'accepted' || task.assignment_status !== 'assigned')
    throw refused(`its reservation is ${reservation.reservation_status}, the task ${task.assignment_status}`)
  if (to === workerSid) throw refused('the worker has it')
  const give = await findReceiver(tx, task, workspace, wanted)
  const transfer: TransferRow = {
    sid: tx.newSid('TT'),
    account_sid: task.account_sid,
    workspace_sid: task.workspace_sid,
    task_sid: task.sid,
    initiating_reservation_sid: reservation.sid,
    initiating_worker_sid: workerSid,
    initiating_queue_sid: task.task_queue_sid,
    initiating_workflow_sid: task.workflow_sid,
    transfer_mode: wanted.mode,
    transfer_type: give.type,
    transfer_to: to,
    transfer_status: 'initiated',
    transfer_failed_reason: null,
    date_created: tx.now(),
    date_updated: tx.now(),
  }
  await insert(tx, 'task_transfers', transfer)
  const priority = wanted.priority ?? task.priority
  const changes = {
    transfer_sid: transfer.sid,
    attributes: wanted.attributes ?? task.attributes,
    priority,
    priority_down: -priority,
    offers: 0,
    // To one worker it is offered once.
    offers_max: 1,
  }
  const placed = { ...changes, ...give.place({ ...task, ...changes }) }
  const leaving = (await update(tx, 'tasks', { sid: task.sid }, placed)) ?? task
  tellTransfer(tx, 'task.transfer-initiated', { transfer, task: leaving, actor })
  if (wanted.mode === 'COLD') await letGo(tx, reservation, leaving, actor)
  await give.now(leaving)
  return transfer
}

/**
 * Takes a transfer back that nobody has accepted.
 * @throws 404 for one that the worker did not start, 400 for one that has ended
 */
export const cancelTransfer = async (
  tx: Tx,
  { transferSid: sid, ...whose }: Whose & { readonly transferSid: string },
): Promise<TransferRow> => {
  const { task } = await lockOwn(tx, whose)
  const { workerSid, actor } = whose
  const mine = { sid, task_sid: task.sid, initiating_worker_sid: workerSid }
  const found = await find(tx, 'task_transfers', mine)
  if (!found) throw problem('not_found', { path: `/Workers/${workerSid}/Transfers/${sid}` })
  const transfer = await settleTransfer(tx, found, 'canceled')
  const { task: back, goOn } = await takeBack(tx, task, transfer)
  const offers = (await liveReservations(tx, task.sid)).filter((it) => it.reservation_status === 'pending')
  const workers = await lockWorkers(
    tx,
    offers.map((it) => it.worker_sid),
  )
  for (const reservation of offers) {
    const worker = workers.get(reservation.worker_sid)
    if (worker) await moveReservation(tx, { reservation, to: 'canceled', task: back, worker, actor })
  }
  tellTransfer(tx, 'task.transfer-canceled', { transfer, task: back, actor })
  await goOn(actor)
  return transfer
}

const lockOwn = async (
  tx: Tx,
  { accountSid, workspaceSid, taskSid }: Whose,
): Promise<{ task: StoredTask; workspace: WorkspaceRow }> => {
  const task = await lockTask(tx, accountSid, taskSid)
  const workspace = await find(tx, 'workspaces', { sid: workspaceSid, account_sid: accountSid })
  if (task?.workspace_sid !== workspaceSid || !workspace)
    throw problem('not_found', { path: `/Workspaces/${workspaceSid}/Tasks/${taskSid}` })
  return { task, workspace }
}

interface Receiver {
  readonly type: TransferRow['transfer_type']
  /** What becomes of the task as it leaves. */
  place(task: StoredTask): Partial<StoredTask>
  /** It has left. */
  now(task: StoredTask): Promise<void>
}

const findReceiver = async (
  tx: Tx,
  { sid: taskSid, task_channel_sid, workspace_sid }: StoredTask,
  workspace: WorkspaceRow,
  { to, workerSid, actor }: TransferWanted,
): Promise<Receiver> => {
  const holders = (await liveReservations(tx, taskSid)).map((it) => it.worker_sid)
  const at = { sid: to, workspaceSid: workspace_sid }
  const queue = isSid('WQ', to) ? await hold(tx, 'task_queues', at) : undefined
  if (queue)
    return {
      type: 'QUEUE',
      place: (task) => {
        mustMoveByTransfer(task.assignment_status, 'pending')
        // Who gives it away is not the one to get it, nor who has it beside them.
        const having = holders.map((sid) => `'${sid}'`).join(', ')
        const target = { expression: `sid NOT IN [${having}]` }
        const waiting: StoredTask = { ...task, assignment_status: 'pending' }
        return {
          assignment_status: 'pending',
          ...placeIn(waiting, { queue, target, priority: task.priority, step: null, now: tx.now() }),
          date_updated: tx.now(),
          version: task.version + 1,
        }
      },
      now: async (task) => {
        const told = { accountSid: task.account_sid, at: tx.now(), actor, taskQueue: queue }
        tx.record({ name: 'task-queue.entered', ...told, task: taskRow(task, tx.now()) })
        await wakeRouter(tx, workspace_sid)
      },
    }
  // Both, in the order in which everybody locks workers.
  const worker = (await lockWorkers(tx, [to, workerSid])).get(to)
  if (worker?.workspace_sid !== workspace_sid)
    throw problem('invalid_parameter', {
      parameter: 'To',
      reason: 'expected the SID of a worker or a task queue of the workspace',
    })
  if (holders.includes(to)) throw refused(`${worker.friendly_name} has it already`)
  if (worker.available !== 1) throw refused(`${worker.friendly_name} is not available`)
  const channel = await find(tx, 'worker_channels', { worker_sid: to, task_channel_sid })
  if (channel?.open !== 1) throw refused(`${worker.friendly_name} has no capacity left`)
  return {
    type: 'WORKER',
    place: (task) => {
      mustMoveByTransfer(task.assignment_status, 'reserved')
      return {}
    },
    now: async (task) => {
      await offerTask(tx, { task, worker, workspace, timeoutMs: await timeoutsOf(tx)(task), actor })
    },
  }
}

/**
 * Who gives a task away for good has no more than their tidying up to do. If nobody else is at work on it, its customer
 * waits as any other does.
 */
const letGo = async (
  tx: Tx,
  reservation: StoredReservation,
  task: StoredTask,
  actor: Actor,
): Promise<void> => {
  const worker = (await lockWorkers(tx, [reservation.worker_sid])).get(reservation.worker_sid)
  if (worker) await moveReservation(tx, { reservation, to: 'wrapping', task, worker, actor })
  const live = await liveReservations(tx, task.sid)
  if (live.every((it) => it.reservation_status !== 'accepted')) await expectTimeout(tx, task)
}
