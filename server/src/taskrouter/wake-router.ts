/** The call that wakes the router. */
import { later } from '../jobs/later.ts'
import type { Tx } from '../store/tx.ts'

export const ROUTE = 'taskrouter.route'

/** Something changed that may let a waiting task find a worker. One job a workspace, so many wakes are one run. */
export const wakeRouter = (tx: Tx, workspaceSid: string): Promise<void> =>
  later(tx, { kind: ROUTE, key: workspaceSid })
