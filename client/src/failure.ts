/** What every error of ours has in common. */

/**
 * What went wrong, in kinds that an app acts upon:
 *
 * - `token`: the access token is not believed, or `getToken` failed
 * - `forbidden`: this user may not do that
 * - `missing`: there is no such thing, or this user does not see it
 * - `conflict`: it is there already, or has changed meanwhile
 * - `invalid`: the request can never succeed as it is
 * - `limited`: too many requests
 * - `server`: trouble of the server's own
 * - `lost`: the connection ended before the answer came; it may have been done all the same
 * - `timeout`: no answer came in time; likewise
 * - `closed`: the client was closed, or was never connected
 */
export type FailureKind =
  | 'token'
  | 'forbidden'
  | 'missing'
  | 'conflict'
  | 'invalid'
  | 'limited'
  | 'server'
  | 'lost'
  | 'timeout'
  | 'closed'

/** What to do about an error, in sentences. */
export interface Advice {
  readonly byKind: Readonly<Record<FailureKind, string>>
  /** Where a code says more than its kind. */
  readonly byCode: Readonly<Record<number, string>>
}

export abstract class Failure extends Error {
  readonly kind: FailureKind
  /** Twilio's error code, or 0 where the server did not speak. */
  readonly code: number
  /** As HTTP has it, or 0 where the server did not speak. */
  readonly status: number
  /** What to do about it, in a sentence. */
  readonly advice: string

  constructor(
    advice: Advice,
    kind: FailureKind,
    message: string,
    code: number,
    status: number,
    cause: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.status = status
    this.advice = advice.byCode[code] ?? advice.byKind[kind]
  }
}

export type FailureClass<Fault extends Failure> = new (
  kind: FailureKind,
  message: string,
  code?: number,
  status?: number,
  cause?: unknown,
) => Fault

/** What may be met whatever is asked. */
export const COMMON_ADVICE: Readonly<Record<number, string>> = {
  20103: 'Mint the token with an API key of the account that it names.',
  20104: 'getToken must return a new token each time, not one that it keeps.',
  20105: 'The clock of the machine that mints tokens is ahead: set it.',
  20107: "Mint the token with the API key's own secret.",
  20503: 'Try again in a few seconds; look first where the message does not say that nothing was changed.',
}

/** The status of what the server cannot do right now. */
export const UNAVAILABLE = 503

/** How soon what only reads is then asked again, in milliseconds. */
export const AGAIN_MS = 2_000

/** Access tokens are refused with codes of their own. */
const isTokenCode = (code: number): boolean => code >= 20101 && code <= 20199

/** The kind of a refusal. */
export const kindOf = (status: number, code: number): FailureKind => {
  if (isTokenCode(code) || status === 401) return 'token'
  if (status === 403) return 'forbidden'
  if (status === 404 || status === 410) return 'missing'
  if (status === 409 || status === 412) return 'conflict'
  if (status === 429) return 'limited'
  return status >= 500 ? 'server' : 'invalid'
}
