/** An agent joins a channel: asked for by the agent's own desktop, or by the account. */
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import { AGENT_ROLES, ChannelUser } from '@parley/contract/flex/channel-user.ts'
import { problem } from '@parley/contract/problem.ts'
import { addMember, ensureUser, findMember, findService, lockChannel } from '../chat/index.ts'
import { bind } from '../http/binding.ts'
import type { Tx } from '../store/tx.ts'
import { AGENT_MEMBER } from './attributes.ts'
import { isDesk } from './desk.ts'
import { roleSidOf } from './role.ts'

export interface JoinWanted {
  readonly accountSid: string
  readonly channelSid: string
  readonly identity: string
  /** For a chat user that does not exist yet. */
  readonly friendlyName?: string | undefined
  readonly actor: Actor
}

export interface Joined {
  readonly channel: ChannelRow
  readonly member: MemberRow
  readonly how: 'joined' | 'already member'
}

/** Makes an agent a member of a chat channel. @returns undefined where the account has no such channel */
export const joinAgent = async (
  tx: Tx,
  { accountSid, channelSid, identity, friendlyName, actor }: JoinWanted,
): Promise<Joined | undefined> => {
  const channel = await lockChannel(tx, accountSid, channelSid)
  const service = channel && (await findService(tx, accountSid, channel.service_sid))
  if (!channel || !service) return undefined
  const already = await findMember(tx, channel.sid, identity)
  if (already) return { channel, member: already, how: 'already member' }
  await ensureUser(tx, { service, identity, friendlyName, actor })
  const member = await addMember(tx, {
    service,
    channel,
    identity,
    roleSid: await roleSidOf(tx, service, 'agent'),
    attributes: AGENT_MEMBER,
    reason: 'JOINED',
    actor,
  })
  return { channel, member, how: 'joined' }
}

const isRole = (it: string): boolean => (AGENT_ROLES as readonly string[]).includes(it)

export const channelUser = bind(ChannelUser, {
  create: async (tx, { accountSid, actor, token, path, input }) => {
    const { identity } = input
    if (token && !isDesk(token))
      throw problem('access_denied', { reason: 'the access token is not that of an agent' })
    if (token && token.identity !== identity)
      throw problem('access_denied', { reason: 'Identity is not the identity of the access token' })
    const joined = isRole(path.role)
      ? await joinAgent(tx, { accountSid, channelSid: path.channelSid, identity, actor })
      : undefined
    if (!joined) throw problem('not_found', { path: `/Channels/${path.channelSid}/Roles/${path.role}/Users` })
    if (joined.how === 'already member') throw problem('flex_already_member', { identity })
    return {
      account_sid: accountSid,
      channel_sid: joined.channel.sid,
      member_sid: joined.member.sid,
      identity,
    }
  },
})
