import type { Migration } from './index.ts'

/** What the worker SDK is told of a reservation and of a worker's channel, and REST is not. */
export const eventBridge: Migration = {
  name: '0012-event-bridge',
  statements: [
    'alter table reservations add column timeout_seconds bigint',
    'alter table worker_channels add column last_reserved_at bigint',
  ],
}
