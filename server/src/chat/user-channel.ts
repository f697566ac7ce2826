/** A user's channels: those joined and those invited to, with what is unread in each. */
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { InviteRow } from '@parley/contract/chat/invite.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import type { UserRow } from '@parley/contract/chat/user.ts'
import { UserChannel, type UserChannelRow } from '@parley/contract/chat/user-channel.ts'
import { problem } from '@parley/contract/problem.ts'
import { sql } from 'kysely'
import { bind, type Call } from '../http/binding.ts'
import { listing, type PageAsked } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { find } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { lockChannel, lookForChannel } from './channel-row.ts'
import { given, isNothing } from './given.ts'
import { removeInvite } from './invite.ts'
import { movedHorizon, removeMember, setNotificationLevel, updateMember } from './member.ts'
import { inChannel, inService, missing, requirePermission, type Standing } from './standing.ts'
import { findUser } from './user.ts'

interface Where {
  readonly serviceSid: string
  readonly identity: string
}

const membershipsOf = listing('members', 'channel_sid', (query, at: Where) =>
  query.where('service_sid', '=', at.serviceSid).where('identity', '=', at.identity),
)

const invitationsOf = listing('invites', 'channel_sid', (query, at: Where) =>
  query.where('service_sid', '=', at.serviceSid).where('identity', '=', at.identity),
)

/**
 * How many messages lie beyond each horizon. Where none was deleted the indices say it; only elsewhere are messages
 * counted.
 */
const unreadOf = reading((db, at: { identity: string; channelSids: string }, { isOneOf }) =>
  db
    .selectFrom('members')
    .innerJoin('channels', 'channels.sid', 'members.channel_sid')
    .select('channels.sid as channel_sid')
    .select(
      sql<number>`case
        when channels.messages_count = channels.last_index + 1
        then channels.last_index - members.last_consumed_message_index
        else (select count(*) from messages where messages.channel_sid = channels.sid
          and messages."index" > members.last_consumed_message_index)
      end`.as('unread'),
    )
    .where('members.identity', '=', at.identity)
    .where('members.last_consumed_message_index', 'is not', null)
    .where(isOneOf(sql.ref('channels.sid'), at.channelSids)),
)

const countUnread = async (reader: Reader, identity: string, memberships: readonly MemberRow[]) => {
  const channelSids = JSON.stringify(memberships.map((it) => it.channel_sid))
  const counted = memberships.length > 0 ? await unreadOf.all(reader, { identity, channelSids }) : []
  return new Map(counted.map((it) => [it.channel_sid, Math.max(0, it.unread)]))
}

const joined = (user: UserRow, member: MemberRow, unread: number | undefined): UserChannelRow => ({
  account_sid: user.account_sid,
  service_sid: user.service_sid,
  channel_sid: member.channel_sid,
  user_sid: user.sid,
  member_sid: member.sid,
  status: 'joined',
  last_consumed_message_index: member.last_consumed_message_index,
  unread_messages_count: unread ?? null,
  notification_level: member.notification_level,
})

const invited = (user: UserRow, invite: InviteRow): UserChannelRow => ({
  account_sid: user.account_sid,
  service_sid: user.service_sid,
  channel_sid: invite.channel_sid,
  user_sid: user.sid,
  member_sid: null,
  status: 'invited',
  last_consumed_message_index: null,
  unread_messages_count: null,
  notification_level: 'default',
})

/** Members and invitations are both in the order of channels; nobody is both in one. */
const merged = (rows: UserChannelRow[], { limit, before }: PageAsked): UserChannelRow[] => {
  rows.sort((a, b) => (a.channel_sid < b.channel_sid ? -1 : 1))
  return before === undefined ? rows.slice(0, limit) : rows.slice(-limit)
}

type UserCall = Call<{ readonly serviceSid: string; readonly userSid: string }>

/** The user of a request. A client asks about itself only. */
const inUser = async (
  reader: Reader,
  call: UserCall,
): Promise<{ user: UserRow; me: Standing | undefined }> => {
  const { service, me } = await inService(reader, call)
  const user = await findUser(reader, service.sid, call.path.userSid)
  if (me && user?.identity !== me.identity) throw problem('not_permitted')
  if (!user) throw missing('Services', service.sid, 'Users', call.path.userSid)
  return { user, me }
}

interface Standings {
  readonly member: MemberRow | undefined
  readonly invite: InviteRow | undefined
}

const standingsOf = async (reader: Reader, user: UserRow, channel: ChannelRow): Promise<Standings> => {
  const at = { channel_sid: channel.sid, identity: user.identity }
  const member = await find(reader, 'members', at)
  return { member, invite: member ? undefined : await find(reader, 'invites', at) }
}

const rowOf = async (
  reader: Reader,
  user: UserRow,
  { member, invite }: Standings,
): Promise<UserChannelRow | undefined> => {
  if (!member) return invite && invited(user, invite)
  const unread = await countUnread(reader, user.identity, [member])
  return joined(user, member, unread.get(member.channel_sid))
}

/** The channel, locked before anything in it is changed. */
const lockFor = (tx: Tx, user: UserRow, sidOrUniqueName: string): Promise<ChannelRow | undefined> =>
  lockChannel(tx, user.account_sid, sidOrUniqueName, user.service_sid)

/**
 * A client says that it has read nothing in a channel, whatever it said before.
 * @throws 50300 without the channel, 50400 where they are no member of it
 */
export const consumeNone = async (
  tx: Tx,
  at: { accountSid: string; serviceSid: string; channelSid: string; actor: Actor & { kind: 'client' } },
): Promise<UserChannelRow> => {
  const { actor } = at
  const channel = await lockChannel(tx, at.accountSid, at.channelSid, at.serviceSid)
  if (!channel) throw problem('channel_not_found')
  const user = await findUser(tx, at.serviceSid, actor.identity)
  const member = await find(tx, 'members', { channel_sid: channel.sid, identity: actor.identity })
  if (!user || !member) throw problem('not_a_member')
  const changes = { last_consumed_message_index: null, last_consumption_timestamp: null }
  return joined(user, await updateMember(tx, { channel, member, changes, actor }), undefined)
}

export const userChannels = bind(UserChannel, {
  list: {
    rows: async (reader, call) => {
      const { user } = await inUser(reader, call)
      const at = { serviceSid: user.service_sid, identity: user.identity }
      const memberships = await membershipsOf(reader, at, call.page)
      const invitations = await invitationsOf(reader, at, call.page)
      const unread = await countUnread(reader, user.identity, memberships)
      const rows = [
        ...memberships.map((it) => joined(user, it, unread.get(it.channel_sid))),
        ...invitations.map((it) => invited(user, it)),
      ]
      return merged(rows, call.page)
    },
    key: (row) => row.channel_sid,
  },
  fetch: async (reader, call) => {
    const { user } = await inUser(reader, call)
    const channel = await lookForChannel(reader, user.account_sid, user.service_sid, call.path.channelSid)
    return channel && rowOf(reader, user, await standingsOf(reader, user, channel))
  },
  update: async (tx, call) => {
    const { input, actor } = call
    const { user, me } = await inUser(tx, call)
    const channel = await lockFor(tx, user, call.path.channelSid)
    const standings = channel && (await standingsOf(tx, user, channel))
    if (!channel || !standings?.member) {
      const row = standings && (await rowOf(tx, user, standings))
      if (row && !isNothing(given(input))) throw problem('not_a_member')
      return row
    }
    if (input.notificationLevel && me) {
      const { me: here } = await inChannel(tx, call)
      requirePermission(here, 'set notification level', true)
    }
    let { member } = standings
    if (input.notificationLevel)
      member = await setNotificationLevel(tx, { channel, member, level: input.notificationLevel, actor })
    member = await updateMember(tx, { channel, member, changes: movedHorizon(tx, channel, input), actor })
    return rowOf(tx, user, { member, invite: undefined })
  },
  delete: async (tx, call) => {
    const { actor } = call
    const { user, me } = await inUser(tx, call)
    const channel = await lockFor(tx, user, call.path.channelSid)
    if (!channel) return false
    const { member, invite } = await standingsOf(tx, user, channel)
    if (invite) return removeInvite(tx, { channel, invite, actor })
    if (!member) return false
    if (me) requirePermission((await inChannel(tx, call)).me, 'remove member', true)
    return removeMember(tx, { channel, member, reason: me ? 'LEFT' : 'REMOVED', actor })
  },
})
