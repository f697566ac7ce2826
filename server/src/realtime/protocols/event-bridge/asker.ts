/**
 * Who asks, and what they may: EB10 to EB13 of docs/protocols/event-bridge.md. The token decides. A worker acts for
 * themselves and for tasks they were given; a supervisor sees and sets other workers as well; an admin has the
 * workspace. None of them leaves it.
 */
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import { requireGrant } from '../../../accounts/index.ts'
import type { AccessToken } from '../../../http/binding.ts'
import { find } from '../../../store/rows.ts'
import type { Reader } from '../../../store/tx.ts'

export type Role = 'worker' | 'supervisor' | 'admin'

export interface Asker {
  readonly token: AccessToken
  readonly accountSid: string
  readonly workspaceSid: string
  /** The worker the token speaks for; an admin's may speak for none. */
  readonly workerSid: string | undefined
  readonly role: Role
}

const ROLES: ReadonlySet<unknown> = new Set(['worker', 'supervisor', 'admin'])

/**
 * Reads what a believed token is for.
 * @throws 20106 without a `task_router` grant, for a grant that names no workspace, or nobody where somebody must be named
 */
export const askerOf = async (reader: Reader, token: AccessToken): Promise<Asker> => {
  const grant = requireGrant(token, 'task_router')
  const { workspace_sid: workspaceSid, worker_sid: named, role = 'worker' } = grant
  if (typeof workspaceSid !== 'string' || !isSid('WS', workspaceSid))
    throw problem('token_grants', { reason: 'its task_router grant names no workspace' })
  if (!ROLES.has(role))
    throw problem('token_grants', { reason: 'its role is none of worker, supervisor and admin' })
  const { accountSid, identity } = token
  const who = { token, accountSid, workspaceSid, role: role as Role }
  if (named !== undefined && (typeof named !== 'string' || !isSid('WK', named)))
    throw problem('token_grants', { reason: 'worker_sid is not the SID of a worker' })
  if (named !== undefined) return { ...who, workerSid: named }
  const sameName = { account_sid: accountSid, workspace_sid: workspaceSid, friendly_name: identity }
  const worker = await find(reader, 'workers', sameName)
  if (!worker && role !== 'admin')
    throw problem('token_grants', { reason: 'it names no worker, and nobody has its identity for a name' })
  return { ...who, workerSid: worker?.sid }
}

const denied = (reason: string) => problem('access_denied', { reason })

/** @throws 403 for another workspace than the token's */
export const mustBeIn = (asker: Asker, workspaceSid: string): void => {
  if (asker.workspaceSid !== workspaceSid) throw denied('this token is of another workspace')
}

/** @throws 403 for another worker, but for an admin */
export const mustBe = (asker: Asker, workerSid: string): void => {
  if (asker.role !== 'admin' && asker.workerSid !== workerSid) throw denied('this token is of another worker')
}

/** @throws 403 for another worker, but for a supervisor or an admin */
export const mayDirect = (asker: Asker, workerSid: string): void => {
  if (asker.role === 'worker') mustBe(asker, workerSid)
}

/** @throws 403 for a worker who is no supervisor */
export const mustSupervise = (asker: Asker): void => {
  if (asker.role === 'worker') throw denied('only a supervisor may')
}

/**
 * A worker reads the tasks that they were offered, and those made for them.
 * @throws 403
 */
export const mayReadTask = async (
  reader: Reader,
  asker: Asker,
  task: { readonly sid: string; readonly routing_target: string | null },
): Promise<void> => {
  if (asker.role !== 'worker') return
  const { workerSid } = asker
  if (workerSid === undefined) throw denied('this token is of nobody who works')
  if (task.routing_target === workerSid) return
  const offered = await find(reader, 'reservations', { task_sid: task.sid, worker_sid: workerSid })
  if (!offered) throw denied('this task was not offered to the worker of this token')
}
