/**
 * The published chat SDK as an app starts it, a process of its own: `sdk.ts <ws url> <token>`. Prints, as JSON, the
 * milliseconds until it was initialized, until its channels were listed, and until each had its messages and members.
 */
import { createRequire } from 'node:module'
import type { Channel, Client } from 'twilio-chat'

const { Client: SdkClient } = createRequire(import.meta.url)('twilio-chat') as { Client: typeof Client }

const [uri = '', token = ''] = process.argv.slice(2)

const channelsOf = async (client: Client): Promise<Channel[]> => {
  let page = await client.getSubscribedChannels()
  const all = [...page.items]
  while (page.hasNextPage) {
    page = await page.nextPage()
    all.push(...page.items)
  }
  return all
}

const began = performance.now()
const since = (): number => performance.now() - began
const client = new SdkClient(token, { Twilsock: { uri }, logLevel: 'silent' } as never)
await new Promise<void>((resolve, reject) => {
  client.on('stateChanged', (state) => {
    if (state === 'initialized') resolve()
    else reject(new Error(`the client is ${state}`))
  })
})
const initializedMs = since()
const channels = await channelsOf(client)
const listedMs = since()
const read = await Promise.all(
  channels.map(async (channel) => {
    const [{ items }, members] = await Promise.all([channel.getMessages(), channel.getMembers()])
    return [items.length, members.length] as const
  }),
)
const allMs = since()
const sum = (which: 0 | 1): number => read.reduce((total, it) => total + it[which], 0)
console.log(
  JSON.stringify({
    initializedMs,
    listedMs,
    allMs,
    channels: channels.length,
    messages: sum(0),
    members: sum(1),
  }),
)
// Its timers would keep it alive.
process.exit(0)
