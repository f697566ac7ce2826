/** Users of a service: made by the API, or when somebody is first added to a channel. */
import type { Actor } from '@parley/contract/actor.ts'
import { SYSTEM_IDENTITY } from '@parley/contract/actor.ts'
import { NAME_MAX } from '@parley/contract/chat/limits.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { User, type UserRow } from '@parley/contract/chat/user.ts'
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import type { Selectable } from 'kysely'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { changing, reading } from '../store/query.ts'
import { find, insertNew, remove, update } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { lockChannel } from './channel-row.ts'
import { FIRST_INFO_EVENTS, FOLLOWED, forgetTombstones, numberedInfo } from './followed.ts'
import { given, isNothing } from './given.ts'
import { removeMember } from './member.ts'
import { isOnline } from './presence.ts'
import { requireRole } from './role.ts'
import { holdService, limitsOf } from './service-row.ts'
import { inService, requireBackEnd, requirePermission } from './standing.ts'
import { lockUser, lockUserOf } from './user-row.ts'

type Kept = Selectable<Tables['users']>

/** Whether somebody is here is told only where one user is fetched, and only of a service that reports it. */
const shown = (row: Kept): UserRow => ({ ...row, is_online: null, is_notifiable: null })

const usersOf = listing('users', 'sid', (query, at: { serviceSid: string }) =>
  query.where('service_sid', '=', at.serviceSid),
)

/** No identity looks like a user's SID, so a path's value is either. */
export const findUser = async (
  reader: Reader,
  serviceSid: string,
  sidOrIdentity: string,
): Promise<UserRow | undefined> => {
  const which = isSid('US', sidOrIdentity) ? { sid: sidOrIdentity } : { identity: sidOrIdentity }
  const row = await find(reader, 'users', { service_sid: serviceSid, ...which })
  return row && shown(row)
}

/** @throws 50203, 50204, 50206 or 50207 for what cannot be an identity */
const requireIdentity = (identity: string): void => {
  if (identity === '') throw problem('identity_missing')
  if (identity.length > NAME_MAX) throw problem('identity_too_long', { max: NAME_MAX })
  if (isSid('US', identity)) throw problem('identity_looks_like_sid')
  if (identity === SYSTEM_IDENTITY) throw problem('identity_reserved', { identity })
}

interface NewUser {
  readonly service: ServiceRow
  readonly identity: string
  readonly friendlyName?: string | undefined
  readonly attributes?: string | undefined
  readonly roleSid?: string | undefined
  readonly actor: Actor
}

/** @returns nothing where the service has such a user already */
const addUser = async (tx: Tx, wanted: NewUser): Promise<UserRow | undefined> => {
  const { service, identity, friendlyName, attributes, roleSid, actor } = wanted
  requireIdentity(identity)
  if (roleSid) await requireRole(tx, service, roleSid, 'deployment', 'service_role_not_found')
  const row: Kept = {
    sid: tx.newSid('US'),
    account_sid: service.account_sid,
    service_sid: service.sid,
    identity,
    friendly_name: friendlyName ?? null,
    attributes: attributes ?? '{}',
    role_sid: roleSid ?? service.default_service_role_sid,
    joined_channels_count: 0,
    date_created: tx.now(),
    date_updated: tx.now(),
    ...FIRST_INFO_EVENTS,
  }
  await holdService(tx, service)
  if (!(await insertNew(tx, 'users', row))) return undefined
  const user = shown(row)
  tx.record({ name: 'user.added', accountSid: service.account_sid, at: tx.now(), actor, user })
  return user
}

/**
 * The user with an identity, made if there is none: with a friendly name and a role then, or the service's default.
 * Nobody deletes them until the transaction ends.
 */
export const ensureUser = async (
  tx: Tx,
  wanted: Pick<NewUser, 'service' | 'identity' | 'friendlyName' | 'roleSid' | 'actor'>,
): Promise<UserRow> => {
  const { service, identity } = wanted
  requireIdentity(identity)
  for (;;) {
    const there = await lockUserOf.first(tx, { serviceSid: service.sid, identity })
    if (there) return shown(there)
    const made = await addUser(tx, wanted)
    if (made) return made
    // Whoever was faster has committed by now.
  }
}

const joinOne = changing((db, at: { userSid: string; max: number }) =>
  db
    .updateTable('users')
    .set((it) => ({
      joined_channels_count: it('joined_channels_count', '+', 1),
      places_event: it('places_event', '+', 1),
    }))
    .where('sid', '=', at.userSid)
    .where('joined_channels_count', '<', at.max)
    .returningAll(),
)

/** Counts one more channel for a user. @throws 50208 at the service's limit */
export const countJoined = async (tx: Tx, service: ServiceRow, user: UserRow): Promise<Kept> => {
  const max = limitsOf(service).user_channels
  const joined = await joinOne.first(tx, { userSid: user.sid, max })
  if (!joined) throw problem('user_channels_limit', { max })
  return joined
}

const membershipsOf = reading((db, at: { serviceSid: string; identity: string }) =>
  db
    .selectFrom('members')
    .selectAll()
    .where('service_sid', '=', at.serviceSid)
    .where('identity', '=', at.identity)
    .orderBy('channel_sid'),
)

const removeFromAll = async (tx: Tx, user: UserRow, actor: Actor): Promise<void> => {
  const { service_sid: serviceSid, account_sid: accountSid, identity } = user
  for (const member of await membershipsOf.all(tx, { serviceSid, identity })) {
    const channel = await lockChannel(tx, accountSid, member.channel_sid)
    if (channel) await removeMember(tx, { channel, member, reason: 'REMOVED', actor })
  }
}

/** Deletes a user, who is removed from every channel first. */
const deleteUser = async (tx: Tx, user: UserRow, actor: Actor): Promise<boolean> => {
  const { service_sid: serviceSid, account_sid: accountSid, identity } = user
  await removeFromAll(tx, user, actor)
  if (!(await lockUser.first(tx, { userSid: user.sid }))) return false
  // Until they were locked, somebody may have added them to another.
  await removeFromAll(tx, user, actor)
  await remove(tx, 'invites', { service_sid: serviceSid, identity })
  await remove(tx, 'presences', { user_sid: user.sid })
  await forgetTombstones(tx, FOLLOWED.places(user.sid))
  if (!(await remove(tx, 'users', { sid: user.sid }))) return false
  tx.record({ name: 'user.removed', accountSid, at: tx.now(), actor, user })
  return true
}

export const users = bind(User, {
  list: async (reader, call) => {
    const { service } = await inService(reader, call)
    return (await usersOf(reader, { serviceSid: service.sid }, call.page)).map(shown)
  },
  fetch: async (reader, call) => {
    const { service, me } = await inService(reader, call)
    const user = await findUser(reader, service.sid, call.path.sid)
    if (!user) return undefined
    if (user.identity !== me?.identity) requirePermission(me, 'edit user')
    if (service.reachability_enabled !== 1) return user
    return { ...user, is_online: Number(await isOnline(reader, user.sid)), is_notifiable: 0 }
  },
  create: async (tx, call) => {
    const { service } = await inService(tx, call)
    const user = await addUser(tx, { service, ...call.input, actor: call.actor })
    if (!user) throw problem('user_exists')
    return user
  },
  update: async (tx, call) => {
    const { actor, input, path } = call
    const { service, me } = await inService(tx, call)
    const found = await findUser(tx, service.sid, path.sid)
    const locked = found && (await lockUser.first(tx, { userSid: found.sid }))
    if (!locked) return undefined
    const user = shown(locked)
    requirePermission(me, 'edit user', user.identity === me?.identity)
    requireBackEnd(me, input.roleSid)
    if (input.roleSid) await requireRole(tx, service, input.roleSid, 'deployment', 'service_role_not_found')
    const changes = given({
      role_sid: input.roleSid,
      attributes: input.attributes,
      friendly_name: input.friendlyName,
    })
    if (isNothing(changes)) return user
    const numbers = numberedInfo(
      user,
      ...(input.friendlyName === undefined ? [] : (['name_event'] as const)),
      ...(input.attributes === undefined ? [] : (['attributes_event'] as const)),
    )
    const row = await update(
      tx,
      'users',
      { sid: user.sid },
      { ...changes, ...numbers, date_updated: tx.now() },
    )
    if (!row) return undefined
    const changed = shown(row)
    tx.record({ name: 'user.updated', accountSid: user.account_sid, at: tx.now(), actor, user: changed })
    return changed
  },
  delete: async (tx, call) => {
    const { service } = await inService(tx, call)
    const user = await findUser(tx, service.sid, call.path.sid)
    return user !== undefined && deleteUser(tx, user, call.actor)
  },
})
