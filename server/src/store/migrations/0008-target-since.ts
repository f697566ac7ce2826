import type { Migration } from './index.ts'

/** Since when a task has been at its target, so that whoever asks why it is stuck is told. */
export const targetSince: Migration = {
  name: '0008-target-since',
  statements: ['alter table tasks add column target_since bigint'],
}
