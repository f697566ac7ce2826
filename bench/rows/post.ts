/**
 * A message post: durable, with a webhook row written and the webhook called; and the same with each channel's two
 * members at their sockets. Ours against its ceiling.
 *
 * A second counts the messages that were posted and told: a program that puts its webhooks off has to make up for them
 * before the clock stops, and a message counts only when both members have heard of it. Latencies are of the posts.
 */
import { assemble, dismiss, forEach, type Hear, type Scene } from '../crowd.ts'
import { load, type Measured } from '../load.ts'
import { API_KEY, ask, authorization, CREDENTIALS, newFolder, openParley, openProgram } from '../programs.ts'
import { ceilingScene, makeScene, type Size } from '../scene.ts'
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

/** A service with channels, each with a webhook to the sink. */
const makeChannels = async (url: string, sink: string, size: Size): Promise<Scene> => {
  const scene = await makeScene(url, size)
  await forEach(scene.channels, 32, async ({ sid }) => {
    await ask(url, 'POST', `/v2/Services/${scene.serviceSid}/Channels/${sid}/Webhooks`, {
      Type: 'webhook',
      'Configuration.Url': sink,
      'Configuration.Filters': 'onMessageSent',
    })
  })
  return scene
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

/**
 * Posts, then waits until the sink and everybody at a socket has heard of every message.
 * @throws where they do not
 */
const measureTold = async (scene: Scene, sink: string): Promise<Told> => {
  const present = await assemble(scene)
  let told = 0
  const hear: Hear = (kind) => {
    if (kind === 'list') told += 1
  }
  for (const { client } of present) client.hear = hear
  const before = await heardBy(sink)
  const began = performance.now()
  const channels = scene.channels.map(({ sid }) => sid)
  const posts = await measurePosts(scene.url, scene.serviceSid, channels)
  const posted = performance.now()
  const toTell = (posts.sent * present.length) / channels.length
  let heard = 0
  while (heard < posts.sent || told < toTell) {
    if (performance.now() - posted > DRAIN_MAX_MS)
      throw new Error(`${posts.sent - heard} messages were never told, ${toTell - told} never heard`)
    await new Promise((resolve) => setTimeout(resolve, 10))
    heard = (await heardBy(sink)) - before
  }
  const ended = performance.now()
  dismiss(present)
  return { ...posts, toldPerSecond: posts.sent / ((ended - began) / 1000), drainMs: ended - posted }
}

const shown = ({ toldPerSecond, p50Ms, p99Ms }: Told): string =>
  `${Math.round(toldPerSecond)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`

const rowFor = async (size: Size, what: string): Promise<Row> => {
  await using folder = await newFolder()
  await using sink = await openProgram('sink.ts', [])
  const { accountSid, authToken } = CREDENTIALS
  const ceiling = await (async () => {
    const args = [folder.path, sink.url, String(size.channels), accountSid, authToken, API_KEY.secret]
    await using program = await openProgram('ceilings/post.ts', args)
    return await measureTold(ceilingScene(program.url, size), sink.url)
  })()
  const ours = await (async () => {
    await using parley = await openParley(folder.path)
    return await measureTold(await makeChannels(parley.url, sink.url, size), sink.url)
  })()
  const ratio = ours.toldPerSecond / ceiling.toldPerSecond
  const p99Ratio = ours.p99Ms / ceiling.p99Ms
  return {
    what,
    ours: shown(ours),
    ceiling: shown(ceiling),
    ratio,
    budget: '≥ 0.5 of the ceiling, p99 ≤ 3 ×',
    holds: ours.failed + ceiling.failed === 0 && ratio >= 0.5 && p99Ratio <= 3,
    numbers: { ours, ceiling, p99Ratio },
  }
}

export const postRow = (): Promise<Row> =>
  rowFor({ channels: CHANNELS, membersEach: 0 }, 'REST message post, durable, webhook row written and called')

export const postHeardRow = (): Promise<Row> =>
  rowFor(
    { channels: CHANNELS, membersEach: 2 },
    'REST message post, durable, webhook row written and called, heard at two sockets',
  )
