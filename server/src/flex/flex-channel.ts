/** Flex Channels: the conversations of an account, whichever way they began. */
import { FlexChannel } from '@parley/contract/flex/channel.ts'
import { deleteChannel, lockChannel } from '../chat/index.ts'
import { bind, type Call } from '../http/binding.ts'
import type { Tx } from '../store/tx.ts'
import { engage } from './engage.ts'
import { engagementsOf, findEngagement, forget } from './engagement.ts'
import { requireFlexFlow } from './flex-flow.ts'

/** Tells whether a channel was `made` or `found`. */
export const HOW_HEADER = 'Parley-Channel'

/** Deletes a conversation with its chat channel. @returns whether there was one */
export const deleteConversation = async (
  tx: Tx,
  { accountSid, actor }: Call,
  sid: string,
): Promise<boolean> => {
  const channel = await lockChannel(tx, accountSid, sid)
  if (!(await forget(tx, accountSid, sid, actor))) return false
  if (channel) await deleteChannel(tx, { channel, actor })
  return true
}

export const flexChannel = bind(FlexChannel, {
  list: (reader, { accountSid, page }) => engagementsOf(reader, { accountSid }, page),
  fetch: (reader, { accountSid, path }) => findEngagement(reader, accountSid, path.sid),
  create: async (tx, { accountSid, actor, input, say }) => {
    const flow = await requireFlexFlow(tx, accountSid, input.flexFlowSid)
    const { engagement, how } = await engage(
      tx,
      {
        kind: 'channel',
        flow,
        identity: input.identity,
        userFriendlyName: input.chatUserFriendlyName,
        chatFriendlyName: input.chatFriendlyName,
        uniqueName: input.chatUniqueName,
        target: input.target || null,
        from: input.target || input.chatUserFriendlyName,
        preEngagementData: input.preEngagementData || undefined,
        taskSid: input.taskSid,
        taskAttributes: input.taskAttributes,
        longLived: input.longLived ?? flow.long_lived === 1,
      },
      actor,
    )
    say(HOW_HEADER, how)
    return engagement
  },
  delete: (tx, call) => deleteConversation(tx, call, call.path.sid),
})
