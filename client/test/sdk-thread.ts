/**
 * Somebody with the published SDK, in a thread of their own: it keeps timers for hours after its end, and leaves
 * promises behind that nobody waits for. What it hears is told as plain data.
 */
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { Channel, Client, Message } from 'twilio-chat'

export interface SdkHeard {
  readonly event: string
  readonly channelSid: string
  readonly index?: number
  readonly body?: string | null
  readonly attributes?: unknown
  readonly author?: string
  readonly friendlyName?: string
  readonly media?: { readonly filename: string; readonly size: number } | null
}

export interface SdkAsked {
  readonly id: number
  readonly what: 'send' | 'messages'
  readonly channelSid: string
  readonly body?: string
  readonly attributes?: object
}

const require = createRequire(import.meta.url)
const { Client: Sdk } = require('twilio-chat') as { Client: typeof Client }

process.on('unhandledRejection', () => {})

const { token, uri } = workerData as { token: string; uri: string }
const client = new Sdk(token, { Twilsock: { uri }, logLevel: 'silent' } as never)

const tell = (it: object): void => parentPort?.postMessage(it)

const ofMessage = (event: string, it: Message): void =>
  tell({
    event,
    channelSid: it.channel.sid,
    index: it.index,
    body: it.body,
    attributes: it.attributes,
    author: it.author,
    media: it.media && { filename: it.media.filename, size: it.media.size },
  })

client.on('stateChanged', (state: string) => tell({ event: state, channelSid: '' }))
client.on('channelJoined', (it: Channel) =>
  tell({ event: 'channelJoined', channelSid: it.sid, friendlyName: it.friendlyName }),
)
client.on('messageAdded', (it: Message) => ofMessage('messageAdded', it))
client.on('messageUpdated', ({ message }: { message: Message }) => ofMessage('messageUpdated', message))
client.on('messageRemoved', (it: Message) => ofMessage('messageRemoved', it))

parentPort?.on('message', async ({ id, what, channelSid, body, attributes }: SdkAsked) => {
  try {
    const channel = await client.getChannelBySid(channelSid)
    if (what === 'send') tell({ id, answer: await channel.sendMessage(body ?? '', attributes) })
    else tell({ id, answer: (await channel.getMessages()).items.map((it) => it.body) })
  } catch (fault) {
    tell({ id, fault: String(fault) })
  }
})
