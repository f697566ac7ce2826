/** Tasks: made and changed. How they end is in `task-end.ts`, where they wait in `placing.ts`. */
import type { Actor } from '@parley/contract/actor.ts'
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import {
  TASK_STATUSES_ASKED,
  TASK_TIMEOUT_SECONDS,
  Task,
  type TaskRow,
  type TaskStatus,
  VIRTUAL_START_MIN,
} from '@parley/contract/taskrouter/task.ts'
import type { TaskChannelRow } from '@parley/contract/taskrouter/task-channel.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import { bind } from '../http/binding.ts'
import { reading } from '../store/query.ts'
import { find, insert, update } from '../store/rows.ts'
import type { StoredTask } from '../store/tables/taskrouter.ts'
import type { Tx } from '../store/tx.ts'
import { isYes } from './given.ts'
import { hold } from './held.ts'
import { attributesAsked } from './merge-attributes.ts'
import { keyOf } from './ordered.ts'
import {
  findTask,
  findTaskChannel,
  lockTask,
  requireTaskQueue,
  requireWorkflow,
  requireWorkspace,
} from './parents.ts'
import { expectStep, findPlace, moveOn, placeIn, REASONS, turnOf } from './placing.ts'
import { laneOf, readTarget, type Target, targetOfWorker } from './router/target.ts'
import { mustMatch, sayVersion } from './row-version.ts'
import {
  cancelLocked,
  completeLocked,
  deleteLocked,
  expectTimeout,
  mayBecome,
  wrapLocked,
} from './task-end.ts'
import { listTasks } from './task-list.ts'
import { isLed, isLive, taskRow } from './task-row.ts'
import { wakeRouter } from './wake-router.ts'
import { parseWorkflowConfiguration } from './workflow-configuration.ts'
import { targetAt } from './workflow-step.ts'

export interface TaskWanted {
  readonly accountSid: string
  readonly workspaceSid: string
  /** May be left out where the workspace has one workflow, or where a queue or a worker is named. */
  readonly workflowSid?: string | undefined
  /** SID or unique name; `default` unless given. */
  readonly taskChannel?: string | undefined
  /** JSON. */
  readonly attributes?: string | undefined
  readonly priority?: number | undefined
  /** Seconds. */
  readonly timeout?: number | undefined
  readonly virtualStartTime?: number | undefined
  /** A worker's, a queue's or a workflow's SID. */
  readonly routingTarget?: string | undefined
  /** For a worker as target: whatever they are doing and have in hand. */
  readonly ignoreCapacity?: boolean | undefined
  readonly taskQueueSid?: string | undefined
  /** Where it is known beforehand. */
  readonly sid?: string | undefined
  readonly actor: Actor
}

/**
 * Makes a task and lets it begin to wait. One that no filter takes is canceled at once.
 * @throws 400 for a workflow, queue, worker or task channel that the workspace does not have
 */
export const createTask = async (tx: Tx, wanted: TaskWanted): Promise<TaskRow & StoredTask> => {
  const { accountSid, workspaceSid, actor } = wanted
  const channel = await requireTaskChannel(tx, workspaceSid, wanted.taskChannel ?? 'default')
  const way = await readWay(tx, wanted)
  const now = tx.now()
  const start = mustHaveBegun(wanted.virtualStartTime ?? now, now)
  const draft: StoredTask = {
    sid: wanted.sid ?? tx.newSid('WT'),
    account_sid: accountSid,
    workspace_sid: workspaceSid,
    workflow_sid: way.workflow?.sid ?? null,
    workflow_friendly_name: way.workflow?.friendly_name ?? null,
    task_queue_sid: null,
    task_queue_friendly_name: null,
    task_queue_entered_date: null,
    task_channel_sid: channel.sid,
    task_channel_unique_name: channel.unique_name,
    assignment_status: 'pending',
    attributes: wanted.attributes ?? '{}',
    priority: wanted.priority ?? 0,
    reason: null,
    timeout: wanted.timeout ?? TASK_TIMEOUT_SECONDS,
    virtual_start_time: start,
    ignore_capacity: Number(way.straight?.target.ignoreCapacity ?? false),
    routing_target: wanted.routingTarget ?? null,
    date_created: now,
    date_updated: now,
    version: 0,
    step: null,
    target_since: now,
    target: JSON.stringify(way.straight?.target ?? {}),
    lane: null,
    waits: 0,
    priority_down: -(wanted.priority ?? 0),
    turn: start,
    offers: 0,
    offers_max: 1,
    refusals: 0,
    transfer_sid: null,
  }
  const { task, untilAgeSeconds, nowhere } = await begin(tx, draft, way, actor)
  tx.record({ name: 'task.created', accountSid, at: now, actor, task: taskRow(task, now) })
  if (nowhere) return taskRow(await cancelLocked(tx, { task, reason: REASONS[nowhere], actor }), now)
  await expectTimeout(tx, task)
  if (untilAgeSeconds !== null) await expectStep(tx, task, untilAgeSeconds)
  await wakeRouter(tx, workspaceSid)
  return taskRow(task, now)
}

/** @throws 400 for a moment that has not come, or that is before all that could have begun */
const mustHaveBegun = (start: number, now: number): number => {
  if (start >= VIRTUAL_START_MIN && start <= now) return start
  throw problem('invalid_parameter', {
    parameter: 'VirtualStartTime',
    reason: 'it must not be in the future, nor before 1900',
  })
}

/** Where its workflow leads, or straight to a queue or a worker. */
type Way =
  | { readonly workflow: WorkflowRow; readonly straight?: never }
  | {
      readonly workflow: WorkflowRow | undefined
      readonly straight: { readonly queue: TaskQueueRow | undefined; readonly target: Target }
    }

const readWay = async (tx: Tx, wanted: TaskWanted): Promise<Way> => {
  const { workspaceSid, routingTarget, taskQueueSid, workflowSid } = wanted
  const queueOf = (sid: string, parameter: string) => requireTaskQueue(tx, workspaceSid, sid, parameter)
  const workflowOf = (sid: string, parameter: string) => requireWorkflow(tx, workspaceSid, sid, parameter)
  const queue = taskQueueSid ? await queueOf(taskQueueSid, 'TaskQueueSid') : undefined
  const workflow = workflowSid ? await workflowOf(workflowSid, 'WorkflowSid') : undefined
  if (routingTarget) {
    if (isSid('WW', routingTarget)) return { workflow: await workflowOf(routingTarget, 'RoutingTarget') }
    if (isSid('WQ', routingTarget))
      return { workflow, straight: { queue: await queueOf(routingTarget, 'RoutingTarget'), target: {} } }
    const worker = await find(tx, 'workers', { sid: routingTarget, workspace_sid: workspaceSid })
    if (!worker)
      throw problem('invalid_parameter', {
        parameter: 'RoutingTarget',
        reason: 'expected the SID of a worker, a task queue or a workflow of the workspace',
      })
    const target = targetOfWorker(worker.sid, { ignoresCapacity: wanted.ignoreCapacity ?? true })
    return { workflow, straight: { queue, target } }
  }
  // Beside a workflow, which leads through queues of its own, a queue says nothing.
  if (queue && !workflow) return { workflow, straight: { queue, target: {} } }
  return { workflow: workflow ?? (await onlyWorkflow(tx, workspaceSid)) }
}

const twoWorkflows = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('workflows').selectAll().where('workspace_sid', '=', at.workspaceSid).limit(2),
)

const onlyWorkflow = async (tx: Tx, workspaceSid: string): Promise<WorkflowRow> => {
  const [workflow, second] = await twoWorkflows.all(tx, { workspaceSid })
  if (!workflow || second) throw problem('missing_parameter', { parameter: 'WorkflowSid' })
  return requireWorkflow(tx, workspaceSid, workflow.sid, 'WorkflowSid')
}

const begin = async (tx: Tx, draft: StoredTask, { workflow, straight }: Way, actor: Actor) => {
  const now = tx.now()
  if (!straight) {
    const { place, notes } = await findPlace(tx, { task: draft, workflow, why: 'new', actor })
    const placed = place.kind === 'placed' ? place : undefined
    const task = { ...draft, ...placed?.changes }
    await insert(tx, 'tasks', task)
    for (const note of notes) tx.record(note)
    const nowhere = place.kind === 'nowhere' ? place.why : undefined
    return { task, untilAgeSeconds: placed?.untilAgeSeconds ?? null, nowhere }
  }
  const { queue, target } = straight
  const { priority } = draft
  const task: StoredTask = queue
    ? { ...draft, ...placeIn(draft, { queue, target, priority, step: null, now }) }
    : { ...draft, lane: laneOf(null, draft.task_channel_sid, target, draft.attributes), waits: 1 }
  await insert(tx, 'tasks', task)
  const told = { accountSid: task.account_sid, at: now, actor, task: taskRow(task, now) }
  if (queue) tx.record({ name: 'task-queue.entered', ...told, taskQueue: queue })
  return { task, untilAgeSeconds: null, nowhere: undefined }
}

const requireTaskChannel = async (
  tx: Tx,
  workspaceSid: string,
  sidOrUniqueName: string,
): Promise<TaskChannelRow> => {
  const found = await findTaskChannel(tx, workspaceSid, sidOrUniqueName)
  const channel = found && (await hold(tx, 'task_channels', { sid: found.sid, workspaceSid }))
  if (!channel)
    throw problem('invalid_parameter', {
      parameter: 'TaskChannel',
      reason: 'there is no task channel with this SID or unique name in the workspace',
    })
  return channel
}

interface Known {
  readonly account_sid: string
  readonly sid: string
}

const lockKnown = async (tx: Tx, { account_sid, sid }: Known): Promise<StoredTask> => {
  const task = await lockTask(tx, account_sid, sid)
  if (!task) throw problem('not_found', { path: `/Tasks/${sid}` })
  return task
}

/** Cancels a task that nobody has accepted. @throws 400 for one that somebody has, or that is over */
export const cancelTask = async (
  tx: Tx,
  { task, reason, actor }: { task: Known; reason: string; actor: Actor },
): Promise<TaskRow> =>
  taskRow(await cancelLocked(tx, { task: await lockKnown(tx, task), reason, actor }), tx.now())

/** Completes a task that somebody has. @throws 400 for one that nobody has, or that is over */
export const completeTask = async (
  tx: Tx,
  { task, reason, actor }: { task: Known; reason: string; actor: Actor },
): Promise<TaskRow> =>
  taskRow(await completeLocked(tx, { task: await lockKnown(tx, task), reason, actor }), tx.now())

/** @param attributes JSON */
export const updateTaskAttributes = async (
  tx: Tx,
  { task, attributes, actor }: { task: Known; attributes: string; actor: Actor },
): Promise<TaskRow> => taskRow(await change(tx, await lockKnown(tx, task), { attributes }, actor), tx.now())

interface Changes {
  readonly attributes?: string | undefined
  /** JSON, merged into the attributes. */
  readonly attributesMerge?: string | undefined
  readonly priority?: number | undefined
  readonly taskChannel?: string | undefined
  readonly virtualStartTime?: number | undefined
}

/**
 * Changes a task. A pending one whose attributes changed goes through its workflow's filters again; one that is
 * offered to somebody does so if the offer is refused.
 * @param ends whether it is canceled next, and so goes nowhere any more
 */
const change = async (
  tx: Tx,
  task: StoredTask,
  asked: Changes,
  actor: Actor,
  { ends = false }: { ends?: boolean } = {},
): Promise<StoredTask> => {
  const attributes = attributesAsked(task.attributes, asked)
  const start =
    asked.virtualStartTime === undefined
      ? task.virtual_start_time
      : mustHaveBegun(asked.virtualStartTime, tx.now())
  const channel =
    asked.taskChannel === undefined
      ? { sid: task.task_channel_sid, unique_name: task.task_channel_unique_name }
      : await requireTaskChannel(tx, task.workspace_sid, asked.taskChannel)
  if (channel.sid !== task.task_channel_sid && task.assignment_status !== 'pending')
    throw problem('invalid_parameter', {
      parameter: 'TaskChannel',
      reason: 'only a pending task can change it',
    })
  const queue = task.task_queue_sid ? await find(tx, 'task_queues', { sid: task.task_queue_sid }) : undefined
  const again = !ends && attributes !== task.attributes && isLed(task) && isLive(task)
  const priority = again ? (asked.priority ?? task.priority) : await priorityAsked(tx, task, asked.priority)
  const changed = await update(
    tx,
    'tasks',
    { sid: task.sid },
    {
      attributes,
      priority,
      priority_down: -priority,
      task_channel_sid: channel.sid,
      task_channel_unique_name: channel.unique_name,
      virtual_start_time: start,
      turn: queue ? turnOf(queue, start) : start,
      lane: task.lane && laneOf(task.task_queue_sid, channel.sid, readTarget(task.target), attributes),
      // Without a step a task begins anew when it is next placed.
      step: again && task.assignment_status === 'reserved' ? null : task.step,
      date_updated: tx.now(),
      version: task.version + 1,
    },
  )
  if (!changed) throw new Error(`task ${task.sid} is locked and not there`)
  const told = { accountSid: task.account_sid, at: tx.now(), actor, task: taskRow(changed, tx.now()) }
  tx.record({ name: 'task.updated', ...told })
  // Whoever ends it locks workers first, and wakes the router then.
  if (!isLive(changed) || ends) return changed
  await wakeRouter(tx, task.workspace_sid)
  if (!again || changed.assignment_status !== 'pending') return changed
  const { task: placed, nowhere } = await moveOn(tx, { task: changed, why: 'anew', actor })
  return nowhere ? cancelLocked(tx, { task: placed, reason: REASONS[nowhere], actor }) : placed
}

/** Where a task's target has a priority, that is the task's, whatever is asked for. */
const priorityAsked = async (tx: Tx, task: StoredTask, priority: number | undefined): Promise<number> => {
  if (priority === undefined || task.workflow_sid === null || task.step === null)
    return priority ?? task.priority
  const workflow = await find(tx, 'workflows', { sid: task.workflow_sid })
  const target = workflow && targetAt(parseWorkflowConfiguration(workflow.configuration), task.step)
  return target?.priority == null ? priority : task.priority
}

export const tasks = bind(Task, {
  list: { key: keyOf, rows: listTasks },
  fetch: async (reader, call) => {
    const task = await findTask(reader, call.accountSid, call.path.sid)
    if (task?.workspace_sid !== call.path.workspaceSid) return undefined
    sayVersion(call, task)
    return taskRow(task, reader.now())
  },
  create: async (tx, call) => {
    await requireWorkspace(tx, call)
    const { ignoreCapacity, ...input } = call.input
    const task = await createTask(tx, {
      ...input,
      accountSid: call.accountSid,
      workspaceSid: call.path.workspaceSid,
      ignoreCapacity: ignoreCapacity === undefined ? undefined : isYes(ignoreCapacity),
      actor: call.actor,
    })
    sayVersion(call, task)
    return task
  },
  update: async (tx, call) => {
    const found = await lockTask(tx, call.accountSid, call.path.sid)
    if (found?.workspace_sid !== call.path.workspaceSid) return undefined
    mustMatch(call, found)
    const { assignmentStatus, reason, ...changes } = call.input
    let task = found
    if (assignmentStatus !== undefined) mayAsk(task.assignment_status, assignmentStatus, reason)
    if (Object.values(changes).some((it) => it !== undefined))
      task = await change(tx, task, changes, call.actor, { ends: assignmentStatus === 'canceled' })
    if (assignmentStatus !== undefined)
      task = await moveAsAsked(tx, task, assignmentStatus, reason, call.actor)
    sayVersion(call, task)
    return taskRow(task, tx.now())
  },
  delete: async (tx, call) => {
    const task = await lockTask(tx, call.accountSid, call.path.sid)
    if (task?.workspace_sid !== call.path.workspaceSid) return false
    mustMatch(call, task)
    await deleteLocked(tx, { task, actor: call.actor })
    return true
  },
})

const mayAsk = (from: TaskStatus, to: TaskStatus, reason: string | undefined): void => {
  if (!TASK_STATUSES_ASKED.includes(to))
    throw problem('illegal_move', { parameter: 'AssignmentStatus', resource: 'task', from, to })
  mayBecome(from, to)
  if (to !== 'wrapping' && !reason) throw problem('reason_missing')
}

const moveAsAsked = (
  tx: Tx,
  task: StoredTask,
  to: TaskStatus,
  reason: string | undefined,
  actor: Actor,
): Promise<StoredTask> => {
  if (to === 'wrapping') return wrapLocked(tx, { task, reason, actor })
  return to === 'canceled'
    ? cancelLocked(tx, { task, reason: reason ?? '', actor })
    : completeLocked(tx, { task, reason: reason ?? '', actor })
}
