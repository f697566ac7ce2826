/**
 * What becomes of an offer: accepted, rejected, left unanswered, wrapped up, completed. Every verb locks the task
 * (which covers its reservations), then the workers, and moves a reservation only along `RESERVATION_MOVES`.
 */
import type { Actor } from '@parley/contract/actor.ts'
import { problem } from '@parley/contract/problem.ts'
import {
  RESERVATION_STATUSES_ASKED,
  type ReservationStatus,
  TaskReservation,
  WorkerReservation,
} from '@parley/contract/taskrouter/reservation.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { type AccessToken, bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { find, update } from '../store/rows.ts'
import type { StoredReservation, StoredTask, StoredWorker } from '../store/tables/taskrouter.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { hold } from './held.ts'
import { liveReservations, mayMove, moveReservation } from './offer.ts'
import {
  findTask,
  lockTask,
  lockWorkers,
  requireActivity,
  requireWorkspace,
  workspaceSeen,
} from './parents.ts'
import { moveOn, REASONS, waitsNow } from './placing.ts'
import { mustMatch, sayVersion } from './row-version.ts'
import { cancelLocked, completeLocked, expectNothing, expectTimeout, wrapLocked } from './task-end.ts'
import { isLive } from './task-row.ts'
import { takeBack } from './transfer-back.ts'
import { openTransfer, settleTransfer, tellTransfer } from './transfer-row.ts'
import { wakeRouter } from './wake-router.ts'
import { enterActivity } from './worker-activity.ts'
import { mayActFor } from './worker-token.ts'

/** A reservation with all that its verbs lock. */
interface Locked {
  readonly reservation: StoredReservation
  readonly task: StoredTask
  readonly workspace: WorkspaceRow
}

/** Locks a reservation by locking its task; undefined where there is none in this account. */
export const lockReservation = async (
  tx: Tx,
  accountSid: string,
  sid: string,
): Promise<Locked | undefined> => {
  const seen = await find(tx, 'reservations', { sid, account_sid: accountSid })
  return seen && lockSeen(tx, seen)
}

/** Of a reservation that was read unlocked: what it is may have changed until the task is locked. */
const lockSeen = async (tx: Tx, seen: StoredReservation): Promise<Locked | undefined> => {
  const task = await lockTask(tx, seen.account_sid, seen.task_sid)
  if (!task) return undefined
  const reservation = await find(tx, 'reservations', { sid: seen.sid })
  const workspace = await workspaceSeen(tx, task.workspace_sid)
  return reservation && workspace ? { reservation, task, workspace } : undefined
}

const lockWorkerOf = async (tx: Tx, reservation: StoredReservation): Promise<StoredWorker> => {
  const worker = (await lockWorkers(tx, [reservation.worker_sid])).get(reservation.worker_sid)
  if (!worker) throw new Error(`reservation ${reservation.sid} has a worker who is not there`)
  return worker
}

/** The worker takes the task; whoever else was offered it is too late. */
export const acceptReservation = async (
  tx: Tx,
  { reservation, task, workspace, actor }: Locked & { actor: Actor },
): Promise<StoredReservation> => {
  mayMove(reservation.reservation_status, 'accepted')
  const others = (await liveReservations(tx, task.sid)).filter(
    (it) => it.sid !== reservation.sid && it.reservation_status === 'pending',
  )
  const open = await openTransfer(tx, task)
  const transfer = open && (await settleTransfer(tx, open, 'complete'))
  const workers = await lockWorkers(
    tx,
    [reservation, ...others].map((it) => it.worker_sid),
  )
  const assigned = await update(
    tx,
    'tasks',
    { sid: task.sid },
    {
      assignment_status: 'assigned',
      waits: 0,
      offers: 0,
      transfer_sid: null,
      date_updated: tx.now(),
      version: task.version + 1,
    },
  )
  const accepting = workers.get(reservation.worker_sid)
  if (!assigned || !accepting)
    throw new Error(`reservation ${reservation.sid} has lost its task or its worker`)
  await expectNothing(tx, task)
  const common = { task: assigned, actor }
  const { reservation: accepted, worker } = await moveReservation(tx, {
    ...common,
    reservation,
    to: 'accepted',
    worker: accepting,
  })
  if (transfer) tellTransfer(tx, 'task.transfer-completed', { transfer, task: assigned, actor })
  const queue = task.task_queue_sid ? await find(tx, 'task_queues', { sid: task.task_queue_sid }) : undefined
  // Only where a worker has one task at a time does the task say what they are doing.
  if (queue?.assignment_activity_sid && !workspace.multi_task_enabled) {
    const at = { sid: queue.assignment_activity_sid, workspaceSid: workspace.sid }
    const activity = await hold(tx, 'activities', at)
    if (activity) await enterActivity(tx, { worker, activity, actor })
  }
  for (const other of others) {
    const late = workers.get(other.worker_sid)
    if (late) await moveReservation(tx, { ...common, reservation: other, to: 'rescinded', worker: late })
  }
  // Others are free again; and what a worker has in hand, which expressions may read, has changed.
  await wakeRouter(tx, task.workspace_sid)
  return accepted
}

/** Why a transfer failed, by what the worker did. */
const NOT_TAKEN = {
  rejected: 'The worker rejected it',
  timeout: 'The worker did not answer in time',
} as const

/**
 * The worker does not want the task, or said nothing in time. The task waits again, older; the worker stays as they
 * are unless an activity is given.
 */
export const refuseReservation = async (
  tx: Tx,
  {
    reservation,
    task,
    workspace,
    to,
    activitySid,
    actor,
  }: Locked & { to: 'rejected' | 'timeout'; activitySid?: string | null | undefined; actor: Actor },
): Promise<StoredReservation> => {
  mayMove(reservation.reservation_status, to)
  const worker = await lockWorkerOf(tx, reservation)
  const open = await openTransfer(tx, task)
  const isLast = open?.transfer_type === 'WORKER'
  const transfer = open && isLast ? await settleTransfer(tx, open, 'failed', NOT_TAKEN[to]) : open
  if (transfer && isLast) {
    const { task: back, goOn } = await takeBack(tx, task, transfer)
    const moved = await moveReservation(tx, { reservation, to, task: back, worker, actor })
    await goElsewhere(tx, { to, activitySid, worker: moved.worker, workspace, actor })
    tellTransfer(tx, 'task.transfer-failed', { transfer, task: back, actor })
    await goOn(actor)
    return moved.reservation
  }
  const offers = task.offers - 1
  const assignment_status = offers > 0 ? 'reserved' : 'pending'
  const back = await update(
    tx,
    'tasks',
    { sid: task.sid },
    {
      assignment_status,
      offers,
      // A queue may have come to ask fewer at once than were asked.
      waits: waitsNow({ ...task, assignment_status, offers }),
      refusals: task.refusals + 1,
      date_updated: tx.now(),
      version: task.version + 1,
    },
  )
  if (!back) throw new Error(`task ${task.sid} is locked and not there`)
  const moved = await moveReservation(tx, { reservation, to, task: back, worker, actor })
  if (transfer) tellTransfer(tx, 'task.transfer-attempt-failed', { transfer, task: back, actor })
  await goElsewhere(tx, { to, activitySid, worker: moved.worker, workspace, actor })
  if (offers === 0) {
    const { nowhere, task: placed } = await moveOn(tx, { task: back, why: 'age', actor })
    if (nowhere) await cancelLocked(tx, { task: placed, reason: REASONS[nowhere], actor })
  }
  await wakeRouter(tx, task.workspace_sid)
  return moved.reservation
}

/** Whoever lets an offer pass is taken to be away: that makes nobody available who has left before. */
const goElsewhere = async (
  tx: Tx,
  {
    to,
    activitySid,
    worker,
    workspace,
    actor,
  }: {
    to: 'rejected' | 'timeout'
    activitySid: string | null | undefined
    worker: StoredWorker
    workspace: WorkspaceRow
    actor: Actor
  },
): Promise<void> => {
  const at = activitySid && { sid: activitySid, workspaceSid: workspace.sid }
  const activity = at ? await hold(tx, 'activities', at) : undefined
  if (!activity || (to === 'timeout' && activity.available > worker.available)) return
  await enterActivity(tx, { worker, activity, actor })
}

/** What a request, or an answer to an assignment callback, makes of a reservation. */
export const updateReservation = async (
  tx: Tx,
  {
    status,
    activitySid,
    ...locked
  }: Locked & {
    status: ReservationStatus
    activitySid?: string | undefined
    actor: Actor
  },
): Promise<StoredReservation> => {
  const { reservation } = locked
  mayMove(reservation.reservation_status, status)
  switch (status) {
    case 'accepted':
      return acceptReservation(tx, locked)
    case 'rejected':
      return refuseReservation(tx, { ...locked, to: status, activitySid })
    case 'wrapping':
    case 'completed':
      await finish(tx, { ...locked, to: status })
      break
    default:
      throw notAsked(reservation.reservation_status, status)
  }
  return (await find(tx, 'reservations', { sid: reservation.sid })) ?? reservation
}

/**
 * Whoever alone has a task ends it with their reservation. While it is another's as well, or on its way to another, only
 * the reservation ends.
 */
const finish = async (
  tx: Tx,
  { reservation, task, to, actor }: Locked & { to: 'wrapping' | 'completed'; actor: Actor },
): Promise<void> => {
  const others = (await liveReservations(tx, task.sid)).filter((it) => it.sid !== reservation.sid)
  const isAnothers =
    isLive(task) || others.some((it) => to === 'completed' || it.reservation_status === 'accepted')
  if (!isAnothers) {
    if (to === 'wrapping') await wrapLocked(tx, { task, actor })
    else await completeLocked(tx, { task, reason: null, actor })
    return
  }
  const worker = await lockWorkerOf(tx, reservation)
  await moveReservation(tx, { reservation, to, task, worker, actor })
  const isInHand = others.some((it) => it.reservation_status === 'accepted')
  if (isLive(task) && reservation.reservation_status === 'accepted' && !isInHand)
    await expectTimeout(tx, task)
  const areDone = !isLive(task) && others.every((it) => it.reservation_status === 'wrapping')
  if (areDone && task.assignment_status === 'assigned') await wrapLocked(tx, { task, actor })
  await wakeRouter(tx, task.workspace_sid)
}

const notAsked = (from: ReservationStatus, to: ReservationStatus) =>
  problem('illegal_move', { parameter: 'ReservationStatus', resource: 'reservation', from, to })

const list = listing(
  'reservations',
  'sid',
  (query, at: { taskSid?: string; workerSid?: string; status?: ReservationStatus }, given) => {
    let narrowed = query
    if (given('taskSid')) narrowed = narrowed.where('task_sid', '=', at.taskSid as string)
    if (given('workerSid')) narrowed = narrowed.where('worker_sid', '=', at.workerSid as string)
    if (given('status')) narrowed = narrowed.where('reservation_status', '=', at.status as ReservationStatus)
    return narrowed
  },
)

interface Asking {
  readonly accountSid: string
  readonly token: AccessToken | undefined
}

/** @throws 403 where a worker's token asks about another worker */
const mustActFor = async (reader: Reader, { token }: Asking, workerSid: string): Promise<void> => {
  if (!token) return
  const worker = await find(reader, 'workers', { sid: workerSid })
  if (!worker || !mayActFor(token, worker))
    throw problem('access_denied', { reason: 'this token is not of the worker who has the reservation' })
}

interface OneAsked extends Asking {
  readonly path: { readonly workspaceSid: string; readonly sid: string }
  say(header: string, value: string): void
}

type Under = { readonly task_sid: string } | { readonly worker_sid: string }

const fetchOne = async (
  reader: Reader,
  call: OneAsked,
  under: Under,
): Promise<StoredReservation | undefined> => {
  const { sid, workspaceSid } = call.path
  const where = { sid, account_sid: call.accountSid, workspace_sid: workspaceSid, ...under }
  const reservation = await find(reader, 'reservations', where)
  if (!reservation) return undefined
  await mustActFor(reader, call, reservation.worker_sid)
  sayVersion(call, reservation)
  return reservation
}

interface UpdateAsked extends OneAsked {
  readonly actor: Actor
  readonly ifMatch: string | undefined
  readonly input: {
    readonly reservationStatus?: ReservationStatus | undefined
    readonly workerActivitySid?: string | undefined
    readonly instruction?: string | undefined
  }
}

/** Those of voice mean nothing here. */
const INSTRUCTIONS: ReadonlyMap<string, ReservationStatus> = new Map([
  ['accept', 'accepted'],
  ['reject', 'rejected'],
])

const updateOne = async (tx: Tx, call: UpdateAsked, under: Under): Promise<StoredReservation | undefined> => {
  const found = await fetchOne(tx, call, under)
  const locked = found && (await lockSeen(tx, found))
  if (!locked) return undefined
  mustMatch(call, locked.reservation)
  const { reservationStatus, workerActivitySid: activitySid, instruction = '' } = call.input
  const status = reservationStatus ?? INSTRUCTIONS.get(instruction)
  if (activitySid !== undefined)
    await requireActivity(tx, locked.task.workspace_sid, activitySid, 'WorkerActivitySid')
  if (status === undefined) return locked.reservation
  if (!RESERVATION_STATUSES_ASKED.includes(status))
    throw notAsked(locked.reservation.reservation_status, status)
  const updated = await updateReservation(tx, { ...locked, status, activitySid, actor: call.actor })
  sayVersion(call, updated)
  return updated
}

const notThere = (path: string) => problem('not_found', { path })

export const taskReservations = bind(TaskReservation, {
  list: async (reader, call) => {
    const { workspaceSid, taskSid } = call.path
    await requireWorkspace(reader, call)
    const task = await findTask(reader, call.accountSid, taskSid)
    if (task?.workspace_sid !== workspaceSid) throw notThere(`/Workspaces/${workspaceSid}/Tasks/${taskSid}`)
    const { reservationStatus: status, workerSid } = call.input
    return list(reader, { taskSid, ...(workerSid && { workerSid }), ...(status && { status }) }, call.page)
  },
  fetch: (reader, call) => fetchOne(reader, call, { task_sid: call.path.taskSid }),
  update: (tx, call) => updateOne(tx, call, { task_sid: call.path.taskSid }),
})

export const workerReservations = bind(WorkerReservation, {
  list: async (reader, call) => {
    const { workspaceSid, workerSid } = call.path
    await requireWorkspace(reader, call)
    const worker = await find(reader, 'workers', { sid: workerSid, workspace_sid: workspaceSid })
    if (!worker) throw notThere(`/Workspaces/${workspaceSid}/Workers/${workerSid}`)
    await mustActFor(reader, call, workerSid)
    const { reservationStatus: status } = call.input
    return list(reader, { workerSid, ...(status && { status }) }, call.page)
  },
  fetch: (reader, call) => fetchOne(reader, call, { worker_sid: call.path.workerSid }),
  update: (tx, call) => updateOne(tx, call, { worker_sid: call.path.workerSid }),
})
