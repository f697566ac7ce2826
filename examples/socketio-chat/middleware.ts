/**
 * What stands between the chat and Flex: a channel for a visitor who begins to talk, and each of their messages into
 * it. The way back is two webhooks, registered with the channel.
 */
import type { Client } from './twilio.ts'

export interface Flex {
  readonly client: Client
  readonly flexFlowSid: string
  readonly chatServiceSid: string
  readonly webhookBaseUrl: string
}

export interface Visitor {
  /** Nobody else can know or guess it: it is the conversation's `Target` and the visitor's chat identity. */
  readonly id: string
  readonly name: string
}

/** A message as the page shows it. */
export interface Shown {
  readonly sid: string
  readonly channel: string
  /** Its place in the channel, from 0. */
  readonly index: number
  /** Null is the visitor's own. */
  readonly from: string | null
  readonly body: string
}

/** Which webhook brings which event. */
export const HOOKS = { '/new-message': 'onMessageSent', '/channel-update': 'onChannelUpdated' } as const
export type HookPath = keyof typeof HOOKS

/** The very text that is registered: the signature of each call is made over it. */
export const hookUrl = ({ webhookBaseUrl }: Flex, path: HookPath, channelSid: string): string =>
  `${webhookBaseUrl}${path}?channel=${channelSid}`

/**
 * The visitor's channel. A conversation that goes on under the same target is found rather than made, with the
 * webhooks it has.
 *
 * @returns the SID of the channel
 */
export const createChannel = async (flex: Flex, visitor: Visitor): Promise<string> => {
  const { sid } = await flex.client.flexApi.v1.channel.create({
    flexFlowSid: flex.flexFlowSid,
    identity: visitor.id,
    target: visitor.id,
    chatUserFriendlyName: visitor.name,
    chatFriendlyName: 'Flex Custom Chat',
  })
  const { webhooks } = channelAt(flex, sid)
  const known = (await webhooks.list()).map((it) => it.configuration?.url)
  for (const path of Object.keys(HOOKS) as HookPath[]) {
    const url = hookUrl(flex, path, sid)
    if (known.includes(url)) continue
    await webhooks.create({
      type: 'webhook',
      'configuration.method': 'POST',
      'configuration.url': url,
      'configuration.filters': [HOOKS[path]],
    })
  }
  return sid
}

/** Without the header, a message sent through the API sets nothing off: no webhook, and no task. */
export const sendMessage = async (
  flex: Flex,
  channelSid: string,
  visitor: Visitor,
  body: string,
): Promise<Shown> => {
  const sent = await channelAt(flex, channelSid).messages.create({
    from: visitor.id,
    body,
    xTwilioWebhookEnabled: 'true',
  })
  return { sid: sent.sid, channel: channelSid, index: sent.index, from: null, body: sent.body }
}

/** What was said so far, for a page that was reloaded or away. */
export const readMessages = async (flex: Flex, channelSid: string, visitorId: string): Promise<Shown[]> =>
  (await channelAt(flex, channelSid).messages.list())
    .filter((it) => it.from !== 'system')
    .map(({ sid, index, from, body }) => ({
      sid,
      channel: channelSid,
      index,
      from: from === visitorId ? null : from,
      body,
    }))

/** The channel of a visitor's conversation that goes on, after this program forgot it. */
export const findChannel = async (flex: Flex, visitorId: string): Promise<string | undefined> => {
  const user = flex.client.chat.v2.services(flex.chatServiceSid).users(visitorId)
  for (const { channelSid } of await user.userChannels.list().catch(noneWhereUnknown)) {
    const { attributes } = await channelAt(flex, channelSid).fetch()
    if (JSON.parse(attributes).status === 'ACTIVE') return channelSid
  }
  return undefined
}

const noneWhereUnknown = (fault: { status?: number }): never[] => {
  if (fault.status === 404) return []
  throw fault
}

const channelAt = ({ client, chatServiceSid }: Flex, channelSid: string) =>
  client.chat.v2.services(chatServiceSid).channels(channelSid)
