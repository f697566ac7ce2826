/** An offer of one task to one worker, and what came of it. Seen under the task and under the worker. */
import { type Answer, address, choice, instant, sid, text, word } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { PAGES } from './pages.ts'

export const RESERVATION_STATUSES = [
  'pending',
  'accepted',
  'rejected',
  'timeout',
  'canceled',
  'rescinded',
  'wrapping',
  'completed',
] as const

export type ReservationStatus = (typeof RESERVATION_STATUSES)[number]

/**
 * What becomes of a reservation, by what it is. `rescinded`: another worker was faster; `canceled`: the task was
 * canceled first.
 */
export const RESERVATION_MOVES: Readonly<Record<ReservationStatus, readonly ReservationStatus[]>> = {
  pending: ['accepted', 'rejected', 'timeout', 'canceled', 'rescinded'],
  accepted: ['wrapping', 'completed'],
  wrapping: ['completed'],
  completed: [],
  rejected: [],
  timeout: [],
  canceled: [],
  rescinded: [],
}

/** Which of the moves a request may make; the others follow from time and from what others do. */
export const RESERVATION_STATUSES_ASKED: readonly ReservationStatus[] = [
  'accepted',
  'rejected',
  'wrapping',
  'completed',
]

const answer = {
  account_sid: sid('AC'),
  date_created: instant(),
  date_updated: instant(),
  reservation_status: choice(RESERVATION_STATUSES),
  sid: sid('WR'),
  task_sid: sid('WT'),
  worker_name: text(),
  worker_sid: sid('WK'),
  workspace_sid: sid('WS'),
  url: address(),
} satisfies Answer

const links = {
  task: '/v1/Workspaces/{workspace_sid}/Tasks/{task_sid}',
  worker: '/v1/Workspaces/{workspace_sid}/Workers/{worker_sid}',
  workspace: '/v1/Workspaces/{workspace_sid}',
} as const

/** The voice parameters (Dequeue…, Call…, Conference…, Supervisor…) are not read, like any unknown one. */
const update = {
  form: {
    ReservationStatus: word(RESERVATION_STATUSES),
    WorkerActivitySid: sid('WA'),
    Instruction: text(),
  },
  openTo: 'clients',
  about: 'WorkerActivitySid: where the worker goes with a rejection.',
} as const

export const TaskReservation = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task.task_reservation',
  many: '/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}/Reservations',
  one: '/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}/Reservations/{Sid}',
  key: 'reservations',
  pageSize: PAGES,
  answer,
  links,
  operations: {
    list: {
      form: {
        ReservationStatus: word(RESERVATION_STATUSES),
        WorkerSid: sid('WK'),
      },
    },
    fetch: { openTo: 'clients' },
    update,
  },
})

export const WorkerReservation = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.worker.worker_reservation',
  many: '/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Reservations',
  one: '/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Reservations/{Sid}',
  key: 'reservations',
  pageSize: PAGES,
  answer,
  links,
  operations: {
    list: { form: { ReservationStatus: word(RESERVATION_STATUSES) }, openTo: 'clients' },
    fetch: { openTo: 'clients' },
    update,
  },
})

export type ReservationRow = RowOf<typeof TaskReservation>
