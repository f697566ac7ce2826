/**
 * Requests of the worker SDK: an envelope of JSON with the address of a resource, a method, parameters and a token,
 * EB20 to EB23. Which there are is one table.
 */
import { type Problem, problem } from '@parley/contract/problem.ts'
import type { Perform } from '../../../http/binding.ts'
import type { Reader, Store } from '../../../store/tx.ts'
import type { Offered } from '../../../taskrouter/index.ts'
import { DEPTH_MAX, isDeeper } from '../twilsock/request.ts'
import { type Asker, mustBeIn } from './asker.ts'
import type { Params } from './pages.ts'
import {
  readActivities,
  readReservation,
  readReservations,
  readTask,
  readTaskQueue,
  readTaskQueues,
  readTransfer,
  readWorker,
  readWorkerChannels,
  readWorkers,
} from './reads.ts'
import type { Shown } from './shown.ts'
import {
  changeReservation,
  changeTask,
  changeTransfer,
  changeWorker,
  makeTask,
  refuseVoice,
  supervise,
  transferTask,
} from './writes.ts'

/** How long the name of a socket may be, in characters: it goes over the bus, which takes little. */
const SESSION_MAX = 64

export interface Envelope {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly params: Params
  readonly token: string
  /** The socket that it belongs to, by the name that the socket was opened with. The published SDKs give none. */
  readonly session: string | undefined
}

export interface BridgeHouse {
  readonly reader: Reader
  readonly store: Store
  readonly perform: Perform
}

export interface Asked {
  readonly asker: Asker
  readonly url: string
  /** What the address names, by kind: `worker`, `task`, `reservation`, `queue`, `transfer`. */
  readonly path: Readonly<Record<string, string | undefined>>
  readonly params: Params
  readonly ifMatch: string | undefined
}

/** What an answer says of the asking worker's own state, by which the events that wait for them are judged. */
export type Served =
  | { readonly kind: 'worker'; readonly version: number }
  | { readonly kind: 'reservations'; readonly offers: readonly Offered[]; readonly isLast: boolean }

export interface Answered {
  readonly payload: Shown
  readonly served?: Served | undefined
}

export type Answer = (house: BridgeHouse, asked: Asked) => Promise<Answered>

const PLACES: readonly (readonly [
  pattern: string,
  answers: { readonly GET?: Answer; readonly POST?: Answer },
])[] = [
  ['Activities', { GET: readActivities }],
  ['Workers', { GET: readWorkers }],
  ['Workers/{worker}', { GET: readWorker, POST: changeWorker }],
  ['Workers/{worker}/WorkerChannels', { GET: readWorkerChannels }],
  ['Workers/{worker}/Reservations', { GET: readReservations }],
  ['Workers/{worker}/Reservations/{reservation}', { GET: readReservation, POST: changeReservation }],
  ['Workers/{worker}/Transfers', { POST: transferTask }],
  ['Workers/{worker}/Transfers/{transfer}', { GET: readTransfer, POST: changeTransfer }],
  ['Workers/{worker}/WorkerParticipant', { POST: refuseVoice }],
  ['Workers/{worker}/CustomerParticipant', { POST: refuseVoice }],
  ['Workers/{worker}/HoldWorkerParticipant', { POST: refuseVoice }],
  ['Workers/{worker}/KickWorkerParticipant', { POST: refuseVoice }],
  ['Tasks', { POST: makeTask }],
  ['Tasks/{task}', { GET: readTask, POST: changeTask }],
  ['Tasks/{task}/Reservations/{reservation}', { POST: supervise }],
  ['TaskQueues', { GET: readTaskQueues }],
  ['TaskQueues/{queue}', { GET: readTaskQueue }],
]

const places = PLACES.map(([pattern, answers]) => ({
  pattern: new RegExp(`^${pattern.replace(/\{(\w+)\}/g, '(?<$1>[A-Z]{2}[0-9a-fA-F]{32})')}$`),
  answers,
}))

const IN_WORKSPACE = /^\/?(?:v\d\/)?Workspaces\/(WS[0-9a-fA-F]{32})\/(.+?)\/?$/

/**
 * Reads the envelope, whatever its content type says it is.
 * @throws 400 / 20001
 */
export const readEnvelope = (body: unknown): Envelope => {
  const unreadable = (reason: string): Problem => problem('malformed_request', { reason })
  let read: unknown
  try {
    read = JSON.parse(typeof body === 'string' ? body : '')
  } catch {
    throw unreadable('its body is not JSON')
  }
  if (typeof read !== 'object' || read === null) throw unreadable('its body is not an object')
  if (isDeeper(read, DEPTH_MAX)) throw unreadable(`its body is nested deeper than ${DEPTH_MAX}`)
  const { url, method, params = {}, token, session } = read as Partial<Record<keyof Envelope, unknown>>
  if (typeof url !== 'string') throw unreadable('it has no url')
  if (method !== 'GET' && method !== 'POST') throw unreadable('its method is neither GET nor POST')
  if (typeof token !== 'string') throw problem('token_invalid', { reason: 'it has no token' })
  if (typeof session === 'string' && session.length > SESSION_MAX)
    throw unreadable(`its session is longer than ${SESSION_MAX}`)
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    throw unreadable('its params are not an object')
  return {
    url,
    method,
    params: params as Params,
    token,
    session: typeof session === 'string' ? session : undefined,
  }
}

/**
 * Answers a request of somebody whose token is believed.
 * @throws what is refused, 404 / 20404 for an address that there is not
 */
export const answerBridge = async (
  house: BridgeHouse,
  asker: Asker,
  { url, method, params }: Envelope,
  ifMatch: string | undefined,
): Promise<Answered> => {
  const [, workspaceSid, rest = ''] = IN_WORKSPACE.exec(url) ?? []
  const shown = `/${url.slice(0, 200)}`
  if (workspaceSid === undefined) throw problem('not_found', { path: shown })
  mustBeIn(asker, workspaceSid)
  for (const { pattern, answers } of places) {
    const match = pattern.exec(rest)
    if (!match) continue
    const answer = answers[method]
    if (!answer) throw problem('method_not_allowed', { method, path: shown })
    return answer(house, { asker, url: rest, path: match.groups ?? {}, params, ifMatch })
  }
  throw problem('not_found', { path: shown })
}
