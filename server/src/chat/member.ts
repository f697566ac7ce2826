/** Who is in a channel, in which role, and up to where they have read. */
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import { Member, type MemberRow } from '@parley/contract/chat/member.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import { sql, type Updateable } from 'kysely'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { changing, reading } from '../store/query.ts'
import { find, insert, remove, update } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { bury, FOLLOWED, numberPlaces, numberRoster } from './followed.ts'
import { given, isNothing } from './given.ts'
import { requireRole } from './role.ts'
import { limitsOf, requireService } from './service-row.ts'
import {
  inChannel,
  inLockedChannel,
  requireBackEnd,
  requireMembership,
  requirePermission,
  type Standing,
} from './standing.ts'
import { countJoined, ensureUser } from './user.ts'

/** By SID or identity. */
export const findMember = async (
  reader: Reader,
  channelSid: string,
  sidOrIdentity: string,
): Promise<MemberRow | undefined> =>
  (isSid('MB', sidOrIdentity)
    ? await find(reader, 'members', { channel_sid: channelSid, sid: sidOrIdentity })
    : undefined) ?? find(reader, 'members', { channel_sid: channelSid, identity: sidOrIdentity })

const allMembers = reading((db, at: { channelSid: string }) =>
  db.selectFrom('members').selectAll().where('channel_sid', '=', at.channelSid).orderBy('sid'),
)

/** All of a channel's members: as many as the service's limit at the most. */
export const membersOf = (reader: Reader, channelSid: string): Promise<MemberRow[]> =>
  allMembers.all(reader, { channelSid })

interface NewMember {
  readonly service: ServiceRow
  readonly channel: ChannelRow
  readonly identity: string
  readonly roleSid?: string | undefined
  readonly attributes?: string | undefined
  readonly lastConsumedMessageIndex?: number | undefined
  readonly lastConsumptionTimestamp?: number | undefined
  readonly dateCreated?: number | undefined
  readonly dateUpdated?: number | undefined
  /** `JOINED` by themselves, or `ADDED` by somebody else. */
  readonly reason: 'ADDED' | 'JOINED'
  readonly actor: Actor
}

const lockForMember = reading((db, at: { channelSid: string }, { lock }) =>
  lock(db.selectFrom('channels').selectAll().where('sid', '=', at.channelSid)),
)

const countMembers = changing((db, at: { channelSid: string; by: number }) =>
  db
    .updateTable('channels')
    .set((it) => ({
      members_count: it('members_count', '+', at.by),
      roster_event: it('roster_event', '+', 1),
    }))
    .where('sid', '=', at.channelSid)
    .returningAll(),
)

/**
 * Adds somebody to a channel, as a user who is made if need be. An invitation is used up.
 * @throws 50404 for a member already, 50403 at the channel's limit, 50208 at the user's, 50101 for a role that is not
 */
export const addMember = async (tx: Tx, wanted: NewMember): Promise<MemberRow> => {
  const { service, identity, actor, reason, dateCreated = tx.now() } = wanted
  const channel = await lockForMember.first(tx, { channelSid: wanted.channel.sid })
  if (!channel) throw problem('channel_not_found')
  if (await find(tx, 'members', { channel_sid: channel.sid, identity })) throw problem('member_exists')
  const max = limitsOf(service).channel_members
  if (channel.members_count >= max) throw problem('members_limit', { max })
  if (wanted.roleSid) await requireRole(tx, service, wanted.roleSid, 'channel', 'channel_role_not_found')
  const invite = await find(tx, 'invites', { channel_sid: channel.sid, identity })
  const user = await ensureUser(tx, { service, identity, actor })
  const { places_event } = await countJoined(tx, service, user)
  const joined = (await countMembers.first(tx, { channelSid: channel.sid, by: 1 })) ?? channel
  const member: MemberRow = {
    sid: tx.newSid('MB'),
    account_sid: channel.account_sid,
    service_sid: channel.service_sid,
    channel_sid: channel.sid,
    identity,
    user_sid: user.sid,
    role_sid: wanted.roleSid ?? invite?.role_sid ?? roleAtFirst(service, channel, identity),
    attributes: wanted.attributes ?? '{}',
    last_consumed_message_index: wanted.lastConsumedMessageIndex ?? null,
    last_consumption_timestamp: wanted.lastConsumptionTimestamp ?? null,
    notification_level: 'default',
    date_created: dateCreated,
    date_updated: wanted.dateUpdated ?? dateCreated,
    added_event: joined.roster_event,
    event: joined.roster_event,
    // To those who follow the places, an invitation that is accepted is the same place, changed.
    place_added_event: invite?.place_added_event ?? places_event,
    place_event: places_event,
  }
  await insert(tx, 'members', member)
  if (invite) await remove(tx, 'invites', { sid: invite.sid })
  tx.record({
    name: 'member.added',
    accountSid: channel.account_sid,
    at: tx.now(),
    actor,
    channel: joined,
    member,
    reason,
  })
  return member
}

const roleAtFirst = (service: ServiceRow, channel: ChannelRow, identity: string): string =>
  channel.created_by === identity
    ? service.default_channel_creator_role_sid
    : service.default_channel_role_sid

const leaveOne = changing((db, at: { userSid: string }) =>
  db
    .updateTable('users')
    .set((it) => ({
      joined_channels_count: it('joined_channels_count', '-', 1),
      places_event: it('places_event', '+', 1),
    }))
    .where('sid', '=', at.userSid)
    .returningAll(),
)

/** @returns whether they were still a member */
export const removeMember = async (
  tx: Tx,
  {
    channel,
    member,
    reason,
    actor,
  }: {
    channel: ChannelRow
    member: MemberRow
    /** `LEFT` by themselves, or `REMOVED` by somebody else. */
    reason: 'REMOVED' | 'LEFT'
    actor: Actor
  },
): Promise<boolean> => {
  if (!(await remove(tx, 'members', { sid: member.sid }))) return false
  const left = (await countMembers.first(tx, { channelSid: channel.sid, by: -1 })) ?? channel
  const user = await leaveOne.first(tx, { userSid: member.user_sid })
  const gone: MemberRow = {
    ...member,
    event: left.roster_event,
    place_event: user?.places_event ?? member.place_event + 1,
  }
  const { service_sid: serviceSid } = channel
  const roster = FOLLOWED.roster(channel.sid)
  await bury(tx, { object: roster, item: member.sid, event: gone.event, serviceSid })
  const places = FOLLOWED.places(member.user_sid)
  await bury(tx, { object: places, item: channel.sid, event: gone.place_event, serviceSid })
  tx.record({
    name: 'member.removed',
    accountSid: channel.account_sid,
    at: tx.now(),
    actor,
    channel: left,
    member: gone,
    reason,
  })
  return true
}

interface Horizon {
  readonly lastConsumedMessageIndex?: number | undefined
  readonly lastConsumptionTimestamp?: number | undefined
}

/**
 * The columns of a horizon that moves; the moment is now unless it is told.
 * @throws 50405 beyond the latest message
 */
export const movedHorizon = (tx: Tx, channel: ChannelRow, asked: Horizon) => {
  const { lastConsumedMessageIndex: index, lastConsumptionTimestamp: at } = asked
  if (index !== undefined && index > channel.last_index) throw problem('consumed_index')
  return given({
    last_consumed_message_index: index,
    last_consumption_timestamp: at ?? (index === undefined ? undefined : tx.now()),
  })
}

/** Changes a member of a channel that the caller has locked. Without changes nothing happens. */
export const updateMember = async (
  tx: Tx,
  {
    channel,
    member,
    changes,
    actor,
  }: {
    channel: ChannelRow
    member: MemberRow
    changes: Updateable<Tables['members']>
    actor: Actor
  },
): Promise<MemberRow> => {
  if (isNothing(changes)) return member
  const numbered = (await numberRoster.first(tx, { channelSid: channel.sid })) ?? channel
  // Only a horizon is seen among the user's places.
  const moved = changes.last_consumed_message_index !== undefined
  const user = moved ? await numberPlaces.first(tx, { userSid: member.user_sid }) : undefined
  const changed = await update(
    tx,
    'members',
    { sid: member.sid },
    {
      date_updated: tx.now(),
      ...changes,
      event: numbered.roster_event,
      place_event: user?.places_event ?? member.place_event,
    },
  )
  if (!changed) throw problem('member_not_found')
  tx.record({
    name: 'member.updated',
    accountSid: channel.account_sid,
    at: tx.now(),
    actor,
    channel: numbered,
    member: changed,
  })
  return changed
}

/** Says how loud a channel is for a member. The caller has locked the channel. */
export const setNotificationLevel = async (
  tx: Tx,
  {
    channel,
    member,
    level,
    actor,
  }: { channel: ChannelRow; member: MemberRow; level: 'default' | 'muted'; actor: Actor },
): Promise<MemberRow> => {
  const user = await numberPlaces.first(tx, { userSid: member.user_sid })
  const changed = await update(
    tx,
    'members',
    { sid: member.sid },
    { notification_level: level, place_event: user?.places_event ?? member.place_event },
  )
  if (!changed) throw problem('member_not_found')
  tx.record({
    name: 'member.level_changed',
    accountSid: channel.account_sid,
    at: tx.now(),
    actor,
    channel,
    member: changed,
  })
  return changed
}

const pageOfMembers = listing(
  'members',
  'sid',
  (query, at: { channelSid: string; identities?: string | undefined }, is, { isOneOf }) => {
    const narrowed = query.where('channel_sid', '=', at.channelSid)
    return is('identities') ? narrowed.where(isOneOf(sql.ref('identity'), at.identities as string)) : narrowed
  },
)

/** Whether a client adds somebody else, or joins: a public channel, or one it is invited to or has made. */
const requireAdding = (
  me: Standing | undefined,
  channel: ChannelRow,
  identity: string,
): 'ADDED' | 'JOINED' => {
  if (me?.identity !== identity) {
    requirePermission(me, 'add member')
    return 'ADDED'
  }
  if (!me.invited && channel.created_by !== identity) requirePermission(me, 'join channel')
  return 'JOINED'
}

export const members = bind(Member, {
  list: async (reader, call) => {
    const { channel, me } = await inChannel(reader, call)
    requireMembership(me)
    const identities = call.input.identity && JSON.stringify(call.input.identity)
    return pageOfMembers(reader, { channelSid: channel.sid, identities }, call.page)
  },
  fetch: async (reader, call) => {
    const { channel, me } = await inChannel(reader, call)
    requireMembership(me)
    return findMember(reader, channel.sid, call.path.sid)
  },
  create: async (tx, call) => {
    const { accountSid, path, input, actor } = call
    const { channel, me } = await inLockedChannel(tx, call)
    const reason = requireAdding(me, channel, input.identity)
    requireBackEnd(me, input.roleSid, input.dateCreated, input.dateUpdated)
    requireBackEnd(me, input.lastConsumedMessageIndex, input.lastConsumptionTimestamp)
    const service = await requireService(tx, accountSid, path.serviceSid)
    return addMember(tx, { service, channel, ...input, reason, actor })
  },
  update: async (tx, call) => {
    const { input, actor } = call
    const { channel, me } = await inLockedChannel(tx, call)
    const member = await findMember(tx, channel.sid, call.path.sid)
    if (!member) return undefined
    const own = member.identity === me?.identity
    requireMembership(me)
    if (input.attributes !== undefined) requirePermission(me, 'edit member attributes', own)
    requireBackEnd(me, input.roleSid, input.dateCreated, input.dateUpdated)
    // Nobody has read what somebody else has.
    if (!own) requireBackEnd(me, input.lastConsumedMessageIndex, input.lastConsumptionTimestamp)
    if (input.roleSid) {
      const service = await requireService(tx, channel.account_sid, channel.service_sid)
      await requireRole(tx, service, input.roleSid, 'channel', 'channel_role_not_found')
    }
    const changes = {
      ...given({
        role_sid: input.roleSid,
        attributes: input.attributes,
        date_created: input.dateCreated,
        date_updated: input.dateUpdated,
      }),
      ...movedHorizon(tx, channel, input),
    }
    return updateMember(tx, { channel, member, changes, actor })
  },
  delete: async (tx, call) => {
    const { channel, me } = await inLockedChannel(tx, call)
    const member = await findMember(tx, channel.sid, call.path.sid)
    if (!member) return false
    const own = member.identity === me?.identity
    requirePermission(me, 'remove member', own)
    return removeMember(tx, { channel, member, reason: own ? 'LEFT' : 'REMOVED', actor: call.actor })
  },
})
