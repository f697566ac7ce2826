/**
 * What happens in a workspace as the worker SDK is told of it, EB80 to EB85: a frame, whom it is for, and what it says
 * by which a socket knows whether it has seen it. Every event of TaskRouter is decided here.
 */
import type { Event, EventOf } from '@parley/contract/event.ts'
import type { TaskRouterEvents } from '@parley/contract/taskrouter/events.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { StoredTask } from '../../../store/tables/taskrouter.ts'
import { taskRow } from '../../../taskrouter/index.ts'
import {
  type Shown,
  showReservation,
  showTask,
  showTransfer,
  showWorker,
  showWorkerChannel,
} from './shown.ts'

/** What a frame is about, with the version it leaves that at: of a channel, its worker's. */
export type About =
  | { readonly kind: 'worker'; readonly version: number }
  | { readonly kind: 'channel'; readonly sid: string; readonly version: number }
  | {
      readonly kind: 'reservation'
      readonly sid: string
      readonly version: number
      readonly taskSid: string
      readonly taskVersion: number
      readonly now: 'begins' | 'goes on' | 'ends'
    }
  | { readonly kind: 'transfer'; readonly sid: string; readonly begins: boolean }
  /** For whoever has a reservation of it, or, where it says so, has accepted it. */
  | { readonly kind: 'task'; readonly sid: string; readonly version: number; readonly accepted?: true }

export interface Told {
  readonly type: string
  readonly workspaceSid: string
  /** Whose sockets hear it; of a task's, everybody's who knows it. */
  readonly workerSid: string | undefined
  readonly about: About
  readonly payload: Shown
  /** A client asked for it, so that its answer may still be under way. */
  readonly isAsked: boolean
}

type Telling = Omit<Told, 'type' | 'isAsked'>

interface Tells<N extends keyof TaskRouterEvents> {
  /** What it is called there, where that is not its name. */
  readonly as?: string
  readonly tell?: (event: EventOf<N>) => Telling
  /** What they hear after it who have the task that others are to take, as `task.updated`: EB84. */
  readonly tellHolders?: (event: EventOf<N>) => Telling | undefined
}

interface Silent {
  readonly silent: string
}

const silent = (why: string): Silent => ({ silent: why })

const versionOf = (it: object): number => (it as { readonly version?: number }).version ?? 0

const ofWorker: Tells<'worker.activity.update' | 'worker.attributes.update' | 'worker.renamed'> = {
  tell: ({ worker }) => ({
    workspaceSid: worker.workspace_sid,
    workerSid: worker.sid,
    about: { kind: 'worker', version: versionOf(worker) },
    payload: showWorker(worker),
  }),
}

const ofChannel: Tells<'worker.capacity.update' | 'worker.channel.availability.update'> = {
  tell: ({ worker, workerChannel }) => ({
    workspaceSid: worker.workspace_sid,
    workerSid: worker.sid,
    about: { kind: 'channel', sid: workerChannel.sid, version: versionOf(worker) },
    payload: showWorkerChannel(workerChannel),
  }),
}

type ReservationEvent = Extract<keyof TaskRouterEvents, `reservation.${string}`>

const ofReservation = (now: 'begins' | 'goes on' | 'ends'): Tells<ReservationEvent> => ({
  tell: ({ reservation, task, worker, transfer }) => ({
    workspaceSid: worker.workspace_sid,
    workerSid: worker.sid,
    about: {
      kind: 'reservation',
      sid: reservation.sid,
      version: versionOf(reservation),
      taskSid: task.sid,
      taskVersion: versionOf(task),
      now,
    },
    payload: {
      ...showReservation(reservation, task, transfer),
      worker_previous_activity_sid: worker.activity_sid,
    },
  }),
  tellHolders: ({ reservation, task, transfer }) =>
    transfer?.initiating_reservation_sid === reservation.sid ? undefined : tellHolders(task, transfer),
})

/** While it finds its way somebody has it only where it is being transferred, or where nobody took what was. */
const tellHolders = (task: TaskRow & WithWay, transfer?: TransferRow): Telling | undefined => {
  if (!transfer && !task.transfer_sid && !task.refusals) return undefined
  return { ...tellTask(task), about: { ...aboutTask(task), accepted: true } }
}

/** Events carry rows by their contract; those of ours have what the store keeps beside it. */
interface WithWay {
  readonly transfer_sid?: string | null
  readonly refusals?: number
}

const aboutTask = (task: TaskRow) => ({ kind: 'task', sid: task.sid, version: versionOf(task) }) as const

const tellTask = (task: TaskRow): Telling => ({
  workspaceSid: task.workspace_sid,
  workerSid: undefined,
  about: aboutTask(task),
  payload: showTask(task),
})

/** A task as its row says. */
export const tellChanged = (task: StoredTask, now: number, isAsked: boolean): Told => ({
  ...tellTask(taskRow(task, now)),
  type: 'task.updated',
  isAsked,
})

const ofTask: Tells<'task.updated' | 'task.canceled' | 'task.completed' | 'task.wrapup'> = {
  tell: ({ task }) => tellTask(task),
}

const ofTransfer: Tells<Extract<keyof TaskRouterEvents, `task.transfer-${string}`>> = {
  tell: ({ name, transfer }) => ({
    workspaceSid: transfer.workspace_sid,
    workerSid: transfer.initiating_worker_sid,
    about: { kind: 'transfer', sid: transfer.sid, begins: name === 'task.transfer-initiated' },
    payload: showTransfer(transfer),
  }),
}

/** How a task finds its way is not a matter of the workers who do not have it yet. */
const ofWay: Tells<'task-queue.entered' | 'workflow.target-matched'> = {
  tellHolders: ({ task }) => tellHolders(task),
}

const configuration = silent('The SDK reads the configuration of a workspace and is not told of its changes.')
const routing = silent('How a task finds its way is not a matter of the workers who do not have it yet.')
const reservationSays = silent('Whoever has the task is told by what becomes of the reservation.')

const TELLS: { readonly [N in keyof TaskRouterEvents]: Tells<N> | Silent } = {
  'workspace.created': configuration,
  'workspace.updated': configuration,
  'workspace.deleted': silent('Its sockets are closed.'),
  'activity.created': configuration,
  'activity.updated': configuration,
  'activity.deleted': configuration,
  'task-channel.created': configuration,
  'task-channel.updated': configuration,
  'task-channel.deleted': configuration,
  'task-queue.created': configuration,
  'task-queue.deleted': configuration,
  'task-queue.expression.updated': configuration,
  'task-queue.entered': ofWay,
  'task-queue.timeout': routing,
  'task-queue.moved': routing,
  'workflow.created': configuration,
  'workflow.updated': configuration,
  'workflow.deleted': configuration,
  'workflow.entered': routing,
  'workflow.target-matched': ofWay,
  'workflow.skipped': routing,
  'workflow.timeout': routing,
  'worker.created': silent('Nobody of that worker is connected yet.'),
  'worker.deleted': silent('The sockets of the worker are closed.'),
  'worker.attributes.update': ofWorker,
  // The SDK knows no other by which it takes over a worker as they are.
  'worker.renamed': { ...ofWorker, as: 'worker.attributes.update' },
  'worker.activity.update': ofWorker,
  'worker.capacity.update': ofChannel,
  'worker.channel.availability.update': ofChannel,
  'task.created': routing,
  'task.updated': ofTask,
  'task.canceled': ofTask,
  'task.wrapup': ofTask,
  'task.completed': ofTask,
  'task.deleted': reservationSays,
  'task.system-deleted': silent('The task was over, and everybody who had it was told so.'),
  'task.transfer-initiated': ofTransfer,
  'task.transfer-attempt-failed': ofTransfer,
  'task.transfer-failed': ofTransfer,
  'task.transfer-canceled': ofTransfer,
  'task.transfer-completed': ofTransfer,
  'reservation.created': ofReservation('begins'),
  'reservation.accepted': ofReservation('goes on'),
  'reservation.wrapup': ofReservation('goes on'),
  'reservation.rejected': ofReservation('ends'),
  'reservation.timeout': ofReservation('ends'),
  'reservation.canceled': ofReservation('ends'),
  'reservation.rescinded': ofReservation('ends'),
  'reservation.completed': ofReservation('ends'),
  'event.kept': silent('It is what workspaces are told of the other events.'),
}

/** What a task's end or wrap-up is told before: the reservations it ended or wrapped up. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'task.canceled': ['reservation.canceled', 'reservation.completed'],
  'task.completed': ['reservation.completed'],
  'task.wrapup': ['reservation.wrapup'],
}

/** What is to be told of what was committed, in the order in which the SDK understands it. */
export const tellAll = (events: readonly Event[]): Told[] => {
  const told: Told[] = []
  for (const event of events) {
    const tells = Object.hasOwn(TELLS, event.name)
      ? (TELLS[event.name as keyof TaskRouterEvents] as Tells<keyof TaskRouterEvents> | Silent)
      : undefined
    if (!tells || 'silent' in tells) continue
    const isAsked = event.actor.kind === 'client'
    const own = tells.tell?.(event as never)
    if (own) {
      const one: Told = { ...own, type: tells.as ?? event.name, isAsked }
      told.splice(placeOf(one, told), 0, one)
    }
    const holders = tells.tellHolders?.(event as never)
    if (holders) told.push({ ...holders, type: 'task.updated', isAsked })
  }
  return told
}

/** The SDK forgets a reservation that has ended, and with it what happens to its task. */
const placeOf = ({ type, about }: Told, told: readonly Told[]): number => {
  const after = BEFORE[type]
  if (!after || about.kind !== 'task') return told.length
  const at = told.findIndex(
    (it) => after.includes(it.type) && it.about.kind === 'reservation' && it.about.taskSid === about.sid,
  )
  return at < 0 ? told.length : at
}
