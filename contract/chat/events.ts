/**
 * What happens in chat. Rows are as they stand after the change; of what was removed, as they stood before, with the
 * numbers of the removal.
 */
import type { ChannelRow } from './channel.ts'
import type { InviteRow } from './invite.ts'
import type { MemberRow } from './member.ts'
import type { MessageRow } from './message.ts'
import type { ServiceRow } from './service.ts'
import type { UserRow } from './user.ts'

export interface ChatEvents {
  /** With everything in it, of which nothing else is told. */
  'service.removed': { service: ServiceRow }
  'channel.added': { channel: ChannelRow }
  'channel.updated': { channel: ChannelRow }
  /** With those who were in it or invited to it. */
  'channel.destroyed': {
    channel: ChannelRow
    left: readonly { readonly user_sid: string; readonly place_event: number }[]
  }
  'member.added': { channel: ChannelRow; member: MemberRow; reason: 'ADDED' | 'JOINED' }
  'member.updated': { channel: ChannelRow; member: MemberRow }
  /** How loud the channel is for them. */
  'member.level_changed': { channel: ChannelRow; member: MemberRow }
  'member.removed': { channel: ChannelRow; member: MemberRow; reason: 'REMOVED' | 'LEFT' }
  'message.added': { channel: ChannelRow; message: MessageRow }
  'message.updated': { channel: ChannelRow; message: MessageRow }
  'message.removed': { channel: ChannelRow; message: MessageRow }
  'invite.added': { channel: ChannelRow; invite: InviteRow }
  'invite.removed': { channel: ChannelRow; invite: InviteRow }
  'user.added': { user: UserRow }
  'user.updated': { user: UserRow }
  /** The first of their connections is there, or the last is gone. */
  'user.reached': { user: UserRow }
  'user.removed': { user: UserRow }
}
