/**
 * TaskRouter capability tokens: JWTs signed with the account's auth token, which carry policies (a method and a
 * URL, with wildcards) in place of grants. Workers' SDKs of the older kind show them.
 */
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import { type Algorithm, checkSignature, checkTimes, isRecord, readJwt } from './jwt.ts'

const ALGORITHMS: readonly Algorithm[] = ['HS256']
const VERSION = 'v1'

/** What a policy asks of the parameters: those named, and whether they must be there. None named: any may come. */
export type ParameterFilter = Readonly<Record<string, { readonly required: boolean }>>

export interface Policy {
  readonly method: string
  /** The path of the URL: policies name Twilio's hosts, and speak of ours. */
  readonly path: string
  readonly queryFilter: ParameterFilter
  readonly postFilter: ParameterFilter
  readonly allow: boolean
}

export interface CapabilityToken {
  readonly accountSid: string
  readonly workspaceSid: string
  /** The worker, task queue or workspace the token is for. */
  readonly channel: string
  readonly workerSid: string | undefined
  readonly taskQueueSid: string | undefined
  readonly friendlyName: string | undefined
  readonly policies: readonly Policy[]
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** As it came. */
  readonly raw: string
}

/**
 * Believes a capability token, or says why not.
 * @param now milliseconds since 1970
 * @throws 20101 not a token, 20102 header, 20103 account, 20104 expired, 20105 not yet valid, 20106 what it
 *   allows, 20107 signature
 */
export const verifyCapabilityToken = async (
  raw: string,
  { findAuthToken, now }: { findAuthToken(accountSid: string): Promise<string | undefined>; now: number },
): Promise<CapabilityToken> => {
  const { header, claims } = readJwt(raw)
  const accountSid = claims.iss
  if (typeof accountSid !== 'string' || !isSid('AC', accountSid))
    throw problem('token_issuer', { reason: 'iss is not the SID of an account' })
  if (claims.account_sid !== undefined && claims.account_sid !== accountSid)
    throw problem('token_issuer', { reason: 'account_sid is not the account that issued it' })
  const authToken = await findAuthToken(accountSid)
  if (authToken === undefined) throw problem('token_issuer', { reason: 'its account does not exist' })

  checkSignature(raw, header, authToken, ALGORITHMS, 'the auth token of its account')
  const expiresAt = checkTimes(claims, now)
  if (claims.version !== VERSION) throw problem('token_grants', { reason: `version is not "${VERSION}"` })
  const workspaceSid = text(claims, 'workspace_sid')
  if (workspaceSid === undefined) throw problem('token_grants', { reason: 'workspace_sid is missing' })
  return {
    accountSid,
    workspaceSid,
    channel: text(claims, 'channel') ?? workspaceSid,
    workerSid: text(claims, 'worker_sid'),
    taskQueueSid: text(claims, 'taskqueue_sid'),
    friendlyName: text(claims, 'friendly_name'),
    policies: readPolicies(claims.policies),
    expiresAt,
    raw,
  }
}

const text = (claims: Record<string, unknown>, name: string): string | undefined => {
  const value = claims[name]
  if (value !== undefined && typeof value !== 'string')
    throw problem('token_grants', { reason: `${name} is not text` })
  return value
}

const readPolicies = (policies: unknown): Policy[] => {
  if (!Array.isArray(policies)) throw problem('token_grants', { reason: 'policies is missing or not a list' })
  return policies.map((policy: unknown, index) => {
    const wrong = (reason: string) => problem('token_grants', { reason: `policies[${index}]${reason}` })
    if (!isRecord(policy)) throw wrong(' is not an object')
    const { url, method = 'GET', allow = true } = policy
    if (typeof url !== 'string') throw wrong('.url is not text')
    if (typeof method !== 'string') throw wrong('.method is not text')
    if (typeof allow !== 'boolean') throw wrong('.allow is not true or false')
    const queryFilter = readFilter(policy.query_filter)
    const postFilter = readFilter(policy.post_filter)
    if (!queryFilter || !postFilter) throw wrong(' has a filter that is not { name: { required } }')
    return { method: method.toUpperCase(), path: pathOf(url), queryFilter, postFilter, allow }
  })
}

const readFilter = (filter: unknown = {}): ParameterFilter | undefined => {
  if (!isRecord(filter)) return undefined
  const named = Object.entries(filter).map(([name, it]) => [name, isRecord(it) ? it.required : undefined])
  return named.every(([, required]) => typeof required === 'boolean')
    ? Object.fromEntries(named.map(([name, required]) => [name, { required: required === true }]))
    : undefined
}

/** Not `new URL`: it would rewrite what the policy says. */
const pathOf = (url: string): string =>
  url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/, '')

/** The names of a request's parameters, for policies that ask for some. */
export interface ParameterNames {
  readonly query?: readonly string[]
  readonly form?: readonly string[]
}

/**
 * Whether policies allow a request: one of them does, and none forbids it.
 *
 * In a policy's path `*` stands for one segment, and `**` at its place for any number of them, none included: the
 * published libraries give a worker `…/Reservations/**`, and the published SDK lists `…/Reservations` with it.
 * @param path without host and query
 */
export const allows = (
  policies: readonly Policy[],
  method: string,
  path: string,
  { query = [], form = [] }: ParameterNames = {},
): boolean => {
  const segments = split(path)
  // Steps up and down have no place in a path that is to be judged.
  if (segments.some((it) => /^(\.|%2e){1,2}$/i.test(it))) return false
  const speaking = policies.filter(
    (it) => it.method === method.toUpperCase() && isCovered(split(it.path), segments),
  )
  if (speaking.some((it) => !it.allow)) return false
  return speaking.some((it) => passes(it.queryFilter, query) && passes(it.postFilter, form))
}

const split = (path: string): string[] => path.split('/').filter((it) => it !== '')

/** One pass with one way back, to the last `**`: no pattern makes it slow. */
const isCovered = (pattern: readonly string[], path: readonly string[]): boolean => {
  let at = 0
  let open = -1
  let taken = 0
  let here = 0
  while (here < path.length) {
    const wanted = pattern[at]
    if (wanted === '**') {
      open = at++
      taken = here
    } else if (wanted !== undefined && (wanted === '*' || wanted === path[here])) {
      at++
      here++
    } else if (open >= 0) {
      at = open + 1
      here = ++taken
    } else return false
  }
  return pattern.slice(at).every((it) => it === '**')
}

const passes = (filter: ParameterFilter, given: readonly string[]): boolean => {
  const named = Object.entries(filter)
  if (named.length === 0) return true
  return (
    named.every(([name, { required }]) => !required || given.includes(name)) &&
    given.every((name) => Object.hasOwn(filter, name))
  )
}
