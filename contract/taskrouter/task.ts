/** One piece of work that waits for a worker, has one, or is done. */
import { address, choice, flag, instant, jsonText, many, orNull, sid, text, whole, word } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { PAGES } from './pages.ts'
import { ATTRIBUTES_BYTES_MAX, MERGE } from './worker.ts'

export const TASK_STATUSES = ['pending', 'reserved', 'assigned', 'canceled', 'completed', 'wrapping'] as const

export type TaskStatus = (typeof TASK_STATUSES)[number]

/** How long a task may wait unless it says otherwise, and the longest, in seconds. */
export const TASK_TIMEOUT_SECONDS = 86_400
export const TASK_TIMEOUT_SECONDS_MAX = 1_209_600

/** The earliest virtual start: nothing began before 1900, in milliseconds since 1970, as published. */
export const VIRTUAL_START_MIN = Date.UTC(1900, 0, 1)

/** What becomes of a task, by what it is. An assigned one is never canceled: its worker has it. */
export const TASK_MOVES: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  pending: ['reserved', 'canceled'],
  reserved: ['pending', 'assigned', 'canceled'],
  assigned: ['wrapping', 'completed'],
  wrapping: ['completed'],
  completed: [],
  canceled: [],
}

/** What a transfer makes of a task: it is offered again, and given back where nobody takes it. */
export const TASK_MOVES_BY_TRANSFER: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  pending: ['pending', 'assigned', 'wrapping'],
  reserved: ['pending', 'assigned', 'wrapping'],
  assigned: ['pending', 'reserved'],
  wrapping: [],
  completed: [],
  canceled: [],
}

/** Which of the moves a request may make; the others follow from reservations. */
export const TASK_STATUSES_ASKED: readonly TaskStatus[] = ['canceled', 'wrapping', 'completed']

const attributes = () => jsonText({ object: true, maxBytes: ATTRIBUTES_BYTES_MAX })

export const Task = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task',
  many: '/v1/Workspaces/{WorkspaceSid}/Tasks',
  one: '/v1/Workspaces/{WorkspaceSid}/Tasks/{Sid}',
  key: 'tasks',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    age: whole(),
    assignment_status: choice(TASK_STATUSES),
    attributes: jsonText(),
    addons: jsonText(),
    date_created: instant(),
    date_updated: instant(),
    task_queue_entered_date: orNull(instant()),
    priority: whole(),
    reason: orNull(text()),
    sid: sid('WT'),
    task_queue_sid: orNull(sid('WQ')),
    task_queue_friendly_name: orNull(text()),
    task_channel_sid: sid('TC'),
    task_channel_unique_name: text(),
    timeout: whole(),
    workflow_sid: orNull(sid('WW')),
    workflow_friendly_name: orNull(text()),
    workspace_sid: sid('WS'),
    url: address(),
    virtual_start_time: instant(),
    ignore_capacity: flag(),
    routing_target: orNull(text()),
  },
  links: {
    task_queue: '/v1/Workspaces/{workspace_sid}/TaskQueues/{task_queue_sid}',
    workflow: '/v1/Workspaces/{workspace_sid}/Workflows/{workflow_sid}',
    workspace: '/v1/Workspaces/{workspace_sid}',
    reservations: '/v1/Workspaces/{workspace_sid}/Tasks/{sid}/Reservations',
  },
  operations: {
    list: {
      form: {
        Priority: whole(),
        AssignmentStatus: many(text()),
        WorkflowSid: sid('WW'),
        WorkflowName: text(),
        TaskQueueSid: sid('WQ'),
        TaskQueueName: text(),
        EvaluateTaskAttributes: text(),
        RoutingTarget: text(),
        Ordering: text(),
        HasAddons: flag(),
      },
      about:
        'Ordering: DateCreated, Priority or VirtualStartTime, each with :asc or :desc, in a comma list; not DateCreated with VirtualStartTime.',
    },
    fetch: {},
    create: {
      form: {
        Timeout: whole({ min: 1, max: TASK_TIMEOUT_SECONDS_MAX }),
        Priority: whole({ min: 0 }),
        TaskChannel: text(),
        WorkflowSid: sid('WW'),
        Attributes: attributes(),
        VirtualStartTime: instant(),
        RoutingTarget: text(),
        IgnoreCapacity: text(),
        TaskQueueSid: sid('WQ'),
      },
      about:
        'TaskChannel: a SID or a unique name; default unless given. RoutingTarget: the SID of a worker, a queue or a workflow, to which the task goes straight; beside a worker, TaskQueueSid and WorkflowSid say what it counts for and how long its offers stand, and beside a queue WorkflowSid does.',
    },
    update: {
      form: {
        Attributes: attributes(),
        'Attributes.Merge': attributes(),
        AssignmentStatus: word(TASK_STATUSES),
        Reason: text({ max: 4096 }),
        Priority: whole({ min: 0 }),
        TaskChannel: text(),
        VirtualStartTime: instant(),
      },
      about: MERGE,
    },
    delete: {},
  },
})

export type TaskRow = RowOf<typeof Task>
