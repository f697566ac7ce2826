/** A message over the chat socket, from its send until the channel's other member hears of it. */
import { assemble, dismiss, type Hear, type Present, patiently, type Scene } from '../crowd.ts'
import { type Measured, repeat } from '../load.ts'
import { onCeiling, onParley } from '../scene.ts'
import type { Row } from '../table.ts'

const SIZE = { channels: 1_000, membersEach: 2 }
const AT_ONCE = 64
const SECONDS = 6

/** Prime to the number of channels: messages go all over the place. */
const STRIDE = 7919

const measure = async (scene: Scene): Promise<Measured> => {
  const present = await assemble(scene)
  const awaited = new Map<string, () => void>()
  const hear: Hear = (kind, payload) => {
    if (kind === 'list') awaited.get(numberOf(payload))?.()
  }
  // Of each channel's two members the first speaks and the second is listened to.
  for (const [at, { client }] of present.entries()) if (at % SIZE.membersEach) client.hear = hear
  const measured = await repeat({ atOnce: AT_ONCE, seconds: SECONDS }, async (at) => {
    const { client, channelSid } = present[((at * STRIDE) % SIZE.channels) * SIZE.membersEach] as Present
    const { promise: heard, resolve, reject } = Promise.withResolvers<void>()
    awaited.set(String(at), resolve)
    client.say(channelSid, `${at} The parcel has not arrived, can you look where it is?`).catch(reject)
    await patiently(heard, `message ${at}`)
    return awaited.delete(String(at))
  })
  dismiss(present)
  return measured
}

/** A message's text begins with its number. */
const numberOf = (payload: string): string => /"text":"(\d+) /.exec(payload)?.[1] ?? ''

const shown = ({ perSecond, p50Ms, p99Ms }: Measured): string =>
  `${Math.round(perSecond)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`

export const socketSendRow = async (): Promise<Row> => {
  const ceiling = await onCeiling(SIZE, measure)
  const ours = await onParley(SIZE, measure)
  const ratio = ours.perSecond / ceiling.perSecond
  const p99Ratio = ours.p99Ms / ceiling.p99Ms
  return {
    what: "chat-socket message send to the other member's messageAdded, 1,000 channels",
    ours: shown(ours),
    ceiling: shown(ceiling),
    ratio,
    budget: '≥ 0.5 of the ceiling, p99 ≤ 3 ×',
    holds: ratio >= 0.5 && p99Ratio <= 3,
    numbers: { ours, ceiling, p99Ratio },
  }
}
