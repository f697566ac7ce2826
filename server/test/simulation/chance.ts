/** Chance that is the same for the same seed. */

export interface Chance {
  /** A whole number from `from` to `to`, both of them possible. */
  int(from: number, to: number): number
  /** True so often in a hundred. */
  percent(of: number): boolean
  pick<T>(of: readonly T[]): T
  hex(digits: number): string
}

/** Mulberry32: small, quick, and the same on every machine. */
export const openChance = (seed: number): Chance => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let it = state
    it = Math.imul(it ^ (it >>> 15), it | 1)
    it ^= it + Math.imul(it ^ (it >>> 7), it | 61)
    return ((it ^ (it >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    int,
    percent: (of) => next() * 100 < of,
    pick: (of) => {
      if (!of.length) throw new Error('there is nothing to pick from')
      return of[int(0, of.length - 1)] as (typeof of)[number]
    },
    hex: (digits) => {
      let text = ''
      while (text.length < digits)
        text += Math.floor(next() * 2 ** 32)
          .toString(16)
          .padStart(8, '0')
      return text.slice(0, digits)
    },
  }
}
