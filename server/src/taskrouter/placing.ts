/**
 * Where a task waits: the stop its workflow gives it, written on its row, with the job for the end of its time there.
 * The task is locked by whoever calls.
 */
import type { Actor } from '@parley/contract/actor.ts'
import type { EventOf } from '@parley/contract/event.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import { later, notLater } from '../jobs/later.ts'
import { find, update } from '../store/rows.ts'
import type { StoredTask } from '../store/tables/taskrouter.ts'
import type { Reader, Tx } from '../store/tx.ts'
import type { Value } from './expression/compile.ts'
import { hold } from './held.ts'
import { laneOf, type Target } from './router/target.ts'
import { isLed, isLive, taskRow } from './task-row.ts'
import { wakeRouter } from './wake-router.ts'
import { parseWorkflowConfiguration, type WorkflowTarget } from './workflow-configuration.ts'
import { enter, type Facts, resume, type Stop, skip } from './workflow-step.ts'

export const STEP = 'taskrouter.step'

/** Why a task is placed: it is new, it is to begin anew, time has passed, or its target lets it pass. */
export type Why = 'new' | 'anew' | 'age' | 'skip'

/** What a task that left its workflow without a worker is told. */
export const REASONS = {
  unmatched: 'Task did not match any filter of its Workflow',
  timeout: 'Task canceled on Workflow timeout',
} as const

type Noted = EventOf<
  | 'workflow.entered'
  | 'workflow.target-matched'
  | 'workflow.skipped'
  | 'workflow.timeout'
  | 'task-queue.entered'
  | 'task-queue.moved'
  | 'task-queue.timeout'
>

export type Place =
  | {
      readonly kind: 'placed'
      readonly changes: Partial<StoredTask>
      readonly untilAgeSeconds: number | null
    }
  | { readonly kind: 'nowhere'; readonly why: keyof typeof REASONS }
  /** There is nowhere else to go. */
  | { readonly kind: 'stays' }

/** What a workflow's filters and timeouts are held against. */
export const factsOf = (task: StoredTask, now: number): Facts => ({
  attributes: JSON.parse(task.attributes),
  ageSeconds: Math.floor((now - task.date_created) / 1000),
  now,
})

/**
 * Finds a task's place in its workflow, and what is to be told of it.
 * @param note hears the events in their order; they carry the task as `changes` will leave it
 */
export const findPlace = async (
  tx: Tx,
  { task, workflow, why, actor }: { task: StoredTask; workflow: WorkflowRow; why: Why; actor: Actor },
): Promise<{ place: Place; notes: Noted[] }> => {
  const now = tx.now()
  const configuration = parseWorkflowConfiguration(workflow.configuration)
  const facts = factsOf(task, now)
  const base = { accountSid: task.account_sid, at: now, actor } as const
  const notes: Noted[] = []
  const from = task.task_queue_sid ? await find(tx, 'task_queues', { sid: task.task_queue_sid }) : undefined
  if (why === 'new') notes.push({ ...base, name: 'workflow.entered', workflow, task: taskRow(task, now) })

  let stop: Stop | undefined
  if (why === 'skip') {
    stop = skip(configuration, facts, task.step ?? '')
    if (!stop) return { place: { kind: 'stays' }, notes: [] }
    notes.push({
      ...base,
      name: 'workflow.skipped',
      workflow,
      task: taskRow(task, now),
      target: task.step ?? '',
    })
  } else if (why === 'age' && task.step !== null) stop = resume(configuration, facts, task.step)
  else stop = enter(configuration, facts)

  // Each round passes over a target whose named worker does not exist, so there are at most as many as targets.
  for (;;) {
    if (stop.kind === 'nowhere') {
      if (stop.why === 'timeout') {
        if (from)
          notes.push({ ...base, name: 'task-queue.timeout', taskQueue: from, task: taskRow(task, now) })
        notes.push({ ...base, name: 'workflow.timeout', workflow, task: taskRow(task, now) })
      }
      return { place: { kind: 'nowhere', why: stop.why }, notes }
    }
    const target = await resolveTarget(tx, task, stop.target, facts)
    if (target === 'nobody') {
      const { step } = stop
      notes.push({ ...base, name: 'workflow.skipped', workflow, task: taskRow(task, now), target: step })
      const next = skip(configuration, facts, step)
      stop = next ?? { kind: 'nowhere', why: 'unmatched' }
      continue
    }
    const workspaceSid = task.workspace_sid
    const queue = await hold(tx, 'task_queues', { sid: stop.target.queue, workspaceSid })
    if (!queue) return { place: { kind: 'nowhere', why: 'unmatched' }, notes }
    const priority = stop.target.priority ?? task.priority
    const place = placeIn(task, { queue, target, priority, step: stop.step, now })
    const changes = why === 'new' ? place : { ...place, date_updated: now, version: task.version + 1 }
    const placed = taskRow({ ...task, ...changes }, now)
    if (from && (stop.step !== task.step || from.sid !== queue.sid) && why === 'age')
      notes.push({ ...base, name: 'task-queue.timeout', taskQueue: from, task: taskRow(task, now) })
    if (stop.step !== task.step)
      notes.push({ ...base, name: 'workflow.target-matched', workflow, task: placed, target: stop.step })
    if (from && from.sid !== queue.sid)
      notes.push({ ...base, name: 'task-queue.moved', taskQueue: from, task: placed })
    if (from?.sid !== queue.sid)
      notes.push({ ...base, name: 'task-queue.entered', taskQueue: queue, task: placed })
    return { place: { kind: 'placed', changes, untilAgeSeconds: stop.untilAgeSeconds }, notes }
  }
}

/** The columns of a task that waits in a queue. */
export const placeIn = (
  task: StoredTask,
  {
    queue,
    target,
    priority,
    step,
    now,
  }: {
    queue: TaskQueueRow
    target: Target
    priority: number
    step: string | null
    now: number
  },
): Partial<StoredTask> => ({
  task_queue_sid: queue.sid,
  task_queue_friendly_name: queue.friendly_name,
  task_queue_entered_date: task.task_queue_sid === queue.sid ? task.task_queue_entered_date : now,
  priority,
  priority_down: -priority,
  turn: turnOf(queue, task.virtual_start_time),
  step,
  target_since: task.step === step && task.task_queue_sid === queue.sid ? task.target_since : now,
  target: JSON.stringify(target),
  lane: laneOf(queue.sid, task.task_channel_sid, target, task.attributes),
  offers_max: queue.max_reserved_workers,
  waits: waitsNow({ ...task, offers_max: queue.max_reserved_workers }),
})

/** Where the newest is served first, the order runs backwards. */
export const turnOf = ({ task_order }: Pick<TaskQueueRow, 'task_order'>, start: number): number =>
  task_order === 'LIFO' ? -start : start

export const waitsNow = (it: Pick<StoredTask, 'assignment_status' | 'offers' | 'offers_max'>): 0 | 1 =>
  isLive(it) && it.offers < it.offers_max ? 1 : 0

/** The known worker is looked up once, here: routing then knows only a SID. */
export const resolveTarget = async (
  reader: Reader,
  task: StoredTask,
  it: WorkflowTarget,
  facts: Facts,
): Promise<Target | 'nobody'> => {
  const target = {
    ...(it.expression && { expression: it.expression.text }),
    ...(it.orderBy && { orderBy: it.orderBy.text }),
    ...(it.skipIf && { skipIf: it.skipIf.text }),
  }
  if (!it.knownWorkerSid && !it.knownWorkerFriendlyName) return target
  const read = (value: Value) =>
    String(value.read({ attributes: facts.attributes, task: facts.attributes, now: facts.now }) ?? '')
  const worker = it.knownWorkerSid
    ? await find(reader, 'workers', { workspace_sid: task.workspace_sid, sid: read(it.knownWorkerSid) })
    : await find(reader, 'workers', {
        workspace_sid: task.workspace_sid,
        friendly_name: read(it.knownWorkerFriendlyName as Value),
      })
  return worker ? { ...target, workerSid: worker.sid } : 'nobody'
}

/** Leaves, moves or takes back the job that ends a task's time at its target. */
export const expectStep = async (tx: Tx, task: StoredTask, untilAgeSeconds: number | null): Promise<void> => {
  if (untilAgeSeconds === null) await notLater(tx, STEP, task.sid)
  else await later(tx, { kind: STEP, key: task.sid, dueAt: task.date_created + untilAgeSeconds * 1000 })
}

/**
 * Places a task that exists.
 * @returns the task where it now waits, or why it can wait nowhere; then the caller ends it
 */
export const moveOn = async (
  tx: Tx,
  { task, why, actor }: { task: StoredTask; why: Exclude<Why, 'new'>; actor: Actor },
): Promise<{ task: StoredTask; nowhere?: keyof typeof REASONS; stays?: true }> => {
  // One that is being transferred goes where it was sent.
  if (!isLed(task) || task.transfer_sid !== null) return { task, stays: true }
  const workflow = await find(tx, 'workflows', { sid: task.workflow_sid as string })
  if (!workflow) return { task, stays: true }
  const { place, notes } = await findPlace(tx, { task, workflow, why, actor })
  for (const note of notes) tx.record(note)
  if (place.kind === 'stays') return { task, stays: true }
  if (place.kind === 'nowhere') return { task, nowhere: place.why }
  const moved = (await update(tx, 'tasks', { sid: task.sid }, place.changes)) ?? task
  await expectStep(tx, moved, place.untilAgeSeconds)
  await wakeRouter(tx, task.workspace_sid)
  return { task: moved }
}
