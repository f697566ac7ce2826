/**
 * What 5,000 idle sockets weigh: each is somebody's who was let in and follows their own two maps and one channel's
 * document, messages and roster. A first thousand comes before anything is counted, so that what the engine compiles and
 * sets aside once for all is nobody's.
 */
import { assemble, dismiss, type Scene } from '../crowd.ts'
import type { Program } from '../programs.ts'
import { onCeiling, onParley } from '../scene.ts'
import type { Row } from '../table.ts'

const MEMBERS_EACH = 2
const SIZE = { channels: 3_000, membersEach: MEMBERS_EACH }
const FIRST_CHANNELS = 500
const SOCKETS = (SIZE.channels - FIRST_CHANNELS) * MEMBERS_EACH
const KB_MAX = 25
const KB_PER_MB = 1024

/** Long enough for what was used to let them in to be collected, in milliseconds. */
const SETTLING_MS = 5_000

const settled = async ({ memoryMb }: Program): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, SETTLING_MS))
  return memoryMb()
}

/** @returns kilobytes a socket */
const measure = async (scene: Scene, program: Program): Promise<number> => {
  const { channels } = scene
  const first = await assemble({ ...scene, channels: channels.slice(0, FIRST_CHANNELS) })
  const before = await settled(program)
  const others = await assemble({ ...scene, channels: channels.slice(FIRST_CHANNELS) })
  const after = await settled(program)
  dismiss([...first, ...others])
  return ((after - before) * KB_PER_MB) / SOCKETS
}

export const socketIdleRow = async (): Promise<Row> => {
  const ceiling = await onCeiling(SIZE, measure)
  const ours = await onParley(SIZE, measure)
  return {
    what: `memory of each of ${SOCKETS} idle chat sockets`,
    ours: `${ours.toFixed(1)} KB`,
    ceiling: `${ceiling.toFixed(1)} KB`,
    ratio: ours / KB_MAX,
    budget: `≤ ${KB_MAX} KB`,
    holds: ours <= KB_MAX,
    numbers: { ours, ceiling },
  }
}
