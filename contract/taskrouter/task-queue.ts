/** Where tasks wait for the workers that an expression picks. */
import { address, choice, instant, orNull, required, sid, sidOrNone, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName } from './friendly-name.ts'
import { PAGES } from './pages.ts'
import { QUEUE_ORDERS } from './workspace.ts'

/** The most workers that may be offered one task at once. */
export const MAX_RESERVED_WORKERS = 50

export const TaskQueue = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task_queue',
  many: '/v1/Workspaces/{WorkspaceSid}/TaskQueues',
  one: '/v1/Workspaces/{WorkspaceSid}/TaskQueues/{Sid}',
  key: 'task_queues',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    assignment_activity_sid: orNull(sid('WA')),
    assignment_activity_name: orNull(text()),
    date_created: instant(),
    date_updated: instant(),
    friendly_name: text(),
    max_reserved_workers: whole(),
    reservation_activity_sid: orNull(sid('WA')),
    reservation_activity_name: orNull(text()),
    sid: sid('WQ'),
    target_workers: orNull(text()),
    task_order: choice(QUEUE_ORDERS),
    url: address(),
    workspace_sid: sid('WS'),
  },
  links: {
    assignment_activity: '/v1/Workspaces/{workspace_sid}/Activities/{assignment_activity_sid}',
    reservation_activity: '/v1/Workspaces/{workspace_sid}/Activities/{reservation_activity_sid}',
    workspace: '/v1/Workspaces/{workspace_sid}',
    statistics: '/v1/Workspaces/{workspace_sid}/TaskQueues/{sid}/Statistics',
    real_time_statistics: '/v1/Workspaces/{workspace_sid}/TaskQueues/{sid}/RealTimeStatistics',
    cumulative_statistics: '/v1/Workspaces/{workspace_sid}/TaskQueues/{sid}/CumulativeStatistics',
    list_statistics: '/v1/Workspaces/{workspace_sid}/TaskQueues/Statistics',
    bulk_real_time_statistics: '/v1/Workspaces/{workspace_sid}/TaskQueues/RealTimeStatistics',
  },
  operations: {
    list: {
      form: {
        FriendlyName: text(),
        EvaluateWorkerAttributes: text(),
        WorkerSid: sid('WK'),
        Ordering: text(),
      },
      about:
        'EvaluateWorkerAttributes: a JSON object; the queues that would take a worker with such attributes. ' +
        'Ordering: DateUpdated or DateCreated, each with :asc or :desc.',
    },
    fetch: {},
    create: {
      form: {
        FriendlyName: required(friendlyName()),
        TargetWorkers: text(),
        MaxReservedWorkers: whole({ min: 1, max: MAX_RESERVED_WORKERS }),
        TaskOrder: choice(QUEUE_ORDERS),
        ReservationActivitySid: sidOrNone('WA'),
        AssignmentActivitySid: sidOrNone('WA'),
      },
      about:
        'TargetWorkers: 1==1 unless given; an empty one takes nobody. An empty ReservationActivitySid or AssignmentActivitySid is none.',
    },
    update: {
      form: {
        FriendlyName: friendlyName(),
        TargetWorkers: text(),
        ReservationActivitySid: sidOrNone('WA'),
        AssignmentActivitySid: sidOrNone('WA'),
        MaxReservedWorkers: whole({ min: 1, max: MAX_RESERVED_WORKERS }),
        TaskOrder: choice(QUEUE_ORDERS),
      },
    },
    delete: {},
  },
})

export type TaskQueueRow = RowOf<typeof TaskQueue>
