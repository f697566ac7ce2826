/**
 * Migrations, in order, forward only. The same statements run on both engines: text and bigint columns, plain
 * indexes. Each must be safe beside the version before it.
 */
import { accounts } from './0001-accounts.ts'
import { jobs } from './0002-jobs.ts'
import { chat } from './0003-chat.ts'
import { taskrouter } from './0004-taskrouter.ts'
import { flex } from './0005-flex.ts'
import { webhooks } from './0006-webhooks.ts'
import { followed } from './0007-followed.ts'
import { targetSince } from './0008-target-since.ts'
import { media } from './0009-media.ts'
import { statistics } from './0010-statistics.ts'
import { taskRouterEvents } from './0011-taskrouter-events.ts'
import { eventBridge } from './0012-event-bridge.ts'
import { transfers } from './0013-transfers.ts'
import { messageMembers } from './0014-message-members.ts'
import { leanEvents } from './0015-lean-events.ts'

export interface Migration {
  readonly name: string
  /** Statements that SQLite and PostgreSQL both read. */
  readonly statements: readonly string[]
}

export const migrations: readonly Migration[] = [
  accounts,
  jobs,
  chat,
  taskrouter,
  flex,
  webhooks,
  followed,
  targetSince,
  media,
  statistics,
  taskRouterEvents,
  eventBridge,
  transfers,
  messageMembers,
  leanEvents,
]
