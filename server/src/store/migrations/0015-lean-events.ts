import type { Migration } from './index.ts'

/**
 * The log is written with each step of routing, and its indexes were most of what that cost. Those of what most events
 * name, or one of a few, are gone: one that is only added to, in the order of the log, holds it all.
 */
export const leanEvents: Migration = {
  name: '0015-lean-events',
  statements: [
    'drop index taskrouter_events_of_type',
    'drop index taskrouter_events_of_task_queue_sid',
    'drop index taskrouter_events_of_workflow_sid',
    'drop index taskrouter_events_of_task_channel_sid',
    'drop index taskrouter_events_of_workspace',
    `create index taskrouter_events_of_workspace on taskrouter_events
      (workspace_sid, sid, event_type, task_queue_sid, workflow_sid, task_channel_sid)`,
  ],
}
