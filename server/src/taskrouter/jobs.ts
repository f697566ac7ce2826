/** What happens in a workspace by itself, as time passes. Each runs again harmlessly: it looks at the rows first. */
import type { JobHandler } from '../jobs/handler.ts'
import { reading } from '../store/query.ts'
import { find, update } from '../store/rows.ts'
import type { StoredTask } from '../store/tables/taskrouter.ts'
import type { Store, Tx } from '../store/tx.ts'
import { activityRenamed } from './activity.ts'
import { HOUSE } from './house.ts'
import { RESERVATION_TIMEOUT } from './offer.ts'
import { lockTasks } from './parents.ts'
import { moveOn, REASONS, STEP } from './placing.ts'
import { lockReservation, refuseReservation } from './reservation.ts'
import { openRouter } from './router/route.ts'
import { sweep as sweepStatistics } from './statistics/index.ts'
import { cancelLocked, SWEEP, sweepLocked, TASK_TIMEOUT } from './task-end.ts'
import { queueChanged } from './task-queue.ts'
import { isLive } from './task-row.ts'
import { workerGone } from './worker-gone.ts'
import { RE_EVALUATE } from './workflow.ts'

const AT_ONCE = 16
const LEASE_MS = 30_000

/** How many tasks go through their workflow again in one transaction. */
const BATCH = 50

/** A job about one task, which is locked; a task that is gone needs nothing. */
const aboutTask = (kind: string, run: (tx: Tx, task: StoredTask) => Promise<unknown>): JobHandler => ({
  kind,
  perLane: AT_ONCE,
  leaseMs: LEASE_MS,
  run: ({ key, end }, { store }) =>
    store.transact(kind, async (tx) => {
      const task = (await lockTasks(tx, [key])).get(key)
      if (task) await run(tx, task)
      return end(tx)
    }),
})

/** A task's time at its target is up. One that is offered to somebody moves on when the offer is refused. */
const step = aboutTask(STEP, async (tx, task) => {
  if (task.assignment_status !== 'pending') return
  const { task: moved, nowhere } = await moveOn(tx, { task, why: 'age', actor: HOUSE })
  if (nowhere) await cancelLocked(tx, { task: moved, reason: REASONS[nowhere], actor: HOUSE })
})

const taskTimeout = aboutTask(TASK_TIMEOUT, async (tx, task) => {
  if (isLive(task)) await cancelLocked(tx, { task, reason: 'Task TTL Exceeded', actor: HOUSE })
})

const sweep = aboutTask(SWEEP, (tx, task) => sweepLocked(tx, { task, actor: HOUSE }))

/** Nobody answered: the worker is taken to be away, and the task goes to somebody else. */
const reservationTimeout: JobHandler = {
  kind: RESERVATION_TIMEOUT,
  perLane: AT_ONCE,
  leaseMs: LEASE_MS,
  run: ({ key, end }, { store }) =>
    store.transact(RESERVATION_TIMEOUT, async (tx) => {
      const seen = await find(tx, 'reservations', { sid: key })
      const locked = seen && (await lockReservation(tx, seen.account_sid, key))
      if (locked?.reservation.reservation_status === 'pending') {
        const activitySid = locked.workspace.timeout_activity_sid
        await refuseReservation(tx, { ...locked, to: 'timeout', activitySid, actor: HOUSE })
      }
      return end(tx)
    }),
}

const liveOf = reading((db, at: { workflowSid: string; after: string; limit: number }) =>
  db
    .selectFrom('tasks')
    .select('sid')
    .where('workflow_sid', '=', at.workflowSid)
    .where('assignment_status', 'in', ['pending', 'reserved'])
    .where('sid', '>', at.after)
    .orderBy('sid')
    .limit(at.limit),
)

/** A workflow has changed, and the tasks that wait in it are to begin anew. */
const reEvaluate: JobHandler = {
  kind: RE_EVALUATE,
  perLane: AT_ONCE,
  leaseMs: LEASE_MS,
  run: async ({ key }, { store }) => {
    let after = ''
    for (;;) {
      const rows = await liveOf.all(store.reader, { workflowSid: key, after, limit: BATCH })
      const last = rows.at(-1)
      if (!last) return undefined
      after = last.sid
      await anew(
        store,
        rows.map((it) => it.sid),
      )
    }
  },
}

const anew = (store: Store, sids: readonly string[]): Promise<void> =>
  store.transact(RE_EVALUATE, async (tx) => {
    for (const task of (await lockTasks(tx, sids)).values()) {
      // Without a step a task begins anew when its offer is refused.
      if (task.assignment_status === 'reserved') await update(tx, 'tasks', { sid: task.sid }, { step: null })
      if (task.assignment_status !== 'pending') continue
      const { task: moved, nowhere } = await moveOn(tx, { task, why: 'anew', actor: HOUSE })
      if (nowhere) await cancelLocked(tx, { task: moved, reason: REASONS[nowhere], actor: HOUSE })
    }
  })

export const handlers: readonly JobHandler[] = [
  openRouter(),
  step,
  taskTimeout,
  reservationTimeout,
  sweep,
  reEvaluate,
  queueChanged,
  activityRenamed,
  sweepStatistics,
  workerGone,
]
