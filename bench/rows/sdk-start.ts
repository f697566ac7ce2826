/** The published chat SDK starts for somebody who is in 250 channels. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { forEach, type Scene, tokenFor } from '../crowd.ts'
import { ask } from '../programs.ts'
import { onParley, TEXT } from '../scene.ts'
import type { Row } from '../table.ts'

const SIZE = { channels: 250, membersEach: 1 }
const MESSAGES_EACH = 10
const IDENTITY = 'agent'
const AT_ONCE = 32
const TIMES = 3
const PATIENCE_MS = 30_000

/** Until the channels are listed. A bare prototype of the protocol needed as much. */
const LISTED_MS_MAX = 1_400

interface Started {
  readonly initializedMs: number
  readonly listedMs: number
  readonly allMs: number
  readonly channels: number
  readonly messages: number
  readonly members: number
}

const furnish = async ({ url, serviceSid, channels }: Scene): Promise<void> => {
  await forEach(channels, AT_ONCE, async ({ sid }) => {
    const channel = `/v2/Services/${serviceSid}/Channels/${sid}`
    await ask(url, 'POST', `${channel}/Members`, { Identity: IDENTITY })
    for (let at = 0; at < MESSAGES_EACH; at += 1)
      await ask(url, 'POST', `${channel}/Messages`, { Body: TEXT })
  })
}

/** @throws where the client did not find everything */
const start = async ({ url, serviceSid }: Scene): Promise<Started> => {
  const program = fileURLToPath(new URL('../sdk.ts', import.meta.url))
  const args = [program, `${url.replace('http', 'ws')}/v3/wsconnect`, tokenFor(IDENTITY, serviceSid)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: PATIENCE_MS })
  const started = JSON.parse(stdout) as Started
  const { channels } = SIZE
  const expected = [channels, channels * MESSAGES_EACH, channels * (SIZE.membersEach + 1)]
  const found = [started.channels, started.messages, started.members]
  if (String(found) !== String(expected)) throw new Error(`it found ${found}, not ${expected}`)
  return started
}

const measure = async (scene: Scene): Promise<Started> => {
  await furnish(scene)
  const starts: Started[] = []
  for (let at = 0; at < TIMES; at += 1) starts.push(await start(scene))
  return starts.sort((a, b) => a.listedMs - b.listedMs)[Math.floor(TIMES / 2)] as Started
}

export const sdkStartRow = async (): Promise<Row> => {
  const median = await onParley(SIZE, measure)
  const ms = (it: number): string => `${Math.round(it)} ms`
  const { initializedMs, listedMs, allMs } = median
  return {
    what: `start of the published chat SDK with ${SIZE.channels} channels`,
    ours: `initialized ${ms(initializedMs)}, listed ${ms(listedMs)}, messages and members ${ms(allMs)}`,
    ceiling: '',
    ratio: listedMs / LISTED_MS_MAX,
    budget: `listed ≤ ${LISTED_MS_MAX} ms`,
    holds: listedMs <= LISTED_MS_MAX,
    numbers: { median },
  }
}
