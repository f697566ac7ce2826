/**
 * TaskRouter events as webhooks tell them. A workspace hears of all its events alike, as they are kept in its log: the
 * form of a call is the event's data by Twilio's names.
 */
import type { KeptEvent, TaskRouterEvents } from '@parley/contract/taskrouter/events.ts'
import { type Fields, type Spellings, silent } from './spelling.ts'

const asKept = silent('It is told as event.kept, where its workspace has an EventCallbackUrl.')

export const taskrouter: Spellings<keyof TaskRouterEvents> = {
  'workspace.created': asKept,
  'workspace.updated': asKept,
  'workspace.deleted': asKept,
  'activity.created': asKept,
  'activity.updated': asKept,
  'activity.deleted': asKept,
  'task-channel.created': asKept,
  'task-channel.updated': asKept,
  'task-channel.deleted': asKept,
  'task-queue.created': asKept,
  'task-queue.deleted': asKept,
  'task-queue.expression.updated': asKept,
  'task-queue.entered': asKept,
  'task-queue.timeout': asKept,
  'task-queue.moved': asKept,
  'workflow.created': asKept,
  'workflow.updated': asKept,
  'workflow.deleted': asKept,
  'workflow.entered': asKept,
  'workflow.target-matched': asKept,
  'workflow.skipped': asKept,
  'workflow.timeout': asKept,
  'worker.created': asKept,
  'worker.deleted': asKept,
  'worker.attributes.update': asKept,
  'worker.renamed': silent('Twilio has no event for it.'),
  'worker.activity.update': asKept,
  'worker.capacity.update': asKept,
  'worker.channel.availability.update': asKept,
  'task.created': asKept,
  'task.updated': asKept,
  'task.canceled': asKept,
  'task.wrapup': asKept,
  'task.completed': asKept,
  'task.deleted': asKept,
  'task.system-deleted': asKept,
  'task.transfer-initiated': asKept,
  'task.transfer-attempt-failed': asKept,
  'task.transfer-failed': asKept,
  'task.transfer-canceled': asKept,
  'task.transfer-completed': asKept,
  'reservation.created': asKept,
  'reservation.accepted': asKept,
  'reservation.rejected': asKept,
  'reservation.timeout': asKept,
  'reservation.canceled': asKept,
  'reservation.rescinded': asKept,
  'reservation.wrapup': asKept,
  'reservation.completed': asKept,
  'event.kept': {
    tell: ({ workspace, kept }) => ({
      workspace,
      eventType: kept.event_type,
      taskSid: kept.task_sid,
      about: kept.task_sid ?? kept.worker_sid ?? workspace.sid,
      fields: fieldsOf(kept),
    }),
  },
}

const fieldsOf = (kept: KeptEvent): Fields => ({
  EventType: kept.event_type,
  AccountSid: kept.account_sid,
  Sid: kept.sid,
  EventDescription: kept.description,
  ResourceType: kept.resource_type,
  ResourceSid: kept.resource_sid,
  Timestamp: String(Math.floor(kept.event_date / 1000)),
  TimestampMs: String(kept.event_date),
  ...Object.fromEntries(
    Object.entries(JSON.parse(kept.event_data) as Fields).map(([name, it]) => [inForms(name), it]),
  ),
})

/** `worker_activity_sid` → `WorkerActivitySid` */
const inForms = (name: string): string =>
  name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())
