/** How tasks end: canceled before a worker has them, wrapped up and completed after. Each caller has locked the task. */
import type { Actor } from '@parley/contract/actor.ts'
import { problem } from '@parley/contract/problem.ts'
import { TASK_MOVES, type TaskStatus } from '@parley/contract/taskrouter/task.ts'
import { later, noneLater } from '../jobs/later.ts'
import { remove, update } from '../store/rows.ts'
import type { StoredReservation, StoredTask } from '../store/tables/taskrouter.ts'
import type { Tx } from '../store/tx.ts'
import { liveReservations, moveReservation } from './offer.ts'
import { lockWorkers } from './parents.ts'
import { STEP } from './placing.ts'
import { isLive, isOver, taskRow } from './task-row.ts'
import { openTransfer, settleTransfer, tellTransfer } from './transfer-row.ts'
import { wakeRouter } from './wake-router.ts'

export const TASK_TIMEOUT = 'taskrouter.task-timeout'
export const SWEEP = 'taskrouter.task-sweep'

/** How long a task that is over can still be fetched, in milliseconds, as with Twilio. */
export const SWEEP_AFTER_MS = 5 * 60_000

/** @throws 400 where the task cannot become that */
export const mayBecome = (from: TaskStatus, to: TaskStatus): void => {
  if (!TASK_MOVES[from].includes(to))
    throw problem('illegal_move', { parameter: 'AssignmentStatus', resource: 'task', from, to })
}

/** Cancels a task that nobody has accepted, and takes back its offers. */
export const cancelLocked = (
  tx: Tx,
  it: { task: StoredTask; reason: string; actor: Actor },
): Promise<StoredTask> => end(tx, { ...it, to: 'canceled' })

/** The work is done, and whoever did it is free for more. */
export const completeLocked = (
  tx: Tx,
  it: { task: StoredTask; reason: string | null; actor: Actor },
): Promise<StoredTask> => end(tx, { ...it, to: 'completed' })

/** The conversation is over and its worker tidies up; that still takes capacity. */
export const wrapLocked = async (
  tx: Tx,
  { task, reason, actor }: { task: StoredTask; reason?: string | undefined; actor: Actor },
): Promise<StoredTask> => {
  mayBecome(task.assignment_status, 'wrapping')
  const wrapping = await become(tx, task, 'wrapping', reason ?? task.reason)
  const accepted = (await liveReservations(tx, task.sid)).filter((it) => it.reservation_status === 'accepted')
  await moveAll(tx, accepted, 'wrapping', wrapping, actor)
  tell(tx, 'task.wrapup', wrapping, actor)
  return wrapping
}

/** Deletes a task; its offers are taken back and whoever has it is free. */
export const deleteLocked = async (
  tx: Tx,
  { task, actor }: { task: StoredTask; actor: Actor },
): Promise<void> => {
  const live = await liveReservations(tx, task.sid)
  await endTransfer(tx, task, actor)
  await endOffers(tx, live, task, actor)
  await forget(tx, task)
  await noneLater(tx, [TASK_TIMEOUT, STEP, SWEEP], task.sid)
  tell(tx, 'task.deleted', task, actor)
  if (live.length) await wakeRouter(tx, task.workspace_sid)
}

/** Deletes a task that has been over for a while: of its jobs the one that does this is the last. */
export const sweepLocked = async (
  tx: Tx,
  { task, actor }: { task: StoredTask; actor: Actor },
): Promise<void> => {
  if (!isOver(task)) return
  await forget(tx, task)
  tell(tx, 'task.system-deleted', task, actor)
}

const end = async (
  tx: Tx,
  {
    task,
    to,
    reason,
    actor,
  }: { task: StoredTask; to: 'canceled' | 'completed'; reason: string | null; actor: Actor },
): Promise<StoredTask> => {
  mayBecome(task.assignment_status, to)
  const live = await liveReservations(tx, task.sid)
  const has = live.find((it) => it.reservation_status === 'accepted')
  // While it is being transferred it waits, and still somebody has it.
  if (to === 'canceled' && has) mayBecome('assigned', to)
  await endTransfer(tx, task, actor)
  const ended = await become(tx, task, to, reason ?? task.reason)
  await endOffers(tx, live, ended, actor)
  tell(tx, to === 'canceled' ? 'task.canceled' : 'task.completed', ended, actor)
  if (isLive(task)) await expectNothing(tx, task)
  await later(tx, { kind: SWEEP, key: task.sid, dueAt: tx.now() + SWEEP_AFTER_MS })
  if (live.length) await wakeRouter(tx, task.workspace_sid)
  return ended
}

/** Offers are taken back, and whoever has the task is done with it. */
const endOffers = async (
  tx: Tx,
  live: readonly StoredReservation[],
  task: StoredTask,
  actor: Actor,
): Promise<void> => {
  const isOffer = (it: StoredReservation) => it.reservation_status === 'pending'
  await moveAll(tx, live.filter(isOffer), 'canceled', task, actor)
  await moveAll(
    tx,
    live.filter((it) => !isOffer(it)),
    'completed',
    task,
    actor,
  )
}

const endTransfer = async (tx: Tx, task: StoredTask, actor: Actor): Promise<void> => {
  const open = await openTransfer(tx, task)
  if (!open) return
  const transfer = await settleTransfer(tx, open, 'canceled')
  tellTransfer(tx, 'task.transfer-canceled', { transfer, task, actor })
}

const become = async (
  tx: Tx,
  task: StoredTask,
  to: TaskStatus,
  reason: string | null,
): Promise<StoredTask> => {
  const changed = await update(
    tx,
    'tasks',
    { sid: task.sid },
    {
      assignment_status: to,
      reason,
      waits: 0,
      offers: 0,
      transfer_sid: to === 'wrapping' ? task.transfer_sid : null,
      date_updated: tx.now(),
      version: task.version + 1,
    },
  )
  if (!changed) throw new Error(`task ${task.sid} is locked and not there`)
  return changed
}

/** A task that waits, and that nobody is at work on, does not wait for ever: from now on its time runs. */
export const expectTimeout = (tx: Tx, { sid, timeout }: StoredTask): Promise<void> =>
  later(tx, { kind: TASK_TIMEOUT, key: sid, dueAt: tx.now() + timeout * 1000 })

/** Takes back what was to happen to a task that waits. */
export const expectNothing = (tx: Tx, task: StoredTask): Promise<void> =>
  noneLater(tx, [TASK_TIMEOUT, STEP], task.sid)

const moveAll = async (
  tx: Tx,
  reservations: readonly StoredReservation[],
  to: 'canceled' | 'completed' | 'wrapping',
  task: StoredTask,
  actor: Actor,
): Promise<void> => {
  if (!reservations.length) return
  const workers = await lockWorkers(
    tx,
    reservations.map((it) => it.worker_sid),
  )
  for (const reservation of reservations) {
    const worker = workers.get(reservation.worker_sid)
    if (worker) await moveReservation(tx, { reservation, to, task, worker, actor })
  }
}

const forget = async (tx: Tx, task: StoredTask): Promise<void> => {
  await remove(tx, 'tasks', { sid: task.sid })
  await remove(tx, 'reservations', { task_sid: task.sid })
  await remove(tx, 'task_transfers', { task_sid: task.sid })
}

const tell = (
  tx: Tx,
  name: 'task.canceled' | 'task.completed' | 'task.wrapup' | 'task.deleted' | 'task.system-deleted',
  task: StoredTask,
  actor: Actor,
): void =>
  tx.record({ name, accountSid: task.account_sid, at: tx.now(), actor, task: taskRow(task, tx.now()) })
