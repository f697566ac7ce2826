import { problem } from '@parley/contract/problem.ts'
import { Workspace, type WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { sql } from 'kysely'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { changing, reading } from '../store/query.ts'
import { remove, update } from '../store/rows.ts'
import { given, orCleared } from './given.ts'
import { lockAllToDelete } from './held.ts'
import { lockWorkspace } from './named.ts'
import { findWorkspace, lockAllWorkers, requireActivity } from './parents.ts'
import { everybodysQueue, newWorkspace } from './provision.ts'
import { wakeRouter } from './wake-router.ts'

const list = listing(
  'workspaces',
  'sid',
  (query, at: { accountSid: string; friendlyName?: string }, given) => {
    const own = query.where('account_sid', '=', at.accountSid)
    return given('friendlyName') ? own.where('friendly_name', '=', at.friendlyName as string) : own
  },
)

/** Whether workers hold several tasks decides for all of them at once whose channels are open. */
const reopenAll = changing((db, at: { workspaceSid: string; multi: number }) =>
  db
    .updateTable('worker_channels')
    .set({
      open: sql<number>`case when available = 1 and assigned_tasks + reserved_tasks < configured_capacity
        and (select w.available from workers w where w.sid = worker_sid) = 1
        and (${at.multi} = 1 or (select w.in_hand from workers w where w.sid = worker_sid) = 0) then 1 else 0 end`,
    })
    .where('workspace_sid', '=', at.workspaceSid),
)

const anyTask = reading((db, at: { workspaceSid: string }) =>
  db
    .selectFrom('tasks')
    .select('sid')
    .where('workspace_sid', '=', at.workspaceSid)
    .where('assignment_status', 'not in', ['completed', 'canceled'])
    .limit(1),
)

const TABLES = [
  'reservations',
  'tasks',
  'worker_channels',
  'workers',
  'workflows',
  'task_queues',
  'task_channels',
  'activities',
] as const

export const workspaces = bind(Workspace, {
  list: (reader, { accountSid, input: { friendlyName }, page }) =>
    list(reader, { accountSid, ...(friendlyName !== undefined && { friendlyName }) }, page),
  fetch: (reader, { accountSid, path }) => findWorkspace(reader, accountSid, path.sid),
  create: async (tx, { accountSid, input, actor }) => {
    const { template = 'NONE', eventCallbackUrl, eventsFilter, ...wanted } = input
    const { workspace } = await newWorkspace(tx, {
      ...wanted,
      accountSid,
      actor,
      eventCallbackUrl: orCleared(eventCallbackUrl),
      eventsFilter: orCleared(eventsFilter),
    })
    if (template.toUpperCase() === 'FIFO')
      await everybodysQueue(
        tx,
        workspace,
        { queue: 'Sample Queue', workflow: 'Default Fifo Workflow' },
        actor,
      )
    return workspace
  },
  update: async (tx, { accountSid, path, input, actor }) => {
    const workspace = await lockWorkspace(tx, accountSid, path.sid)
    if (!workspace) return undefined
    const { defaultActivitySid, timeoutActivitySid, multiTaskEnabled } = input
    const named = async (sid: string | undefined, parameter: string) =>
      sid === undefined ? undefined : requireActivity(tx, workspace.sid, sid, parameter)
    const standard = await named(defaultActivitySid, 'DefaultActivitySid')
    const timeout = await named(timeoutActivitySid, 'TimeoutActivitySid')
    const changed = (await update(
      tx,
      'workspaces',
      { sid: workspace.sid },
      {
        ...given({
          friendly_name: input.friendlyName,
          prioritize_queue_order: input.prioritizeQueueOrder,
          multi_task_enabled: multiTaskEnabled === undefined ? undefined : Number(multiTaskEnabled),
          event_callback_url:
            input.eventCallbackUrl === undefined ? undefined : orCleared(input.eventCallbackUrl),
          events_filter: input.eventsFilter === undefined ? undefined : orCleared(input.eventsFilter),
        }),
        ...(standard && {
          default_activity_sid: standard.sid,
          default_activity_name: standard.friendly_name,
        }),
        ...(timeout && { timeout_activity_sid: timeout.sid, timeout_activity_name: timeout.friendly_name }),
        date_updated: tx.now(),
      },
    )) as WorkspaceRow
    if (changed.multi_task_enabled !== workspace.multi_task_enabled) {
      // What they have in hand is read once nobody is about to change it.
      await lockAllWorkers(tx, workspace.sid)
      await reopenAll.run(tx, { workspaceSid: workspace.sid, multi: changed.multi_task_enabled })
      await wakeRouter(tx, workspace.sid)
    }
    tx.record({ name: 'workspace.updated', accountSid, at: tx.now(), actor, workspace: changed })
    return changed
  },
  delete: async (tx, { accountSid, path, actor }) => {
    const workspace = await lockWorkspace(tx, accountSid, path.sid)
    if (!workspace) return false
    await lockAllToDelete(tx, workspace.sid)
    if (await anyTask.first(tx, { workspaceSid: workspace.sid }))
      throw problem('in_use', { what: 'The workspace', by: 'it has tasks that are not over' })
    for (const table of TABLES) await remove(tx, table, { workspace_sid: workspace.sid })
    await remove(tx, 'workspaces', { sid: workspace.sid })
    tx.record({ name: 'workspace.deleted', accountSid, at: tx.now(), actor, workspace })
    return true
  },
})
