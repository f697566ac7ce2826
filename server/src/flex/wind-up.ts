/**
 * Wind-up: when an agent is done with a task, or it is taken from everybody, the channel it is about becomes INACTIVE
 * and the agent leaves it. Middleware hears of it as of the agent's own action.
 */
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import { lockChannel, membersOf, removeMember, updateChannel } from '../chat/index.ts'
import { reaction } from '../events/react.ts'
import type { Tx } from '../store/tx.ts'
import { changed, channelSidOf, INACTIVE, isAgent, saysOver } from './attributes.ts'
import { type EngagementRow, findEngagement } from './engagement.ts'
import { dismissGuests } from './guest.ts'

/** What a task is about, locked; nothing where the channel is gone or has begun anew with another task. */
const conversationOf = async (tx: Tx, accountSid: string, task: TaskRow) => {
  const channelSid = channelSidOf(task.attributes)
  const channel = channelSid === undefined ? undefined : await lockChannel(tx, accountSid, channelSid)
  if (!channel) return undefined
  const engagement = await findEngagement(tx, accountSid, channel.sid)
  if (engagement && isOfThePast(task, engagement)) return undefined
  const agents = (await membersOf(tx, channel.sid)).filter((it) => isAgent(it.attributes))
  return { channel, engagement, agents }
}

/** A long-lived channel may have begun anew while the agent was still wrapping up. */
const isOfThePast = (task: TaskRow, engagement: EngagementRow): boolean =>
  task.sid !== engagement.task_sid && task.date_created < engagement.started_at

/** Who ends it: the client who did, else the agent in the channel, else the API; webhooks hear of all of them. */
const whoEnds = (actor: Actor, [agent]: readonly MemberRow[]): Actor => {
  if (actor.kind === 'client') return actor
  return agent ? { kind: 'client', identity: agent.identity } : { kind: 'api', webhooks: true }
}

const deactivate = async (tx: Tx, channel: ChannelRow, actor: Actor): Promise<void> => {
  if (saysOver(channel.attributes)) return
  const attributes = changed(channel.attributes, { status: INACTIVE })
  await updateChannel(tx, { channel, changes: { attributes }, actor })
}

export const windUp = reaction({
  name: 'flex: wind up',
  to: ['task.wrapup'],
  react: async (tx, { accountSid, actor, task }) => {
    const it = await conversationOf(tx, accountSid, task)
    if (it) await deactivate(tx, it.channel, whoEnds(actor, it.agents))
  },
})

export const leave = reaction({
  name: 'flex: wind up and leave',
  to: ['task.completed', 'task.canceled', 'task.deleted'],
  react: async (tx, { accountSid, actor, task }) => {
    const it = await conversationOf(tx, accountSid, task)
    if (!it) return
    await deactivate(tx, it.channel, whoEnds(actor, it.agents))
    for (const member of it.agents) {
      const agent: Actor = { kind: 'client', identity: member.identity }
      await removeMember(tx, { channel: it.channel, member, reason: 'LEFT', actor: agent })
    }
    if (it.engagement) await dismissGuests(tx, it.engagement)
  },
})
