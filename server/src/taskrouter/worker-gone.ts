/**
 * A worker whose last socket is gone does not take tasks any more. It is a lease that sockets renew, kept as a job: so a
 * node that dies leaves its workers to be put offline by another, and needs to tell nobody.
 */
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import type { JobHandler } from '../jobs/handler.ts'
import { later } from '../jobs/later.ts'
import { find } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'
import { hold } from './held.ts'
import { HOUSE } from './house.ts'
import { lockWorkers } from './parents.ts'
import { enterActivity } from './worker-activity.ts'

const WORKER_GONE = 'taskrouter.worker-gone'

const AT_ONCE = 16
const LEASE_MS = 30_000

/** @param dueAt when they are gone unless somebody says otherwise meanwhile, in milliseconds since 1970 */
export const expectGone = (tx: Tx, workerSid: string, dueAt: number): Promise<void> =>
  later(tx, { kind: WORKER_GONE, key: workerSid, dueAt })

/**
 * They go where the workspace sends those who do not answer, or where its workers begin: the first of the two in which
 * nobody takes tasks.
 */
export const workerGone: JobHandler = {
  kind: WORKER_GONE,
  perLane: AT_ONCE,
  leaseMs: LEASE_MS,
  run: ({ key, end }, { store }) =>
    store.transact(WORKER_GONE, async (tx) => {
      const worker = (await lockWorkers(tx, [key])).get(key)
      const activity = worker && (await whereTo(tx, worker.workspace_sid))
      const ended = await end(tx)
      // Whoever came back meanwhile has a lease that stays; who comes back from here on waits for this.
      if (activity && !(await find(tx, 'jobs', { kind: WORKER_GONE, key })))
        await enterActivity(tx, { worker, activity, actor: HOUSE })
      return ended
    }),
}

const whereTo = async (tx: Tx, workspaceSid: string): Promise<ActivityRow | undefined> => {
  const workspace = await find(tx, 'workspaces', { sid: workspaceSid })
  for (const sid of [workspace?.timeout_activity_sid, workspace?.default_activity_sid]) {
    const activity = sid ? await hold(tx, 'activities', { sid, workspaceSid }) : undefined
    if (activity?.available === 0) return activity
  }
  return undefined
}
