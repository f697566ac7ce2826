/** Hand-over: the agent who accepted a task joins the chat channel that the task is about, as their own action. */
import type { WorkerRow } from '@parley/contract/taskrouter/worker.ts'
import { reaction } from '../events/react.ts'
import type { Tx } from '../store/tx.ts'
import { asObject, channelSidOf } from './attributes.ts'
import { joinAgent } from './channel-user.ts'

/** Makes a worker a member of a chat channel, by their name as identity. */
export const joinWorker = async (
  tx: Tx,
  channelSid: string,
  worker: Pick<WorkerRow, 'account_sid' | 'friendly_name' | 'attributes'>,
): Promise<void> => {
  const identity = worker.friendly_name
  const { full_name: fullName } = asObject(worker.attributes)
  await joinAgent(tx, {
    accountSid: worker.account_sid,
    channelSid,
    identity,
    friendlyName: typeof fullName === 'string' && fullName ? fullName : identity,
    actor: { kind: 'client', identity },
  })
}

export const handOver = reaction({
  name: 'flex: hand over to the agent',
  to: ['reservation.accepted'],
  react: async (tx, { task, worker }) => {
    const channelSid = channelSidOf(task.attributes)
    if (channelSid === undefined) return
    await joinWorker(tx, channelSid, worker)
  },
})
