/** What the older clients read with requests: channels and users, in the words of Programmable Chat. */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import { Channel } from '@parley/contract/chat/channel.ts'
import type { UserChannelRow } from '@parley/contract/chat/user-channel.ts'
import { problem } from '@parley/contract/problem.ts'
import { FOLLOWED } from '../../../chat/index.ts'
import type { Client, TunnelledAnswer, TunnelledRequest } from '../../client.ts'
import { type Asked, type ChannelAnswer, type ChatApi, seenChannel, tokenOf } from '../chat/asked.ts'
import { standingIn } from '../chat/conversations.ts'
import { decoded, requireName } from '../chat/decoded.ts'
import { myChannels } from '../chat/my-conversations.ts'
import { pageOf, readPage } from '../chat/page.ts'
import { sayTyping } from '../chat/typing.ts'
import { fetchUser, listUsers } from '../chat/users.ts'
import { iso } from '../sync/data.ts'

/** @param path in the service: `MyChannels`; or `typing` */
export const answerRead = async (
  api: ChatApi,
  client: Client,
  { method, query, body }: TunnelledRequest,
  path: string,
): Promise<TunnelledAnswer> => {
  const { serviceSid } = client
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Asked['body']
  const asked: Asked = { api, client, token: tokenOf(client), serviceSid, version: 'v1', query, body: fields }
  if (path === 'typing' && method === 'POST') return sayTyping(asked, fields.ChannelSid)
  if (method !== 'GET') throw problem('method_not_allowed', { method, path })
  if (path === 'SyncList' || path === 'MyChannels') return listMine(asked)
  if (path === 'PublicChannels') return listPublic(asked)
  if (path === 'Users') return listUsers(asked)
  const [, folder, key] = /^(PublicChannels|Users)\/(.+)$/s.exec(path) ?? []
  if (folder === 'Users') return fetchUser(asked, decoded(key as string))
  if (folder === 'PublicChannels') return fetchChannel(asked, decoded(key as string))
  throw problem('not_found', { path })
}

/** Those that the client is in or invited to; with `ChannelSid` that one, if it is among them. */
const listMine = async (asked: Asked): Promise<TunnelledAnswer> => {
  const { ChannelSid: only, PageToken: pageToken } = asked.query
  if (only !== undefined) {
    const standing = await standingIn(asked, requireName(only))
    const channels = standing ? [shown(await seenChannel(asked, only), standing)] : []
    return { status: 200, body: { channels, meta: { previous_token: null, next_token: null } } }
  }
  const { rows, previous, next } = await myChannels(asked, pageToken)
  return {
    status: 200,
    body: {
      channels: rows.map(([channel, standing]) => shown(channel, standing)),
      meta: { previous_token: previous, next_token: next },
    },
  }
}

const listPublic = async (asked: Asked): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, query } = asked
  const page = readPage(query.PageToken)
  const channels = await api.perform(Channel, 'list', { token, path: { serviceSid }, page })
  const { rows, previous, next } = pageOf(channels, page, (it) => it.sid)
  return {
    status: 200,
    body: {
      channels: rows.map((it) => shown(it, undefined)),
      meta: { previous_token: previous, next_token: next },
    },
  }
}

/** Any that the client sees, by SID or unique name. */
const fetchChannel = async (asked: Asked, key: string): Promise<TunnelledAnswer> => {
  const channel = await seenChannel(asked, key)
  return { status: 200, body: shown(channel, await standingIn(asked, channel.sid)) }
}

const shown = (channel: ChannelAnswer | ChannelRow, standing: UserChannelRow | undefined): object => ({
  sid: channel.sid,
  channel_sid: channel.sid,
  friendly_name: channel.friendly_name,
  unique_name: channel.unique_name,
  attributes: channel.attributes,
  type: channel.type,
  created_by: channel.created_by,
  date_created: iso(channel.date_created),
  date_updated: iso(channel.date_updated),
  messages_count: channel.messages_count,
  members_count: channel.members_count,
  channel: FOLLOWED.document(channel.sid),
  messages: FOLLOWED.messages(channel.sid),
  roster: FOLLOWED.roster(channel.sid),
  ...(standing
    ? {
        status: standing.status,
        last_consumed_message_index: standing.last_consumed_message_index,
        unread_messages_count: standing.unread_messages_count,
        notification_level: standing.notification_level,
      }
    : {}),
})
