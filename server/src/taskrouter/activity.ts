import { problem } from '@parley/contract/problem.ts'
import { Activity, type ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import { bind, type Call } from '../http/binding.ts'
import { later } from '../jobs/later.ts'
import { listing } from '../store/listing.ts'
import { changing } from '../store/query.ts'
import { find, insert, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { isYes } from './given.ts'
import { lockToDelete } from './held.ts'
import { seeToLatecomers } from './latecomers.ts'
import { lockParent, mustBeFree } from './named.ts'
import { requireWorkspace } from './parents.ts'
import { wakeRouter } from './wake-router.ts'
import { mustBeOfWorkspace } from './worker.ts'

const ACTIVITY_RENAMED = 'taskrouter.activity-renamed'

const list = listing(
  'activities',
  'sid',
  (query, at: { workspaceSid: string; friendlyName?: string; available?: number }, given) => {
    let narrowed = query.where('workspace_sid', '=', at.workspaceSid)
    if (given('friendlyName')) narrowed = narrowed.where('friendly_name', '=', at.friendlyName as string)
    if (given('available')) narrowed = narrowed.where('available', '=', at.available as number)
    return narrowed
  },
)

type One = Call<{ readonly workspaceSid: string; readonly sid: string }>

const findOne = (reader: Reader, { accountSid, path }: One): Promise<ActivityRow | undefined> =>
  find(reader, 'activities', { sid: path.sid, workspace_sid: path.workspaceSid, account_sid: accountSid })

export const activities = bind(Activity, {
  list: async (reader, call) => {
    await requireWorkspace(reader, call)
    const { path, input, page, token } = call
    await mustBeOfWorkspace(reader, token, path.workspaceSid)
    const { friendlyName, available } = input
    return list(
      reader,
      {
        workspaceSid: path.workspaceSid,
        ...(friendlyName !== undefined && { friendlyName }),
        ...(available !== undefined && { available: Number(isYes(available)) }),
      },
      page,
    )
  },
  fetch: async (reader, call) => {
    await mustBeOfWorkspace(reader, call.token, call.path.workspaceSid)
    return findOne(reader, call)
  },
  create: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const { friendlyName, available = false } = call.input
    await mustBeFree(tx, 'activities', workspace.sid, friendlyName)
    const now = tx.now()
    const activity: ActivityRow = {
      sid: tx.newSid('WA'),
      account_sid: workspace.account_sid,
      workspace_sid: workspace.sid,
      friendly_name: friendlyName,
      available: Number(available),
      date_created: now,
      date_updated: now,
    }
    await insert(tx, 'activities', activity)
    tx.record({ name: 'activity.created', accountSid: call.accountSid, at: now, actor: call.actor, activity })
    return activity
  },
  update: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const found = await findOne(tx, call)
    const { friendlyName } = call.input
    if (!found || friendlyName === undefined) return found
    await mustBeFree(tx, 'activities', workspace.sid, friendlyName, found.sid)
    const changes = { friendly_name: friendlyName, date_updated: tx.now() }
    // Workers first: a new name locks the activity as if it were deleted.
    await renameWhereShown(tx, { ...found, ...changes })
    const activity = (await update(tx, 'activities', { sid: found.sid }, changes)) ?? found
    await later(tx, { kind: ACTIVITY_RENAMED, key: activity.sid })
    await wakeRouter(tx, workspace.sid)
    tx.record({
      name: 'activity.updated',
      accountSid: call.accountSid,
      at: tx.now(),
      actor: call.actor,
      activity,
    })
    return activity
  },
  delete: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const activity = await findOne(tx, call)
    if (!activity) return false
    const { sid } = activity
    await lockToDelete(tx, 'activities', { sid, workspaceSid: workspace.sid })
    const inUse = (by: string) => problem('in_use', { what: `Activity ${activity.friendly_name}`, by })
    if (workspace.default_activity_sid === sid || workspace.timeout_activity_sid === sid)
      throw inUse('it is the default or the timeout activity of the workspace')
    if (await find(tx, 'workers', { activity_sid: sid })) throw inUse('workers are in it')
    for (const column of ['assignment_activity_sid', 'reservation_activity_sid'] as const)
      if (await find(tx, 'task_queues', { workspace_sid: workspace.sid, [column]: sid }))
        throw inUse('a task queue puts workers into it')
    await remove(tx, 'activities', { sid })
    tx.record({
      name: 'activity.deleted',
      accountSid: call.accountSid,
      at: tx.now(),
      actor: call.actor,
      activity,
    })
    return true
  },
})

/** A worker whose activity is called otherwise is another to expressions and to whoever has read them: a new version. */
const renameInWorkers = changing((db, at: { sid: string; friendlyName: string }) =>
  db
    .updateTable('workers')
    .set((it) => ({ activity_name: at.friendlyName, version: it('version', '+', 1) }))
    .where('activity_sid', '=', at.sid)
    .where('activity_name', '!=', at.friendlyName),
)

const renameWhereShown = async (
  tx: Tx,
  { sid, workspace_sid, friendly_name }: ActivityRow,
): Promise<void> => {
  await renameInWorkers.run(tx, { sid, friendlyName: friendly_name })
  const own = { workspace_sid }
  await update(
    tx,
    'task_queues',
    { ...own, assignment_activity_sid: sid },
    { assignment_activity_name: friendly_name },
  )
  await update(
    tx,
    'task_queues',
    { ...own, reservation_activity_sid: sid },
    { reservation_activity_name: friendly_name },
  )
  const workspace = { sid: workspace_sid }
  await update(
    tx,
    'workspaces',
    { ...workspace, default_activity_sid: sid },
    { default_activity_name: friendly_name },
  )
  await update(
    tx,
    'workspaces',
    { ...workspace, timeout_activity_sid: sid },
    { timeout_activity_name: friendly_name },
  )
}

export const activityRenamed = seeToLatecomers({
  kind: ACTIVITY_RENAMED,
  table: 'activities',
  findOne: (reader, sid) => find(reader, 'activities', { sid }),
  letFollow: renameWhereShown,
})
