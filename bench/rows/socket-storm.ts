/**
 * 5,000 clients were away while 200 messages came in each of their channels, and come back at once to a server that has
 * just started: how long until everybody has everything, each message once and in order.
 */
import {
  assemble,
  ChatClient,
  dismiss,
  forEach,
  isEstablished,
  type Present,
  patiently,
  type Scene,
} from '../crowd.ts'
import { ask, newFolder, openParley, type Program } from '../programs.ts'
import { makeScene, onCeiling, TEXT } from '../scene.ts'
import type { Row } from '../table.ts'

const SIZE = { channels: 50, membersEach: 100 }
const CLIENTS = SIZE.channels * SIZE.membersEach
const MISSED = 200
const POSTING_AT_ONCE = 64
const TRIES = 20
const RETRY_MS = 1_000

interface Storm {
  readonly seconds: number
  /** Until the last was let in. */
  readonly enteredSeconds: number
  readonly messagesPerSecond: number
  readonly peakMb: number
}

/** @throws where anybody hears a message twice, or out of order, or not at all */
const comeBack = async (
  { client, following }: Present,
  program: Program,
  entered: () => void,
): Promise<void> => {
  const { promise: hasAll, resolve, reject } = Promise.withResolvers<void>()
  let next = 0
  let established = 0
  client.hear = (kind, payload) => {
    if (isEstablished(kind, payload)) established += 1
    else {
      const index = /"item_index":(\d+)/.exec(payload)?.[1]
      if (index === undefined) return
      if (Number(index) !== next) reject(new Error(`${client.identity} got ${index} in the place of ${next}`))
      next += 1
    }
    if (next === MISSED && established === following.length) resolve()
  }
  await enterAtLast(client, program.url)
  entered()
  await client.follow(following)
  await patiently(hasAll, `what ${client.identity} missed`)
}

/** As the published clients do it: who does not get in tries again. */
const enterAtLast = async (client: ChatClient, url: string): Promise<void> => {
  for (let left = TRIES; ; left -= 1) {
    try {
      await client.enter(url)
      return
    } catch (fault) {
      if (left === 0) throw fault
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

const storm = async (present: readonly Present[], program: Program): Promise<Storm> => {
  const began = performance.now()
  let enteredMs = 0
  const entered = () => {
    enteredMs = performance.now() - began
  }
  await Promise.all(present.map((it) => comeBack(it, program, entered)))
  const seconds = (performance.now() - began) / 1000
  dismiss(present)
  return {
    seconds,
    enteredSeconds: enteredMs / 1000,
    messagesPerSecond: (CLIENTS * MISSED) / seconds,
    peakMb: program.peakMb(),
  }
}

const postAll = async ({ url, serviceSid, channels }: Scene): Promise<void> => {
  const posts = Array.from({ length: MISSED }, () => channels).flat()
  await forEach(posts, POSTING_AT_ONCE, async ({ sid }) => {
    await ask(url, 'POST', `/v2/Services/${serviceSid}/Channels/${sid}/Messages`, { Body: TEXT })
  })
}

const stormOnParley = async (): Promise<Storm> => {
  await using folder = await newFolder()
  const present = await (async () => {
    await using parley = await openParley(folder.path)
    const scene = await makeScene(parley.url, SIZE)
    const crowd = await assemble(scene)
    dismiss(crowd)
    await postAll(scene)
    return crowd
  })()
  await using parley = await openParley(folder.path)
  return await storm(present, parley)
}

/** There everything in a channel was missed, by people who never were there before. */
const stormOnCeiling = (): Promise<Storm> =>
  onCeiling(SIZE, (scene, ceiling) => storm(absent(scene), ceiling), MISSED)

const absent = (scene: Scene): Present[] =>
  scene.channels.flatMap(({ sid: channelSid, members }) =>
    members.map((identity) => ({
      client: new ChatClient(scene, identity),
      channelSid,
      following: [
        `US${identity}.my_channels`,
        `US${identity}.info`,
        `${channelSid}.channel`,
        `${channelSid}.messages`,
        `${channelSid}.roster`,
      ].map((name) => ({ sid: name, name, lastEvent: 0 })),
    })),
  )

const shown = ({ seconds, messagesPerSecond }: Storm): string =>
  `${seconds.toFixed(1)} s, ${Math.round(messagesPerSecond)} messages/s`

export const socketStormRow = async (): Promise<Row> => {
  const ceiling = await stormOnCeiling()
  const ours = await stormOnParley()
  const ratio = ceiling.seconds / ours.seconds
  return {
    what: `${CLIENTS} clients come back at once, ${MISSED} messages missed each`,
    ours: shown(ours),
    ceiling: shown(ceiling),
    ratio,
    budget: '≥ 0.5 of the ceiling',
    holds: ratio >= 0.5,
    numbers: { ours, ceiling },
  }
}
