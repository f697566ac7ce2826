/** The channels that the client is in or invited to, with what is unread in each. */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import { UserChannel, type UserChannelRow } from '@parley/contract/chat/user-channel.ts'
import { sql } from 'kysely'
import { consumeNone } from '../../../chat/index.ts'
import { reading } from '../../../store/query.ts'
import type { TunnelledAnswer } from '../../client.ts'
import { type Asked, inChannel, seenChannel } from './asked.ts'
import { formOf } from './form.ts'
import { type Page, pageOf, readPage } from './page.ts'
import { shownConversation, shownStanding } from './shown.ts'

type Mine = Pick<Asked, 'api' | 'token' | 'serviceSid' | 'client'>

const channelsBySid = reading((db, at: { serviceSid: string; sids: string }, { isOneOf }) =>
  db
    .selectFrom('channels')
    .selectAll()
    .where('service_sid', '=', at.serviceSid)
    .where(isOneOf(sql.ref('sid'), at.sids)),
)

/** A page of them, each with its channel. */
export const myChannels = async (
  { api, token, serviceSid, client }: Mine,
  pageToken: string | undefined,
): Promise<Page<readonly [ChannelRow, UserChannelRow]>> => {
  const page = readPage(pageToken)
  const path = { serviceSid, userSid: client.userSid }
  const standings = await api.perform(UserChannel, 'list', { token, path, page })
  const { rows, previous, next } = pageOf(standings, page, (it) => it.channel_sid)
  const sids = JSON.stringify(rows.map((it) => it.channel_sid))
  const channels = rows.length ? await channelsBySid.all(api.reader, { serviceSid, sids }) : []
  const bySid = new Map(channels.map((it) => [it.sid, it]))
  return {
    // One that was destroyed meanwhile is gone from the list.
    rows: rows.flatMap((it) => {
      const channel = bySid.get(it.channel_sid)
      return channel ? [[channel, it] as const] : []
    }),
    previous,
    next,
  }
}

export const listMine = async (asked: Asked): Promise<TunnelledAnswer> => {
  const { rows, previous, next } = await myChannels(asked, asked.query.PageToken)
  return {
    status: 200,
    body: {
      conversations: rows.map(([channel, standing]) => shownConversation(asked, channel, standing)),
      meta: { previous_token: previous, next_token: next },
    },
  }
}

/** @throws 20404 where the client is neither a member nor invited, 50300 where there is no channel that it sees */
export const fetchMine = async (asked: Asked, key: string): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, client } = asked
  const path = { serviceSid, userSid: client.userSid, channelSid: key }
  const standing = await inChannel(asked, key, api.perform(UserChannel, 'fetch', { token, path }))
  const channel = await seenChannel(asked, standing.channel_sid)
  return { status: 200, body: shownConversation(asked, channel, standing) }
}

/** Moves the horizon, or says how loud the channel is. A horizon that is null says that nothing was read. */
export const updateMine = async (asked: Asked, key: string): Promise<TunnelledAnswer> => {
  const { body } = asked
  const { last_consumed_message_index: consumed = body.last_read_message_index } = body
  if (consumed === null) return { status: 200, body: shownStanding(asked, await readNothing(asked, key)) }
  const form = formOf({ ...body, last_consumed_message_index: consumed }, [
    'last_consumed_message_index',
    'notification_level',
  ])
  return { status: 200, body: shownStanding(asked, await changeMine(asked, key, form)) }
}

/** @param form of a user's channel, as REST has it */
export const changeMine = (
  asked: Mine,
  key: string,
  form: Record<string, unknown>,
): Promise<UserChannelRow> => {
  const { api, token, serviceSid, client } = asked
  const path = { serviceSid, userSid: client.userSid, channelSid: key }
  return inChannel(asked, key, api.perform(UserChannel, 'update', { token, path, form }))
}

/** @throws 50300 for a channel that is not seen, 50400 for one that the client is no member of */
export const readNothing = async (asked: Mine, key: string): Promise<UserChannelRow> => {
  const { api, client, serviceSid } = asked
  const channel = await seenChannel(asked, key)
  const actor = { kind: 'client', identity: client.identity } as const
  const whose = { accountSid: client.accountSid, serviceSid, channelSid: channel.sid, actor }
  return api.store.transact('chat.consumeNone', (tx) => consumeNone(tx, whose))
}
