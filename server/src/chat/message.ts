/**
 * What is said in a channel. A message takes the next index of its channel in the same statement that locks the
 * channel's row, so indices follow the order in which messages are committed, and one that fails gives its back.
 */
import { type Actor, identityOf } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import { Message, type MessageRow } from '@parley/contract/chat/message.ts'
import { problem } from '@parley/contract/problem.ts'
import type { InputFor, PathFor } from '@parley/contract/resource.ts'
import type { Selectable } from 'kysely'
import { bind, type Call } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { changing, reading } from '../store/query.ts'
import { find, insert, remove, update } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { isChannelSid } from './channel-row.ts'
import { bury, FOLLOWED, numberMessages } from './followed.ts'
import { given, isNothing } from './given.ts'
import { claimMedia } from './media.ts'
import {
  inChannel,
  inLockedChannel,
  noChannel,
  requireBackEnd,
  requireMembership,
  requirePermission,
} from './standing.ts'

type Kept = Selectable<Tables['messages']>

const shown = (row: Kept): MessageRow => ({ ...row, to: row.channel_sid })

interface Taking {
  readonly accountSid: string
  readonly serviceSid: string
  readonly channel: string
  readonly messageSid: string
  readonly messageAt: number
}

const takingIndex = (by: 'sid' | 'unique_name') =>
  changing((db, at: Taking) =>
    db
      .updateTable('channels')
      .set((it) => ({
        messages_count: it('messages_count', '+', 1),
        last_index: it('last_index', '+', 1),
        last_message_sid: at.messageSid,
        last_message_index: it('last_index', '+', 1),
        last_message_at: at.messageAt,
        messages_event: it('messages_event', '+', 1),
        document_event: it('document_event', '+', 1),
      }))
      .where(by, '=', at.channel)
      .where('service_sid', '=', at.serviceSid)
      .where('account_sid', '=', at.accountSid)
      .returningAll(),
  )

const takeIndexBySid = takingIndex('sid')
const takeIndexByName = takingIndex('unique_name')

interface Said {
  readonly memberSid?: string | undefined
  readonly from?: string | undefined
  readonly body?: string | undefined
  /** Of a file that was uploaded and not yet claimed. The body is then a caption, and may be left out. */
  readonly mediaSid?: string | undefined
  readonly attributes?: string | undefined
  readonly dateCreated?: number | undefined
  readonly dateUpdated?: number | undefined
  readonly lastUpdatedBy?: string | undefined
}

interface NewMessage extends Said {
  readonly channel: Pick<ChannelRow, 'sid' | 'service_sid' | 'account_sid'>
  readonly actor: Actor
}

/** @throws 50503 without a body or media, 50507 where the media cannot be claimed, 50300 where the channel is gone */
export const sendMessage = async (tx: Tx, { channel, actor, ...said }: NewMessage): Promise<MessageRow> => {
  const sent = await send(
    tx,
    takeIndexBySid,
    where(channel.account_sid, channel.service_sid, channel.sid),
    said,
    actor,
  )
  if (!sent) throw problem('channel_not_found')
  return sent
}

const where = (accountSid: string, serviceSid: string, channel: string) => ({
  accountSid,
  serviceSid,
  channel,
})

const send = async (
  tx: Tx,
  takeIndex: typeof takeIndexBySid,
  at: Omit<Taking, 'messageSid' | 'messageAt'>,
  said: Said,
  actor: Actor,
): Promise<MessageRow | undefined> => {
  if (!said.body && !said.mediaSid) throw problem('body_missing')
  const messageSid = tx.newSid('IM')
  const { from: author, dateCreated = tx.now() } = said
  const channel = await takeIndex.first(tx, { ...at, messageSid, messageAt: dateCreated })
  if (!channel) return undefined
  const from = author || identityOf(actor)
  const { accountSid, serviceSid } = at
  const claim = { accountSid, serviceSid, channelSid: channel.sid, messageSid, actor }
  const media = said.mediaSid ? await claimMedia(tx, said.mediaSid, claim) : null
  const row: Kept = {
    sid: messageSid,
    account_sid: channel.account_sid,
    service_sid: channel.service_sid,
    channel_sid: channel.sid,
    index: channel.last_index,
    from,
    type: media === null ? 'text' : 'media',
    body: said.body || null,
    attributes: said.attributes ?? '{}',
    media,
    last_updated_by: said.lastUpdatedBy || from,
    was_edited: 0,
    date_created: dateCreated,
    date_updated: said.dateUpdated ?? dateCreated,
    member_sid: said.memberSid ?? null,
    added_event: channel.messages_event,
    event: channel.messages_event,
  }
  await insert(tx, 'messages', row)
  const message = shown(row)
  tx.record({ name: 'message.added', accountSid: channel.account_sid, at: tx.now(), actor, channel, message })
  return message
}

type CreateCall = Call<PathFor<typeof Message, 'create'>, InputFor<typeof Message, 'create'>>

const createMessage = async (tx: Tx, call: CreateCall): Promise<MessageRow> => {
  const { accountSid, path, input, actor, token } = call
  const sender = token && (await requireSending(tx, call))
  const said = token ? { ...input, from: token.identity, memberSid: sender?.sid } : input
  const takeIndex = isChannelSid(path.channelSid) ? takeIndexBySid : takeIndexByName
  const at = where(accountSid, path.serviceSid, path.channelSid)
  return (await send(tx, takeIndex, at, said, actor)) ?? noChannel(tx, call)
}

/** @returns the member who sends; nothing for a back end */
const requireSending = async (reader: Reader, call: CreateCall): Promise<MemberRow | undefined> => {
  const { body, mediaSid, dateCreated, dateUpdated, lastUpdatedBy } = call.input
  const { me } = await inChannel(reader, call)
  requireMembership(me)
  if (mediaSid) requirePermission(me, 'send media message')
  if (body || !mediaSid) requirePermission(me, 'send message')
  requireBackEnd(me, dateCreated, dateUpdated, lastUpdatedBy)
  return me?.member
}

const messagesOf = listing('messages', 'index', (query, at: { channelSid: string }) =>
  query.where('channel_sid', '=', at.channelSid),
)

const findMessage = (reader: Reader, channelSid: string, sid: string): Promise<Kept | undefined> =>
  find(reader, 'messages', { channel_sid: channelSid, sid })

const latest = reading((db, at: { channelSid: string }) =>
  db
    .selectFrom('messages')
    .select(['sid', 'index', 'date_created'])
    .where('channel_sid', '=', at.channelSid)
    .orderBy('index', 'desc')
    .limit(1),
)

/** A message that is gone counts no more; the channel's latest is now the one before it. */
const dropping = changing(
  (
    db,
    at: { channelSid: string; sid: string | undefined; index: number | undefined; at: number | undefined },
  ) =>
    db
      .updateTable('channels')
      .set((it) => ({
        messages_count: it('messages_count', '-', 1),
        last_message_sid: at.sid as string,
        last_message_index: at.index as number,
        last_message_at: at.at as number,
        messages_event: it('messages_event', '+', 1),
        document_event: it('document_event', '+', 1),
      }))
      .where('sid', '=', at.channelSid)
      .returningAll(),
)

export const messages = bind(Message, {
  list: {
    rows: async (reader, call) => {
      const { channel, me } = await inChannel(reader, call)
      requireMembership(me)
      const rows = await messagesOf(reader, { channelSid: channel.sid }, call.page, call.input.order ?? 'asc')
      return rows.map(shown)
    },
    key: (row) => row.index,
  },
  fetch: async (reader, call) => {
    const { channel, me } = await inChannel(reader, call)
    requireMembership(me)
    const row = await findMessage(reader, channel.sid, call.path.sid)
    return row && shown(row)
  },
  create: createMessage,
  update: async (tx, call) => {
    const { input, actor } = call
    const { channel: locked, me } = await inLockedChannel(tx, call)
    const was = await findMessage(tx, locked.sid, call.path.sid)
    if (!was) return undefined
    const own = was.from === me?.identity
    if (input.body !== undefined) requirePermission(me, 'edit message', own)
    if (input.attributes !== undefined) requirePermission(me, 'edit message attributes', own)
    requireBackEnd(me, input.dateCreated, input.dateUpdated, input.lastUpdatedBy)
    if (input.body === '') throw problem('body_missing')
    const changes = given({
      body: input.body,
      attributes: input.attributes,
      // A client's messages are its own, whatever it says.
      from: me ? undefined : input.from || undefined,
      date_created: input.dateCreated,
      date_updated: input.dateUpdated,
      last_updated_by: input.lastUpdatedBy || undefined,
    })
    if (isNothing(changes)) return shown(was)
    const edited = input.body !== undefined || input.attributes !== undefined
    const channel = (await numberMessages.first(tx, { channelSid: locked.sid })) ?? locked
    const row = await update(
      tx,
      'messages',
      { sid: was.sid },
      {
        date_updated: tx.now(),
        last_updated_by: identityOf(actor),
        was_edited: edited ? 1 : was.was_edited,
        event: channel.messages_event,
        ...changes,
      },
    )
    if (!row) return undefined
    const message = shown(row)
    tx.record({
      name: 'message.updated',
      accountSid: channel.account_sid,
      at: tx.now(),
      actor,
      channel,
      message,
    })
    return message
  },
  delete: async (tx, call) => {
    const { channel: locked, me } = await inLockedChannel(tx, call)
    const row = await findMessage(tx, locked.sid, call.path.sid)
    if (!row) return false
    requirePermission(me, 'delete message', row.from === me?.identity)
    await remove(tx, 'messages', { sid: row.sid })
    const now = await latest.first(tx, { channelSid: locked.sid })
    const left = { channelSid: locked.sid, sid: now?.sid, index: now?.index, at: now?.date_created }
    const channel = (await dropping.first(tx, left)) ?? locked
    const gone: Kept = { ...row, event: channel.messages_event }
    await bury(tx, {
      object: FOLLOWED.messages(channel.sid),
      item: String(row.index),
      event: gone.event,
      serviceSid: channel.service_sid,
    })
    tx.record({
      name: 'message.removed',
      accountSid: channel.account_sid,
      at: tx.now(),
      actor: call.actor,
      channel,
      message: shown(gone),
    })
    return true
  },
})
