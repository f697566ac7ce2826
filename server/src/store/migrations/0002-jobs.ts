import type { Migration } from './index.ts'

export const jobs: Migration = {
  name: '0002-jobs',
  statements: [
    `create table jobs (
      sid text primary key,
      kind text not null,
      key text not null,
      lane text not null,
      data text not null,
      due_at bigint not null,
      leased_until bigint,
      attempts bigint not null,
      last_error text,
      version bigint not null
    )`,
    'create unique index jobs_by_key on jobs (kind, key)',
    'create index jobs_due on jobs (due_at)',
  ],
}
