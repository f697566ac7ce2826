/** Everything that `ChatClient` fails with. */

/**
 * What went wrong, in kinds that an app acts upon:
 *
 * - `token`: the access token is not believed, or `getToken` failed
 * - `forbidden`: this user may not do that
 * - `missing`: there is no such thing, or this user does not see it
 * - `conflict`: it is there already
 * - `invalid`: the request can never succeed as it is
 * - `limited`: too many requests
 * - `server`: trouble of the server's own
 * - `lost`: the connection ended before the answer came; it may have been done all the same
 * - `timeout`: no answer came in time; likewise
 * - `closed`: the client was closed, or was never connected
 */
export type ChatErrorKind =
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

/** What to do about a kind of error. */
const ADVICE: Readonly<Record<ChatErrorKind, string>> = {
  token: 'Let getToken mint a fresh token for this account, chat service and identity, then connect again.',
  forbidden: "Give the user's role the permission, or let a back end do it.",
  missing: 'It was removed, never was, or is private to others: look at the list again.',
  conflict: 'It is there already: use that one, or another name.',
  invalid: 'Correct the request: the same again will fail again.',
  limited: 'Wait a few seconds, then ask again, and less often.',
  server: "Try again later; the server's log says why.",
  lost: 'It may have been done: look before doing it again. The client reconnects by itself.',
  timeout: 'It may have been done: look before doing it again.',
  closed: 'Make a new ChatClient, or call connect() first.',
}

/** Where a code says more than its kind. */
const ADVICE_BY_CODE: Readonly<Record<number, string>> = {
  20103: 'Mint the token with an API key of the account that it names.',
  20104: 'getToken must return a new token each time, not one that it keeps.',
  20105: 'The clock of the machine that mints tokens is ahead: set it.',
  20106: 'Add a chat grant to the token, with the SID of a chat service of its account.',
  20107: "Mint the token with the API key's own secret.",
  50208: 'The user is in as many channels as the service allows: leave some, or raise Limits.UserChannels.',
  50400: 'Join the channel first.',
  50403: 'The channel is as full as the service allows: remove members, or raise Limits.ChannelMembers.',
  50056: 'The pre-event webhook refused it: tell the user so.',
  54007: 'Join the channel first.',
  50504: 'Shorten the message, or send it as a file.',
}

/** Everything that `ChatClient` rejects with, and emits as `error`. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly kind: ChatErrorKind
  /** Twilio's error code, or 0 where the server did not speak. */
  readonly code: number
  /** As HTTP has it, or 0 where the server did not speak. */
  readonly status: number
  /** What to do about it, in a sentence. */
  readonly advice: string

  constructor(kind: ChatErrorKind, message: string, code = 0, status = 0, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.status = status
    this.advice = ADVICE_BY_CODE[code] ?? ADVICE[kind]
  }
}

/** Access tokens are refused with codes of their own. */
const isTokenCode = (code: number): boolean => code >= 20101 && code <= 20199

/** A refusal of the server's. */
export const refusal = (status: number, code = 0, message = `The server answered ${status}`): ChatError =>
  new ChatError(kindOf(status, code), message, code, status)

const kindOf = (status: number, code: number): ChatErrorKind => {
  if (isTokenCode(code) || status === 401) return 'token'
  if (status === 403) return 'forbidden'
  if (status === 404 || status === 410) return 'missing'
  if (status === 409) return 'conflict'
  if (status === 429) return 'limited'
  return status >= 500 ? 'server' : 'invalid'
}
