/**
 * Uploaded files as chat knows them: kept by their uploader alone until a message claims them, and from then on as
 * much a part of the channel as what the message says. Their bytes are another room's affair.
 */
import { type Actor, identityOf } from '@parley/contract/actor.ts'
import type { MediaRow } from '@parley/contract/chat/media.ts'
import { problem } from '@parley/contract/problem.ts'
import type { Call } from '../http/binding.ts'
import { changing, reading } from '../store/query.ts'
import { find, insert } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { inService } from './standing.ts'

export interface Uploaded {
  readonly accountSid: string
  readonly serviceSid: string
  readonly actor: Actor
  readonly category: string
  readonly contentType: string
  readonly filename: string | null
  readonly size: number
  readonly keptAs: string
}

/** Writes down a file whose bytes are safe already. */
export const addMedia = async (tx: Tx, it: Uploaded): Promise<MediaRow> => {
  const row: MediaRow = {
    sid: tx.newSid('ME'),
    account_sid: it.accountSid,
    service_sid: it.serviceSid,
    channel_sid: null,
    message_sid: null,
    uploaded_by: it.actor.kind === 'client' ? identityOf(it.actor) : null,
    category: it.category,
    content_type: it.contentType,
    filename: it.filename,
    size: it.size,
    kept_as: it.keptAs,
    date_created: tx.now(),
    date_updated: tx.now(),
  }
  await insert(tx, 'media', row)
  return row
}

interface Claiming {
  readonly sid: string
  readonly accountSid: string
  readonly serviceSid: string
  readonly channelSid: string
  readonly messageSid: string
  readonly at: number
}

const claiming = (by: 'anybody' | 'uploader') =>
  changing((db, at: Claiming & { identity: string }) => {
    const claim = db
      .updateTable('media')
      .set({ channel_sid: at.channelSid, message_sid: at.messageSid, date_updated: at.at })
      .where('sid', '=', at.sid)
      .where('account_sid', '=', at.accountSid)
      .where('service_sid', '=', at.serviceSid)
      .where('message_sid', 'is', null)
    return (by === 'anybody' ? claim : claim.where('uploaded_by', '=', at.identity)).returningAll()
  })

const claimAny = claiming('anybody')
const claimOwn = claiming('uploader')

/**
 * Makes a file part of a message, once and for ever. A client claims only what it uploaded itself.
 * @returns what the message's `media` says
 * @throws 50507 where there is no such file that nobody has claimed
 */
export const claimMedia = async (
  tx: Tx,
  sid: string,
  { actor, ...by }: Omit<Claiming, 'sid' | 'at'> & { actor: Actor },
): Promise<string> => {
  const claim = actor.kind === 'client' ? claimOwn : claimAny
  const row = await claim.first(tx, { ...by, sid, identity: identityOf(actor), at: tx.now() })
  if (!row) throw problem('media_not_found')
  const { size, content_type, filename } = row
  return JSON.stringify({ sid, size, content_type, filename })
}

/** While its service stands and, once it is claimed, its message. */
const standing = reading((db, at: { sid: string }) =>
  db
    .selectFrom('media')
    .innerJoin('services', 'services.sid', 'media.service_sid')
    .leftJoin('messages', 'messages.sid', 'media.message_sid')
    .leftJoin('channels', 'channels.sid', 'media.channel_sid')
    .selectAll('media')
    .where('media.sid', '=', at.sid)
    .where((it) =>
      it.or([
        it('media.message_sid', 'is', null),
        it.and([it('messages.sid', 'is not', null), it('channels.sid', 'is not', null)]),
      ]),
    ),
)

/** A file by its SID alone: for whoever shows a link that was signed for it. */
export const findMedia = (reader: Reader, sid: string): Promise<MediaRow | undefined> =>
  standing.first(reader, { sid })

type MediaCall = Pick<Call<{ readonly serviceSid: string }>, 'accountSid' | 'token' | 'path'>

/**
 * A file as whoever asks may see it: an account's back end each of its own, a client what it uploaded and nobody has
 * claimed, and what was said in the channels it is a member of.
 * @throws 50050 without the service, 50107 where the client's token is for another
 */
export const seeMedia = async (
  reader: Reader,
  call: MediaCall,
  sid: string,
): Promise<MediaRow | undefined> => {
  const { service, me } = await inService(reader, call)
  const row = await findMedia(reader, sid)
  if (row?.account_sid !== call.accountSid || row.service_sid !== service.sid) return undefined
  if (!me) return row
  if (row.channel_sid === null) return row.uploaded_by === me.identity ? row : undefined
  const member = await find(reader, 'members', { channel_sid: row.channel_sid, identity: me.identity })
  return member && row
}
