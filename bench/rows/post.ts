/**
 * A message post: durable, with a webhook row written and the webhook called. Ours against its ceiling.
 *
 * A second counts the messages that were posted and told: a program that puts its webhooks off has to make up for them
 * before the clock stops. Latencies are of the posts.
 */
import { load, type Measured } from '../load.ts'
import { ask, authorization, CREDENTIALS, newFolder, openParley, openProgram } from '../programs.ts'
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

/** How long the last webhooks may take after the last post, in milliseconds. */
const DRAIN_MAX_MS = 60_000

interface Told extends Measured {
  /** Posted and told. */
  readonly toldPerSecond: number
  readonly drainMs: number
}

const heardBy = async (sink: string): Promise<number> => Number(await (await fetch(sink)).text())

/** Posts, then waits until the sink has heard of every message. @throws where it does not */
const measureTold = async (
  url: string,
  sink: string,
  service: string,
  channels: readonly string[],
): Promise<Told> => {
  const before = await heardBy(sink)
  const began = performance.now()
  const posts = await measurePosts(url, service, channels)
  const posted = performance.now()
  let heard = 0
  while (heard < posts.sent) {
    if (performance.now() - posted > DRAIN_MAX_MS)
      throw new Error(`${posts.sent - heard} messages were never told`)
    await new Promise((resolve) => setTimeout(resolve, 10))
    heard = (await heardBy(sink)) - before
  }
  const ended = performance.now()
  return { ...posts, toldPerSecond: posts.sent / ((ended - began) / 1000), drainMs: ended - posted }
}

const shown = ({ toldPerSecond, p50Ms, p99Ms }: Told): string =>
  `${Math.round(toldPerSecond)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`

export const postRow = async (): Promise<Row> => {
  await using folder = await newFolder()
  await using sink = await openProgram('sink.ts', [])
  const { accountSid, authToken } = CREDENTIALS
  const ceiling = await (async () => {
    const args = [folder.path, sink.url, String(CHANNELS), accountSid, authToken]
    await using program = await openProgram('ceilings/post.ts', args)
    const channels = Array.from({ length: CHANNELS }, (_, at) => `CH${String(at).padStart(32, '0')}`)
    return await measureTold(program.url, sink.url, `IS${'0'.repeat(32)}`, channels)
  })()
  const ours = await (async () => {
    await using parley = await openParley(folder.path)
    const { service, channels } = await makeChannels(parley.url, sink.url, CHANNELS)
    return await measureTold(parley.url, sink.url, service, channels)
  })()
  const ratio = ours.toldPerSecond / ceiling.toldPerSecond
  const p99Ratio = ours.p99Ms / ceiling.p99Ms
  return {
    what: 'REST message post, durable, webhook row written and called',
    ours: shown(ours),
    ceiling: shown(ceiling),
    ratio,
    budget: '≥ 0.5 of the ceiling, p99 ≤ 3 ×',
    holds: ours.failed + ceiling.failed === 0 && ratio >= 0.5 && p99Ratio <= 3,
    numbers: { ours, ceiling, p99Ratio },
  }
}
