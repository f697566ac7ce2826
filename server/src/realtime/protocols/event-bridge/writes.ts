/**
 * What the worker SDK asks to change, EB60 to EB64 and EB70 to EB75. `If-Match` counts only for what is the caller's
 * own: a supervisor's SDK sends the version of the supervisor when it sets another worker.
 */
import { isSid, jsonText } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import { TaskReservation, WorkerReservation } from '@parley/contract/taskrouter/reservation.ts'
import { Task } from '@parley/contract/taskrouter/task.ts'
import { ATTRIBUTES_BYTES_MAX, Worker } from '@parley/contract/taskrouter/worker.ts'
import type { Reader } from '../../../store/tx.ts'
import { cancelTransfer, findTask, liveReservations, startTransfer } from '../../../taskrouter/index.ts'
import { type Asker, mayDirect, mustBe, mustSupervise } from './asker.ts'
import { type Params, textOf } from './pages.ts'
import type { Answer, Asked } from './requests.ts'
import { showReservationChanged, showTask, showTransfer, showWorker } from './shown.ts'

/** How much of a wrong value is said back, in characters. */
const SAID_BACK_MAX = 64

/** The named parameters of a form, those that are there. */
const pick = (params: Params, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const text = textOf(params, name)
      return text === undefined ? [] : [[name, text]]
    }),
  )

export const changeWorker: Answer = async ({ perform }, { asker, path, params, ifMatch }) => {
  const { worker: sid = '' } = path
  mayDirect(asker, sid)
  const worker = await perform(Worker, 'update', {
    token: asker.token,
    path: { workspaceSid: asker.workspaceSid, sid },
    form: pick(params, ['ActivitySid', 'RejectPendingReservations', 'Attributes']),
    ifMatch: sid === asker.workerSid ? ifMatch : undefined,
    isDecided: true,
  })
  return { payload: showWorker(worker) }
}

const voice = (what: string) =>
  problem('invalid_parameter', {
    parameter: 'Instruction',
    reason: `${what} is about telephone calls, which are not made here`,
  })

export const changeReservation: Answer = async ({ perform }, { asker, path, params, ifMatch }) => {
  const { worker: workerSid = '', reservation: sid = '' } = path
  mustBe(asker, workerSid)
  const instruction = textOf(params, 'Instruction')
  if (instruction !== undefined && instruction !== 'accept' && instruction !== 'reject')
    throw voice(instruction.slice(0, SAID_BACK_MAX))
  const reservation = await perform(WorkerReservation, 'update', {
    token: asker.token,
    path: { workspaceSid: asker.workspaceSid, workerSid, sid },
    form: pick(params, ['ReservationStatus', 'WorkerActivitySid', 'Instruction']),
    ifMatch: workerSid === asker.workerSid ? ifMatch : undefined,
    isDecided: true,
  })
  return { payload: showReservationChanged(reservation) }
}

/** For chat there is nothing to listen to: a supervisor reads the channel. It is answered so that the SDK goes on. */
export const supervise: Answer = async ({ perform }, { asker, path, params }) => {
  mustSupervise(asker)
  const instruction = textOf(params, 'Instruction') ?? 'nothing'
  if (instruction !== 'supervise') throw voice(instruction.slice(0, SAID_BACK_MAX))
  const { task: taskSid = '', reservation: sid = '' } = path
  const reservation = await perform(TaskReservation, 'fetch', {
    token: asker.token,
    path: { workspaceSid: asker.workspaceSid, taskSid, sid },
    isDecided: true,
  })
  return { payload: showReservationChanged(reservation) }
}

/** @throws 403 for a task that the worker does not have; an admin may change each */
const mustHave = async (reader: Reader, asker: Asker, taskSid: string): Promise<void> => {
  if (asker.role === 'admin') return
  const task = await findTask(reader, asker.accountSid, taskSid)
  if (task?.workspace_sid !== asker.workspaceSid) throw problem('not_found', { path: `/Tasks/${taskSid}` })
  const live = await liveReservations(reader, taskSid)
  if (!live.some((it) => it.worker_sid === asker.workerSid))
    throw problem('access_denied', { reason: 'the worker of this token does not have the task' })
}

export const changeTask: Answer = async ({ reader, perform }, { asker, path, params, ifMatch }) => {
  const { task: sid = '' } = path
  await mustHave(reader, asker, sid)
  const form = pick(params, ['Attributes', 'AssignmentStatus', 'Reason', 'Priority', 'VirtualStartTime'])
  const task = await perform(Task, 'update', {
    token: asker.token,
    path: { workspaceSid: asker.workspaceSid, sid },
    form,
    ifMatch,
    isDecided: true,
  })
  return { payload: showTask(task) }
}

/** A task of the worker's own, such as an outbound call: it goes to them whatever they have in hand. */
export const makeTask: Answer = async ({ perform }, { asker, params }) => {
  const { RoutingTarget: target, ...form } = pick(params, [
    'WorkflowSid',
    'TaskQueueSid',
    'RoutingTarget',
    'VirtualStartTime',
    'Attributes',
    'Priority',
    'Timeout',
  ])
  if (asker.role !== 'admin' && (target === undefined || target !== asker.workerSid))
    throw problem('access_denied', { reason: 'a worker makes tasks for themselves: RoutingTarget' })
  const channel = textOf(params, 'TaskChannelSid') ?? textOf(params, 'TaskChannelUniqueName')
  const task = await perform(Task, 'create', {
    token: asker.token,
    path: { workspaceSid: asker.workspaceSid },
    form: {
      ...form,
      ...(target !== undefined && { RoutingTarget: target }),
      ...(channel !== undefined && { TaskChannel: channel }),
    },
    isDecided: true,
  })
  return { payload: showTask(task) }
}

const ATTRIBUTES = jsonText({ object: true, maxBytes: ATTRIBUTES_BYTES_MAX })

/** @throws 400 for attributes that no task may have */
const readAttributes = (params: Params): string | undefined => {
  const text = textOf(params, 'Attributes')
  if (text === undefined || ATTRIBUTES.reads.safeParse(text).success) return text
  throw problem('invalid_parameter', {
    parameter: 'Attributes',
    reason: `they must be a JSON object of ${ATTRIBUTES_BYTES_MAX} bytes at the most`,
  })
}

/** @param prefixes of what may be named. @throws 400 for what is missing, and for what is no such SID */
const sidIn = (params: Params, name: string, ...prefixes: readonly string[]): string => {
  const text = textOf(params, name)
  if (!text) throw problem('missing_parameter', { parameter: name })
  if (prefixes.some((it) => isSid(it, text))) return text
  throw problem('invalid_sid', {
    parameter: name,
    value: text.slice(0, SAID_BACK_MAX),
    prefix: prefixes.join(' or '),
  })
}

const whoseTransfer = ({ asker, path, params }: Asked) => {
  const { accountSid, workspaceSid } = asker
  const { worker: workerSid = '' } = path
  mustBe(asker, workerSid)
  const actor = { kind: 'client', identity: asker.token.identity } as const
  return { accountSid, workspaceSid, workerSid, taskSid: sidIn(params, 'TaskSid', 'WT'), actor }
}

export const transferTask: Answer = async ({ store }, asked) => {
  const { params } = asked
  const mode = textOf(params, 'Mode') ?? 'WARM'
  if (mode !== 'WARM' && mode !== 'COLD')
    throw problem('invalid_parameter', { parameter: 'Mode', reason: 'it must be WARM or COLD' })
  const priorityText = textOf(params, 'Priority')
  const priority = priorityText === undefined ? undefined : Number(priorityText)
  if (priority !== undefined && (!Number.isSafeInteger(priority) || priority < 0))
    throw problem('invalid_parameter', { parameter: 'Priority', reason: 'it must be a whole number from 0' })
  const wanted = {
    ...whoseTransfer(asked),
    reservationSid: sidIn(params, 'ReservationSid', 'WR'),
    to: sidIn(params, 'To', 'WK', 'WQ'),
    mode,
    priority,
    attributes: readAttributes(params),
  } as const
  const transfer = await store.transact('taskrouter.transfer', (tx) => startTransfer(tx, wanted))
  return { payload: showTransfer(transfer) }
}

export const changeTransfer: Answer = async ({ store }, asked) => {
  if (textOf(asked.params, 'TransferStatus') !== 'canceled')
    throw problem('invalid_parameter', { parameter: 'TransferStatus', reason: 'it can only become canceled' })
  const which = { ...whoseTransfer(asked), transferSid: asked.path.transfer ?? '' }
  const transfer = await store.transact('taskrouter.cancel-transfer', (tx) => cancelTransfer(tx, which))
  return { payload: showTransfer(transfer) }
}

/** What the SDK asks only of telephone calls. */
export const refuseVoice: Answer = async (_house, { url }) => {
  throw voice(url.split('/').at(-1) ?? 'this')
}
