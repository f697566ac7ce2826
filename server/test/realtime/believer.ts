/**
 * Somebody with the published chat SDK, who writes down what it says has happened. What they have written must in the
 * end be what a fresh fetch says; and on the way nothing may come twice or out of order.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import type { Channel, Client, Member, Message, User } from 'twilio-chat'

const require = createRequire(import.meta.url)
const { Client: SdkClient } = require('twilio-chat') as { Client: typeof Client }

/** How long somebody may take to come in, in milliseconds. */
const IN_WITHIN_MS = 60_000

interface Heard {
  readonly body: string
  readonly attributes: string
}

export interface Believer {
  readonly identity: string
  readonly client: Client
  /** What the SDK says of its channels, by SID. */
  believed(): Promise<Record<string, ChannelBelief>>
  /** What it says of the people it knows, by identity. */
  people(): Record<string, UserBelief>
  /** What came twice or backwards. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

export interface ChannelBelief {
  readonly friendlyName: string
  readonly attributes: unknown
  /** By index. */
  readonly messages: Record<string, Heard>
  /** By identity. */
  readonly members: Record<string, unknown>
}

export interface UserBelief {
  readonly friendlyName: string
  readonly attributes: unknown
}

const heard = (message: Message): Heard => ({
  body: message.body,
  attributes: JSON.stringify(message.attributes),
})

/** Connects, and waits until every channel that the user is in is there. */
export const believe = async (
  identity: string,
  token: string,
  uri: string,
  channelsCount: number,
): Promise<Believer> => {
  const complaints: string[] = []
  const messages = new Map<string, Map<number, Heard>>()
  const latest = new Map<string, number>()
  const of = (channel: Channel): Map<number, Heard> => {
    const those = messages.get(channel.sid) ?? new Map<number, Heard>()
    messages.set(channel.sid, those)
    return those
  }
  const client = new SdkClient(token, { Twilsock: { uri }, logLevel: 'silent' } as never)
  client.on('messageAdded', (message: Message) => {
    const { sid } = message.channel
    const before = latest.get(sid) ?? -1
    if (message.index <= before) complaints.push(`${identity}: ${sid} ${message.index} came after ${before}`)
    latest.set(sid, message.index)
    of(message.channel).set(message.index, heard(message))
  })
  client.on('messageUpdated', ({ message }: { message: Message }) => {
    of(message.channel).set(message.index, heard(message))
  })
  client.on('messageRemoved', (message: Message) => {
    of(message.channel).delete(message.index)
  })
  await new Promise<void>((resolve, reject) => {
    // It says that it has failed whenever an attempt fails, and then tries again.
    const late = setTimeout(() => reject(new Error(`${identity} did not get in`)), IN_WITHIN_MS)
    client.on('stateChanged', (state: string) => {
      if (state !== 'initialized') return
      clearTimeout(late)
      resolve()
    })
  })
  const channels = async (): Promise<Channel[]> => {
    const all: Channel[] = []
    let page = await client.getSubscribedChannels()
    for (;;) {
      all.push(...page.items)
      if (!page.hasNextPage) return all
      page = await page.nextPage()
    }
  }
  const mine = await channels()
  assert.equal(mine.length, channelsCount, `${identity} is in their channels`)
  const users = new Map<string, User>()
  for (const channel of mine)
    for (const member of await channel.getMembers()) users.set(member.identity, await member.getUser())
  return {
    identity,
    client,
    complaints,
    believed: async () => {
      const beliefs: Record<string, ChannelBelief> = {}
      for (const channel of await channels()) {
        const members = await channel.getMembers()
        beliefs[channel.sid] = {
          friendlyName: channel.friendlyName,
          attributes: channel.attributes,
          messages: Object.fromEntries(of(channel)),
          members: Object.fromEntries(members.map((it: Member) => [it.identity, it.attributes])),
        }
      }
      return beliefs
    },
    people: () =>
      Object.fromEntries(
        [...users].map(([who, { friendlyName, attributes }]) => [who, { friendlyName, attributes }]),
      ),
    close: () => client.shutdown(),
  }
}
