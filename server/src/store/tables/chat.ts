/** The tables of chat. A row is its answer, less what is derived from other columns. */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { ChannelWebhookRow } from '@parley/contract/chat/channel-webhook.ts'
import type { InviteRow } from '@parley/contract/chat/invite.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import type { MessageRow } from '@parley/contract/chat/message.ts'
import type { RoleRow } from '@parley/contract/chat/role.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import type { UserRow } from '@parley/contract/chat/user.ts'

/** That something is gone from what sockets follow, for those who were away. Lives as long as what it was in. */
interface TombstoneRow {
  /** The name of what is followed: `CH….messages`, `US….my_channels`. */
  object: string
  item: string
  event: number
  service_sid: string
  at: number
}

/** A user has connections to a node. */
interface PresenceRow {
  user_sid: string
  node: string
  service_sid: string
}

/** A process that sockets connect to, and when it last said that it lives. */
interface NodeRow {
  sid: string
  seen_at: number
}

export interface ChatTables {
  services: ServiceRow
  roles: RoleRow
  /** Who is here now is in `presences`. */
  users: Omit<UserRow, 'is_online' | 'is_notifiable'>
  /** Its row is the lock of everything in the channel. */
  channels: ChannelRow
  members: MemberRow
  /** `to` is always the channel. */
  messages: Omit<MessageRow, 'to'>
  invites: InviteRow
  channel_webhooks: ChannelWebhookRow
  tombstones: TombstoneRow
  presences: PresenceRow
  nodes: NodeRow
}
