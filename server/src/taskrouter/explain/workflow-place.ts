/** Which filter of its workflow took a task, why those before it did not, and which of the targets it is at. */
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import type { StoredTask } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { factsOf, resolveTarget } from '../placing.ts'
import { readTarget } from '../router/target.ts'
import { isLive } from '../task-row.ts'
import {
  parseWorkflowConfiguration,
  type WorkflowConfiguration,
  type WorkflowTarget,
} from '../workflow-configuration.ts'
import { type Facts, filterScope, readStep, type Stop, skip } from '../workflow-step.ts'
import { iso } from './iso.ts'
import { clauseOf } from './obstacles.ts'

/** How many filters are told, the one that took the task among them. */
const FILTERS_TOLD = 50

/**
 * The task's place, as its answer tells it. A configuration that has changed may no longer have the place that the
 * task was given; then `filter` and `target` are null until the task is placed anew.
 */
export const workflowPlace = (task: StoredTask, workflow: WorkflowRow, now: number) => {
  const configuration = parseWorkflowConfiguration(workflow.configuration)
  const at = task.step === null ? undefined : readStep(configuration, task.step)
  const targets = targetsAt(configuration, at)
  return {
    workflow_sid: workflow.sid,
    friendly_name: workflow.friendly_name,
    filter: at === undefined ? null : nameOf(configuration, at.filter),
    target: (at && targets[at.target]?.place) ?? null,
    since: at ? iso(task.target_since) : null,
    is_outdated: isOutdated(task, at && targets[at.target]),
    filters: filtersUpTo(configuration, task, at?.filter, now),
    targets: targets.map((it, index) => ({
      ...shown(it),
      state: !at || index > at.target ? 'to come' : index === at.target ? 'here' : 'passed',
    })),
  }
}

/** Whether the task waits by what the place was when it came there: a changed workflow moves no task by itself. */
const isOutdated = (task: StoredTask, configured: WorkflowTarget | undefined): boolean => {
  if (!isLive(task) || task.step === null || task.transfer_sid !== null) return false
  const { expression, orderBy } = readTarget(task.target)
  return (
    configured?.queue !== task.task_queue_sid ||
    configured.expression?.text !== expression ||
    configured.orderBy?.text !== orderBy
  )
}

/** Where a task comes that goes on to a stop: a target whose known worker does not exist is passed over. */
export const pastNobody = async (
  reader: Reader,
  {
    task,
    configuration,
    facts,
    stop,
  }: { task: StoredTask; configuration: WorkflowConfiguration; facts: Facts; stop: Stop },
): Promise<Stop> => {
  let at = stop
  while (at.kind === 'target' && (await resolveTarget(reader, task, at.target, facts)) === 'nobody')
    at = skip(configuration, facts, at.step) ?? { kind: 'nowhere', why: 'unmatched' }
  return at
}

type At = ReturnType<typeof readStep>

const targetsAt = ({ filters, defaultFilter }: WorkflowConfiguration, at: At): readonly WorkflowTarget[] => {
  if (!at) return []
  if (at.filter === undefined) return defaultFilter ? [defaultFilter] : []
  return filters[at.filter]?.targets ?? []
}

const nameOf = ({ filters }: WorkflowConfiguration, filter: number | undefined) => {
  const it = filter === undefined ? undefined : filters[filter]
  return it
    ? { place: it.place, friendly_name: it.friendlyName, expression: it.expression.text }
    : { place: 'task_routing.default_filter', friendly_name: null, expression: null }
}

/** What each filter says of the task as it is now, up to the one that took it. */
const filtersUpTo = (
  { filters }: WorkflowConfiguration,
  task: StoredTask,
  taken: number | undefined,
  now: number,
) => {
  const scope = filterScope(factsOf(task, now))
  const end = taken === undefined ? filters.length : taken + 1
  return filters.slice(Math.max(0, end - FILTERS_TOLD), end).map(({ place, friendlyName, expression }) => {
    const explanation = expression.explain(scope)
    return {
      place,
      friendly_name: friendlyName,
      expression: expression.text,
      holds: explanation.matches,
      ...clauseOf(explanation),
    }
  })
}

const shown = (it: WorkflowTarget) => ({
  place: it.place,
  task_queue_sid: it.queue,
  expression: it.expression?.text ?? null,
  order_by: it.orderBy?.text ?? null,
  skip_if: it.skipIf?.text ?? null,
  known_worker: it.knownWorkerSid?.text ?? it.knownWorkerFriendlyName?.text ?? null,
  priority: it.priority,
  timeout: it.timeoutSeconds,
})
