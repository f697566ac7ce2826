import type { Migration } from './index.ts'

export const messageMembers: Migration = {
  name: '0014-message-members',
  statements: ['alter table messages add column member_sid text'],
}
