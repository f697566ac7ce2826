/** A closed loop of requests, or of anything else: so many at once, for so long, and what it came to. */
import { createHistogram } from 'node:perf_hooks'
import { Pool } from 'undici'

export interface Asked {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Measured {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** After the warm-up. */
  readonly count: number
  readonly failed: number
  /** The warm-up's among them. */
  readonly sent: number
}

interface Loop {
  readonly atOnce: number
  readonly seconds: number
  readonly warmUpSeconds?: number
}

interface Load extends Loop {
  readonly next: (at: number) => Asked
}

const NS_PER_MS = 1e6

export const load = async (origin: string, { next, ...loop }: Load): Promise<Measured> => {
  const pool = new Pool(origin, { connections: loop.atOnce, pipelining: 1 })
  const measured = await repeat(loop, async (at) => {
    const { method, path, headers = {}, body } = next(at)
    const answer = await pool
      .request({ method, path, headers: { ...headers }, body: body ?? null })
      .catch((fault: unknown) => {
        throw new Error(`${method} ${origin}${path} was not answered`, { cause: fault })
      })
    await answer.body.dump()
    return answer.statusCode < 300
  })
  await pool.close()
  return measured
}

/** @param run what is measured; resolves with whether it went well */
export const repeat = async (
  { atOnce, seconds, warmUpSeconds = 1 }: Loop,
  run: (at: number) => Promise<boolean>,
): Promise<Measured> => {
  const histogram = createHistogram()
  let count = 0
  let failed = 0
  let sent = 0
  const start = performance.now()
  const counted = start + warmUpSeconds * 1000
  const end = counted + seconds * 1000
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const began = process.hrtime.bigint()
      const wentWell = await run(sent++)
      if (performance.now() < counted) continue
      count += 1
      if (!wentWell) failed += 1
      histogram.record(process.hrtime.bigint() - began || 1n)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const took = (performance.now() - counted) / 1000
  return {
    perSecond: count / took,
    p50Ms: histogram.percentile(50) / NS_PER_MS,
    p99Ms: histogram.percentile(99) / NS_PER_MS,
    count,
    failed,
    sent,
  }
}
