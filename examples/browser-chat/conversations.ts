/** A visitor's conversation: a Flex channel, which the visitor's own client then reads and writes. */
import { randomUUID } from 'node:crypto'
import type { Client } from './twilio.ts'

export interface Flex {
  readonly client: Client
  readonly flexFlowSid: string
  readonly chatServiceSid: string
  /** What a visitor may do beside their own channel: nothing. Undefined where the service has no such role. */
  readonly guestRoleSid: string | undefined
}

export interface Visitor {
  /** The conversation's `Target` and the visitor's chat identity. */
  readonly id: string
  readonly name: string
}

export const newVisitorId = (): string => randomUUID()

/** The role that Flex gives its own web visitors in the whole service. */
export const findGuestRole = async (client: Client, chatServiceSid: string): Promise<string | undefined> =>
  (await client.chat.v2.services(chatServiceSid).roles.list()).find(
    (it) => it.type === 'deployment' && it.friendlyName === 'guest',
  )?.sid

/**
 * The visitor's channel, with the visitor in it. A conversation that goes on under the same target is found rather
 * than made; the task follows with the first message.
 *
 * @returns the SID of the channel
 */
export const openConversation = async (flex: Flex, visitor: Visitor): Promise<string> => {
  const { client, flexFlowSid, chatServiceSid, guestRoleSid } = flex
  const { sid } = await client.flexApi.v1.channel.create({
    flexFlowSid,
    identity: visitor.id,
    target: visitor.id,
    chatUserFriendlyName: visitor.name,
    chatFriendlyName: 'Browser chat',
  })
  // The user was made with the service's default role, which lets them make channels and join public ones.
  if (guestRoleSid)
    await client.chat.v2.services(chatServiceSid).users(visitor.id).update({ roleSid: guestRoleSid })
  return sid
}
