/**
 * One connection's conversation in Twilsock 3, as a pure function: what happens to a session changes it and leaves
 * deeds for the socket, in their order. Time and chance are handed in.
 *
 * A session is fresh until `init` comes, admitting while the token of it is judged, live with a token, and closing
 * once it is decided that it ends. The rules are CS20 to CS79 of docs/protocols/chat-socket.md.
 */
import { type Problem, problem } from '@parley/contract/problem.ts'
import { expired } from '../../../accounts/jwt.ts'
import type { AccessToken } from '../../../http/binding.ts'
import type { TunnelledAnswer, TunnelledRequest } from '../../client.ts'
import {
  acceptance,
  answer,
  type Decoded,
  type Frame,
  isRecord,
  type NewFrameId,
  refusal,
  tokenAboutToExpire,
} from './frame.ts'
import { readRequest } from './request.ts'

/** How long a client may take from the open socket to its `init`; it has nothing to wait for. */
export const INIT_TIMEOUT_MS = 10_000

/** How long before its end a token's client is told. */
export const WARNED_BEFORE_MS = 3 * 60_000

/** A token with less than this left is warned of at once: half of it would be no time to renew it. */
const WARNED_AT_ONCE_MS = 5_000

/** How long a refused client may take to leave by itself: its socket must not close before it has read why. */
const REFUSED_LEAVES_MS = 2_000

/** What of a client's registrations is said back. */
const REGISTRATIONS_MAX = 10
const MESSAGE_TYPES_MAX = 50
const WORD_LENGTH_MAX = 128

/** WebSocket's own codes. */
const LEFT = 1000
const PROTOCOL_ERROR = 1002
const POLICY = 1008

export type Session =
  | { readonly state: 'fresh' }
  | { readonly state: 'admitting'; readonly init: Frame }
  | { readonly state: 'live'; readonly token: AccessToken; readonly isWarned: boolean }
  | { readonly state: 'closing'; readonly code: number; readonly reason: string }

export type Happening =
  | { readonly what: 'opened' }
  | { readonly what: 'received'; readonly decoded: Decoded }
  /** What became of the deeds `believe` and `arrive` for a frame. */
  | { readonly what: 'believed'; readonly frameId: string; readonly token: AccessToken }
  | { readonly what: 'arrived'; readonly token: AccessToken }
  | { readonly what: 'refused'; readonly frameId: string; readonly why: Problem }
  | { readonly what: 'answered'; readonly frameId: string; readonly answer: TunnelledAnswer }
  /** The time of the last `wake` has come. */
  | { readonly what: 'woken' }
  /** The socket, or what stands behind it, ends the connection, and has said why. */
  | { readonly what: 'ended'; readonly code: number; readonly reason: string }

export type Deed =
  /** Judge the token; `believed` or `refused` follows. */
  | { readonly deed: 'believe'; readonly frameId: string; readonly jwt: string }
  /** Let them in; `arrived` or `refused` follows. */
  | { readonly deed: 'arrive'; readonly frameId: string; readonly token: AccessToken }
  /** From now on the client has this token. */
  | { readonly deed: 'renew'; readonly token: AccessToken }
  /** Ask what stands behind; `answered` follows. */
  | {
      readonly deed: 'ask'
      readonly frameId: string
      readonly request: TunnelledRequest
      readonly bytes: number
    }
  | { readonly deed: 'send'; readonly frame: Buffer }
  /** Sends what was asked for, which may be large: the next thing asked may wait until it is on its way. */
  | { readonly deed: 'answer'; readonly frame: Buffer }
  /** One alarm a session: a later one replaces it. */
  | { readonly deed: 'wake'; readonly at: number }
  | { readonly deed: 'log'; readonly says: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly deed: 'close'; readonly code: number; readonly reason: string }

export interface Given {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly newId: NewFrameId
}

export type Step = readonly [session: Session, deeds: readonly Deed[]]

/** A connection of which nothing is known; `opened` must happen to it first. */
export const FRESH: Session = { state: 'fresh' }

/** What a happening makes of a session, and what the socket must do, in that order. Throws nothing. */
export const step = (session: Session, happening: Happening, given: Given): Step => {
  if (session.state === 'closing') return happening.what === 'woken' ? closed(session) : [session, []]
  switch (happening.what) {
    case 'opened':
      return [session, [{ deed: 'wake', at: given.now + INIT_TIMEOUT_MS }]]
    case 'received':
      if ('fault' in happening.decoded) return malformed(happening.decoded.fault)
      return received(session, happening.decoded.frame)
    case 'believed':
      return believed(session, happening, given)
    case 'arrived':
      return session.state === 'admitting' ? admitted(session.init, happening.token, given) : [session, []]
    case 'refused':
      return refused(session, happening.frameId, happening.why, given)
    case 'answered':
      return [session, [{ deed: 'answer', frame: answer(happening.frameId, happening.answer) }]]
    case 'woken':
      return woken(session, given)
    case 'ended':
      return closed({ state: 'closing', code: happening.code, reason: happening.reason })
  }
}

const received = (session: Session, frame: Frame): Step => {
  switch (frame.method) {
    case 'close':
      return closed({ state: 'closing', code: LEFT, reason: '' })
    // The clients confirm whatever they hear, and may tell how they fare.
    case 'reply':
    case 'telemetry.v1':
      return [session, []]
    case 'init':
      if (session.state === 'fresh') return introduced(frame)
      return [session, [refuse(frame, problem('malformed_request', { reason: 'init has come before' }))]]
  }
  if (session.state === 'fresh')
    return ending(PROTOCOL_ERROR, `the first frame is ${shown(frame.method)}, not init`)
  switch (frame.method) {
    case 'message':
      return [session, [asked(session, frame)]]
    case 'update':
      return [session, [renewing(session, frame)]]
    // Everybody hears everything that is theirs: a context, and whatever else there may be, is only confirmed.
    default:
      return [session, [{ deed: 'send', frame: acceptance(frame.id) }]]
  }
}

const introduced = (init: Frame): Step => {
  const { token } = init.header
  const jwt = typeof token === 'string' ? token : ''
  return [
    { state: 'admitting', init },
    [
      { deed: 'wake', at: Number.POSITIVE_INFINITY },
      { deed: 'believe', frameId: init.id, jwt },
    ],
  ]
}

const NOT_YET = 'init has not been answered yet'

const asked = (session: Session, frame: Frame): Deed => {
  if (session.state !== 'live') return refuse(frame, problem('malformed_request', { reason: NOT_YET }))
  const read = readRequest(frame)
  if ('request' in read)
    return { deed: 'ask', frameId: frame.id, request: read.request, bytes: frame.payload.length }
  const { status, code, message } = read.refused
  return { deed: 'send', frame: answer(frame.id, { status, body: { status, code, message } }) }
}

const renewing = (session: Session, frame: Frame): Deed => {
  if (session.state !== 'live') return refuse(frame, problem('malformed_request', { reason: NOT_YET }))
  const { token } = frame.header
  return { deed: 'believe', frameId: frame.id, jwt: typeof token === 'string' ? token : '' }
}

/**
 * Elsewhere a token may be a minute past its end, for clocks that differ. Not here: a client whose connection was
 * closed at that end comes back with the same token to be told so.
 */
const believed = (
  session: Session,
  { frameId, token }: { frameId: string; token: AccessToken },
  given: Given,
): Step => {
  if (token.expiresAt <= given.now)
    return refused(session, frameId, expired(token.expiresAt, given.now), given)
  if (session.state === 'admitting') return [session, [{ deed: 'arrive', frameId, token }]]
  if (session.state !== 'live') return [session, []]
  const why = whyNotRenewed(session.token, token)
  if (why) return refused(session, frameId, why, given)
  return [
    { state: 'live', token, isWarned: false },
    [
      { deed: 'renew', token },
      { deed: 'send', frame: acceptance(frameId) },
      { deed: 'wake', at: warnedAt(token, given.now) },
    ],
  ]
}

/** A connection stays one person's, in one service: who is somebody else now must come in by the door. */
const whyNotRenewed = (before: AccessToken, after: AccessToken): Problem | undefined => {
  const [was, is] = [serviceOf(before), serviceOf(after)]
  if (is === NO_GRANT) return problem('token_grants', { reason: 'it has no chat grant' })
  if (after.accountSid !== before.accountSid)
    return problem('access_denied', { reason: 'the new token is for another account' })
  if (is !== was) return problem('access_denied', { reason: 'the new token is for another service' })
  if (after.identity !== before.identity)
    return problem('access_denied', { reason: 'the new token is for another identity' })
  return undefined
}

const NO_GRANT = Symbol('no chat grant')

/** The grant of very old libraries is called `ip_messaging`. */
const serviceOf = ({ grants }: AccessToken): unknown => {
  const grant = grants.chat ?? grants.ip_messaging
  return isRecord(grant) ? grant.service_sid : NO_GRANT
}

const admitted = (init: Frame, token: AccessToken, { now, newId }: Given): Step => {
  const shownToken = init.header.continuation_token
  const isKnown = typeof shownToken === 'string' && CONTINUATION.test(shownToken)
  const reply = acceptance(init.id, {
    capabilities: ['client_update'],
    continuation_token: isKnown ? shownToken : newId().slice(2),
    continuation_token_status: isKnown ? { reissued: false } : reissuedFor(shownToken),
    init_registrations: registrationsOf(init, newId),
  })
  return [
    { state: 'live', token, isWarned: false },
    [
      { deed: 'send', frame: reply },
      { deed: 'wake', at: warnedAt(token, now) },
    ],
  ]
}

/** It opens nothing and says nothing: what a client missed is told by the event numbers of what it follows. */
const CONTINUATION = /^[0-9a-f]{32}$/

const reissuedFor = (shownToken: unknown): object =>
  shownToken === undefined || shownToken === null
    ? { reissued: true, reissue_reason: 'MISSING', reissue_message: 'Continuation token is not provided' }
    : { reissued: true, reissue_reason: 'INVALID', reissue_message: 'Continuation token is not one of ours' }

const registrationsOf = ({ header }: Frame, newId: NewFrameId): object[] => {
  const { registrations } = header
  if (!Array.isArray(registrations)) return []
  return registrations
    .filter(isRecord)
    .slice(0, REGISTRATIONS_MAX)
    .map(({ type, product, message_types: types }) => ({
      notification_ctx_id: newId().slice(2),
      type: word(type),
      product: word(product),
      message_types: Array.isArray(types) ? types.slice(0, MESSAGE_TYPES_MAX).map(word) : [],
    }))
}

const word = (value: unknown): string => (typeof value === 'string' ? value.slice(0, WORD_LENGTH_MAX) : '')

/** Three minutes before its end, or in the middle of what is left where that is less. */
const warnedAt = ({ expiresAt }: AccessToken, now: number): number => {
  const left = expiresAt - now
  if (left > WARNED_BEFORE_MS) return expiresAt - WARNED_BEFORE_MS
  return left < WARNED_AT_ONCE_MS ? now : now + Math.floor(left / 2)
}

/** A client that is not let in is told why and leaves. One that is in keeps what it has until that ends. */
const refused = (session: Session, frameId: string, why: Problem, { now }: Given): Step => {
  const told: Deed[] = [
    {
      deed: 'log',
      says: session.state === 'live' ? 'a token was not renewed' : 'a client was not let in',
      fields: { status: why.status, code: why.code, reason: why.message },
    },
    { deed: 'send', frame: refusal(frameId, why) },
  ]
  if (session.state === 'live') return [session, told]
  return [
    { state: 'closing', code: POLICY, reason: `${why.code}: ${why.message}` },
    [...told, { deed: 'wake', at: now + REFUSED_LEAVES_MS }],
  ]
}

const woken = (session: Session, { now, newId }: Given): Step => {
  if (session.state === 'fresh') return ending(POLICY, 'init did not come in time')
  if (session.state !== 'live') return [session, []]
  const { token, isWarned } = session
  // No close frame: the published clients would lose a token that their app brings within the next three seconds.
  if (now >= token.expiresAt) return ending(POLICY, 'the access token expired')
  if (isWarned) return [session, [{ deed: 'wake', at: token.expiresAt }]]
  return [
    { state: 'live', token, isWarned: true },
    [
      { deed: 'send', frame: tokenAboutToExpire(newId) },
      { deed: 'wake', at: token.expiresAt },
    ],
  ]
}

const refuse = ({ id }: Frame, why: Problem): Deed => ({ deed: 'send', frame: refusal(id, why) })

const malformed = (fault: string): Step => ending(PROTOCOL_ERROR, `malformed frame: ${fault}`)

const ending = (code: number, reason: string): Step => {
  const [session, deeds] = closed({ state: 'closing', code, reason })
  return [session, [{ deed: 'log', says: 'a connection was ended', fields: { reason } }, ...deeds]]
}

const closed = (session: Session & { state: 'closing' }): Step => [
  session,
  [{ deed: 'close', code: session.code, reason: session.reason }],
]

const shown = (method: string): string => JSON.stringify(method.slice(0, WORD_LENGTH_MAX / 2))
