/** Numbers as rows and as JSON: columns that hold JSON are text, moments within JSON are written out. */
import { isoSeconds } from '@parley/contract/present.ts'

type Column<V> = V extends object ? string : V

/** Every object and list as the text of a column. */
export const inColumns = <N extends object>(numbers: N): { [K in keyof N]: Column<N[K]> } =>
  Object.fromEntries(
    Object.entries(numbers).map(([name, it]) => [
      name,
      typeof it === 'object' && it !== null ? JSON.stringify(it) : it,
    ]),
  ) as never

/** Cumulative numbers as one JSON object. */
export const asJson = (numbers: { start_time: number; end_time: number }): string =>
  JSON.stringify({
    ...numbers,
    start_time: isoSeconds(numbers.start_time),
    end_time: isoSeconds(numbers.end_time),
  })
