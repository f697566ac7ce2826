/**
 * Who may read what is followed: messages and roster are for members; a channel's document also for whoever sees the
 * channel (it is public, or they are invited to it or have made it); places for the user themselves; a user's name,
 * attributes and presence for everybody in the service.
 */
import { problem } from '@parley/contract/problem.ts'
import { find } from '../../../store/rows.ts'
import type { Reader } from '../../../store/tx.ts'
import type { Client } from '../../client.ts'
import type { Followed } from './followed.ts'

type Who = Pick<Client, 'serviceSid' | 'identity' | 'userSid'>

/** @throws 54100 where there is nothing that the client sees, 54007 for what is seen but not theirs to read */
export const requireReading = async (reader: Reader, who: Who, followed: Followed): Promise<void> => {
  const { kind, ownerSid } = followed
  if (kind === 'places') {
    if (ownerSid !== who.userSid) throw problem('sync_forbidden')
    return
  }
  if (kind === 'info') {
    const user = await find(reader, 'users', { sid: ownerSid, service_sid: who.serviceSid })
    if (!user) throw problem('sync_not_found')
    return
  }
  const inChannel = { channel_sid: ownerSid, identity: who.identity }
  const member = await find(reader, 'members', inChannel)
  if (member && member.service_sid === who.serviceSid) return
  const channel = await find(reader, 'channels', { sid: ownerSid, service_sid: who.serviceSid })
  const isSeen =
    channel !== undefined &&
    (channel.type === 'public' ||
      channel.created_by === who.identity ||
      (await find(reader, 'invites', inChannel)) !== undefined)
  if (!isSeen) throw problem('sync_not_found')
  if (kind !== 'document') throw problem('sync_forbidden')
}
