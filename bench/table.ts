/** One row of the result, and all of them as a table. */

export interface Row {
  readonly what: string
  readonly ours: string
  readonly ceiling: string
  /** Of the ceiling where there is one, else of the budget. */
  readonly ratio: number
  readonly budget: string
  readonly holds: boolean
  readonly numbers: Readonly<Record<string, unknown>>
}

export const asText = (rows: readonly Row[]): string => {
  const lines = [
    ['what', 'ours', 'ceiling', 'ratio', 'budget', 'holds'],
    ...rows.map((it) => [
      it.what,
      it.ours,
      it.ceiling || '–',
      it.ratio.toFixed(2),
      it.budget,
      it.holds ? 'yes' : 'NO',
    ]),
  ]
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((it, at) => it.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
