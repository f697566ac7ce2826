/** Hand-over: the agent who accepted a task joins the chat channel that the task is about, as their own action. */
import { reaction } from '../events/react.ts'
import { asObject, channelSidOf } from './attributes.ts'
import { joinAgent } from './channel-user.ts'

export const handOver = reaction({
  name: 'flex: hand over to the agent',
  to: ['reservation.accepted'],
  react: async (tx, { accountSid, task, worker }) => {
    const channelSid = channelSidOf(task.attributes)
    if (channelSid === undefined) return
    const identity = worker.friendly_name
    const { full_name: fullName } = asObject(worker.attributes)
    await joinAgent(tx, {
      accountSid,
      channelSid,
      identity,
      friendlyName: typeof fullName === 'string' && fullName ? fullName : identity,
      actor: { kind: 'client', identity },
    })
  },
})
