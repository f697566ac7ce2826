// A target's `order_by`: which of several eligible workers comes first, as `worker.level DESC, worker.age`.

import { remember } from './remember.ts'
import { walk } from './scope.ts'
import { Tokens } from './tokens.ts'

const REMEMBERED_CHARACTERS = 250_000

type WorkerScope = Readonly<Record<string, unknown>>

export type OrderBy = {
  readonly text: string
  /**
   * Below 0 when `a` comes first, 0 when the order does not tell. Takes what would be `worker` in a scope.
   * Numbers come before strings before booleans, whichever way the order runs; who lacks the key comes last.
   */
  compare(a: WorkerScope, b: WorkerScope): number
}

/**
 * Compiles an ordering: keys of the worker (with or without `worker.` in front), each with ASC (the
 * default) or DESC, separated by commas.
 * @throws ExpressionError with the line, the column and what was expected.
 */
export const compileOrderBy: (text: string) => OrderBy = remember(
  (text) => {
    const tokens = new Tokens(text)
    const parts: OrderBy['compare'][] = []
    do {
      const read = walk(parseWorkerKey(tokens))
      parts.push(comparing(read, parseDirection(tokens)))
    } while (tokens.takeSymbol(','))
    if (tokens.current.kind !== 'end') throw tokens.unexpected('ASC, DESC, a comma or the end of the order')
    return { text, compare: comparingInTurn(parts) }
  },
  { characters: REMEMBERED_CHARACTERS },
)

function parseWorkerKey(tokens: Tokens): readonly (string | number)[] {
  const expected = 'a key of the worker such as worker.level'
  const { current } = tokens
  if (current.kind !== 'key') throw tokens.unexpected(expected)
  const [head, second] = current.path
  if (head === 'task' && second !== undefined) throw tokens.unexpected(expected)
  tokens.take()
  return head === 'worker' && typeof second === 'string' ? current.path.slice(1) : current.path
}

function parseDirection(tokens: Tokens): 1 | -1 {
  const { current } = tokens
  if (current.kind !== 'key') return 1
  const word = tokens.text.slice(current.start, current.end).toUpperCase()
  if (word !== 'ASC' && word !== 'DESC') return 1
  tokens.take()
  return word === 'ASC' ? 1 : -1
}

function comparing(read: (from: unknown) => unknown, direction: 1 | -1): OrderBy['compare'] {
  return (a, b) => {
    const left = read(a)
    const right = read(b)
    const byType = rank(left) - rank(right)
    if (byType !== 0) return byType
    if (left === right || rank(left) === UNORDERED) return 0
    return (left as number) < (right as number) ? -direction : direction
  }
}

const UNORDERED = 3

function rank(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return 0
    case 'string':
      return 1
    case 'boolean':
      return 2
    default:
      return UNORDERED
  }
}

function comparingInTurn(parts: readonly OrderBy['compare'][]): OrderBy['compare'] {
  return (a, b) => {
    for (const compare of parts) {
      const order = compare(a, b)
      if (order !== 0) return order
    }
    return 0
  }
}
