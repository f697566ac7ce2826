/** What every verb of this room leans on: whose doing it is when nobody asked, and the call that wakes the router. */
import type { Actor } from '@parley/contract/actor.ts'
import { problem } from '@parley/contract/problem.ts'
import { later } from '../jobs/later.ts'
import type { Tx } from '../store/tx.ts'

/** Time, routing and the janitor act as the account's own back end would. */
export const HOUSE: Actor = { kind: 'api', webhooks: true }

export const ROUTE = 'taskrouter.route'

/** Something changed that may let a waiting task find a worker. One job a workspace, so many wakes are one run. */
export const wakeRouter = (tx: Tx, workspaceSid: string): Promise<void> =>
  later(tx, { kind: ROUTE, key: workspaceSid })

/** `true`, `1` and `yes` are true in TaskRouter's text parameters; anything else is false. */
export const isYes = (it: string): boolean => /^(true|1|yes)$/i.test(it.trim())

/** An empty address clears what is there. */
export const orCleared = (it: string | undefined): string | null => (it ? it : null)

/** The columns of `changes` that were given. */
export const given = <T extends object>(changes: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(changes).filter(([, it]) => it !== undefined)) as never

interface Versioned {
  readonly version: number
}

/**
 * Holds `If-Match` against a row.
 * @throws 412 when the row has changed since the version named
 */
export const mustMatch = ({ ifMatch }: { ifMatch: string | undefined }, { version }: Versioned): void => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const named = ifMatch.split(',').map((it) => it.trim().replace(/^W\//, '').replaceAll('"', ''))
  if (!named.includes(String(version))) throw problem('precondition_failed')
}

export const sayVersion = (
  call: { say(header: string, value: string): void },
  { version }: Versioned,
): void => call.say('ETag', `"${version}"`)
