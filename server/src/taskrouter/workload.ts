/**
 * What a worker has in hand, and whether their channels are open to more. The counters and the `open` flags are the
 * router's index, so every change that bears on them goes through here, under the worker's lock.
 */
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { sql } from 'kysely'
import { changing } from '../store/query.ts'
import type { StoredWorker, StoredWorkerChannel } from '../store/tables/taskrouter.ts'
import type { Tx } from '../store/tx.ts'

const countInChannel = changing(
  (db, at: { workerSid: string; taskChannelSid: string; offered: number; assigned: number; now: number }) =>
    db
      .updateTable('worker_channels')
      .set((it) => ({
        reserved_tasks: it('reserved_tasks', '+', at.offered),
        assigned_tasks: it('assigned_tasks', '+', at.assigned),
        last_reserved_at: it.fn.coalesce(
          sql<number | null>`case when ${at.offered} > 0 then cast(${at.now} as bigint) end`,
          'last_reserved_at',
        ),
        date_updated: at.now,
      }))
      .where('worker_sid', '=', at.workerSid)
      .where('task_channel_sid', '=', at.taskChannelSid),
)

const countInHand = changing((db, at: { sid: string; by: number; versions: number; idleSince: number }) =>
  db
    .updateTable('workers')
    .set((it) => ({
      in_hand: it('in_hand', '+', at.by),
      version: it('version', '+', at.versions),
      idle_since: at.idleSince,
    }))
    .where('sid', '=', at.sid)
    .returningAll(),
)

interface Doing {
  workerSid: string
  available: number
  inHand: number
  idleSince: number
}

/** The workspace is read here, under the worker's lock: it may have changed since the transaction began. */
const isOpen = ({ available, inHand }: Doing) =>
  sql<number>`case when available = 1 and ${available} = 1
    and (${inHand} = 0 or (select w.multi_task_enabled from workspaces w where w.sid = workspace_sid) = 1)
    and assigned_tasks + reserved_tasks < configured_capacity then 1 else 0 end`

/** What stays as it is need not be written, nor its place among the idle. */
const setOpen = changing((db, at: Doing) =>
  db
    .updateTable('worker_channels')
    .set({ open: isOpen(at), idle_since: at.idleSince })
    .where('worker_sid', '=', at.workerSid)
    .where((it) => it.or([it('idle_since', '!=', at.idleSince), it('open', '!=', isOpen(at))])),
)

/** Opens and closes a worker's channels by what the worker, the workspace and the counters say. */
export const refreshOpen = async (tx: Tx, worker: StoredWorker): Promise<void> => {
  const { sid: workerSid, available, in_hand: inHand, idle_since: idleSince } = worker
  await setOpen.run(tx, { workerSid, available, inHand, idleSince })
}

/** What keeps a channel closed; every one that does. */
export type Closed = 'activity' | 'busy' | 'channel_unavailable' | 'capacity'

/** Why `refreshOpen` left a channel closed: nothing where it is open. */
export const whyClosed = (
  worker: Pick<StoredWorker, 'available' | 'in_hand'>,
  workspace: Pick<WorkspaceRow, 'multi_task_enabled'>,
  channel: Pick<
    StoredWorkerChannel,
    'open' | 'available' | 'assigned_tasks' | 'reserved_tasks' | 'configured_capacity'
  >,
): Closed[] => {
  if (channel.open === 1) return []
  const why: Closed[] = []
  if (worker.available !== 1) why.push('activity')
  else if (workspace.multi_task_enabled !== 1 && worker.in_hand !== 0) why.push('busy')
  if (channel.available !== 1) why.push('channel_unavailable')
  if (channel.assigned_tasks + channel.reserved_tasks >= channel.configured_capacity) why.push('capacity')
  return why
}

/**
 * Counts offers and assigned tasks up or down.
 * @param idle whether the wait for work begins anew, as it does with an offer and with a task's end
 */
export const count = async (
  tx: Tx,
  {
    worker,
    taskChannelSid,
    offered = 0,
    assigned = 0,
    idle = false,
  }: {
    worker: StoredWorker
    taskChannelSid: string
    offered?: number
    assigned?: number
    idle?: boolean
  },
): Promise<StoredWorker> => {
  const now = tx.now()
  await countInChannel.run(tx, { workerSid: worker.sid, taskChannelSid, offered, assigned, now })
  const counted = await countInHand.first(tx, {
    sid: worker.sid,
    by: offered + assigned,
    // The worker SDK counts an offer as a change of the worker, and no other count.
    versions: offered > 0 ? 1 : 0,
    idleSince: idle ? now : worker.idle_since,
  })
  if (!counted) throw new Error(`worker ${worker.sid} is locked and not there`)
  await refreshOpen(tx, counted)
  return counted
}

/** 100 is all of it free, 0 none. A task that ignored the capacity does not make it less than none. */
export const capacityLeft = (
  it: Pick<StoredWorkerChannel, 'assigned_tasks' | 'reserved_tasks' | 'configured_capacity'>,
): number => {
  const taken = it.assigned_tasks + it.reserved_tasks
  if (it.configured_capacity <= 0) return 0
  return Math.max(0, Math.floor((100 * (it.configured_capacity - taken)) / it.configured_capacity))
}
