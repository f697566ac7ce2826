import type { Migration } from './index.ts'

/** What an event names, and a list may be narrowed to. */
const NAMED = [
  'task_sid',
  'reservation_sid',
  'worker_sid',
  'task_queue_sid',
  'workflow_sid',
  'task_channel_sid',
] as const

export const taskRouterEvents: Migration = {
  name: '0011-taskrouter-events',
  statements: [
    `create table taskrouter_events (
      sid text primary key,
      account_sid text not null,
      workspace_sid text not null,
      event_type text not null,
      event_date bigint not null,
      event_date_ms bigint not null,
      description text not null,
      event_data text not null,
      actor_sid text,
      actor_type text not null,
      resource_sid text not null,
      resource_type text not null,
      source text not null,
      source_ip_address text,
      ${NAMED.map((it) => `${it} text`).join(', ')}
    )`,
    'create index taskrouter_events_of_workspace on taskrouter_events (workspace_sid, sid)',
    'create index taskrouter_events_of_type on taskrouter_events (workspace_sid, event_type, sid)',
    ...NAMED.map(
      (it) =>
        `create index taskrouter_events_of_${it} on taskrouter_events (${it}, sid) where ${it} is not null`,
    ),
    // The sweep sets itself anew each day; this is its first.
    `insert into jobs (sid, kind, key, lane, data, due_at, leased_until, attempts, last_error, version)
      values ('JB00000000000000000000000000005eed', 'taskrouter.forget-events', 'taskrouter.forget-events',
        'taskrouter.forget-events', '{}', 0, null, 0, null, 0)`,
    'alter table deliveries add column workspace_sid text',
    'alter table deliveries add column task_sid text',
    'create index deliveries_of_task on deliveries (task_sid, sid) where task_sid is not null',
  ],
}
