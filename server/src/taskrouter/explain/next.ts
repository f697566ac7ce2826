/** What happens to a task by itself, and when: read off the jobs that will do it. */
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import { reading } from '../../store/query.ts'
import type { StoredReservation, StoredTask } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { RESERVATION_TIMEOUT } from '../offer.ts'
import { factsOf, REASONS, STEP } from '../placing.ts'
import { SWEEP, TASK_TIMEOUT } from '../task-end.ts'
import { isLive } from '../task-row.ts'
import { ROUTE } from '../wake-router.ts'
import { parseWorkflowConfiguration } from '../workflow-configuration.ts'
import { resume } from '../workflow-step.ts'
import { iso } from './iso.ts'

export interface Next {
  readonly what: 'routing' | 'reservation_timeout' | 'target_timeout' | 'task_timeout' | 'removal'
  readonly at: string | null
  readonly outcome: string
}

const jobsOf = reading((db, at: { keys: string }, dialect) =>
  db
    .selectFrom('jobs')
    .select(['kind', 'key', 'due_at'])
    .where('kind', 'in', [ROUTE, STEP, TASK_TIMEOUT, RESERVATION_TIMEOUT, SWEEP])
    .where((it) => dialect.isOneOf(it.ref('key'), at.keys))
    .orderBy('due_at'),
)

/** @param live the task's reservations that have not ended */
export const whatIsNext = async (
  reader: Reader,
  {
    task,
    workflow,
    live,
  }: { task: StoredTask; workflow: WorkflowRow | undefined; live: readonly StoredReservation[] },
): Promise<Next[]> => {
  const keys = [task.sid, task.workspace_sid, ...live.map((it) => it.sid)]
  const jobs = await jobsOf.all(reader, { keys: JSON.stringify(keys) })
  return jobs.flatMap(({ kind, key, due_at: dueAt }): Next[] => {
    const at = iso(dueAt)
    switch (kind) {
      case ROUTE:
        return isLive(task)
          ? [{ what: 'routing', at, outcome: 'The router looks for workers for all that waits.' }]
          : []
      case STEP:
        return [{ what: 'target_timeout', at, outcome: afterTarget(task, workflow, dueAt) }]
      case TASK_TIMEOUT:
        return [{ what: 'task_timeout', at, outcome: 'The task is canceled: Task TTL Exceeded.' }]
      case RESERVATION_TIMEOUT: {
        const name = live.find((it) => it.sid === key)?.worker_name ?? 'the worker'
        return [
          {
            what: 'reservation_timeout',
            at,
            outcome: `The offer to ${name} is over; others are asked first.`,
          },
        ]
      }
      default:
        return [{ what: 'removal', at, outcome: 'The task, which is over, is deleted.' }]
    }
  })
}

const afterTarget = (task: StoredTask, workflow: WorkflowRow | undefined, at: number): string => {
  if (task.assignment_status === 'reserved')
    return 'Nothing while the task is offered; it moves on when the offer is refused.'
  if (!workflow || task.step === null) return 'The task is placed anew.'
  const configuration = parseWorkflowConfiguration(workflow.configuration)
  const stop = resume(configuration, factsOf(task, at), task.step)
  return stop.kind === 'target'
    ? `The task moves to ${stop.target.place}, queue ${stop.target.queue}.`
    : `The task is canceled: ${REASONS[stop.why]}.`
}
