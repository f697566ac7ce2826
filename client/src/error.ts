/** Everything that `ChatClient` fails with. */
import { type Advice, COMMON_ADVICE, Failure, type FailureKind, kindOf } from './failure.ts'

export type ChatErrorKind = FailureKind

const ADVICE: Advice = {
  byKind: {
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
  },
  byCode: {
    ...COMMON_ADVICE,
    20106: 'Add a chat grant to the token, with the SID of a chat service of its account.',
    50208: 'The user is in as many channels as the service allows: leave some, or raise Limits.UserChannels.',
    50400: 'Join the channel first.',
    50403: 'The channel is as full as the service allows: remove members, or raise Limits.ChannelMembers.',
    50056: 'The pre-event webhook refused it: tell the user so.',
    54007: 'Join the channel first.',
    50504: 'Shorten the message, or send it as a file.',
  },
}

/** Everything that `ChatClient` rejects with, and emits as `error`. */
export class ChatError extends Failure {
  override readonly name = 'ChatError'

  constructor(kind: ChatErrorKind, message: string, code = 0, status = 0, cause?: unknown) {
    super(ADVICE, kind, message, code, status, cause)
  }
}

/** A refusal of the server's. */
export const refusal = (status: number, code = 0, message = `The server answered ${status}`): ChatError =>
  new ChatError(kindOf(status, code), message, code, status)
