/**
 * What becomes of a task whose transfer came to nothing. Who gave it has it again; where they have left it already, it
 * waits once more where it waited before, so that its customer is not lost.
 */
import type { Actor } from '@parley/contract/actor.ts'
import { TASK_MOVES_BY_TRANSFER, type TaskStatus } from '@parley/contract/taskrouter/task.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import { reading } from '../store/query.ts'
import { update } from '../store/rows.ts'
import type { StoredReservation, StoredTask } from '../store/tables/taskrouter.ts'
import type { Tx } from '../store/tx.ts'
import { hold } from './held.ts'
import { liveReservations } from './offer.ts'
import { moveOn, placeIn, REASONS } from './placing.ts'
import { laneOf, type Target, targetOfWorker } from './router/target.ts'
import { cancelLocked, expectNothing, expectTimeout } from './task-end.ts'
import { taskRow } from './task-row.ts'
import { wakeRouter } from './wake-router.ts'

/** @throws where a transfer cannot make that of a task: a bug */
export const mustMoveByTransfer = (from: TaskStatus, to: TaskStatus): void => {
  if (!TASK_MOVES_BY_TRANSFER[from].includes(to)) throw new Error(`no transfer makes a ${from} task ${to}`)
}

/** Whoever a queue gave a task to has it from the queue, and not because it was sent to one worker. */
const anyGivenToQueue = reading((db, at: { taskSid: string }) =>
  db
    .selectFrom('task_transfers')
    .select('sid')
    .where('task_sid', '=', at.taskSid)
    .where('transfer_type', '=', 'QUEUE')
    .where('transfer_status', '=', 'complete')
    .limit(1),
)

/**
 * Takes a task back from its transfer, which is over. Its row is written and nothing is told; `goOn` does that, once
 * the offer that was made has been taken back.
 */
export const takeBack = async (
  tx: Tx,
  task: StoredTask,
  transfer: TransferRow,
): Promise<{ task: StoredTask; goOn(actor: Actor): Promise<StoredTask> }> => {
  const live = await liveReservations(tx, task.sid)
  const { initiating_queue_sid: queueSid } = transfer
  const at = queueSid === null ? undefined : { sid: queueSid, workspaceSid: task.workspace_sid }
  const queue = at && (await hold(tx, 'task_queues', at))
  const status = statusAfter(transfer, live)
  mustMoveByTransfer(task.assignment_status, status)
  const back: StoredTask = {
    ...task,
    assignment_status: status,
    transfer_sid: null,
    task_queue_sid: queue?.sid ?? null,
    task_queue_friendly_name: queue?.friendly_name ?? null,
    step: null,
    offers: 0,
    waits: 0,
    version: task.version + 1,
  }
  const { priority } = task
  const target: Target =
    task.routing_target?.startsWith('WK') && !(await anyGivenToQueue.first(tx, { taskSid: task.sid }))
      ? targetOfWorker(task.routing_target, { ignoresCapacity: task.ignore_capacity === 1 })
      : {}
  const placed =
    status !== 'pending'
      ? {}
      : queue
        ? placeIn(back, { queue, target, priority, step: null, now: tx.now() })
        : {
            target: JSON.stringify(target),
            lane: laneOf(null, task.task_channel_sid, target, task.attributes),
            offers_max: 1,
            waits: 1,
          }
  const changes = {
    assignment_status: back.assignment_status,
    transfer_sid: null,
    task_queue_sid: back.task_queue_sid,
    task_queue_friendly_name: back.task_queue_friendly_name,
    step: null,
    offers: 0,
    waits: 0,
    // The router looks who has a task, or had it a moment ago, where it was refused: so does what nobody took.
    refusals: task.refusals + Number(status === 'pending' || transfer.transfer_status === 'failed'),
    date_updated: tx.now(),
    version: back.version,
    ...placed,
  }
  const written = await update(tx, 'tasks', { sid: task.sid }, changes)
  if (!written) throw new Error(`task ${task.sid} is locked and not there`)
  return { task: written, goOn: (actor) => goOn(tx, written, actor) }
}

const statusAfter = (
  { transfer_status, transfer_mode, initiating_reservation_sid }: TransferRow,
  live: readonly StoredReservation[],
): TaskStatus => {
  if (live.some((it) => it.reservation_status === 'accepted')) return 'assigned'
  const giver = live.find((it) => it.sid === initiating_reservation_sid)
  // Who gave it away for good does not have it again because another would not take it, but by their own will.
  if (giver && (transfer_mode === 'WARM' || transfer_status === 'canceled')) return 'wrapping'
  return 'pending'
}

const goOn = async (tx: Tx, task: StoredTask, actor: Actor): Promise<StoredTask> => {
  const told = { accountSid: task.account_sid, at: tx.now(), actor, task: taskRow(task, tx.now()) }
  tx.record({ name: 'task.updated', ...told })
  await wakeRouter(tx, task.workspace_sid)
  if (task.assignment_status !== 'pending') {
    await expectNothing(tx, task)
    return task
  }
  await expectTimeout(tx, task)
  const { task: placed, nowhere } = await moveOn(tx, { task, why: 'anew', actor })
  return nowhere ? cancelLocked(tx, { task: placed, reason: REASONS[nowhere], actor }) : placed
}
