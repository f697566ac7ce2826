/** A plot of some curves over powers of ten, as SVG. */

export interface Curve {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const WIDTH = 720
const HEIGHT = 400
const LEFT = 70
const RIGHT = 20
const TOP = 48
const BOTTOM = 84

const COLOURS = ['#0b62c4', '#c2410c', '#15803d']

/** Grey is read on white and on black alike. */
const GREY = '#808080'

const decades = (values: readonly number[]): readonly [number, number] => [
  Math.floor(Math.log10(Math.min(...values))),
  Math.ceil(Math.log10(Math.max(...values))),
]

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)

const said = (power: number): string => (10 ** power).toLocaleString('en')

export const plot = (
  title: string,
  { x, y, curves }: { readonly x: string; readonly y: string; readonly curves: readonly Curve[] },
): string => {
  const points = curves.flatMap((it) => it.points)
  const [fromX, toX] = decades(points.map((it) => it.x))
  const [fromY, toY] = decades(points.map((it) => it.y))
  const across = (power: number): number => LEFT + ((power - fromX) / (toX - fromX)) * (WIDTH - LEFT - RIGHT)
  const down = (power: number): number =>
    HEIGHT - BOTTOM - ((power - fromY) / (toY - fromY)) * (HEIGHT - TOP - BOTTOM)
  const text = (at: { x: number; y: number; anchor?: string; fill?: string }, it: string): string =>
    `<text x="${at.x.toFixed(1)}" y="${at.y.toFixed(1)}" text-anchor="${at.anchor ?? 'middle'}" fill="${at.fill ?? GREY}">${it}</text>`
  const line = (x1: number, y1: number, x2: number, y2: number): string =>
    `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${GREY}" stroke-opacity="0.35"/>`
  const grid = [
    ...range(fromX, toX).flatMap((it) => [
      line(across(it), TOP, across(it), HEIGHT - BOTTOM),
      text({ x: across(it), y: HEIGHT - BOTTOM + 18 }, said(it)),
    ]),
    ...range(fromY, toY).flatMap((it) => [
      line(LEFT, down(it), WIDTH - RIGHT, down(it)),
      text({ x: LEFT - 8, y: down(it) + 4, anchor: 'end' }, said(it)),
    ]),
  ]
  const drawn = curves.flatMap(({ name, points }, at) => {
    const colour = COLOURS[at % COLOURS.length] as string
    const places = points.map((it) => [across(Math.log10(it.x)), down(Math.log10(it.y))] as const)
    const legendX = LEFT + (at * (WIDTH - LEFT - RIGHT)) / curves.length
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"/>`,
      ...places.map(
        ([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5" fill="${colour}"/>`,
      ),
      `<circle cx="${legendX + 4}" cy="${HEIGHT - 16}" r="4" fill="${colour}"/>`,
      text({ x: legendX + 14, y: HEIGHT - 12, anchor: 'start', fill: colour }, name),
    ]
  })
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    text({ x: LEFT, y: 18, anchor: 'start' }, title),
    text({ x: LEFT, y: 36, anchor: 'start' }, y),
    text({ x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - BOTTOM + 40 }, x),
    ...grid,
    ...drawn,
    '</svg>',
  ].join('\n')}\n`
}
