/**
 * What a worker's own access token may do: act for that worker, and for nobody else. A token is a worker's by its
 * `task_router` grant: the grant names the worker, or names nobody, and the token's identity is the worker's friendly
 * name. Without the grant it is a token for chat, whoever it says it is.
 */
import { isRecord } from './is-record.ts'

interface Token {
  readonly identity: string
  readonly grants: Readonly<Record<string, unknown>>
}

interface Whom {
  readonly sid: string
  readonly friendly_name: string
  readonly workspace_sid: string
}

/** @param token undefined when an account's back end asks, which may act for everybody */
export const mayActFor = (token: Token | undefined, worker: Whom): boolean => {
  if (!token) return true
  const grant = token.grants.task_router
  if (!isRecord(grant)) return false
  if (grant.workspace_sid !== undefined && grant.workspace_sid !== worker.workspace_sid) return false
  return typeof grant.worker_sid === 'string'
    ? grant.worker_sid === worker.sid
    : token.identity === worker.friendly_name
}

/** The worker a token speaks for, as far as the token itself tells. */
export const workerNamedBy = (token: Token): { sid: string } | { friendlyName: string } => {
  const grant = token.grants.task_router
  return isRecord(grant) && typeof grant.worker_sid === 'string'
    ? { sid: grant.worker_sid }
    : { friendlyName: token.identity }
}
