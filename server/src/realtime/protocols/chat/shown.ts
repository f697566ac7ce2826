/** Channels and what is in them as the chat client API shows them: in the words of Conversations. */
import type { Member } from '@parley/contract/chat/member.ts'
import type { Message } from '@parley/contract/chat/message.ts'
import type { UserChannelRow } from '@parley/contract/chat/user-channel.ts'
import type { RowOf } from '@parley/contract/resource.ts'
import { FOLLOWED } from '../../../chat/index.ts'
import { iso } from '../sync/data.ts'
import type { Asked, ChannelAnswer } from './asked.ts'

/** The host is a word: what is asked of it comes through the tunnel. */
const AIM = 'https://aim.us1.twilio.com/Client'

type Where = Pick<Asked, 'version' | 'serviceSid'>

/** `Configuration`, or what is in the service. */
export const addressOf = ({ version }: Pick<Asked, 'version'>, path: string): string =>
  `${AIM}/${version}/${path}`

export const inServiceAddress = (at: Where, path: string): string =>
  addressOf(at, `Services/${at.serviceSid}/${path}`)

const conversationAddress = (at: Where, sid: string): string => inServiceAddress(at, `Conversations/${sid}`)

/** A channel, and how the client stands to it where it does. */
export const shownConversation = (
  at: Where,
  channel: ChannelAnswer,
  standing: UserChannelRow | undefined,
): object => {
  const url = conversationAddress(at, channel.sid)
  return {
    sid: channel.sid,
    friendly_name: channel.friendly_name,
    unique_name: channel.unique_name,
    attributes: channel.attributes,
    type: channel.type,
    created_by: channel.created_by,
    date_created: iso(channel.date_created),
    date_updated: iso(channel.date_updated),
    messages_count: channel.messages_count,
    participants_count: channel.members_count,
    url,
    links: {
      self: url,
      messages: `${url}/Messages`,
      participants: `${url}/Participants`,
      invites: `${url}/Invites`,
    },
    sync_objects: {
      conversation: FOLLOWED.document(channel.sid),
      messages: FOLLOWED.messages(channel.sid),
      participants: FOLLOWED.roster(channel.sid),
    },
    ...(standing ? shownStanding(at, standing) : {}),
  }
}

/** How a client stands to a channel: `last_read_message_index` is what Conversations call the horizon. */
export const shownStanding = ({ version }: Pick<Asked, 'version'>, standing: UserChannelRow) => ({
  conversation_sid: standing.channel_sid,
  participant_sid: standing.member_sid,
  status: standing.status,
  [version === 'v1' ? 'last_consumed_message_index' : 'last_read_message_index']:
    standing.last_consumed_message_index,
  unread_messages_count: standing.unread_messages_count,
  notification_level: standing.notification_level,
})

export const shownParticipant = (at: Where, member: RowOf<typeof Member>) => ({
  sid: member.sid,
  conversation_sid: member.channel_sid,
  identity: member.identity,
  role_sid: member.role_sid,
  attributes: member.attributes,
  date_created: iso(member.date_created),
  date_updated: iso(member.date_updated),
  url: `${conversationAddress(at, member.channel_sid)}/Participants/${member.sid}`,
})

export const shownMessage = (at: Where, message: RowOf<typeof Message>) => ({
  sid: message.sid,
  index: message.index,
  conversation_sid: message.channel_sid,
  author: message.from,
  body: message.body,
  attributes: message.attributes,
  media: message.media === null ? null : (JSON.parse(message.media) as unknown),
  date_created: iso(message.date_created),
  date_updated: iso(message.date_updated),
  url: `${conversationAddress(at, message.channel_sid)}/Messages/${message.sid}`,
})
