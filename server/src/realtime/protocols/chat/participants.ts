/** Who is in a channel, and who is invited to it. */
import { Invite } from '@parley/contract/chat/invite.ts'
import { Member } from '@parley/contract/chat/member.ts'
import { problem } from '@parley/contract/problem.ts'
import { find } from '../../../store/rows.ts'
import type { TunnelledAnswer } from '../../client.ts'
import { type Asked, inChannel, seenChannel } from './asked.ts'
import { formOf } from './form.ts'
import { shownParticipant } from './shown.ts'

export const createParticipant = async (asked: Asked, channelSid: string): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, body } = asked
  const path = { serviceSid, channelSid }
  const form = formOf(body, ['identity', 'attributes'])
  const member = await inChannel(asked, channelSid, api.perform(Member, 'create', { token, path, form }))
  return { status: 201, body: shownParticipant(asked, member) }
}

/** @param sid a member's SID or identity, here and below */
export const fetchParticipant = async (
  asked: Asked,
  channelSid: string,
  sid: string,
): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid } = asked
  const path = { serviceSid, channelSid, sid }
  const member = await inChannel(asked, channelSid, api.perform(Member, 'fetch', { token, path }))
  return { status: 200, body: shownParticipant(asked, member) }
}

export const updateParticipant = async (
  asked: Asked,
  channelSid: string,
  sid: string,
): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, body } = asked
  const path = { serviceSid, channelSid, sid }
  const form = formOf(body, ['attributes'])
  const member = await inChannel(asked, channelSid, api.perform(Member, 'update', { token, path, form }))
  return { status: 200, body: shownParticipant(asked, member) }
}

export const deleteParticipant = async (
  asked: Asked,
  channelSid: string,
  sid: string,
): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid } = asked
  const path = { serviceSid, channelSid, sid }
  await inChannel(asked, channelSid, api.perform(Member, 'delete', { token, path }))
  return { status: 204 }
}

export const createInvite = async (asked: Asked, channelSid: string): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, body } = asked
  const path = { serviceSid, channelSid }
  const form = formOf(body, ['identity'])
  const invite = await inChannel(asked, channelSid, api.perform(Invite, 'create', { token, path, form }))
  return {
    status: 201,
    body: { sid: invite.sid, conversation_sid: invite.channel_sid, identity: invite.identity },
  }
}

/**
 * Declines an invitation, or takes one back.
 * @throws 20404 where nobody of that identity is invited
 */
export const deleteInvite = async (
  asked: Pick<Asked, 'api' | 'token' | 'serviceSid'>,
  channelSid: string,
  identity: string,
): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid } = asked
  const channel = await seenChannel(asked, channelSid)
  const invite = await find(api.reader, 'invites', { channel_sid: channel.sid, identity })
  if (!invite) throw problem('not_found', { path: `Invites/${identity}` })
  const path = { serviceSid, channelSid: channel.sid, sid: invite.sid }
  await api.perform(Invite, 'delete', { token, path })
  return { status: 204 }
}
