/** Rows as the published clients see them: the old words of Programmable Chat, moments in ISO 8601. */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { InviteRow } from '@parley/contract/chat/invite.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import type { MessageRow } from '@parley/contract/chat/message.ts'
import type { UserRow } from '@parley/contract/chat/user.ts'
import { FOLLOWED } from '../../../chat/index.ts'

export const iso = (at: number): string => new Date(at).toISOString()

/** A channel's document. Without a message there is no `lastMessage`. */
export const documentData = (channel: ChannelRow) => ({
  sid: channel.sid,
  friendlyName: channel.friendly_name,
  uniqueName: channel.unique_name,
  attributes: JSON.parse(channel.attributes) as unknown,
  type: channel.type,
  createdBy: channel.created_by,
  dateCreated: iso(channel.date_created),
  dateUpdated: iso(channel.date_updated),
  messages: FOLLOWED.messages(channel.sid),
  roster: FOLLOWED.roster(channel.sid),
  state: { current: 'active', dateUpdated: iso(channel.date_created) },
  ...(channel.last_message_index === null || channel.last_message_at === null
    ? {}
    : { lastMessage: { index: channel.last_message_index, timestamp: iso(channel.last_message_at) } }),
})

interface Media {
  readonly sid: string
  readonly filename: string | null
  readonly content_type: string
  readonly size: number
}

/** An item of a channel's messages. */
export const messageData = (message: Omit<MessageRow, 'to'>) => {
  const media = message.media === null ? undefined : (JSON.parse(message.media) as Media)
  return {
    sid: message.sid,
    text: message.body,
    author: message.from,
    memberSid: message.member_sid,
    attributes: message.attributes,
    timestamp: iso(message.date_created),
    dateUpdated: iso(message.date_updated),
    lastUpdatedBy: message.was_edited === 1 ? message.last_updated_by : null,
    type: message.type,
    ...(media
      ? {
          media: {
            sid: media.sid,
            filename: media.filename,
            contentType: media.content_type,
            size: media.size,
          },
        }
      : {}),
  }
}

/** An item of a channel's roster. */
export const memberData = (member: MemberRow) => ({
  identity: member.identity,
  userInfo: FOLLOWED.info(member.user_sid),
  roleSid: member.role_sid,
  attributes: member.attributes,
  lastConsumedMessageIndex: member.last_consumed_message_index,
  lastConsumptionTimestamp:
    member.last_consumption_timestamp === null ? null : iso(member.last_consumption_timestamp),
  dateCreated: iso(member.date_created),
  dateUpdated: iso(member.date_updated),
  type: 'chat',
})

/** An item of a user's places, for a channel they are in or invited to. */
export const placeData = (place: MemberRow | InviteRow) => ({
  channel: FOLLOWED.document(place.channel_sid),
  messages: FOLLOWED.messages(place.channel_sid),
  roster: FOLLOWED.roster(place.channel_sid),
  ...('notification_level' in place
    ? {
        status: 'joined',
        lastConsumedMessageIndex: place.last_consumed_message_index,
        notificationLevel: place.notification_level,
      }
    : { status: 'invited', lastConsumedMessageIndex: null, notificationLevel: 'default' }),
})

/** The three items of a user's info, by their keys. */
export const infoData = {
  friendlyName: (user: Pick<UserRow, 'friendly_name'>) => ({ value: user.friendly_name }),
  attributes: (user: Pick<UserRow, 'attributes'>) => ({ value: user.attributes }),
  reachability: (online: boolean) => ({ online, notifiable: false }),
} as const
