import type { Migration } from './index.ts'

export const transfers: Migration = {
  name: '0013-transfers',
  statements: [
    `create table task_transfers (
      sid text primary key,
      account_sid text not null,
      workspace_sid text not null,
      task_sid text not null,
      initiating_reservation_sid text not null,
      initiating_worker_sid text not null,
      initiating_queue_sid text,
      initiating_workflow_sid text,
      transfer_mode text not null,
      transfer_type text not null,
      transfer_to text not null,
      transfer_status text not null,
      transfer_failed_reason text,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create index task_transfers_of_task on task_transfers (task_sid, sid)',
    'alter table tasks add column transfer_sid text',
    'alter table reservations add column transfer_sid text',
  ],
}
