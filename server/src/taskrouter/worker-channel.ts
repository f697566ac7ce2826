import { problem } from '@parley/contract/problem.ts'
import type { TaskChannelRow } from '@parley/contract/taskrouter/task-channel.ts'
import { WorkerChannel } from '@parley/contract/taskrouter/worker-channel.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { find, insertNew, update } from '../store/rows.ts'
import type { StoredWorker, StoredWorkerChannel } from '../store/tables/taskrouter.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { lockWorkers, requireWorkspace } from './parents.ts'
import { wakeRouter } from './wake-router.ts'
import { mayActFor } from './worker-token.ts'
import { capacityLeft, refreshOpen } from './workload.ts'

/** How many tasks of each channel a worker takes at once until somebody says otherwise. */
const CAPACITY = 1

/** Gives a worker a channel, as yet closed; `refreshOpen` opens what is to be open. */
export const addChannel = async (tx: Tx, worker: StoredWorker, channel: TaskChannelRow): Promise<void> => {
  await insertNew(tx, 'worker_channels', {
    sid: tx.newSid('WC'),
    account_sid: worker.account_sid,
    workspace_sid: worker.workspace_sid,
    worker_sid: worker.sid,
    task_channel_sid: channel.sid,
    task_channel_unique_name: channel.unique_name,
    available: 1,
    configured_capacity: CAPACITY,
    assigned_tasks: 0,
    reserved_tasks: 0,
    open: 0,
    idle_since: worker.idle_since,
    last_reserved_at: null,
    date_created: tx.now(),
    date_updated: tx.now(),
  })
}

const channelsOfWorkspace = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('task_channels').selectAll().where('workspace_sid', '=', at.workspaceSid).orderBy('sid'),
)

/** Gives a new worker a channel for each task channel. */
export const addChannels = async (tx: Tx, worker: StoredWorker, workspace: WorkspaceRow): Promise<void> => {
  for (const channel of await channelsOfWorkspace.all(tx, { workspaceSid: workspace.sid }))
    await addChannel(tx, worker, channel)
  await refreshOpen(tx, worker)
}

const list = listing('worker_channels', 'sid', (query, at: { workerSid: string }) =>
  query.where('worker_sid', '=', at.workerSid),
)

const shown = (row: StoredWorkerChannel) => ({ ...row, available_capacity_percentage: capacityLeft(row) })

interface Under {
  readonly accountSid: string
  readonly token: { identity: string; grants: Readonly<Record<string, unknown>> } | undefined
  readonly path: { readonly workspaceSid: string; readonly workerSid: string }
}

const requireWorker = async (reader: Reader, { accountSid, token, path }: Under): Promise<StoredWorker> => {
  const { workspaceSid, workerSid } = path
  const worker = await find(reader, 'workers', {
    sid: workerSid,
    workspace_sid: workspaceSid,
    account_sid: accountSid,
  })
  if (!worker) throw problem('not_found', { path: `/Workspaces/${workspaceSid}/Workers/${workerSid}` })
  if (!mayActFor(token, worker)) throw problem('access_denied', { reason: 'this token is of another worker' })
  return worker
}

/** By its own SID, its task channel's, or the unique name. */
const findOne = async (
  reader: Reader,
  workerSid: string,
  name: string,
): Promise<StoredWorkerChannel | undefined> => {
  const own = { worker_sid: workerSid }
  return (
    (await find(reader, 'worker_channels', { ...own, sid: name })) ??
    (await find(reader, 'worker_channels', { ...own, task_channel_sid: name })) ??
    (await find(reader, 'worker_channels', { ...own, task_channel_unique_name: name }))
  )
}

export const workerChannels = bind(WorkerChannel, {
  list: async (reader, call) => {
    const worker = await requireWorker(reader, call)
    return (await list(reader, { workerSid: worker.sid }, call.page)).map(shown)
  },
  fetch: async (reader, call) => {
    const worker = await requireWorker(reader, call)
    const channel = await findOne(reader, worker.sid, call.path.sid)
    return channel && shown(channel)
  },
  update: async (tx, call) => {
    const { sid } = await requireWorker(tx, call)
    const workspace = await requireWorkspace(tx, call)
    const before = (await lockWorkers(tx, [sid])).get(sid)
    const found = before && (await findOne(tx, before.sid, call.path.sid))
    if (!before || !found) return undefined
    const { capacity = found.configured_capacity, available = found.available === 1 } = call.input
    const taken = found.assigned_tasks + found.reserved_tasks
    if (capacity < found.configured_capacity && capacity < taken)
      throw problem('invalid_parameter', {
        parameter: 'Capacity',
        reason: `the worker has ${taken} tasks of this channel in hand, offers among them`,
      })
    await update(
      tx,
      'worker_channels',
      { sid: found.sid },
      { configured_capacity: capacity, available: Number(available), date_updated: tx.now() },
    )
    const hasCapacity = capacity === found.configured_capacity
    const hasAvailability = Number(available) === found.available
    // Each of the two is an event by itself, and the worker SDK counts events.
    const version = before.version + Number(!hasCapacity) + Number(!hasAvailability)
    const worker = (await update(tx, 'workers', { sid }, { version })) ?? before
    const first: StoredWorker = { ...worker, version: before.version + 1 }
    await refreshOpen(tx, worker)
    const channel = await findOne(tx, worker.sid, found.sid)
    if (!channel) return undefined
    const workerChannel = shown(channel)
    const told = { accountSid: call.accountSid, at: tx.now(), actor: call.actor, worker, workerChannel }
    if (!hasCapacity)
      tx.record({
        name: 'worker.capacity.update',
        ...told,
        worker: first,
        previousCapacity: found.configured_capacity,
      })
    if (!hasAvailability) tx.record({ name: 'worker.channel.availability.update', ...told })
    // Also of a channel that is closed now: expressions may read what is left of it.
    if (!hasCapacity || !hasAvailability) await wakeRouter(tx, workspace.sid)
    return workerChannel
  },
})
