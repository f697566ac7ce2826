import type { Migration } from './index.ts'

export const statistics: Migration = {
  name: '0010-statistics',
  statements: [
    `create table task_happenings (
      workspace_sid text not null,
      at bigint not null,
      kind text not null,
      task_queue_sid text,
      workflow_sid text,
      worker_sid text,
      task_channel_sid text not null,
      waited bigint,
      queued bigint
    )`,
    'create index task_happenings_of_workspace on task_happenings (workspace_sid, at)',
    'create index task_happenings_of_worker on task_happenings (worker_sid, at) where worker_sid is not null',
    'create index task_happenings_by_time on task_happenings (at)',

    `create table worker_stays (
      workspace_sid text not null,
      worker_sid text not null,
      activity_sid text not null,
      started_at bigint not null,
      ended_at bigint not null
    )`,
    'create index worker_stays_of_workspace on worker_stays (workspace_sid, ended_at)',
    'create index worker_stays_of_worker on worker_stays (worker_sid, ended_at)',
    'create index worker_stays_by_time on worker_stays (ended_at)',

    // What is now is counted in these alone, without the tasks' rows: they begin as they did and say more.
    'drop index tasks_of_queue',
    `create index tasks_of_queue on tasks
      (task_queue_sid, assignment_status, task_channel_sid, priority, task_queue_entered_date, sid)`,
    'drop index tasks_of_workflow',
    'create index tasks_of_workflow on tasks (workflow_sid, assignment_status, task_channel_sid, priority, sid)',
    'drop index tasks_of_channel',
    'create index tasks_of_channel on tasks (task_channel_sid, assignment_status, priority, sid)',

    // The sweep sets itself anew each time it ran; this is its first.
    `insert into jobs (sid, kind, key, lane, data, due_at, leased_until, attempts, last_error, version)
      values ('JB000000000000000000000000000057a7', 'taskrouter.statistics-sweep', 'taskrouter.statistics-sweep',
        'taskrouter.statistics-sweep', '{}', 0, null, 0, null, 0)`,
  ],
}
