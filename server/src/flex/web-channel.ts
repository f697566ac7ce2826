/**
 * Web Channels: the conversations of visitors' browsers. A visitor asks with their own token, for nobody else, on a
 * web flow that is enabled, and has one conversation at a time on it.
 */
import { PreviewWebChannel } from '@parley/contract/flex/preview.ts'
import { WebChannel } from '@parley/contract/flex/web-channel.ts'
import { problem } from '@parley/contract/problem.ts'
import type { InputFor } from '@parley/contract/resource.ts'
import { lockChannel, updateChannel } from '../chat/index.ts'
import { bind, type Call } from '../http/binding.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { changed, INACTIVE } from './attributes.ts'
import { engage } from './engage.ts'
import { type EngagementRow, engagementsOf, FLEX, findEngagement } from './engagement.ts'
import { deleteConversation, HOW_HEADER } from './flex-channel.ts'
import { requireFlexFlow } from './flex-flow.ts'

const findWebChannel = async (
  reader: Reader,
  { accountSid, token }: Call,
  sid: string,
): Promise<EngagementRow | undefined> => {
  const it = await findEngagement(reader, accountSid, sid)
  if (it?.kind !== 'web') return undefined
  return token && token.identity !== it.identity ? undefined : it
}

const createWebChannel = async (
  tx: Tx,
  { accountSid, token, actor, input, say }: Call<object, InputFor<typeof WebChannel, 'create'>>,
): Promise<EngagementRow> => {
  if (token && token.identity !== input.identity)
    throw problem('access_denied', { reason: 'Identity is not the identity of the access token' })
  const flow = await requireFlexFlow(tx, accountSid, input.flexFlowSid)
  if (token && (flow.channel_type !== 'web' || flow.enabled !== 1))
    throw problem('access_denied', { reason: `Flex Flow ${flow.sid} is not open to visitors` })
  const longLived = flow.long_lived === 1
  const { engagement, how } = await engage(
    tx,
    {
      kind: 'web',
      flow,
      identity: input.identity,
      userFriendlyName: input.customerFriendlyName,
      chatFriendlyName: input.chatFriendlyName,
      uniqueName: input.chatUniqueName,
      target: token || longLived ? input.identity : null,
      from: input.customerFriendlyName,
      preEngagementData: input.preEngagementData || undefined,
      taskSid: undefined,
      taskAttributes: undefined,
      longLived,
    },
    // A visitor asks; Flex makes the channel, as `system`.
    token ? FLEX : actor,
  )
  say(HOW_HEADER, how)
  return engagement
}

export const webChannel = bind(WebChannel, {
  list: (reader, { accountSid, page }) => engagementsOf(reader, { accountSid, kind: 'web' }, page),
  fetch: (reader, call) => findWebChannel(reader, call, call.path.sid),
  create: createWebChannel,
  update: async (tx, call) => {
    const { accountSid, actor, input, path } = call
    const found = await findWebChannel(tx, call, path.sid)
    const channel = found && (await lockChannel(tx, accountSid, found.sid))
    if (!channel) return found
    const changes = {
      ...(input.chatStatus === 'inactive' ? { status: INACTIVE } : {}),
      ...(input.postEngagementData ? { post_engagement_data: JSON.parse(input.postEngagementData) } : {}),
    }
    const attributes = changed(channel.attributes, changes)
    if (Object.keys(changes).length > 0 && attributes !== channel.attributes)
      await updateChannel(tx, { channel, changes: { attributes }, actor })
    return found
  },
  delete: (tx, call) => deleteConversation(tx, call, call.path.sid),
})

export const previewWebChannel = bind(PreviewWebChannel, { create: createWebChannel })
