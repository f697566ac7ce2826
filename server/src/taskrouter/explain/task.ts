/**
 * Why a task waits: where it is in its workflow, what stands between each worker and it, what happens next. Nothing
 * here decides: the facts are those that routing goes by, read without a lock, so they may be a moment apart.
 */
import {
  TaskExplanation,
  type TaskExplanationRow,
  WORKERS_EXPLAINED,
} from '@parley/contract/parley/explanation.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { bind } from '../../http/binding.ts'
import { find } from '../../store/rows.ts'
import type { StoredTask } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { compileExpression } from '../expression/compile.ts'
import { liveReservations } from '../offer.ts'
import { findTask, requireWorkspace } from '../parents.ts'
import { factsOf } from '../placing.ts'
import { laneFacts, RoundLane } from '../router/lane.ts'
import { countWorkers, readEverybody, skipScope } from '../router/pass-over.ts'
import { COUNTED_MAX, waitingBefore } from '../router/waiting.ts'
import { WorkersKnown } from '../router/workers-known.ts'
import { isLed, isLive, taskRow } from '../task-row.ts'
import { openTransfer } from '../transfer-row.ts'
import { parseWorkflowConfiguration } from '../workflow-configuration.ts'
import { skip } from '../workflow-step.ts'
import { considerWorkers, knownWorkerOf, type Page } from './considered.ts'
import { iso } from './iso.ts'
import { offersEnd, whatIsNext } from './next.ts'
import { clauseOf } from './obstacles.ts'
import { taskSummary } from './summary.ts'
import { pastNobody, workflowPlace } from './workflow-place.ts'

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
  const workflow = isLed(task)
    ? await find(reader, 'workflows', { sid: task.workflow_sid as string })
    : undefined
  const queue =
    task.task_queue_sid === null ? undefined : await find(reader, 'task_queues', { sid: task.task_queue_sid })
  const live = await liveReservations(reader, task.sid)
  const lane =
    isLive(task) && task.lane !== null
      ? new RoundLane(workspace.sid, task.lane, laneFacts(task), queue)
      : undefined
  const open = await openTransfer(reader, task)
  const transfer = open && (await namesOf(reader, open))
  const knownSid = knownWorkerOf(lane, open)
  const known = knownSid === undefined ? undefined : await findKnown(reader, knownSid)
  const seen = await considerWorkers(reader, { workspace, task, lane, known, live, page })
  const knownWorker = known && (known.worker?.friendly_name ?? null)
  const ends = await offersEnd(reader, live)
  const ahead = lane ? await countAhead(reader, task) : 0
  return {
    account_sid: task.account_sid,
    workspace_sid: workspace.sid,
    task_sid: task.sid,
    assignment_status: task.assignment_status,
    summary: taskSummary(task, { live, seen, knownWorker, transfer }),
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
        until: iso(ends.get(sid)),
      })),
    }),
    known_worker: known ? JSON.stringify({ worker_sid: known.sid, friendly_name: knownWorker }) : null,
    transfer: transfer ? JSON.stringify(transfer) : null,
    workers: JSON.stringify(seen.workers),
    considered: JSON.stringify({
      workers: seen.total,
      considered: seen.workers.length,
      next_after: seen.nextAfter,
      can_take_it: seen.free,
      obstacles: Object.fromEntries(seen.counts),
    }),
    next: JSON.stringify(
      await whatIsNext(reader, { task, workspace, workflow, live, transfer: open, knownWorker }),
    ),
    date: now,
  }
}

const findKnown = async (reader: Reader, sid: string) => ({
  sid,
  worker: await find(reader, 'workers', { sid }),
})

/** A transfer with the names of who gives the task to whom. */
const namesOf = async (reader: Reader, it: TransferRow) => {
  const giver = await find(reader, 'reservations', { sid: it.initiating_reservation_sid })
  const worker =
    it.transfer_type === 'WORKER' ? await find(reader, 'workers', { sid: it.transfer_to }) : undefined
  const queue = worker ? undefined : await find(reader, 'task_queues', { sid: it.transfer_to })
  return {
    transfer_sid: it.sid,
    mode: it.transfer_mode,
    type: it.transfer_type,
    from_sid: it.initiating_worker_sid,
    from: giver?.worker_name ?? it.initiating_worker_sid,
    to_sid: it.transfer_to,
    to: worker?.friendly_name ?? queue?.friendly_name ?? it.transfer_to,
    since: iso(it.date_created),
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
  const facts = factsOf(task, now)
  const next = configuration && skip(configuration, facts, task.step ?? '')
  const stop = next && (await pastNobody(reader, { task, configuration, facts, stop: next }))
  return {
    expression: skipIf,
    holds: explanation.matches,
    ...clauseOf(explanation),
    workers,
    to: stop?.kind === 'target' ? stop.target.place : null,
  }
}
