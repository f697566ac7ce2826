/** One channel of 1,000 members who all listen: from a message's send until the last of them has heard of it. */
import { assemble, dismiss, type Hear, type Present, patiently, type Scene } from '../crowd.ts'
import { type Measured, repeat } from '../load.ts'
import { onCeiling, onParley } from '../scene.ts'
import type { Row } from '../table.ts'

const SIZE = { channels: 1, membersEach: 1_000 }

/** Enough that nobody waits for anybody, and few enough that a time is one message's. */
const AT_ONCE = 2
const SECONDS = 6

const measure = async (scene: Scene): Promise<Measured> => {
  const present = await assemble(scene)
  const awaited = new Map<string, { left: number; readonly resolve: () => void }>()
  const hear: Hear = (kind, payload) => {
    if (kind !== 'list') return
    const hearing = awaited.get(/"text":"(\d+) /.exec(payload)?.[1] ?? '')
    if (!hearing) return
    hearing.left -= 1
    if (hearing.left === 0) hearing.resolve()
  }
  for (const { client } of present) client.hear = hear
  const measured = await repeat({ atOnce: AT_ONCE, seconds: SECONDS }, async (at) => {
    const { client, channelSid } = present[at % present.length] as Present
    const { promise: heard, resolve, reject } = Promise.withResolvers<void>()
    awaited.set(String(at), { left: present.length, resolve })
    client.say(channelSid, `${at} The parcel has not arrived, can you look where it is?`).catch(reject)
    await patiently(heard, `message ${at}`)
    return awaited.delete(String(at))
  })
  dismiss(present)
  return measured
}

const deliveries = ({ perSecond }: Measured): number => perSecond * SIZE.membersEach

const shown = (it: Measured): string =>
  `${Math.round(deliveries(it))}/s, last heard p50 ${it.p50Ms.toFixed(0)} ms, p99 ${it.p99Ms.toFixed(0)} ms`

export const socketFanOutRow = async (): Promise<Row> => {
  const ceiling = await onCeiling(SIZE, measure)
  const ours = await onParley(SIZE, measure)
  const ratio = ours.perSecond / ceiling.perSecond
  const p99Ratio = ours.p99Ms / ceiling.p99Ms
  return {
    what: 'chat-socket fan-out in one channel of 1,000 members, deliveries',
    ours: shown(ours),
    ceiling: shown(ceiling),
    ratio,
    budget: '≥ 0.5 of the ceiling, p99 ≤ 3 ×',
    holds: ratio >= 0.5 && p99Ratio <= 3,
    numbers: { ours, ceiling, p99Ratio },
  }
}
