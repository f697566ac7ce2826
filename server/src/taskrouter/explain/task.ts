/**
 * Why a task waits: where it is in its workflow, what stands between each worker and it, what happens next. Nothing
 * here decides: the facts are those that routing goes by, read without a lock, so they may be a moment apart.
 */
import {
  OBSTACLES,
  type Obstacle,
  TaskExplanation,
  type TaskExplanationRow,
  WORKERS_EXPLAINED,
} from '@parley/contract/parley/explanation.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { bind } from '../../http/binding.ts'
import { listing } from '../../store/listing.ts'
import { reading } from '../../store/query.ts'
import { find } from '../../store/rows.ts'
import type { StoredReservation, StoredTask, StoredWorker } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { compileExpression } from '../expression/compile.ts'
import { liveReservations } from '../offer.ts'
import { findTask, requireWorkspace } from '../parents.ts'
import { factsOf } from '../placing.ts'
import { answersOf, laneFacts, RoundLane } from '../router/lane.ts'
import { countWorkers, readEverybody, skipScope } from '../router/pass-over.ts'
import { COUNTED_MAX, waitingBefore } from '../router/waiting.ts'
import { WorkersKnown } from '../router/workers-known.ts'
import { isLive, taskRow } from '../task-row.ts'
import { parseWorkflowConfiguration } from '../workflow-configuration.ts'
import { skip } from '../workflow-step.ts'
import { iso } from './iso.ts'
import { whatIsNext } from './next.ts'
import { answerObstacles, clauseOf, type Found, laneObstacles, look } from './obstacles.ts'
import { workflowPlace } from './workflow-place.ts'

interface Page {
  readonly limit: number
  readonly after: string | undefined
}

export const taskExplanations = bind(TaskExplanation, {
  fetch: async (reader, call) => {
    const workspace = await requireWorkspace(reader, call)
    const task = await findTask(reader, call.accountSid, call.path.taskSid)
    if (task?.workspace_sid !== workspace.sid) return undefined
    const { pageSize: limit = WORKERS_EXPLAINED, after } = call.input
    return explainTask(reader, workspace, task, { limit, after })
  },
})

const explainTask = async (
  reader: Reader,
  workspace: WorkspaceRow,
  task: StoredTask,
  page: Page,
): Promise<TaskExplanationRow> => {
  const now = reader.now()
  const workflow =
    task.workflow_sid === null ? undefined : await find(reader, 'workflows', { sid: task.workflow_sid })
  const queue =
    task.task_queue_sid === null ? undefined : await find(reader, 'task_queues', { sid: task.task_queue_sid })
  const live = await liveReservations(reader, task.sid)
  const lane =
    isLive(task) && task.lane !== null
      ? new RoundLane(workspace.sid, task.lane, laneFacts(task), queue)
      : undefined
  const seen = await considerWorkers(reader, { workspace, task, lane, live, page })
  const ahead = lane ? await countAhead(reader, task) : 0
  return {
    account_sid: task.account_sid,
    workspace_sid: workspace.sid,
    task_sid: task.sid,
    assignment_status: task.assignment_status,
    summary: summaryOf(task, live, seen),
    reason: task.reason,
    workflow: workflow ? JSON.stringify(workflowPlace(task, workflow, now)) : null,
    queue: queue
      ? JSON.stringify({
          task_queue_sid: queue.sid,
          friendly_name: queue.friendly_name,
          target_workers: queue.target_workers,
          task_order: queue.task_order,
          since: iso(task.task_queue_entered_date),
          age: taskRow(task, now).age,
          priority: task.priority,
          // Of those that the same workers can take; tasks of other kinds may be served before it as well.
          ahead,
          ahead_at_least: ahead === COUNTED_MAX,
          skip_if: lane ? await skipOf(reader, lane, task) : null,
        })
      : null,
    offers: JSON.stringify({
      refusals: task.refusals,
      at_once: task.offers_max,
      live: live.map(({ sid, worker_sid, worker_name, reservation_status, date_created }) => ({
        sid,
        worker_sid,
        worker_name,
        reservation_status,
        date_created: iso(date_created),
      })),
    }),
    workers: JSON.stringify(seen.workers),
    considered: JSON.stringify({
      workers: seen.total,
      considered: seen.workers.length,
      next_after: seen.nextAfter,
      can_take_it: seen.free,
      obstacles: Object.fromEntries(seen.counts),
    }),
    next: JSON.stringify(await whatIsNext(reader, { task, workflow, live })),
    date: now,
  }
}

interface WorkerSeen {
  readonly worker_sid: string
  readonly friendly_name: string
  readonly can_take_it: boolean
  /** Asked only when there is nobody else. */
  readonly refused_before: boolean
  readonly idle_since: string | null
  readonly obstacles: readonly Found[]
}

interface Seen {
  readonly workers: readonly WorkerSeen[]
  readonly total: number
  readonly nextAfter: string | null
  readonly free: number
  readonly counts: ReadonlyMap<Obstacle, number>
}

const workersOf = listing('workers', 'sid', (query, at: { workspaceSid: string }) =>
  query.where('workspace_sid', '=', at.workspaceSid),
)

const howMany = reading((db, at: { workspaceSid: string }) =>
  db
    .selectFrom('workers')
    .select((it) => it.fn.countAll<number>().as('count'))
    .where('workspace_sid', '=', at.workspaceSid),
)

/** A page of the workspace's workers; where the target names one, that one. */
const considerWorkers = async (
  reader: Reader,
  {
    workspace,
    task,
    lane,
    live,
    page: { limit, after },
  }: {
    workspace: WorkspaceRow
    task: StoredTask
    lane: RoundLane | undefined
    live: readonly StoredReservation[]
    page: Page
  },
): Promise<Seen> => {
  const total = Number((await howMany.first(reader, { workspaceSid: workspace.sid }))?.count ?? 0)
  if (!lane) return { workers: [], total, nextAfter: null, free: 0, counts: new Map() }
  const named = lane.facts.target.workerSid
  const found: StoredWorker[] =
    named === undefined
      ? await workersOf(reader, { workspaceSid: workspace.sid }, { limit: limit + 1, after })
      : [await find(reader, 'workers', { sid: named })].filter((it) => it !== undefined)
  const shown = found.slice(0, limit)
  const answers = (await answersOf(reader, [task.sid])).get(task.sid)
  const now = reader.now()
  const counts = new Map<Obstacle, number>()
  const workers = (await look(reader, lane, shown)).map((it): WorkerSeen => {
    const { sid, friendly_name, idle_since } = it.worker
    const obstacles = [
      ...answerObstacles(sid, answers, live, now),
      ...laneObstacles(lane, it, workspace, now),
    ]
    for (const { obstacle } of obstacles) counts.set(obstacle, (counts.get(obstacle) ?? 0) + 1)
    return {
      worker_sid: sid,
      friendly_name,
      can_take_it: obstacles.length === 0,
      refused_before: answers?.refusedBy.has(sid) ?? false,
      idle_since: it.worker.available ? iso(idle_since) : null,
      obstacles,
    }
  })
  return {
    workers,
    total,
    nextAfter: found.length > limit ? (shown.at(-1)?.sid ?? null) : null,
    free: workers.filter((it) => it.can_take_it).length,
    counts,
  }
}

const countAhead = async (reader: Reader, task: StoredTask): Promise<number> => {
  const { workspace_sid: workspaceSid, lane, priority_down: priorityDown, turn, sid } = task
  const at = { workspaceSid, lane: lane ?? '', priorityDown, turn, sid }
  return Number((await waitingBefore.first(reader, at))?.count ?? 0)
}

/** Whether the target lets the task pass where nobody can take it, and where it would go. */
const skipOf = async (reader: Reader, lane: RoundLane, task: StoredTask) => {
  const { skipIf } = lane.facts.target
  if (skipIf === undefined || !lane.queue) return null
  const now = reader.now()
  const everybody = await readEverybody(reader, task.workspace_sid, new WorkersKnown(), [lane])
  const workers = countWorkers(everybody, lane.queue.target_workers, now)
  const explanation = compileExpression(skipIf).explain(skipScope(lane, workers, now))
  const workflow = task.workflow_sid && (await find(reader, 'workflows', { sid: task.workflow_sid }))
  const configuration = workflow ? parseWorkflowConfiguration(workflow.configuration) : undefined
  const stop = configuration && skip(configuration, factsOf(task, now), task.step ?? '')
  return {
    expression: skipIf,
    holds: explanation.matches,
    ...clauseOf(explanation),
    workers,
    to: stop?.kind === 'target' ? stop.target.place : null,
  }
}

const IN_A_SUMMARY: Readonly<Record<Obstacle, string>> = {
  offered: 'asked already',
  has_it: 'with it in hand',
  known_worker: 'not the one it is for',
  queue: 'not in the queue',
  target: "outside the target's expression",
  activity: 'not available',
  busy: 'with another task',
  channel_unavailable: 'with the task channel switched off',
  capacity: 'with no capacity left',
  refused: 'who refused it a moment ago',
}

const summaryOf = (task: StoredTask, live: readonly StoredReservation[], seen: Seen): string => {
  const names = live.map((it) => it.worker_name).join(', ')
  if (task.assignment_status === 'assigned') return `${names} has it.`
  if (task.assignment_status === 'wrapping') return `${names} wraps it up.`
  if (!isLive(task)) return `It is ${task.assignment_status}${task.reason ? `: ${task.reason}` : ''}.`
  const where = task.task_queue_friendly_name === null ? '' : ` in ${task.task_queue_friendly_name}`
  if (live.length) return `It waits${where} and is offered to ${names}, who may answer.`
  if (!seen.workers.length) return `It waits${where}, and there is no worker.`
  if (seen.free)
    return `It waits${where}; ${seen.free} of the ${seen.workers.length} workers considered can take it in its turn.`
  const why = (Object.keys(OBSTACLES) as Obstacle[]).flatMap((it) => {
    const count = seen.counts.get(it)
    return count ? [`${count} ${IN_A_SUMMARY[it]}`] : []
  })
  return `It waits${where}; none of the ${seen.workers.length} workers considered can take it: ${why.join(', ')}.`
}
