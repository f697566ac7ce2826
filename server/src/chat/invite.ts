/** Invitations: they let somebody see and join a private channel. */
import { type Actor, identityOf } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import { Invite, type InviteRow } from '@parley/contract/chat/invite.ts'
import { problem } from '@parley/contract/problem.ts'
import { sql } from 'kysely'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { find, insertNew, remove } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { bury, FOLLOWED, numberPlaces } from './followed.ts'
import { findMember } from './member.ts'
import { requireRole } from './role.ts'
import { requireService } from './service-row.ts'
import {
  inChannel,
  inLockedChannel,
  requireBackEnd,
  requireMembership,
  requirePermission,
  type Standing,
} from './standing.ts'
import { ensureUser } from './user.ts'

const findInvite = (reader: Reader, channelSid: string, sid: string): Promise<InviteRow | undefined> =>
  find(reader, 'invites', { channel_sid: channelSid, sid })

const invitesOf = listing(
  'invites',
  'sid',
  (query, at: { channelSid: string; identities?: string | undefined }, is, { isOneOf }) => {
    const narrowed = query.where('channel_sid', '=', at.channelSid)
    return is('identities') ? narrowed.where(isOneOf(sql.ref('identity'), at.identities as string)) : narrowed
  },
)

/** Takes an invitation back, or declines it. The caller has locked the channel. */
export const removeInvite = async (
  tx: Tx,
  { channel, invite, actor }: { channel: ChannelRow; invite: InviteRow; actor: Actor },
): Promise<boolean> => {
  if (!(await remove(tx, 'invites', { sid: invite.sid }))) return false
  const user = await numberPlaces.first(tx, { userSid: invite.user_sid })
  const gone: InviteRow = { ...invite, place_event: user?.places_event ?? invite.place_event + 1 }
  await bury(tx, {
    object: FOLLOWED.places(invite.user_sid),
    item: channel.sid,
    event: gone.place_event,
    serviceSid: channel.service_sid,
  })
  const at = tx.now()
  tx.record({ name: 'invite.removed', accountSid: channel.account_sid, at, actor, channel, invite: gone })
  return true
}

/** The invited may look at their own invitation; the others are for members to see. */
const requireSeeing = (me: Standing | undefined, invite: InviteRow): void => {
  if (invite.identity !== me?.identity) requireMembership(me)
}

export const invites = bind(Invite, {
  list: async (reader, call) => {
    const { channel, me } = await inChannel(reader, call)
    requireMembership(me)
    const identities = call.input.identity && JSON.stringify(call.input.identity)
    return invitesOf(reader, { channelSid: channel.sid, identities }, call.page)
  },
  fetch: async (reader, call) => {
    const { channel, me } = await inChannel(reader, call)
    const invite = await findInvite(reader, channel.sid, call.path.sid)
    if (invite) requireSeeing(me, invite)
    return invite
  },
  create: async (tx, call) => {
    const { actor, input } = call
    const { channel, me } = await inLockedChannel(tx, call)
    requirePermission(me, 'invite member')
    requireBackEnd(me, input.roleSid)
    const service = await requireService(tx, channel.account_sid, channel.service_sid)
    if (input.roleSid) await requireRole(tx, service, input.roleSid, 'channel', 'channel_role_not_found')
    if (await findMember(tx, channel.sid, input.identity)) throw problem('member_exists')
    const user = await ensureUser(tx, { service, identity: input.identity, actor })
    const { places_event } = (await numberPlaces.first(tx, { userSid: user.sid })) ?? user
    const invite: InviteRow = {
      sid: tx.newSid('IN'),
      account_sid: channel.account_sid,
      service_sid: channel.service_sid,
      channel_sid: channel.sid,
      identity: input.identity,
      user_sid: user.sid,
      role_sid: input.roleSid ?? service.default_channel_role_sid,
      created_by: identityOf(actor),
      date_created: tx.now(),
      date_updated: tx.now(),
      place_added_event: places_event,
      place_event: places_event,
    }
    if (!(await insertNew(tx, 'invites', invite))) throw problem('already_invited')
    tx.record({ name: 'invite.added', accountSid: channel.account_sid, at: tx.now(), actor, channel, invite })
    return invite
  },
  delete: async (tx, call) => {
    const { channel, me } = await inLockedChannel(tx, call)
    const invite = await findInvite(tx, channel.sid, call.path.sid)
    if (!invite) return false
    if (invite.identity !== me?.identity) requirePermission(me, 'invite member')
    return removeInvite(tx, { channel, invite, actor: call.actor })
  },
})
