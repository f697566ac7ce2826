/** What happens to a task by itself, and when: read off the jobs that will do it. */
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { reading } from '../../store/query.ts'
import { find } from '../../store/rows.ts'
import type { StoredReservation, StoredTask } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { RESERVATION_TIMEOUT } from '../offer.ts'
import { factsOf, REASONS, STEP } from '../placing.ts'
import { SWEEP, TASK_TIMEOUT } from '../task-end.ts'
import { isLive } from '../task-row.ts'
import { ROUTE } from '../wake-router.ts'
import { parseWorkflowConfiguration } from '../workflow-configuration.ts'
import { enter, resume } from '../workflow-step.ts'
import { iso } from './iso.ts'
import { listed } from './summary.ts'
import { pastNobody } from './workflow-place.ts'

export interface Next {
  readonly what: 'routing' | 'reservation_timeout' | 'target_timeout' | 'task_timeout' | 'removal'
  readonly at: string | null
  readonly outcome: string
}

/** What is known of a task of which one asks what comes next. */
export interface Standing {
  readonly task: StoredTask
  readonly workspace: WorkspaceRow
  readonly workflow: WorkflowRow | undefined
  /** The task's reservations that have not ended. */
  readonly live: readonly StoredReservation[]
  readonly transfer: TransferRow | undefined
  /** The name of the one worker who may take it; null where they are gone. */
  readonly knownWorker: string | null | undefined
}

const jobsOf = reading((db, at: { keys: string }, dialect) =>
  db
    .selectFrom('jobs')
    .select(['kind', 'key', 'due_at'])
    .where('kind', 'in', [ROUTE, STEP, TASK_TIMEOUT, RESERVATION_TIMEOUT, SWEEP])
    .where((it) => dialect.isOneOf(it.ref('key'), at.keys))
    .orderBy('due_at'),
)

/** When each of these offers is over unless it is answered, in milliseconds since 1970, by the reservation's SID. */
export const offersEnd = async (
  reader: Reader,
  live: readonly StoredReservation[],
): Promise<ReadonlyMap<string, number>> => {
  const jobs = await jobsOf.all(reader, { keys: JSON.stringify(live.map((it) => it.sid)) })
  return new Map(jobs.map((it) => [it.key, it.due_at]))
}

export const whatIsNext = async (reader: Reader, standing: Standing): Promise<Next[]> => {
  const { task, live } = standing
  const keys = [task.sid, task.workspace_sid, ...live.map((it) => it.sid)]
  const jobs = await jobsOf.all(reader, { keys: JSON.stringify(keys) })
  const next: Next[] = []
  for (const { kind, key, due_at: dueAt } of jobs) {
    const at = iso(dueAt)
    switch (kind) {
      case ROUTE:
        if (isLive(task))
          next.push({ what: 'routing', at, outcome: 'The router looks for workers for all that waits.' })
        break
      case STEP:
        next.push({ what: 'target_timeout', at, outcome: await afterTarget(reader, standing, dueAt) })
        break
      case TASK_TIMEOUT:
        next.push({ what: 'task_timeout', at, outcome: 'The task is canceled: Task TTL Exceeded.' })
        break
      case RESERVATION_TIMEOUT: {
        const later = jobs.filter((it) => it.kind === RESERVATION_TIMEOUT && it.due_at > dueAt)
        const others = live.filter(({ sid }) => later.some((it) => it.key === sid))
        const own = live.find((it) => it.sid === key)
        const outcome = await afterOffer(reader, standing, { own, others, at: dueAt })
        next.push({ what: 'reservation_timeout', at, outcome })
        break
      }
      default:
        next.push({ what: 'removal', at, outcome: 'The task, which is over, is deleted.' })
    }
  }
  return next
}

const afterTarget = async (reader: Reader, standing: Standing, at: number): Promise<string> => {
  const moves = (await moveAt(reader, standing, at)) ?? 'the task stays where it is'
  return standing.task.assignment_status === 'reserved'
    ? `Nothing while the task is offered; if the offer is refused right after, ${moves}.`
    : `${moves.charAt(0).toUpperCase()}${moves.slice(1)}.`
}

/** @param offer `others` are the offers of the task that last longer */
const afterOffer = async (
  reader: Reader,
  standing: Standing,
  {
    own,
    others,
    at,
  }: { own: StoredReservation | undefined; others: readonly StoredReservation[]; at: number },
): Promise<string> => {
  const { workspace, live, transfer, knownWorker } = standing
  const goes = own && (await activityAfter(reader, own, workspace))
  const over = `The offer to ${own?.worker_name ?? 'the worker'} is over${goes ? `, who goes into ${goes}` : ''}`
  if (transfer?.transfer_type === 'WORKER') {
    const back = keep(live, transfer) ?? (await anew(reader, standing, at))
    return `${over}; the transfer fails, and ${back}.`
  }
  if (others.length) return `${over}; ${listed(others)} may still answer, and another is asked.`
  const moves = await moveAt(reader, standing, at)
  if (moves !== undefined) return `${over}, and ${moves}.`
  return `${over}; ${knownWorker === undefined ? 'others are asked first' : 'nobody else may take the task'}.`
}

/** The name of the activity that a worker who lets an offer pass goes into; undefined for one who stays as they are. */
const activityAfter = async (
  reader: Reader,
  { worker_sid }: StoredReservation,
  { timeout_activity_sid: sid }: WorkspaceRow,
): Promise<string | undefined> => {
  const activity = sid === null ? undefined : await find(reader, 'activities', { sid })
  const worker = await find(reader, 'workers', { sid: worker_sid })
  if (!activity || !worker || worker.activity_sid === sid) return undefined
  return activity.available > worker.available ? undefined : activity.friendly_name
}

/** Who still has a task that another did not take; undefined where nobody has. */
const keep = (live: readonly StoredReservation[], transfer: TransferRow): string | undefined => {
  const having = live.filter(
    (it) =>
      it.reservation_status === 'accepted' ||
      (transfer.transfer_mode === 'WARM' && it.sid === transfer.initiating_reservation_sid),
  )
  if (!having.length) return undefined
  return `${listed(having)} ${having.length > 1 ? 'keep' : 'keeps'} the task`
}

/** What becomes of a task that nobody has any more: its workflow may have nowhere left for one of its age. */
const anew = async (reader: Reader, { task, workflow }: Standing, at: number): Promise<string> => {
  if (!workflow) return 'the task waits where it waited before'
  const configuration = parseWorkflowConfiguration(workflow.configuration)
  const facts = factsOf(task, at)
  const stop = await pastNobody(reader, { task, configuration, facts, stop: enter(configuration, facts) })
  return stop.kind === 'nowhere'
    ? `the task is canceled: ${REASONS[stop.why]}`
    : 'the task goes through its workflow again'
}

/** Where a task goes when it is moved on at a moment to come; undefined where it stays. */
const moveAt = async (
  reader: Reader,
  { task, workflow, transfer }: Standing,
  at: number,
): Promise<string | undefined> => {
  if (!workflow || transfer) return undefined
  const configuration = parseWorkflowConfiguration(workflow.configuration)
  const facts = factsOf(task, at)
  const next = task.step === null ? enter(configuration, facts) : resume(configuration, facts, task.step)
  const stop = await pastNobody(reader, { task, configuration, facts, stop: next })
  if (stop.kind === 'nowhere') return `the task is canceled: ${REASONS[stop.why]}`
  if (stop.step === task.step) return undefined
  const queue = await find(reader, 'task_queues', { sid: stop.target.queue })
  return `the task moves to ${stop.target.place}, queue ${queue?.friendly_name ?? stop.target.queue}`
}
