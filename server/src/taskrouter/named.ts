/**
 * Names that are unique in a workspace. Whoever gives one holds the workspace's lock, so that the look and the write
 * are one; the unique indexes stand behind it.
 */
import { problem } from '@parley/contract/problem.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { reading } from '../store/query.ts'
import { find } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'

const lockBySid = reading((db, at: { sid: string; accountSid: string }, dialect) =>
  dialect.lock(
    db
      .selectFrom('workspaces')
      .selectAll()
      .where('sid', '=', at.sid)
      .where('account_sid', '=', at.accountSid),
  ),
)

export const lockWorkspace = (tx: Tx, accountSid: string, sid: string): Promise<WorkspaceRow | undefined> =>
  lockBySid.first(tx, { sid, accountSid })

/** @throws 404 for a workspace that is not this account's */
export const lockParent = async (
  tx: Tx,
  { accountSid, path }: { accountSid: string; path: { workspaceSid: string } },
): Promise<WorkspaceRow> => {
  const workspace = await lockWorkspace(tx, accountSid, path.workspaceSid)
  if (!workspace) throw problem('not_found', { path: `/Workspaces/${path.workspaceSid}` })
  return workspace
}

const KINDS = {
  activities: 'An Activity',
  task_queues: 'A TaskQueue',
  workflows: 'A Workflow',
  workers: 'A Worker',
} as const

/** @throws 409 where another of the kind in the workspace has the name */
export const mustBeFree = async (
  tx: Tx,
  table: keyof typeof KINDS,
  workspaceSid: string,
  name: string,
  ownSid?: string,
): Promise<void> => {
  const holder = await find(tx, table, { workspace_sid: workspaceSid, friendly_name: name })
  if (holder && holder.sid !== ownSid) throw problem('friendly_name_taken', { resource: KINDS[table], name })
}
