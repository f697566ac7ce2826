/** Channels: those that are public, and any that the client sees. */
import { Channel } from '@parley/contract/chat/channel.ts'
import { UserChannel, type UserChannelRow } from '@parley/contract/chat/user-channel.ts'
import { Problem } from '@parley/contract/problem.ts'
import type { TunnelledAnswer } from '../../client.ts'
import { type Asked, inChannel, seenChannel } from './asked.ts'
import { formOf } from './form.ts'
import { pageOf, readPage } from './page.ts'
import { shownConversation } from './shown.ts'

const NAMES = ['friendly_name', 'unique_name', 'attributes']

/** The public ones. */
export const listConversations = async (asked: Asked): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, query } = asked
  const page = readPage(query.PageToken)
  const channels = await api.perform(Channel, 'list', { token, path: { serviceSid }, page })
  const { rows, previous, next } = pageOf(channels, page, (it) => it.sid)
  return {
    status: 200,
    body: {
      conversations: rows.map((it) => shownConversation(asked, it, undefined)),
      meta: { previous_token: previous, next_token: next },
    },
  }
}

export const fetchConversation = async (asked: Asked, key: string): Promise<TunnelledAnswer> => {
  const channel = await seenChannel(asked, key)
  return { status: 200, body: shownConversation(asked, channel, await standingIn(asked, channel.sid)) }
}

/** How the client stands to a channel; nothing where it is neither a member nor invited. */
export const standingIn = async (
  { api, token, serviceSid, client }: Pick<Asked, 'api' | 'token' | 'serviceSid' | 'client'>,
  channelSid: string,
): Promise<UserChannelRow | undefined> => {
  const path = { serviceSid, userSid: client.userSid, channelSid }
  try {
    return await api.perform(UserChannel, 'fetch', { token, path })
  } catch (fault) {
    if (fault instanceof Problem && fault.problem === 'not_found') return undefined
    throw fault
  }
}

/** Conversations make only private ones, and do not say so. */
export const createConversation = async (asked: Asked): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, version, body } = asked
  const form = {
    ...(version === 'v2' ? { Type: 'private' } : {}),
    ...formOf(body, [...NAMES, 'type']),
  }
  const channel = await api.perform(Channel, 'create', { token, path: { serviceSid }, form })
  return { status: 201, body: shownConversation(asked, channel, undefined) }
}

export const updateConversation = async (asked: Asked, key: string): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, body } = asked
  const path = { serviceSid, sid: key }
  // Without a name is what null says, too.
  const named = { ...body, ...(body.unique_name === null ? { unique_name: '' } : {}) }
  const form = formOf(named, NAMES)
  const channel = await inChannel(asked, key, api.perform(Channel, 'update', { token, path, form }))
  return { status: 200, body: shownConversation(asked, channel, undefined) }
}

export const deleteConversation = async (asked: Asked, key: string): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid } = asked
  await inChannel(asked, key, api.perform(Channel, 'delete', { token, path: { serviceSid, sid: key } }))
  return { status: 204 }
}
