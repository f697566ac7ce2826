// Reads the expression language into a tree. The grammar and what each part means:
// docs/expressions.md. One function a rule, no way back, so time is linear in the text; brackets and
// NOT are the only rules that nest, and they are counted.

import { type Scalar, type Span, Tokens } from './tokens.ts'

export { ExpressionError } from './error.ts'

/** Deepest nesting of parentheses and NOTs; whoever walks the tree may recurse without fear. */
export const NESTING_MAX = 64

export type Operator =
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'CONTAINS'
  | 'NOT CONTAINS'
  | 'HAS'
  | 'NOT HAS'
  | 'IN'
  | 'NOT IN'

export type Literal = Span & { readonly kind: 'literal'; readonly value: Scalar }
export type List = Span & { readonly kind: 'list'; readonly items: readonly Scalar[] }
export type Key = Span & { readonly kind: 'key'; readonly path: readonly (string | number)[] }
export type Operand = Literal | List | Key

export type Comparison = Span & {
  readonly kind: 'comparison'
  readonly operator: Operator
  readonly left: Operand
  readonly right: Operand
}
export type Condition =
  | Comparison
  | (Span & { readonly kind: 'not'; readonly condition: Condition })
  | (Span & { readonly kind: 'and' | 'or'; readonly conditions: readonly Condition[] })

const SYMBOL_OPERATORS: Readonly<Record<string, Operator>> = {
  '==': '==',
  '=': '==',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}
const WORD_OPERATORS = ['CONTAINS', 'HAS', 'IN'] as const

/**
 * Reads a whole text as one condition.
 * @throws ExpressionError if it is not one, is longer than 4096 characters or nests deeper than 64.
 */
export function parseExpression(text: string): Condition {
  const tokens = new Tokens(text)
  const condition = parseOr(tokens, 0)
  if (tokens.current.kind !== 'end') throw tokens.unexpected('AND, OR or the end of the expression')
  return condition
}

/**
 * Reads a whole text as one value, such as `task.agent_sid` or `'alice'`.
 * @throws ExpressionError
 */
export function parseValue(text: string): Literal | Key {
  const tokens = new Tokens(text)
  const operand = parseOperand(tokens, 'a key or a literal')
  if (operand.kind === 'list') throw new Tokens(text).unexpected('a key or a literal')
  if (tokens.current.kind !== 'end') throw tokens.unexpected('the end of the value')
  return operand
}

function parseOr(tokens: Tokens, depth: number): Condition {
  return parseJoined(tokens, depth, 'OR', 'or', parseAnd)
}

function parseAnd(tokens: Tokens, depth: number): Condition {
  return parseJoined(tokens, depth, 'AND', 'and', parseFactor)
}

function parseJoined(
  tokens: Tokens,
  depth: number,
  word: string,
  kind: 'and' | 'or',
  parsePart: (tokens: Tokens, depth: number) => Condition,
): Condition {
  const start = tokens.current.start
  const first = parsePart(tokens, depth)
  if (!isWord(tokens, word)) return first
  const conditions = [first]
  while (tokens.takeWord(word)) conditions.push(parsePart(tokens, depth))
  return { kind, conditions, start, end: tokens.previousEnd }
}

function parseFactor(tokens: Tokens, depth: number): Condition {
  const { start } = tokens.current
  const nests = isWord(tokens, 'NOT') || isSymbol(tokens, '(')
  if (nests && depth === NESTING_MAX) {
    throw tokens.unexpected(`at most ${NESTING_MAX} levels of parentheses and NOT`)
  }
  if (tokens.takeWord('NOT')) {
    const condition = parseFactor(tokens, depth + 1)
    return { kind: 'not', condition, start, end: tokens.previousEnd }
  }
  if (tokens.takeSymbol('(')) {
    const condition = parseOr(tokens, depth + 1)
    if (!tokens.takeSymbol(')')) throw tokens.unexpected('AND, OR or a closing parenthesis')
    return condition
  }
  return parseComparison(tokens)
}

function parseComparison(tokens: Tokens): Comparison {
  const left = parseOperand(tokens, 'a key, a literal, a list, NOT or (')
  const operator = parseOperator(tokens)
  const right = parseOperand(tokens, 'a key, a literal or a list')
  return { kind: 'comparison', operator, left, right, start: left.start, end: right.end }
}

function parseOperator(tokens: Tokens): Operator {
  const { current } = tokens
  if (current.kind === 'symbol') {
    const operator = SYMBOL_OPERATORS[current.symbol]
    if (operator !== undefined) {
      tokens.take()
      return operator
    }
  }
  const negated = tokens.takeWord('NOT')
  for (const word of WORD_OPERATORS) {
    if (tokens.takeWord(word)) return negated ? `NOT ${word}` : word
  }
  throw tokens.unexpected(
    negated
      ? 'IN, HAS or CONTAINS after NOT'
      : 'a comparison: ==, !=, <, <=, >, >=, HAS, IN, CONTAINS, NOT HAS, NOT IN or NOT CONTAINS',
  )
}

function parseOperand(tokens: Tokens, expected: string): Operand {
  const { current } = tokens
  if (current.kind === 'key' || current.kind === 'literal') {
    tokens.take()
    return current
  }
  if (!isSymbol(tokens, '[')) throw tokens.unexpected(expected)
  return parseList(tokens)
}

function parseList(tokens: Tokens): List {
  const { start } = tokens.take()
  const items: Scalar[] = []
  if (!tokens.takeSymbol(']')) {
    do {
      const item = tokens.current
      if (item.kind !== 'literal') throw tokens.unexpected('a string, a number, true, false or null')
      items.push(item.value)
      tokens.take()
    } while (tokens.takeSymbol(','))
    if (!tokens.takeSymbol(']')) throw tokens.unexpected('a comma or a closing ]')
  }
  return { kind: 'list', items, start, end: tokens.previousEnd }
}

function isWord({ current }: Tokens, word: string): boolean {
  return current.kind === 'word' && current.word === word
}

function isSymbol({ current }: Tokens, symbol: string): boolean {
  return current.kind === 'symbol' && current.symbol === symbol
}
