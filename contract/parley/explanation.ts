/**
 * Why a task waits, and why a worker gets nothing: what the router makes of them at this moment, and what happens next
 * and when. Made from the router's own questions, asked without doing anything about the answers.
 */
import { choice, flag, instant, jsonObject, orNull, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { TASK_STATUSES } from '../taskrouter/task.ts'

/** What stands between a worker and a task, each with its sentence. A worker without one can take the task. */
export const OBSTACLES = {
  offered: 'It is offered to this worker, who has not answered.',
  has_it: 'This worker has it.',
  others_offered: 'It is offered to others already, to as many at once as may be: MaxReservedWorkers.',
  known_worker: 'The target is for another worker.',
  queue: 'The TargetWorkers of the queue do not hold for this worker.',
  target: "The target's expression does not hold for this worker.",
  activity: 'The worker is in an activity that is not available.',
  busy: 'The worker has a task, and this workspace gives one at a time.',
  channel_unavailable: 'The task channel is switched off for this worker.',
  capacity: 'The worker has as many tasks of this task channel as they take at once.',
  refused: 'The worker refused it, or let it go unanswered, a moment ago.',
} as const

export type Obstacle = keyof typeof OBSTACLES

/** How many workers one answer considers unless it is told, and at the most. */
export const WORKERS_EXPLAINED = 200
export const WORKERS_EXPLAINED_MAX = 1_000

export const TaskExplanation = resource({
  product: 'parley',
  name: 'parley.v1.task_explanation',
  one: '/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}/Explain',
  answer: {
    account_sid: sid('AC'),
    workspace_sid: sid('WS'),
    task_sid: sid('WT'),
    assignment_status: choice(TASK_STATUSES),
    /** One sentence: where the task is, and what it waits for. */
    summary: text(),
    /** Why it was ended, where it was. */
    reason: orNull(text()),
    /** Which filter of its workflow took it and which of the targets it is at; null outside of a workflow. */
    workflow: orNull(jsonObject()),
    /** The queue, since when it waits there, and how many wait before it for the same workers. */
    queue: orNull(jsonObject()),
    /** How often it was refused, and its reservations that have not ended. */
    offers: jsonObject(),
    /** The one worker who may take it, where its target, its `RoutingTarget` or its transfer names one. */
    known_worker: orNull(jsonObject()),
    /** Who gives it to whom, while it is being transferred. */
    transfer: orNull(jsonObject()),
    /** The workers that were considered, and what stands between each and the task. */
    workers: jsonObject(),
    /** How many workers there are in all, how many were considered, and how many of those met which obstacle. */
    considered: jsonObject(),
    /** What happens by itself, the soonest first. */
    next: jsonObject(),
    date: instant(),
    url: text(),
  },
  operations: {
    fetch: {
      about:
        'Why a task waits: its place in the workflow, each worker with what stands in the way, and what happens next.',
      form: {
        PageSize: whole({ min: 1, max: WORKERS_EXPLAINED_MAX }),
        /** Goes on after this worker. */
        After: sid('WK'),
      },
    },
  },
})

export const WorkerExplanation = resource({
  product: 'parley',
  name: 'parley.v1.worker_explanation',
  one: '/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Explain',
  answer: {
    account_sid: sid('AC'),
    workspace_sid: sid('WS'),
    worker_sid: sid('WK'),
    friendly_name: text(),
    /** One sentence: what the worker is doing, and what could reach them. */
    summary: text(),
    activity_name: orNull(text()),
    available: flag(),
    /** Those of the worker's reservations that have not ended, the oldest first, and until when they may be answered. */
    reservations: jsonObject(),
    /** Each task channel: what it takes, what is in hand, and what keeps it closed. */
    channels: jsonObject(),
    /** Tasks that wait for the same workers stand in one line; each line, with what stands in the way. */
    lines: jsonObject(),
    /** The `After` of the next answer, where there are more lines. */
    next_after: orNull(text()),
    date: instant(),
    url: text(),
  },
  operations: {
    fetch: {
      about: 'Which waiting tasks could reach a worker, and what stands in the way of the others.',
      form: {
        /** Goes on after this line. */
        After: text({ max: 256 }),
      },
    },
  },
})

export type TaskExplanationRow = RowOf<typeof TaskExplanation>
export type WorkerExplanationRow = RowOf<typeof WorkerExplanation>
