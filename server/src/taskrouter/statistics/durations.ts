/** Sums of durations that can be added up part by part. */

/** Milliseconds. */
export interface Durations {
  readonly count: number
  readonly total: number
  readonly min: number
  readonly max: number
}

export const NONE: Durations = { count: 0, total: 0, min: 0, max: 0 }

export const added = (a: Durations, b: Durations): Durations => {
  if (!a.count) return b
  if (!b.count) return a
  return {
    count: a.count + b.count,
    total: a.total + b.total,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

/** In whole seconds, as answers have them. */
export const average = ({ count, total }: Durations): number => (count ? seconds(total / count) : 0)

/** `{ avg, min, max, total }` in whole seconds. */
export const inSeconds = (it: Durations) => ({
  avg: average(it),
  min: seconds(it.min),
  max: seconds(it.max),
  total: seconds(it.total),
})
