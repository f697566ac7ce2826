/** What happens in chat. Rows are as they stand after the change; of what was removed, as they stood before. */
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
  'channel.destroyed': { channel: ChannelRow }
  'member.added': { channel: ChannelRow; member: MemberRow; reason: 'ADDED' | 'JOINED' }
  'member.updated': { channel: ChannelRow; member: MemberRow }
  'member.removed': { channel: ChannelRow; member: MemberRow; reason: 'REMOVED' | 'LEFT' }
  'message.added': { channel: ChannelRow; message: MessageRow }
  'message.updated': { channel: ChannelRow; message: MessageRow }
  'message.removed': { channel: ChannelRow; message: MessageRow }
  'invite.added': { channel: ChannelRow; invite: InviteRow }
  'invite.removed': { channel: ChannelRow; invite: InviteRow }
  'user.added': { user: UserRow }
  'user.updated': { user: UserRow }
  'user.removed': { user: UserRow }
}
