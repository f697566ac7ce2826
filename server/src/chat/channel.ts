/** Channels: made, found, changed and destroyed. */
import { type Actor, identityOf } from '@parley/contract/actor.ts'
import { Channel, type ChannelRow } from '@parley/contract/chat/channel.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { problem } from '@parley/contract/problem.ts'
import { bind } from '../http/binding.ts'
import { later } from '../jobs/later.ts'
import { listing } from '../store/listing.ts'
import { changing } from '../store/query.ts'
import { find, insertNew, remove, update } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'
import { isChannelSid } from './channel-row.ts'
import { bury, FOLLOWED, numberDocument } from './followed.ts'
import { FORGET_CHANNEL } from './forget.ts'
import { given, isNothing } from './given.ts'
import { holdService } from './service-row.ts'
import { inChannel, inLockedChannel, inService, requireBackEnd, requirePermission } from './standing.ts'

/** An empty unique name is none. */
const asUniqueName = (asked: string | undefined): string | null | undefined => {
  if (asked === undefined || asked === '') return asked === '' ? null : undefined
  if (isChannelSid(asked)) throw problem('unique_name_looks_like_sid')
  return asked
}

interface NewChannel {
  readonly service: ServiceRow
  readonly friendlyName?: string | undefined
  readonly uniqueName?: string | undefined
  readonly attributes?: string | undefined
  readonly type?: 'public' | 'private' | undefined
  readonly createdBy?: string | undefined
  /** Where it is known beforehand. */
  readonly sid?: string | undefined
  readonly dateCreated?: number | undefined
  readonly dateUpdated?: number | undefined
  readonly actor: Actor
}

/** @throws 50306 for a unique name that looks like a SID, 50307 for one that is taken, 50050 where the service is gone */
export const createChannel = async (tx: Tx, wanted: NewChannel): Promise<ChannelRow> => {
  const { service, actor, dateCreated = tx.now() } = wanted
  await holdService(tx, service)
  const channel: ChannelRow = {
    sid: wanted.sid ?? tx.newSid('CH'),
    account_sid: service.account_sid,
    service_sid: service.sid,
    friendly_name: wanted.friendlyName ?? null,
    unique_name: asUniqueName(wanted.uniqueName) ?? null,
    attributes: wanted.attributes ?? '{}',
    type: wanted.type ?? 'public',
    created_by: wanted.createdBy || identityOf(actor),
    members_count: 0,
    messages_count: 0,
    last_index: -1,
    last_message_sid: null,
    last_message_index: null,
    last_message_at: null,
    document_event: 0,
    messages_event: 0,
    roster_event: 0,
    date_created: dateCreated,
    date_updated: wanted.dateUpdated ?? dateCreated,
  }
  if (!(await insertNew(tx, 'channels', channel))) throw problem('unique_name_taken')
  tx.record({ name: 'channel.added', accountSid: channel.account_sid, at: tx.now(), actor, channel })
  return channel
}

interface ChannelChanges {
  readonly friendlyName?: string | undefined
  readonly uniqueName?: string | undefined
  readonly attributes?: string | undefined
  readonly createdBy?: string | undefined
  readonly dateCreated?: number | undefined
  readonly dateUpdated?: number | undefined
}

/**
 * Changes a channel, which the caller has locked. Without changes nothing happens.
 * @throws 50306 for a unique name that looks like a SID, 50307 for one that is taken
 */
export const updateChannel = async (
  tx: Tx,
  { channel, changes, actor }: { channel: ChannelRow; changes: ChannelChanges; actor: Actor },
): Promise<ChannelRow> => {
  const columns = given({
    friendly_name: changes.friendlyName,
    unique_name: asUniqueName(changes.uniqueName),
    attributes: changes.attributes,
    created_by: changes.createdBy || undefined,
    date_created: changes.dateCreated,
    date_updated: changes.dateUpdated,
  })
  if (isNothing(columns)) return channel
  const change = () => update(tx, 'channels', { sid: channel.sid }, { date_updated: tx.now(), ...columns })
  const { unique_name: name } = columns
  const renamed = typeof name === 'string' && name !== channel.unique_name
  if (!(renamed ? await unlessTaken(tx, channel, name, change) : await change()))
    throw problem('channel_not_found')
  // Counted in the row: what the caller holds may be from before another change in this transaction.
  const changed = (await numberDocument.first(tx, { channelSid: channel.sid })) ?? channel
  tx.record({
    name: 'channel.updated',
    accountSid: channel.account_sid,
    at: tx.now(),
    actor,
    channel: changed,
  })
  return changed
}

/** The unique index decides who has a name; only its refusal is worth a look at who that is. */
const unlessTaken = async <T>(
  tx: Tx,
  channel: ChannelRow,
  name: string,
  change: () => Promise<T>,
): Promise<T> => {
  try {
    return await tx.savepoint(change)
  } catch (fault) {
    const holder = await find(tx, 'channels', { service_sid: channel.service_sid, unique_name: name })
    throw holder && holder.sid !== channel.sid ? problem('unique_name_taken') : fault
  }
}

const leaving = (whose: 'members' | 'invites', fewer: 0 | 1) =>
  changing((db, at: { channelSid: string }) =>
    db
      .updateTable('users')
      .set((it) => ({
        joined_channels_count: it('joined_channels_count', '-', fewer),
        places_event: it('places_event', '+', 1),
      }))
      .where('sid', 'in', (it) =>
        it.selectFrom(whose).select('user_sid').where('channel_sid', '=', at.channelSid),
      )
      .returning(['sid as user_sid', 'places_event as place_event']),
  )

const membersLeave = leaving('members', 1)
const invitedLeave = leaving('invites', 0)

/**
 * Destroys a channel, which the caller has locked, and tells of nothing else: not of each member. What was said in it
 * can be found no more from now on; its rows are cleared away after.
 */
export const deleteChannel = async (
  tx: Tx,
  { channel, actor }: { channel: ChannelRow; actor: Actor },
): Promise<boolean> => {
  if (!(await remove(tx, 'channels', { sid: channel.sid }))) return false
  const at = { channelSid: channel.sid }
  const left = [...(await membersLeave.all(tx, at)), ...(await invitedLeave.all(tx, at))]
  for (const { user_sid, place_event } of left)
    await bury(tx, {
      object: FOLLOWED.places(user_sid),
      item: channel.sid,
      event: place_event,
      serviceSid: channel.service_sid,
    })
  await remove(tx, 'members', { channel_sid: channel.sid })
  await remove(tx, 'invites', { channel_sid: channel.sid })
  await later(tx, { kind: FORGET_CHANNEL, key: channel.sid })
  tx.record({
    name: 'channel.destroyed',
    accountSid: channel.account_sid,
    at: tx.now(),
    actor,
    channel,
    left,
  })
  return true
}

interface Wanted {
  readonly serviceSid: string
  readonly type?: 'public' | 'private' | undefined
  /** Only those that this client sees. */
  readonly identity?: string | undefined
}

const channelsOf = listing('channels', 'sid', (query, at: Wanted, is) => {
  let narrowed = query.where('service_sid', '=', at.serviceSid)
  if (is('type')) narrowed = narrowed.where('type', '=', at.type as 'public' | 'private')
  if (is('identity'))
    narrowed = narrowed.where((it) =>
      it.or([
        it('type', '=', 'public'),
        it('created_by', '=', at.identity as string),
        it.exists(
          it
            .selectFrom('members')
            .select('members.sid')
            .whereRef('members.channel_sid', '=', 'channels.sid')
            .where('members.identity', '=', at.identity as string),
        ),
        it.exists(
          it
            .selectFrom('invites')
            .select('invites.sid')
            .whereRef('invites.channel_sid', '=', 'channels.sid')
            .where('invites.identity', '=', at.identity as string),
        ),
      ]),
    )
  return narrowed
})

/** Public ones unless told otherwise; nothing where both kinds are wanted. */
const typeWanted = (
  types: readonly ('public' | 'private')[] | undefined,
): 'public' | 'private' | undefined => {
  if (types === undefined || types.length === 0) return 'public'
  return new Set(types).size === 1 ? types[0] : undefined
}

const named = <C extends { path: { serviceSid: string; sid: string } }>(call: C) => ({
  ...call,
  path: { serviceSid: call.path.serviceSid, channelSid: call.path.sid },
})

export const channels = bind(Channel, {
  list: async (reader, call) => {
    const { service, me } = await inService(reader, call)
    const type = typeWanted(call.input.type)
    return channelsOf(reader, { serviceSid: service.sid, type, identity: me?.identity }, call.page)
  },
  fetch: async (reader, call) => (await inChannel(reader, named(call))).channel,
  create: async (tx, call) => {
    const { service, me } = await inService(tx, call)
    const { createdBy, dateCreated, dateUpdated } = call.input
    requirePermission(me, 'create channel')
    requireBackEnd(me, createdBy, dateCreated, dateUpdated)
    return createChannel(tx, { service, ...call.input, actor: call.actor })
  },
  update: async (tx, call) => {
    const { channel, me } = await inLockedChannel(tx, named(call))
    const { friendlyName, uniqueName, attributes, createdBy, dateCreated, dateUpdated } = call.input
    if (friendlyName !== undefined || uniqueName !== undefined) requirePermission(me, 'name channel')
    if (attributes !== undefined) requirePermission(me, 'edit channel attributes')
    requireBackEnd(me, createdBy, dateCreated, dateUpdated)
    return updateChannel(tx, { channel, changes: call.input, actor: call.actor })
  },
  delete: async (tx, call) => {
    const { channel, me } = await inLockedChannel(tx, named(call))
    requirePermission(me, 'destroy channel')
    return deleteChannel(tx, { channel, actor: call.actor })
  },
})
