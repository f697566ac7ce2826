/**
 * One step of one reservation: its row, the worker's counters, its timeout and its event. What it means for the task
 * is for the caller, who has locked the task and the worker and has written the task first, so that the event tells
 * both as they stand.
 */
import type { Actor } from '@parley/contract/actor.ts'
import { problem } from '@parley/contract/problem.ts'
import { RESERVATION_MOVES, type ReservationStatus } from '@parley/contract/taskrouter/reservation.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import { notLater } from '../jobs/later.ts'
import { reading } from '../store/query.ts'
import { find, update } from '../store/rows.ts'
import type { StoredReservation, StoredTask, StoredWorker } from '../store/tables/taskrouter.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { taskRow } from './task-row.ts'
import { openTransfer } from './transfer-row.ts'
import { count } from './workload.ts'

export const RESERVATION_TIMEOUT = 'taskrouter.reservation-timeout'

type Ended = Exclude<ReservationStatus, 'pending'>

const EVENTS = {
  accepted: 'reservation.accepted',
  rejected: 'reservation.rejected',
  timeout: 'reservation.timeout',
  canceled: 'reservation.canceled',
  rescinded: 'reservation.rescinded',
  wrapping: 'reservation.wrapup',
  completed: 'reservation.completed',
} as const satisfies Record<Ended, string>

const liveOf = reading((db, at: { taskSid: string }) =>
  db
    .selectFrom('reservations')
    .selectAll()
    .where('task_sid', '=', at.taskSid)
    .where('reservation_status', 'in', ['pending', 'accepted', 'wrapping'])
    .orderBy('sid'),
)

/** The reservations of a task that have not ended. */
export const liveReservations = (reader: Reader, taskSid: string): Promise<StoredReservation[]> =>
  liveOf.all(reader, { taskSid })

const takersOf = reading((db, at: { taskSid: string }) =>
  db
    .selectFrom('workers')
    .selectAll()
    .where('sid', 'in', (it) =>
      it
        .selectFrom('reservations')
        .select('worker_sid')
        .where('task_sid', '=', at.taskSid)
        .where('reservation_status', 'in', ['accepted', 'wrapping']),
    )
    .orderBy('sid'),
)

/** Who has taken the task and is not done with it. */
export const workersWith = (reader: Reader, taskSid: string): Promise<StoredWorker[]> =>
  takersOf.all(reader, { taskSid })

/** The transfer that an offer was made for; else the one that is under way and began with it. */
export const transferOf = async (
  reader: Reader,
  reservation: Pick<StoredReservation, 'sid' | 'transfer_sid'>,
  task: Pick<StoredTask, 'transfer_sid'>,
): Promise<TransferRow | undefined> => {
  const { transfer_sid: sid } = reservation
  if (sid !== null) return find(reader, 'task_transfers', { sid })
  const open = await openTransfer(reader, task)
  return open?.initiating_reservation_sid === reservation.sid ? open : undefined
}

/** @throws 400 where the reservation cannot become that */
export const mayMove = (from: ReservationStatus, to: ReservationStatus): void => {
  if (!RESERVATION_MOVES[from].includes(to))
    throw problem('illegal_move', { parameter: 'ReservationStatus', resource: 'reservation', from, to })
}

export const moveReservation = async (
  tx: Tx,
  {
    reservation,
    to,
    task,
    worker,
    actor,
  }: {
    reservation: StoredReservation
    to: Ended
    task: StoredTask
    worker: StoredWorker
    actor: Actor
  },
): Promise<{ reservation: StoredReservation; worker: StoredWorker }> => {
  mayMove(reservation.reservation_status, to)
  const now = tx.now()
  const moved = await update(
    tx,
    'reservations',
    { sid: reservation.sid },
    { reservation_status: to, date_updated: now, version: reservation.version + 1 },
  )
  if (!moved) throw new Error(`reservation ${reservation.sid} is locked and not there`)
  const wasOffer = reservation.reservation_status === 'pending'
  const change = { worker, taskChannelSid: reservation.task_channel_sid }
  let counted = worker
  if (wasOffer) {
    await notLater(tx, RESERVATION_TIMEOUT, reservation.sid)
    counted = await count(tx, { ...change, offered: -1, assigned: to === 'accepted' ? 1 : 0 })
  } else if (to === 'completed') counted = await count(tx, { ...change, assigned: -1, idle: true })
  tx.record({
    name: EVENTS[to],
    accountSid: task.account_sid,
    at: now,
    actor,
    reservation: moved,
    task: taskRow(task, now),
    worker: counted,
    transfer: await transferOf(tx, moved, task),
  })
  return { reservation: moved, worker: counted }
}
