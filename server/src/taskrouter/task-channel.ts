import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import { TaskChannel, type TaskChannelRow } from '@parley/contract/taskrouter/task-channel.ts'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { insertNew, remove, update } from '../store/rows.ts'
import type { Reader } from '../store/tx.ts'
import { given } from './given.ts'
import { lockToDelete } from './held.ts'
import { lockParent } from './named.ts'
import { findTaskChannel, lockAllWorkers, requireWorkspace } from './parents.ts'
import { addChannel } from './worker-channel.ts'
import { refreshOpen } from './workload.ts'

const list = listing('task_channels', 'sid', (query, at: { workspaceSid: string }) =>
  query.where('workspace_sid', '=', at.workspaceSid),
)

const anyTask = reading((db, at: { taskChannelSid: string }) =>
  db
    .selectFrom('tasks')
    .select('sid')
    .where('task_channel_sid', '=', at.taskChannelSid)
    .where('assignment_status', 'in', ['pending', 'reserved', 'assigned', 'wrapping'])
    .limit(1),
)

interface OneAsked {
  readonly accountSid: string
  readonly path: { readonly workspaceSid: string; readonly sid: string }
}

const findOne = async (
  reader: Reader,
  { accountSid, path }: OneAsked,
): Promise<TaskChannelRow | undefined> => {
  const channel = await findTaskChannel(reader, path.workspaceSid, path.sid)
  return channel?.account_sid === accountSid ? channel : undefined
}

export const taskChannels = bind(TaskChannel, {
  list: async (reader, call) => {
    await requireWorkspace(reader, call)
    return list(reader, { workspaceSid: call.path.workspaceSid }, call.page)
  },
  fetch: findOne,
  create: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const { friendlyName, uniqueName, channelOptimizedRouting = false } = call.input
    // An address takes either, so a name must not be read as another's SID.
    if (isSid('TC', uniqueName))
      throw problem('invalid_parameter', { parameter: 'UniqueName', reason: 'it must not look like a SID' })
    const now = tx.now()
    const taskChannel: TaskChannelRow = {
      sid: tx.newSid('TC'),
      account_sid: workspace.account_sid,
      workspace_sid: workspace.sid,
      friendly_name: friendlyName,
      unique_name: uniqueName,
      channel_optimized_routing: Number(channelOptimizedRouting),
      date_created: now,
      date_updated: now,
    }
    if (!(await insertNew(tx, 'task_channels', taskChannel)))
      throw problem('conflict', { reason: `A TaskChannel with UniqueName ${uniqueName} already exists` })
    for (const worker of await lockAllWorkers(tx, workspace.sid)) {
      await addChannel(tx, worker, taskChannel)
      await refreshOpen(tx, worker)
    }
    const told = { accountSid: call.accountSid, at: now, actor: call.actor, taskChannel }
    tx.record({ name: 'task-channel.created', ...told })
    return taskChannel
  },
  update: async (tx, call) => {
    await lockParent(tx, call)
    const found = await findOne(tx, call)
    if (!found) return undefined
    const { friendlyName, channelOptimizedRouting } = call.input
    const changes = given({
      friendly_name: friendlyName,
      channel_optimized_routing:
        channelOptimizedRouting === undefined ? undefined : Number(channelOptimizedRouting),
    })
    const taskChannel =
      (await update(tx, 'task_channels', { sid: found.sid }, { ...changes, date_updated: tx.now() })) ?? found
    const told = { accountSid: call.accountSid, at: tx.now(), actor: call.actor, taskChannel }
    tx.record({ name: 'task-channel.updated', ...told })
    return taskChannel
  },
  delete: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const taskChannel = await findOne(tx, call)
    if (!taskChannel) return false
    await lockToDelete(tx, 'task_channels', { sid: taskChannel.sid, workspaceSid: workspace.sid })
    const what = `TaskChannel ${taskChannel.unique_name}`
    if (taskChannel.unique_name === 'default')
      throw problem('in_use', { what, by: 'tasks that name no other channel' })
    if (await anyTask.first(tx, { taskChannelSid: taskChannel.sid }))
      throw problem('in_use', { what, by: 'tasks that are not over' })
    await remove(tx, 'worker_channels', {
      workspace_sid: taskChannel.workspace_sid,
      task_channel_sid: taskChannel.sid,
    })
    await remove(tx, 'task_channels', { sid: taskChannel.sid })
    const told = { accountSid: call.accountSid, at: tx.now(), actor: call.actor, taskChannel }
    tx.record({ name: 'task-channel.deleted', ...told })
    return true
  },
})
