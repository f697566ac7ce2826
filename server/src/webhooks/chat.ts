/**
 * Chat events as webhooks tell them: names and fields of Twilio's Programmable Chat webhooks.
 *
 * Text that was never set (a name) is told empty; a number or a flag that was never set is left out.
 */
import { identityOf } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { ChatEvents } from '@parley/contract/chat/events.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import type { MessageRow } from '@parley/contract/chat/message.ts'
import type { UserRow } from '@parley/contract/chat/user.ts'
import { type Fields, iso, type Spellings, silent, type Told } from './spelling.ts'

type About = Pick<Told, 'serviceSid' | 'channelSid' | 'messageSid' | 'about'>

const aboutChannel = (channel: ChannelRow): About => ({
  serviceSid: channel.service_sid,
  channelSid: channel.sid,
  messageSid: null,
  about: channel.sid,
})

const aboutMessage = (channel: ChannelRow, message: MessageRow): About => ({
  serviceSid: channel.service_sid,
  channelSid: channel.sid,
  messageSid: message.sid,
  about: channel.sid,
})

const aboutUser = (user: UserRow): About => ({
  serviceSid: user.service_sid,
  channelSid: null,
  messageSid: null,
  about: user.sid,
})

const messageFields = (message: MessageRow): Fields => ({
  ChannelSid: message.channel_sid,
  MessageSid: message.sid,
  Index: String(message.index),
  Body: message.body ?? '',
  Attributes: message.attributes ?? '{}',
  From: message.from ?? '',
  DateCreated: iso(message.date_created),
})

const mediaFields = (media: string): Fields => {
  const { sid, size, content_type, filename } = JSON.parse(media) as Record<string, unknown>
  return {
    MediaSid: String(sid),
    MediaSize: String(size),
    MediaContentType: String(content_type),
    MediaFilename: typeof filename === 'string' ? filename : '',
  }
}

const channelFields = (channel: ChannelRow): Fields => ({
  ChannelSid: channel.sid,
  ChannelType: channel.type,
  FriendlyName: channel.friendly_name ?? '',
  UniqueName: channel.unique_name ?? '',
  Attributes: channel.attributes ?? '{}',
  CreatedBy: channel.created_by ?? '',
  DateCreated: iso(channel.date_created),
})

const memberFields = (member: MemberRow): Fields => ({
  ChannelSid: member.channel_sid,
  MemberSid: member.sid,
  Identity: member.identity,
  RoleSid: member.role_sid,
  DateCreated: iso(member.date_created),
})

const userFields = (user: UserRow): Fields => ({
  UserSid: user.sid,
  Identity: user.identity,
  FriendlyName: user.friendly_name ?? '',
  RoleSid: user.role_sid,
  Attributes: user.attributes ?? '{}',
  DateCreated: iso(user.date_created),
})

export const chat: Spellings<keyof ChatEvents> = {
  'service.removed': silent('A service that is gone has no webhooks.'),
  'message.added': {
    tell: ({ channel, message }) => ({
      ...aboutMessage(channel, message),
      eventType: message.media === null ? 'onMessageSent' : 'onMediaMessageSent',
      body: message.body ?? '',
      fields: {
        ...messageFields(message),
        To: message.channel_sid,
        ...(message.media === null ? {} : mediaFields(message.media)),
      },
    }),
  },
  'message.updated': {
    tell: ({ channel, message, actor }) => ({
      ...aboutMessage(channel, message),
      eventType: 'onMessageUpdated',
      fields: {
        ...messageFields(message),
        DateUpdated: iso(message.date_updated),
        ModifiedBy: message.last_updated_by ?? identityOf(actor),
      },
    }),
  },
  'message.removed': {
    tell: ({ channel, message, actor, at }) => ({
      ...aboutMessage(channel, message),
      eventType: 'onMessageRemoved',
      fields: { ...messageFields(message), DateRemoved: iso(at), RemovedBy: identityOf(actor) },
    }),
  },
  'channel.added': {
    tell: ({ channel }) => ({
      ...aboutChannel(channel),
      eventType: 'onChannelAdded',
      fields: channelFields(channel),
    }),
  },
  'channel.updated': {
    tell: ({ channel }) => ({
      ...aboutChannel(channel),
      eventType: 'onChannelUpdated',
      fields: { ...channelFields(channel), DateUpdated: iso(channel.date_updated) },
    }),
  },
  'channel.destroyed': {
    tell: ({ channel, at }) => ({
      ...aboutChannel(channel),
      eventType: 'onChannelDestroyed',
      fields: { ...channelFields(channel), DateDestroyed: iso(at) },
    }),
  },
  'member.added': {
    tell: ({ channel, member, reason }) => ({
      ...aboutChannel(channel),
      eventType: 'onMemberAdded',
      fields: { ...memberFields(member), Reason: reason },
    }),
  },
  'member.updated': {
    tell: ({ channel, member }) => ({
      ...aboutChannel(channel),
      eventType: 'onMemberUpdated',
      fields: {
        ...memberFields(member),
        DateUpdated: iso(member.date_updated),
        ...(member.last_consumed_message_index === null
          ? {}
          : { LastConsumedMessageIndex: String(member.last_consumed_message_index) }),
      },
    }),
  },
  'member.level_changed': silent('How loud a channel is for somebody is theirs alone to know.'),
  'member.removed': {
    tell: ({ channel, member, reason, at }) => ({
      ...aboutChannel(channel),
      eventType: 'onMemberRemoved',
      fields: { ...memberFields(member), DateRemoved: iso(at), Reason: reason },
    }),
  },
  'user.added': {
    tell: ({ user }) => ({ ...aboutUser(user), eventType: 'onUserAdded', fields: userFields(user) }),
  },
  'user.updated': {
    tell: ({ user }) => ({
      ...aboutUser(user),
      eventType: 'onUserUpdated',
      fields: {
        ...userFields(user),
        DateUpdated: iso(user.date_updated),
        ...(user.is_online === null ? {} : { IsOnline: String(user.is_online === 1) }),
        ...(user.is_notifiable === null ? {} : { IsNotifiable: String(user.is_notifiable === 1) }),
      },
    }),
  },
  'user.reached': silent('Connections come and go; what is fetched says who is here.'),
  'user.removed': silent('Programmable Chat has no webhook for a user who is removed.'),
  'invite.added': silent('Programmable Chat has no webhook for invitations.'),
  'invite.removed': silent('Programmable Chat has no webhook for invitations.'),
}
