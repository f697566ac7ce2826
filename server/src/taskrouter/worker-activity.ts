/** A worker begins to do something else. */
import type { Actor } from '@parley/contract/actor.ts'
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import { update } from '../store/rows.ts'
import type { StoredWorker } from '../store/tables/taskrouter.ts'
import type { Tx } from '../store/tx.ts'
import { wakeRouter } from './wake-router.ts'
import { refreshOpen } from './workload.ts'

/** The worker is locked by the caller, and the activity held. Being in the activity already is nothing new. */
export const enterActivity = async (
  tx: Tx,
  { worker, activity, actor }: { worker: StoredWorker; activity: ActivityRow; actor: Actor },
): Promise<StoredWorker> => {
  if (worker.activity_sid === activity.sid) return worker
  const now = tx.now()
  const changed = await update(
    tx,
    'workers',
    { sid: worker.sid },
    {
      activity_sid: activity.sid,
      activity_name: activity.friendly_name,
      available: activity.available,
      date_status_changed: now,
      date_updated: now,
      version: worker.version + 1,
      // Whoever comes back has not been waiting while they were away.
      idle_since: activity.available && !worker.available ? now : worker.idle_since,
    },
  )
  if (!changed) throw new Error(`worker ${worker.sid} is locked and not there`)
  await refreshOpen(tx, changed)
  tx.record({
    name: 'worker.activity.update',
    accountSid: worker.account_sid,
    at: now,
    actor,
    worker: changed,
    previousActivity: {
      sid: worker.activity_sid,
      name: worker.activity_name,
      milliseconds: now - worker.date_status_changed,
    },
  })
  // Whoever leaves gives work to the router too: a target may be skipped for want of workers.
  await wakeRouter(tx, worker.workspace_sid)
  return changed
}
