/**
 * What a queue or an activity says is copied into the tasks and workers that stand in it, and follows when it changes: first
 * they, then the queue or the activity itself, since everybody else locks a task or a worker before what they come to. Those
 * who come to it meanwhile may have a copy of what it said before: a job sees to them.
 */
import type { JobHandler } from '../jobs/handler.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { lockToChange } from './held.ts'
import { wakeRouter } from './wake-router.ts'

const AT_ONCE = 16
const LEASE_MS = 30_000

interface Followed<Row> {
  readonly kind: string
  readonly table: 'activities' | 'task_queues'
  readonly findOne: (reader: Reader, sid: string) => Promise<Row | undefined>
  /** Gives what it says to all that stand in it and do not say the same. */
  readonly letFollow: (tx: Tx, row: Row) => Promise<unknown>
}

/**
 * The job after a change, by the SID of what changed. Whoever comes to it holds it until they are there, so it is locked
 * until they are done; and let go before they are locked.
 */
export const seeToLatecomers = <Row extends { readonly workspace_sid: string }>({
  kind,
  table,
  findOne,
  letFollow,
}: Followed<Row>): JobHandler => ({
  kind,
  perLane: AT_ONCE,
  leaseMs: LEASE_MS,
  run: async ({ key: sid }, { store }) => {
    const seen = await findOne(store.reader, sid)
    if (!seen) return undefined
    const { workspace_sid: workspaceSid } = seen
    await store.transact(kind, (tx) => lockToChange(tx, table, { sid, workspaceSid }))
    await store.transact(kind, async (tx) => {
      const row = await findOne(tx, sid)
      if (!row) return
      await letFollow(tx, row)
      await wakeRouter(tx, workspaceSid)
    })
    return undefined
  },
})
