/** What is said in a channel. It is read by following the channel's messages; here it is said, changed and taken back. */
import { Message } from '@parley/contract/chat/message.ts'
import { problem } from '@parley/contract/problem.ts'
import type { TunnelledAnswer } from '../../client.ts'
import { type Asked, inChannel } from './asked.ts'
import { formOf } from './form.ts'
import { shownMessage } from './shown.ts'

export const createMessage = async (asked: Asked, channelSid: string): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, body } = asked
  const path = { serviceSid, channelSid }
  const form = { ...formOf(body, ['body', 'attributes', 'media_sid']), ...onlyFile(body.media_sids) }
  const message = await inChannel(asked, channelSid, api.perform(Message, 'create', { token, path, form }))
  return { status: 201, body: shownMessage(asked, message) }
}

/** Conversations send a list of files. @throws 20001 for more than the one that a message has */
const onlyFile = (sids: unknown): object => {
  if (!Array.isArray(sids) || sids.length === 0) return {}
  if (sids.length > 1)
    throw problem('invalid_parameter', {
      parameter: 'media_sids',
      reason: 'a message has one file at the most',
    })
  return { MediaSid: String(sids[0]) }
}

export const fetchMessage = async (
  asked: Asked,
  channelSid: string,
  sid: string,
): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid } = asked
  const path = { serviceSid, channelSid, sid }
  const message = await inChannel(asked, channelSid, api.perform(Message, 'fetch', { token, path }))
  return { status: 200, body: shownMessage(asked, message) }
}

export const updateMessage = async (
  asked: Asked,
  channelSid: string,
  sid: string,
): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, body } = asked
  const path = { serviceSid, channelSid, sid }
  const form = formOf(body, ['body', 'attributes'])
  const message = await inChannel(asked, channelSid, api.perform(Message, 'update', { token, path, form }))
  return { status: 200, body: shownMessage(asked, message) }
}

export const deleteMessage = async (
  asked: Asked,
  channelSid: string,
  sid: string,
): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid } = asked
  const path = { serviceSid, channelSid, sid }
  await inChannel(asked, channelSid, api.perform(Message, 'delete', { token, path }))
  return { status: 204 }
}

/** Nothing here is delivered to telephones, so there are no receipts. */
export const listReceipts = async (
  asked: Asked,
  channelSid: string,
  sid: string,
): Promise<TunnelledAnswer> => {
  await fetchMessage(asked, channelSid, sid)
  return { status: 200, body: { delivery_receipts: [], meta: { previous_token: null, next_token: null } } }
}
