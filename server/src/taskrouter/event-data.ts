/**
 * What an event is told with, in the log and in callbacks alike: Twilio's names in snake case, each value a text. What
 * has no value is left out. Pure.
 */
import type { EventOf } from '@parley/contract/event.ts'
import type { TaskRouterEvents } from '@parley/contract/taskrouter/events.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { WorkerRow } from '@parley/contract/taskrouter/worker.ts'
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import { parseWorkflowConfiguration } from './workflow-configuration.ts'

/** Every event of a workspace but that one of them was kept, and what Twilio has no event for. */
export type Recorded = EventOf<Exclude<keyof TaskRouterEvents, 'event.kept' | 'worker.renamed'>>

export type EventData = Readonly<Record<string, string>>

type Value = string | number | null | undefined

/** How each event is described; what is in braces is read from its data. */
const DESCRIPTIONS: Readonly<Record<Recorded['name'], string>> = {
  'workspace.created': 'Workspace {workspace_name} created',
  'workspace.updated': 'Workspace {workspace_name} updated',
  'workspace.deleted': 'Workspace {workspace_name} deleted',
  'activity.created': 'Activity {activity_name} created',
  'activity.updated': 'Activity {activity_name} updated',
  'activity.deleted': 'Activity {activity_name} deleted',
  'task-channel.created': 'Task channel {task_channel_name} created',
  'task-channel.updated': 'Task channel {task_channel_name} updated',
  'task-channel.deleted': 'Task channel {task_channel_name} deleted',
  'task-queue.created': 'Task queue {task_queue_name} created',
  'task-queue.deleted': 'Task queue {task_queue_name} deleted',
  'task-queue.expression.updated': 'Task queue {task_queue_name} target expression updated',
  'task-queue.entered': 'Task {task_sid} entered task queue {task_queue_name}',
  'task-queue.timeout': 'Task {task_sid} timed out in task queue {task_queue_name}',
  'task-queue.moved': 'Task {task_sid} moved out of task queue {task_queue_name}',
  'workflow.created': 'Workflow {workflow_name} created',
  'workflow.updated': 'Workflow {workflow_name} updated',
  'workflow.deleted': 'Workflow {workflow_name} deleted',
  'workflow.entered': 'Task {task_sid} entered workflow {workflow_name}',
  'workflow.target-matched': 'Task {task_sid} matched a target of workflow {workflow_name}',
  'workflow.skipped': 'Task {task_sid} skipped a target of workflow {workflow_name}',
  'workflow.timeout': 'Task {task_sid} timed out in workflow {workflow_name}',
  'worker.created': 'Worker {worker_name} created',
  'worker.deleted': 'Worker {worker_name} deleted',
  'worker.attributes.update': 'Worker {worker_name} attributes updated',
  'worker.activity.update': 'Worker {worker_name} updated to {worker_activity_name} Activity',
  'worker.capacity.update': 'Worker {worker_name} capacity updated for {task_channel_unique_name}',
  'worker.channel.availability.update':
    'Worker {worker_name} channel availability updated for {task_channel_unique_name}',
  'task.created': 'Task {task_sid} created',
  'task.updated': 'Task {task_sid} updated',
  'task.canceled': 'Task {task_sid} canceled',
  'task.wrapup': 'Task {task_sid} wrapping up',
  'task.completed': 'Task {task_sid} completed',
  'task.deleted': 'Task {task_sid} deleted',
  'task.system-deleted': 'Task {task_sid} deleted by the system',
  'task.transfer-initiated': 'Task {task_sid} transfer {transfer_sid} initiated',
  'task.transfer-attempt-failed': 'Task {task_sid} transfer {transfer_sid} attempt failed',
  'task.transfer-failed': 'Task {task_sid} transfer {transfer_sid} failed',
  'task.transfer-canceled': 'Task {task_sid} transfer {transfer_sid} canceled',
  'task.transfer-completed': 'Task {task_sid} transfer {transfer_sid} completed',
  'reservation.created': 'Reservation {reservation_sid} created for worker {worker_name}',
  'reservation.accepted': 'Reservation {reservation_sid} accepted by worker {worker_name}',
  'reservation.rejected': 'Reservation {reservation_sid} rejected by worker {worker_name}',
  'reservation.timeout': 'Reservation {reservation_sid} of worker {worker_name} timed out',
  'reservation.canceled': 'Reservation {reservation_sid} of worker {worker_name} canceled',
  'reservation.rescinded': 'Reservation {reservation_sid} of worker {worker_name} rescinded',
  'reservation.wrapup': 'Reservation {reservation_sid} of worker {worker_name} wrapping up',
  'reservation.completed': 'Reservation {reservation_sid} of worker {worker_name} completed',
}

export const RECORDED = Object.keys(DESCRIPTIONS) as Recorded['name'][]

/** What the event is about: Twilio's word for its kind, and its SID. */
export interface About {
  readonly type: string
  readonly sid: string
}

/** @param workspace as the event should name it */
export const tellEvent = (
  event: Recorded,
  workspace: { readonly sid: string; readonly friendly_name: string },
): { data: EventData; description: string; about: About } => {
  const data = texts(
    'task' in event ? taskData(event.task) : NOTHING,
    'worker' in event ? workerData(event.worker) : NOTHING,
    own(event),
    { workspace_sid: workspace.sid, workspace_name: workspace.friendly_name },
  )
  const description = DESCRIPTIONS[event.name].replace(/\{(\w+)\}/g, (_, key: string) => data[key] ?? '')
  return { data, description, about: aboutOf(event) }
}

export const workspaceSidOf = (event: Recorded): string => {
  if ('workspace' in event) return event.workspace.sid
  if ('task' in event) return event.task.workspace_sid
  if ('worker' in event) return event.worker.workspace_sid
  if ('activity' in event) return event.activity.workspace_sid
  if ('taskChannel' in event) return event.taskChannel.workspace_sid
  if ('taskQueue' in event) return event.taskQueue.workspace_sid
  return event.workflow.workspace_sid
}

const NOTHING = {}

/** Of what two parts tell the later holds. */
const texts = (...parts: readonly Readonly<Record<string, Value>>[]): EventData => {
  const data: Record<string, string> = {}
  for (const part of parts)
    for (const [key, it] of Object.entries(part))
      if (it === null || it === undefined) delete data[key]
      else data[key] = String(it)
  return data
}

/** Whole seconds, as callbacks tell moments. */
const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000))

const taskData = (it: TaskRow & { readonly version?: number }): Record<string, Value> => ({
  task_sid: it.sid,
  task_attributes: it.attributes,
  task_age: it.age,
  task_priority: it.priority,
  task_assignment_status: it.assignment_status,
  task_canceled_reason: it.assignment_status === 'canceled' ? it.reason : null,
  task_completed_reason: it.assignment_status === 'completed' ? it.reason : null,
  task_version: it.version,
  task_date_created: seconds(it.date_created),
  task_channel_sid: it.task_channel_sid,
  task_channel_unique_name: it.task_channel_unique_name,
  task_queue_sid: it.task_queue_sid,
  task_queue_name: it.task_queue_friendly_name,
  task_queue_entered_date: seconds(it.task_queue_entered_date),
  workflow_sid: it.workflow_sid,
  workflow_name: it.workflow_friendly_name,
})

const workerData = (it: WorkerRow & { readonly version?: number }): Record<string, Value> => ({
  worker_sid: it.sid,
  worker_name: it.friendly_name,
  worker_attributes: it.attributes,
  worker_activity_sid: it.activity_sid,
  worker_activity_name: it.activity_name,
  worker_version: it.version,
})

const workflowData = (it: WorkflowRow): Record<string, Value> => ({
  workflow_sid: it.sid,
  workflow_name: it.friendly_name,
})

const transferData = (it: TransferRow): Record<string, Value> => ({
  transfer_sid: it.sid,
  transfer_mode: it.transfer_mode,
  transfer_type: it.transfer_type,
  transfer_to: it.transfer_to,
  transfer_status: it.transfer_status,
  transfer_failed_reason: it.transfer_failed_reason,
  transfer_initiating_reservation_sid: it.initiating_reservation_sid,
  transfer_initiating_worker_sid: it.initiating_worker_sid,
})

/** What an event tells beside its task and its worker. */
const own = (event: Recorded): Record<string, Value> => {
  if ('reservation' in event) {
    const { sid, version } = event.reservation as typeof event.reservation & { readonly version?: number }
    return { reservation_sid: sid, reservation_version: version }
  }
  if ('transfer' in event) return transferData(event.transfer)
  if ('previousActivity' in event)
    return {
      worker_previous_activity_sid: event.previousActivity.sid,
      worker_time_in_previous_activity: seconds(event.previousActivity.milliseconds),
      worker_time_in_previous_activity_ms: event.previousActivity.milliseconds,
    }
  if ('workerChannel' in event) {
    const it = event.workerChannel
    return {
      worker_channel_available: String(it.available === 1),
      worker_channel_available_capacity: it.configured_capacity,
      worker_channel_previous_capacity:
        'previousCapacity' in event ? event.previousCapacity : it.configured_capacity,
      worker_channel_task_count: it.assigned_tasks,
      task_channel_sid: it.task_channel_sid,
      task_channel_unique_name: it.task_channel_unique_name,
    }
  }
  if ('taskQueue' in event)
    return {
      task_queue_sid: event.taskQueue.sid,
      task_queue_name: event.taskQueue.friendly_name,
      task_queue_target_expression: event.taskQueue.target_workers,
    }
  if ('target' in event) return { ...workflowData(event.workflow), ...filterData(event) }
  if ('workflow' in event) return workflowData(event.workflow)
  if ('activity' in event)
    return {
      activity_sid: event.activity.sid,
      activity_name: event.activity.friendly_name,
      activity_available: String(event.activity.available === 1),
    }
  if ('taskChannel' in event)
    return {
      task_channel_sid: event.taskChannel.sid,
      task_channel_name: event.taskChannel.friendly_name,
      task_channel_unique_name: event.taskChannel.unique_name,
      task_channel_optimized_routing: String(event.taskChannel.channel_optimized_routing === 1),
    }
  return {}
}

/** The filter of a step, `0.1` or `default`; nothing where the workflow has changed since and lacks it. */
const filterData = ({
  workflow,
  target,
}: {
  readonly workflow: WorkflowRow
  readonly target: string
}): Record<string, Value> => {
  if (target === 'default') return { workflow_filter_name: 'default' }
  const filter = parseWorkflowConfiguration(workflow.configuration).filters[Number.parseInt(target, 10)]
  return { workflow_filter_name: filter?.friendlyName, workflow_filter_expression: filter?.expression.text }
}

const aboutOf = (event: Recorded): About => {
  if ('reservation' in event) return { type: 'reservation', sid: event.reservation.sid }
  if ('task' in event) return { type: 'task', sid: event.task.sid }
  if ('worker' in event) return { type: 'worker', sid: event.worker.sid }
  if ('activity' in event) return { type: 'activity', sid: event.activity.sid }
  if ('taskChannel' in event) return { type: 'task-channel', sid: event.taskChannel.sid }
  if ('taskQueue' in event) return { type: 'task-queue', sid: event.taskQueue.sid }
  if ('workflow' in event) return { type: 'workflow', sid: event.workflow.sid }
  return { type: 'workspace', sid: event.workspace.sid }
}
