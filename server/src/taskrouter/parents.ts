/** Finding what a request's path or parameters name, within the account and the workspace. */
import { problem } from '@parley/contract/problem.ts'
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import type { TaskChannelRow } from '@parley/contract/taskrouter/task-channel.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import type { WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { reading } from '../store/query.ts'
import { find } from '../store/rows.ts'
import type { StoredTask, StoredWorker } from '../store/tables/taskrouter.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { hold } from './held.ts'

export const findWorkspace = (
  reader: Reader,
  accountSid: string,
  sid: string,
): Promise<WorkspaceRow | undefined> => find(reader, 'workspaces', { sid, account_sid: accountSid })

const seen = new WeakMap<Tx, Map<string, WorkspaceRow | undefined>>()

/** A workspace, read once for all that one transaction does in it. What changes a workspace has the new row at hand. */
export const workspaceSeen = async (tx: Tx, sid: string): Promise<WorkspaceRow | undefined> => {
  const rows = seen.get(tx) ?? new Map<string, WorkspaceRow | undefined>()
  seen.set(tx, rows)
  if (!rows.has(sid)) rows.set(sid, await find(tx, 'workspaces', { sid }))
  return rows.get(sid)
}

interface InWorkspace {
  readonly accountSid: string
  readonly path: { readonly workspaceSid: string }
}

/** @throws 404 for a workspace that is not this account's */
export const requireWorkspace = async (
  reader: Reader,
  { accountSid, path }: InWorkspace,
): Promise<WorkspaceRow> => {
  const workspace = await findWorkspace(reader, accountSid, path.workspaceSid)
  if (!workspace) throw problem('not_found', { path: `/Workspaces/${path.workspaceSid}` })
  return workspace
}

export const findWorkflow = (
  reader: Reader,
  accountSid: string,
  sid: string,
): Promise<WorkflowRow | undefined> => find(reader, 'workflows', { sid, account_sid: accountSid })

export const findTask = (reader: Reader, accountSid: string, sid: string): Promise<StoredTask | undefined> =>
  find(reader, 'tasks', { sid, account_sid: accountSid })

/** By SID or by unique name. */
export const findTaskChannel = async (
  reader: Reader,
  workspaceSid: string,
  sidOrUniqueName: string,
): Promise<TaskChannelRow | undefined> =>
  (await find(reader, 'task_channels', { workspace_sid: workspaceSid, unique_name: sidOrUniqueName })) ??
  (await find(reader, 'task_channels', { workspace_sid: workspaceSid, sid: sidOrUniqueName }))

const absent = (parameter: string, what: string) =>
  problem('invalid_parameter', { parameter, reason: `there is no ${what} with this SID in the workspace` })

/** @throws 400 that names the parameter, for an activity of another workspace or of none */
export const requireActivity = async (
  tx: Tx,
  workspaceSid: string,
  sid: string,
  parameter: string,
): Promise<ActivityRow> => {
  const activity = await hold(tx, 'activities', { sid, workspaceSid })
  if (!activity) throw absent(parameter, 'activity')
  return activity
}

/** @throws 400 that names the parameter */
export const requireTaskQueue = async (
  tx: Tx,
  workspaceSid: string,
  sid: string,
  parameter: string,
): Promise<TaskQueueRow> => {
  const queue = await hold(tx, 'task_queues', { sid, workspaceSid })
  if (!queue) throw absent(parameter, 'task queue')
  return queue
}

/** @throws 400 that names the parameter */
export const requireWorkflow = async (
  tx: Tx,
  workspaceSid: string,
  sid: string,
  parameter: string,
): Promise<WorkflowRow> => {
  const workflow = await hold(tx, 'workflows', { sid, workspaceSid })
  if (!workflow) throw absent(parameter, 'workflow')
  return workflow
}

const lockTasksBySid = reading((db, at: { sids: string }, dialect) =>
  dialect.lock(
    db
      .selectFrom('tasks')
      .selectAll()
      .where((it) => dialect.isOneOf(it.ref('sid'), at.sids))
      .orderBy('sid'),
  ),
)

const lockWorkersBySid = reading((db, at: { sids: string }, dialect) =>
  dialect.lock(
    db
      .selectFrom('workers')
      .selectAll()
      .where((it) => dialect.isOneOf(it.ref('sid'), at.sids))
      .orderBy('sid'),
  ),
)

const lockTaskBySid = reading((db, at: { sid: string }, dialect) =>
  dialect.lock(db.selectFrom('tasks').selectAll().where('sid', '=', at.sid)),
)

const lockWorkerBySid = reading((db, at: { sid: string }, dialect) =>
  dialect.lock(db.selectFrom('workers').selectAll().where('sid', '=', at.sid)),
)

/**
 * Locks tasks until the transaction ends. A task's lock covers its reservations as well; workers are locked after
 * tasks, and each kind in the order of its SIDs, so that nobody waits in a circle.
 */
export const lockTasks = async (tx: Tx, sids: Iterable<string>): Promise<Map<string, StoredTask>> => {
  const those = [...new Set(sids)]
  const rows =
    those.length === 1
      ? await lockTaskBySid.all(tx, { sid: those[0] as string })
      : await lockTasksBySid.all(tx, { sids: JSON.stringify(those) })
  return new Map(rows.map((it) => [it.sid, it]))
}

export const lockTask = async (tx: Tx, accountSid: string, sid: string): Promise<StoredTask | undefined> => {
  const task = (await lockTasks(tx, [sid])).get(sid)
  return task?.account_sid === accountSid ? task : undefined
}

/** Locks workers; with them, what their channels count. */
export const lockWorkers = async (tx: Tx, sids: Iterable<string>): Promise<Map<string, StoredWorker>> => {
  const those = [...new Set(sids)]
  const rows =
    those.length === 1
      ? await lockWorkerBySid.all(tx, { sid: those[0] as string })
      : await lockWorkersBySid.all(tx, { sids: JSON.stringify(those) })
  return new Map(rows.map((it) => [it.sid, it]))
}

const workersOf = reading((db, at: { workspaceSid: string }, dialect) =>
  dialect.lock(
    db.selectFrom('workers').selectAll().where('workspace_sid', '=', at.workspaceSid).orderBy('sid'),
  ),
)

/** Locks every worker of a workspace. */
export const lockAllWorkers = (tx: Tx, workspaceSid: string): Promise<StoredWorker[]> =>
  workersOf.all(tx, { workspaceSid })
