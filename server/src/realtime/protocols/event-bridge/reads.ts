/** What the worker SDK asks to see, EB50 to EB52. */
import { problem } from '@parley/contract/problem.ts'
import { Activity } from '@parley/contract/taskrouter/activity.ts'
import { Task } from '@parley/contract/taskrouter/task.ts'
import { TaskQueue } from '@parley/contract/taskrouter/task-queue.ts'
import { Worker } from '@parley/contract/taskrouter/worker.ts'
import { WorkerChannel } from '@parley/contract/taskrouter/worker-channel.ts'
import { find } from '../../../store/rows.ts'
import type { StoredWorker } from '../../../store/tables/taskrouter.ts'
import { keyOf, type Offered, offersOf, withTasks } from '../../../taskrouter/index.ts'
import { mayReadTask, mustBe } from './asker.ts'
import { byPlace, bySid, type PageWanted, readPageWanted, showPage, textOf, unknownAfter } from './pages.ts'
import type { Answer, Asked } from './requests.ts'
import {
  showActivity,
  showReservation,
  showTask,
  showTaskQueue,
  showTransfer,
  showWorker,
  showWorkerChannel,
} from './shown.ts'

/** @throws 400 where the page before did not end with such a row */
const mustEndWith = async ({ afterSid }: PageWanted, known: (sid: string) => Promise<unknown>) => {
  if (afterSid !== undefined && !(await known(afterSid))) throw unknownAfter()
}

const pick = ({ params }: Asked, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const text = textOf(params, name)
      return text === undefined ? [] : [[name, text]]
    }),
  )

export const readWorker: Answer = async ({ perform }, { asker, path }) => {
  const { token, workspaceSid } = asker
  const at = { workspaceSid, sid: path.worker ?? '' }
  const worker = await perform(Worker, 'fetch', { token, path: at, isDecided: true })
  return {
    payload: showWorker(worker),
    served:
      worker.sid === asker.workerSid
        ? { kind: 'worker', version: (worker as StoredWorker).version }
        : undefined,
  }
}

export const readWorkers: Answer = async ({ reader, perform }, asked) => {
  const { token, workspaceSid } = asked.asker
  const page = readPageWanted(asked.params, 'WK')
  await mustEndWith(page, (sid) => find(reader, 'workers', { sid, workspace_sid: workspaceSid }))
  const form = pick(asked, [
    'FriendlyName',
    'ActivitySid',
    'ActivityName',
    'Ordering',
    'TargetWorkersExpression',
    'TaskQueueSid',
    'TaskQueueName',
    'Available',
  ])
  const rows = await perform(Worker, 'list', {
    token,
    path: { workspaceSid },
    form,
    page: byPlace(page),
    isDecided: true,
  })
  return { payload: showPage(rows, page, showWorker, form.Ordering ? keyOf : undefined) }
}

export const readActivities: Answer = async ({ reader, perform }, asked) => {
  const { token, workspaceSid } = asked.asker
  const page = readPageWanted(asked.params, 'WA')
  await mustEndWith(page, (sid) => find(reader, 'activities', { sid, workspace_sid: workspaceSid }))
  const rows = await perform(Activity, 'list', {
    token,
    path: { workspaceSid },
    form: pick(asked, ['FriendlyName', 'Available']),
    page: bySid(page),
    isDecided: true,
  })
  return { payload: showPage(rows, page, showActivity) }
}

export const readWorkerChannels: Answer = async ({ reader, perform }, { asker, path, params }) => {
  const { worker: workerSid = '' } = path
  mustBe(asker, workerSid)
  const page = readPageWanted(params, 'WC')
  await mustEndWith(page, (sid) => find(reader, 'worker_channels', { sid, worker_sid: workerSid }))
  const rows = await perform(WorkerChannel, 'list', {
    token: asker.token,
    path: { workspaceSid: asker.workspaceSid, workerSid },
    page: bySid(page),
    isDecided: true,
  })
  return { payload: showPage(rows, page, showWorkerChannel) }
}

/** @throws 404 for a worker of another workspace, or of none */
const mustExist = async ({ reader }: { reader: Parameters<typeof find>[0] }, { asker, path }: Asked) => {
  const { accountSid, workspaceSid } = asker
  const { worker: sid = '' } = path
  const found = await find(reader, 'workers', { sid, workspace_sid: workspaceSid, account_sid: accountSid })
  if (!found) throw problem('not_found', { path: `/Workspaces/${workspaceSid}/Workers/${sid}` })
}

const showOffered = ({ reservation, task, transfer }: Offered) => showReservation(reservation, task, transfer)

export const readReservations: Answer = async (house, asked) => {
  const { asker, params, path } = asked
  const { worker: workerSid = '' } = path
  mustBe(asker, workerSid)
  await mustExist(house, asked)
  const page = readPageWanted(params, 'WR')
  await mustEndWith(page, (sid) => find(house.reader, 'reservations', { sid, worker_sid: workerSid }))
  const active = textOf(params, 'Active') === 'true'
  const { accountSid } = asker
  const rows = await offersOf(house.reader, { accountSid, workerSid, active }, bySid(page))
  const payload = showPage(rows, page, showOffered)
  const served = active
    ? { kind: 'reservations' as const, offers: rows.slice(0, page.size), isLast: payload.after_sid === null }
    : undefined
  return { payload, served: workerSid === asker.workerSid ? served : undefined }
}

export const readReservation: Answer = async ({ reader }, { asker, path }) => {
  const { worker: workerSid = '', reservation: sid = '' } = path
  mustBe(asker, workerSid)
  const where = {
    sid,
    worker_sid: workerSid,
    workspace_sid: asker.workspaceSid,
    account_sid: asker.accountSid,
  }
  const found = await find(reader, 'reservations', where)
  const [offered] = found ? await withTasks(reader, [found]) : []
  if (!offered) throw problem('not_found', { path: `/Workers/${workerSid}/Reservations/${sid}` })
  return { payload: showOffered(offered) }
}

export const readTask: Answer = async ({ reader, perform }, { asker, path }) => {
  const { token, workspaceSid } = asker
  const at = { workspaceSid, sid: path.task ?? '' }
  const task = await perform(Task, 'fetch', { token, path: at, isDecided: true })
  await mayReadTask(reader, asker, task)
  return { payload: showTask(task) }
}

export const readTaskQueues: Answer = async ({ reader, perform }, asked) => {
  const { token, workspaceSid } = asked.asker
  const page = readPageWanted(asked.params, 'WQ')
  await mustEndWith(page, (sid) => find(reader, 'task_queues', { sid, workspace_sid: workspaceSid }))
  const form = pick(asked, ['FriendlyName', 'Ordering', 'WorkerSid'])
  const rows = await perform(TaskQueue, 'list', {
    token,
    path: { workspaceSid },
    form,
    page: byPlace(page),
    isDecided: true,
  })
  return { payload: showPage(rows, page, showTaskQueue, form.Ordering ? keyOf : undefined) }
}

export const readTaskQueue: Answer = async ({ perform }, { asker, path }) => {
  const { token, workspaceSid } = asker
  const at = { workspaceSid, sid: path.queue ?? '' }
  const queue = await perform(TaskQueue, 'fetch', { token, path: at, isDecided: true })
  return { payload: showTaskQueue(queue) }
}

/** Ours: what became of a transfer while a client was away. */
export const readTransfer: Answer = async ({ reader }, { asker, path }) => {
  const { accountSid, workspaceSid } = asker
  const { worker: workerSid = '', transfer: sid = '' } = path
  mustBe(asker, workerSid)
  const found = await find(reader, 'task_transfers', {
    sid,
    initiating_worker_sid: workerSid,
    workspace_sid: workspaceSid,
    account_sid: accountSid,
  })
  if (!found) throw problem('not_found', { path: `/Workers/${workerSid}/Transfers/${sid}` })
  return { payload: showTransfer(found) }
}
