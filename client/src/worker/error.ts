/** Everything that `WorkerClient` fails with. */
import { type Advice, COMMON_ADVICE, Failure, type FailureKind, kindOf } from '../failure.ts'

export type WorkerErrorKind = FailureKind

const ADVICE: Advice = {
  byKind: {
    token: 'Let getToken mint a fresh token for this account, workspace and worker, then connect again.',
    forbidden: 'A worker acts for themselves and on tasks that they have: ask with their own token.',
    missing: 'It was removed, or never was: look at the list again.',
    conflict: 'It has changed meanwhile: look at it again.',
    invalid: 'Correct the request, or look whether it has ended meanwhile: the same again will fail again.',
    limited: 'Wait a few seconds, then ask again, and less often.',
    server: "Try again later; the server's log says why.",
    lost: 'It may have been done: look before doing it again. The client reconnects by itself.',
    timeout: 'It may have been done: look before doing it again.',
    closed: 'Make a new WorkerClient, or call connect().',
  },
  byCode: {
    ...COMMON_ADVICE,
    20106: 'Add a TaskRouter grant to the token, with the SIDs of a workspace and of a worker in it.',
  },
}

/** Everything that `WorkerClient` rejects with, and emits as `error`. */
export class WorkerError extends Failure {
  override readonly name = 'WorkerError'

  constructor(kind: WorkerErrorKind, message: string, code = 0, status = 0, cause?: unknown) {
    super(ADVICE, kind, message, code, status, cause)
  }
}

/** A refusal of the server's. */
export const refusal = (status: number, code = 0, message = `The server answered ${status}`): WorkerError =>
  new WorkerError(kindOf(status, code), message, code, status)
