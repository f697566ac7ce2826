/** A message post: durable, with a webhook row written and the webhook called. Ours against its ceiling. */
import { load } from '../load.ts'
import { ask, authorization, newFolder, openParley, openProgram } from '../programs.ts'
import type { Row } from '../table.ts'

const CHANNELS = 1_000
const AT_ONCE = 64
const SECONDS = 6

const form = new URLSearchParams({
  Body: 'The parcel has not arrived, can you look where it is?',
  From: 'vera',
}).toString()
const headers = {
  authorization,
  'content-type': 'application/x-www-form-urlencoded',
  'x-twilio-webhook-enabled': 'true',
}

const post = (service: string, channels: readonly string[]) => (at: number) =>
  ({
    method: 'POST',
    path: `/v2/Services/${service}/Channels/${channels[(at * 7919) % channels.length]}/Messages`,
    headers,
    body: form,
  }) as const

const inTurn = async (count: number, run: (at: number) => Promise<void>): Promise<void> => {
  let at = 0
  const worker = async (): Promise<void> => {
    while (at < count) await run(at++)
  }
  await Promise.all(Array.from({ length: 32 }, worker))
}

/** A service with channels, each with a webhook to the sink. */
export const makeChannels = async (url: string, sink: string, count: number) => {
  const service = (await ask(url, 'POST', '/v2/Services', { FriendlyName: 'Bench' })).sid as string
  const channels: string[] = []
  await inTurn(count, async () => {
    const channel = (await ask(url, 'POST', `/v2/Services/${service}/Channels`, {})).sid as string
    await ask(url, 'POST', `/v2/Services/${service}/Channels/${channel}/Webhooks`, {
      Type: 'webhook',
      'Configuration.Url': sink,
      'Configuration.Filters': 'onMessageSent',
    })
    channels.push(channel)
  })
  return { service, channels }
}

export const measurePosts = async (
  url: string,
  service: string,
  channels: readonly string[],
  seconds = SECONDS,
) => load(url, { atOnce: AT_ONCE, seconds, next: post(service, channels) })

export const postRow = async (): Promise<Row> => {
  await using folder = await newFolder()
  await using sink = await openProgram('sink.ts', [])
  const ceiling = await (async () => {
    await using program = await openProgram('ceilings/post.ts', [folder.path, sink.url, String(CHANNELS)])
    const channels = Array.from({ length: CHANNELS }, (_, at) => `CH${String(at).padStart(32, '0')}`)
    return measurePosts(program.url, 'IS', channels)
  })()
  const ours = await (async () => {
    await using parley = await openParley(folder.path)
    const { service, channels } = await makeChannels(parley.url, sink.url, CHANNELS)
    return measurePosts(parley.url, service, channels)
  })()
  return {
    what: 'REST message post, durable, webhook row written and called',
    ours: `${Math.round(ours.perSecond)}/s, p50 ${ours.p50Ms.toFixed(1)} ms, p99 ${ours.p99Ms.toFixed(1)} ms`,
    ceiling: `${Math.round(ceiling.perSecond)}/s, p50 ${ceiling.p50Ms.toFixed(1)} ms, p99 ${ceiling.p99Ms.toFixed(1)} ms`,
    ratio: ours.perSecond / ceiling.perSecond,
    budget: '≥ 0.5 of the ceiling, p99 ≤ 3 ×',
    holds: ours.failed === 0 && ours.perSecond >= ceiling.perSecond * 0.5 && ours.p99Ms <= ceiling.p99Ms * 3,
    numbers: { ours, ceiling, p99Ratio: ours.p99Ms / ceiling.p99Ms },
  }
}
