/** Agents who have a task give it to another or to a queue, cold and warm, and some take it back. */
import { cancelTransfer, startTransfer } from '../../src/taskrouter/index.ts'
import { someAttributes } from './centre.ts'
import type { Chance } from './chance.ts'
import { ACCOUNT, type Stage } from './stage.ts'

/** To how many an agent would give a task at once, if the first will not do. */
const TRIES_MAX = 3

export interface Gives {
  readonly stage: Stage
  readonly chance: Chance
  readonly workspaceSid: string
  readonly workers: readonly string[]
  readonly queueSids: readonly string[]
  readonly names: readonly string[]
}

/** An agent's reservation, accepted. */
export interface InHand {
  readonly sid: string
  readonly taskSid: string
  readonly workerSid: string
}

const actor = { kind: 'client', identity: 'agent' } as const

/** @returns the SID of the transfer; undefined where nobody would do */
export const give = async (
  { stage, chance, workspaceSid, workers, queueSids, names }: Gives,
  { sid: reservationSid, taskSid, workerSid }: InHand,
): Promise<string | undefined> => {
  const wanted = {
    ...{ accountSid: ACCOUNT, workspaceSid, workerSid, taskSid, reservationSid, actor },
    mode: chance.percent(50) ? 'WARM' : 'COLD',
    ...(chance.percent(20) && { priority: chance.int(0, 6) }),
    ...(chance.percent(20) && { attributes: someAttributes.task(chance, names) }),
  } as const
  const tos = Array.from({ length: TRIES_MAX }, () =>
    chance.percent(65) ? chance.pick(workers) : chance.pick(queueSids),
  )
  for (const to of tos) {
    const kind = to.startsWith('WK') ? 'a worker' : 'a queue'
    const transfer = await stage.run(`${wanted.mode} transfer to ${kind}`, (tx) =>
      startTransfer(tx, { ...wanted, to }),
    )
    if (transfer) return transfer.sid
  }
  return undefined
}

export const takeBack = (
  { stage, workspaceSid }: Gives,
  { taskSid, workerSid }: InHand,
  transferSid: string,
): Promise<unknown> =>
  stage.run('cancel a transfer', (tx) =>
    cancelTransfer(tx, { accountSid: ACCOUNT, workspaceSid, workerSid, taskSid, transferSid, actor }),
  )
