/** Offers become reservations. What was decided is checked again under lock, so a race loses an offer and no more. */
import type { Actor } from '@parley/contract/actor.ts'
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import { RESERVATION_TIMEOUT_SECONDS } from '@parley/contract/taskrouter/workflow.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { later } from '../../jobs/later.ts'
import { find, insert, update } from '../../store/rows.ts'
import type { StoredReservation, StoredTask, StoredWorker } from '../../store/tables/taskrouter.ts'
import type { Tx } from '../../store/tx.ts'
import { hold } from '../held.ts'
import { HOUSE } from '../house.ts'
import { liveReservations, RESERVATION_TIMEOUT } from '../offer.ts'
import { lockTasks, lockWorkers, workspaceSeen } from '../parents.ts'
import { waitsNow } from '../placing.ts'
import { taskRow } from '../task-row.ts'
import { openTransfer } from '../transfer-row.ts'
import { enterActivity } from '../worker-activity.ts'
import { count } from '../workload.ts'
import type { DecidedOffer } from './decide.ts'
import { readTarget } from './target.ts'

/**
 * Makes the reservations of several offers in one transaction.
 * @returns how many still held
 */
export const reserve = async (
  tx: Tx,
  workspaceSid: string,
  offers: readonly DecidedOffer[],
): Promise<number> => {
  const workspace = await workspaceSeen(tx, workspaceSid)
  if (!workspace) return 0
  const tasks = await lockTasks(
    tx,
    offers.map((it) => it.task),
  )
  const workers = await lockWorkers(
    tx,
    offers.map((it) => it.worker),
  )
  const timeoutOf = timeoutsOf(tx)
  let made = 0
  for (const offer of offers) {
    const task = tasks.get(offer.task)
    const worker = workers.get(offer.worker)
    if (!task || !worker || !(await stillHolds(tx, offer, task, worker))) continue
    const reserved = await offerTask(tx, { task, worker, workspace, timeoutMs: await timeoutOf(task) })
    tasks.set(task.sid, reserved.task)
    workers.set(worker.sid, reserved.worker)
    made += 1
  }
  return made
}

/** The task waits where it did, and the worker is as they were, with a channel open. */
const stillHolds = async (
  tx: Tx,
  { lane, workerVersion }: DecidedOffer,
  task: StoredTask,
  worker: StoredWorker,
): Promise<boolean> => {
  if (task.waits !== 1 || task.lane !== lane || worker.version !== workerVersion) return false
  if (!readTarget(task.target).ignoreCapacity) {
    const channel = await find(tx, 'worker_channels', {
      worker_sid: worker.sid,
      task_channel_sid: task.task_channel_sid,
    })
    if (channel?.open !== 1) return false
  }
  if (task.offers === 0 && task.refusals === 0 && task.transfer_sid === null) return true
  return (await liveReservations(tx, task.sid)).every((it) => it.worker_sid !== worker.sid)
}

/** Offers a task to a worker, both of whom are locked. */
export const offerTask = async (
  tx: Tx,
  {
    task,
    worker,
    workspace,
    timeoutMs,
    actor = HOUSE,
  }: {
    task: StoredTask
    worker: StoredWorker
    workspace: WorkspaceRow
    timeoutMs: number
    actor?: Actor
  },
): Promise<{ task: StoredTask; worker: StoredWorker }> => {
  const now = tx.now()
  const reservation: StoredReservation = {
    sid: tx.newSid('WR'),
    account_sid: task.account_sid,
    workspace_sid: task.workspace_sid,
    task_sid: task.sid,
    worker_sid: worker.sid,
    worker_name: worker.friendly_name,
    reservation_status: 'pending',
    task_channel_sid: task.task_channel_sid,
    date_created: now,
    date_updated: now,
    version: 0,
    timeout_seconds: Math.round(timeoutMs / 1000),
    transfer_sid: task.transfer_sid,
  }
  await insert(tx, 'reservations', reservation)
  const offers = task.offers + 1
  const reserved = await update(
    tx,
    'tasks',
    { sid: task.sid },
    {
      assignment_status: 'reserved',
      offers,
      waits: waitsNow({ ...task, assignment_status: 'reserved', offers }),
      date_updated: now,
      version: task.version + 1,
    },
  )
  if (!reserved) throw new Error(`task ${task.sid} is locked and not there`)
  const { task_channel_sid: taskChannelSid } = task
  let busier = await count(tx, { worker, taskChannelSid, offered: 1, idle: true })
  await later(tx, { kind: RESERVATION_TIMEOUT, key: reservation.sid, dueAt: now + timeoutMs })
  const transfer = await openTransfer(tx, task)
  const told = { accountSid: task.account_sid, at: now, actor, reservation, transfer }
  tx.record({ name: 'reservation.created', ...told, task: taskRow(reserved, now), worker: busier })
  // Only where a worker has one task at a time does an offer say what they are doing.
  if (!workspace.multi_task_enabled && task.task_queue_sid) {
    const queue = await find(tx, 'task_queues', { sid: task.task_queue_sid })
    const sid = queue?.reservation_activity_sid
    const activity = sid ? await hold(tx, 'activities', { sid, workspaceSid: workspace.sid }) : undefined
    if (activity) busier = await enterActivity(tx, { worker: busier, activity, actor: HOUSE })
  }
  return { task: reserved, worker: busier }
}

/** How long an offer of a task stands: its workflow says, and is read once for all its tasks. */
export const timeoutsOf = (tx: Tx) => {
  const workflows = new Map<string, WorkflowRow | undefined>()
  return async ({ workflow_sid: sid }: StoredTask): Promise<number> => {
    if (sid !== null && !workflows.has(sid)) workflows.set(sid, await find(tx, 'workflows', { sid }))
    const workflow = sid === null ? undefined : workflows.get(sid)
    return (workflow?.task_reservation_timeout ?? RESERVATION_TIMEOUT_SECONDS) * 1000
  }
}
