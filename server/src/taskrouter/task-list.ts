/** Tasks, listed: by what they are and where, by an expression over their attributes, in the order that is asked for. */
import { problem } from '@parley/contract/problem.ts'
import type { InputFor } from '@parley/contract/resource.ts'
import { TASK_STATUSES, type Task, type TaskRow, type TaskStatus } from '@parley/contract/taskrouter/task.ts'
import type { PageAsked } from '../store/listing.ts'
import type { StoredTask } from '../store/tables/taskrouter.ts'
import type { Reader } from '../store/tx.ts'
import { isRecord } from './is-record.ts'
import { orderedListing, readOrdering } from './ordered.ts'
import { requireWorkspace } from './parents.ts'
import { taskRow } from './task-row.ts'
import { readExpression } from './text-expression.ts'
import { filterScope } from './workflow-step.ts'

interface ListAsked {
  readonly accountSid: string
  readonly path: { readonly workspaceSid: string }
  readonly input: InputFor<typeof Task, 'list'>
  readonly page: PageAsked
}

/** @throws 400 for a status, an order or an expression that is none; 404 for a workspace of another account */
export const listTasks = async (reader: Reader, call: ListAsked): Promise<(TaskRow & StoredTask)[]> => {
  await requireWorkspace(reader, call)
  const { assignmentStatus, evaluateTaskAttributes, ordering, hasAddons, ...filters } = call.input
  // Tasks have no add-ons here.
  if (hasAddons) return []
  const order = readOrdering(
    ordering,
    { DateCreated: 'date_created', Priority: 'priority', VirtualStartTime: 'virtual_start_time' },
    { notBoth: ['DateCreated', 'VirtualStartTime'] },
  )
  const expression =
    evaluateTaskAttributes === undefined
      ? undefined
      : readExpression('EvaluateTaskAttributes', evaluateTaskAttributes)
  const now = reader.now()
  const holds = (row: StoredTask) =>
    expression?.matches(filterScope({ attributes: attributesOf(row.attributes), now })) ?? true
  const rows = await list(
    reader,
    {
      ...filters,
      workspaceSid: call.path.workspaceSid,
      statuses: assignmentStatus?.length ? readStatuses(assignmentStatus) : undefined,
    },
    call.page,
    { order, fits: expression && ((some) => some.map(holds)) },
  )
  // `taskRow` copies own symbols, and with them the place in the list.
  return rows.map((it) => taskRow(it, now))
}

interface Filters {
  workspaceSid: string
  priority?: number | undefined
  statuses?: string | undefined
  workflowSid?: string | undefined
  workflowName?: string | undefined
  taskQueueSid?: string | undefined
  taskQueueName?: string | undefined
  routingTarget?: string | undefined
}

const list = orderedListing('tasks', (query, at: Filters, given, dialect) => {
  let narrowed = query.where('workspace_sid', '=', at.workspaceSid)
  if (given('priority')) narrowed = narrowed.where('priority', '=', at.priority as number)
  if (given('workflowSid')) narrowed = narrowed.where('workflow_sid', '=', at.workflowSid as string)
  if (given('workflowName'))
    narrowed = narrowed.where('workflow_friendly_name', '=', at.workflowName as string)
  if (given('taskQueueSid')) narrowed = narrowed.where('task_queue_sid', '=', at.taskQueueSid as string)
  if (given('taskQueueName'))
    narrowed = narrowed.where('task_queue_friendly_name', '=', at.taskQueueName as string)
  if (given('routingTarget')) narrowed = narrowed.where('routing_target', '=', at.routingTarget as string)
  if (given('statuses'))
    narrowed = narrowed.where((it) => dialect.isOneOf(it.ref('assignment_status'), at.statuses as string))
  return narrowed
})

/** Repeated, or with commas between. */
const readStatuses = (asked: readonly string[]): string => {
  const statuses = asked.flatMap((it) => it.split(',')).map((it) => it.trim().toLowerCase())
  const wrong = statuses.find((it) => !TASK_STATUSES.includes(it as TaskStatus))
  if (wrong !== undefined)
    throw problem('invalid_parameter', {
      parameter: 'AssignmentStatus',
      reason: `it must be one of ${TASK_STATUSES.join(', ')}`,
    })
  return JSON.stringify(statuses)
}

const attributesOf = (json: string): Record<string, unknown> => {
  const value: unknown = JSON.parse(json)
  return isRecord(value) ? value : {}
}
