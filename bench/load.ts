/** A closed loop of requests: so many at once, for so long, and what it came to. */
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

interface Load {
  readonly atOnce: number
  readonly seconds: number
  readonly warmUpSeconds?: number
  readonly next: (at: number) => Asked
}

const NS_PER_MS = 1e6

export const load = async (
  origin: string,
  { atOnce, seconds, warmUpSeconds = 1, next }: Load,
): Promise<Measured> => {
  const pool = new Pool(origin, { connections: atOnce, pipelining: 1 })
  const histogram = createHistogram()
  let count = 0
  let failed = 0
  let sent = 0
  const start = performance.now()
  const counted = start + warmUpSeconds * 1000
  const end = counted + seconds * 1000
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const { method, path, headers = {}, body } = next(sent++)
      const began = process.hrtime.bigint()
      const answer = await pool
        .request({ method, path, headers: { ...headers }, body: body ?? null })
        .catch((fault: unknown) => {
          throw new Error(`${method} ${origin}${path} was not answered`, { cause: fault })
        })
      await answer.body.dump()
      if (performance.now() < counted) continue
      count += 1
      if (answer.statusCode >= 300) failed += 1
      histogram.record(process.hrtime.bigint() - began || 1n)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const took = (performance.now() - counted) / 1000
  await pool.close()
  return {
    perSecond: count / took,
    p50Ms: histogram.percentile(50) / NS_PER_MS,
    p99Ms: histogram.percentile(99) / NS_PER_MS,
    count,
    failed,
    sent,
  }
}
