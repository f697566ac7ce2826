/** What a worker was offered: their reservations, each with its task. */
import type { ReservationStatus } from '@parley/contract/taskrouter/reservation.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import { listing, type PageAsked } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import type { StoredReservation, StoredTask } from '../store/tables/taskrouter.ts'
import type { Reader } from '../store/tx.ts'
import { transferOf } from './offer.ts'
import { taskRow } from './task-row.ts'

/** Those that have not ended. */
const ACTIVE: readonly ReservationStatus[] = ['pending', 'accepted', 'wrapping']

export interface Offered {
  /** The reservation's. */
  readonly sid: string
  readonly reservation: StoredReservation
  readonly task: TaskRow & StoredTask
  /** The one that it was made for, or that began with it and is under way. */
  readonly transfer: TransferRow | undefined
}

const list = listing(
  'reservations',
  'sid',
  (query, at: { workerSid: string; accountSid: string; active?: true }, given) => {
    const own = query.where('worker_sid', '=', at.workerSid).where('account_sid', '=', at.accountSid)
    return given('active') ? own.where('reservation_status', 'in', ACTIVE) : own
  },
)

const tasksBySid = reading((db, at: { sids: string }, dialect) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where((it) => dialect.isOneOf(it.ref('sid'), at.sids)),
)

/** A page of a worker's reservations in the order of their SIDs; with `active` those that have not ended. */
export const offersOf = async (
  reader: Reader,
  { accountSid, workerSid, active }: { accountSid: string; workerSid: string; active: boolean },
  page: PageAsked,
): Promise<Offered[]> => {
  const rows = await list(reader, { accountSid, workerSid, ...(active && { active }) }, page)
  return withTasks(reader, rows)
}

/** Reservations with their tasks; one whose task is gone meanwhile is left out. */
export const withTasks = async (
  reader: Reader,
  reservations: readonly StoredReservation[],
): Promise<Offered[]> => {
  const sids = JSON.stringify([...new Set(reservations.map((it) => it.task_sid))])
  const tasks = new Map((await tasksBySid.all(reader, { sids })).map((it) => [it.sid, it]))
  const now = reader.now()
  const offered: Offered[] = []
  for (const reservation of reservations) {
    const task = tasks.get(reservation.task_sid)
    if (!task) continue
    const transfer = await transferOf(reader, reservation, task)
    offered.push({ sid: reservation.sid, reservation, task: taskRow(task, now), transfer })
  }
  return offered
}
