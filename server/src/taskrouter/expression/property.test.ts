// Random expressions, evaluated twice: by the compiled functions from the text, and by a naive evaluator
// from the tree the text was printed from. The two share no code and disagree on nothing.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileExpression, ExpressionError, type Scope } from './compile.ts'
import { compileOrderBy } from './order-by.ts'

type Plain = string | number | boolean | null
type Side = { literal: Plain } | { list: Plain[] } | { key: (string | number)[] }
type Tree = { left: Side; operator: string; right: Side } | { not: Tree } | { and: Tree[] } | { or: Tree[] }

const NAMES = ['a', 'b', 'in', 'Has', 'length', 'constructor', '__proto__', 'task', 'worker']
const HEADS = ['a', 'b', 'length', 'constructor', '__proto__', 'task', 'worker', 'workers']
const OPERATORS = ['==', '!=', '<', '<=', '>', '>=', 'CONTAINS', 'HAS', 'IN']
const NEGATED = ['NOT CONTAINS', 'NOT HAS', 'NOT IN']

const plain: fc.Arbitrary<Plain> = fc.oneof(
  fc.constantFrom<Plain>('', 'x', 'y', 'xy', "'", '"', '\\', 0, 1, 2, -1, 0.5, true, false, null),
  fc.string({ maxLength: 4 }),
  fc.integer({ min: -5, max: 5 }),
)
const json = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, plain, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 5 }),
}))
const attributes = json.object as fc.Arbitrary<Record<string, unknown>>

const key = fc
  .tuple(
    fc.constantFrom(...HEADS),
    fc.array(fc.oneof(fc.constantFrom<string | number>(...NAMES), fc.nat({ max: 2 })), { maxLength: 3 }),
  )
  .map(([head, rest]) => ({ key: [head, ...rest] }))
const side: fc.Arbitrary<Side> = fc.oneof(
  { weight: 4, arbitrary: key },
  { weight: 2, arbitrary: plain.map((literal) => ({ literal })) },
  { weight: 1, arbitrary: fc.array(plain, { maxLength: 3 }).map((list) => ({ list })) },
)
const comparison = fc.record({ left: side, operator: fc.constantFrom(...OPERATORS, ...NEGATED), right: side })
const tree = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison,
    fc.record({ not: tie('tree') }),
    fc.record({ and: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }) }),
    fc.record({ or: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }) }),
  ),
})).tree

const scope: fc.Arbitrary<Scope> = fc.record(
  {
    attributes,
    task: attributes,
    worker: attributes,
    workers: fc.dictionary(fc.constantFrom('a', 'b'), fc.nat({ max: 3 })),
    now: fc.nat(),
  },
  { requiredKeys: ['attributes', 'now'] },
)

function print(tree: Tree, random: () => number): string {
  const space = () => ['', ' ', '\n', '\t  '][Math.floor(random() * 4)] ?? ''
  const gap = () => space() || ' '
  const word = (text: string) => text.replace(/[A-Z]/g, (c) => (random() < 0.3 ? c.toLowerCase() : c))
  const part = (inner: Tree) => {
    const text = print(inner, random)
    return 'left' in inner && random() < 0.5 ? text : `(${space()}${text}${space()})`
  }
  if ('not' in tree) return `${word('NOT')}${gap()}${part(tree.not)}`
  if ('and' in tree) return tree.and.map(part).join(`${gap()}${word('AND')}${gap()}`)
  if ('or' in tree) return tree.or.map(part).join(`${gap()}${word('OR')}${gap()}`)
  const operator = tree.operator === '==' && random() < 0.3 ? '=' : word(tree.operator).replace(' ', gap())
  return `${printSide(tree.left, random)}${gap()}${operator}${gap()}${printSide(tree.right, random)}`
}

function printSide(side: Side, random: () => number): string {
  if ('literal' in side) return printPlain(side.literal, random)
  if ('list' in side)
    return `[${side.list.map((item) => printPlain(item, random)).join(random() < 0.5 ? ',' : ' , ')}]`
  return side.key
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at ? `.${part}` : part))
    .join('')
}

function printPlain(value: Plain, random: () => number): string {
  if (typeof value !== 'string') return String(value)
  const quote = random() < 0.5 ? "'" : '"'
  return quote + value.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`) + quote
}

function naive(tree: Tree, scope: Scope): boolean {
  if ('not' in tree) return !naive(tree.not, scope)
  if ('and' in tree) return tree.and.map((part) => naive(part, scope)).every(Boolean)
  if ('or' in tree) return tree.or.map((part) => naive(part, scope)).some(Boolean)
  const { left, operator, right } = tree
  const a = naiveRead(left, scope)
  const b = naiveRead(right, scope)
  const written = (side: Side) => 'literal' in side && side.literal === null
  const simple = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value)
  const member = (item: Side, value: unknown, list: Side, members: unknown, wanted: boolean) => {
    if (!Array.isArray(members)) return false
    const nullCounts = written(item) || ('list' in list && list.list.includes(null))
    if (!simple(value) && !(value === null && nullCounts)) return false
    return members.some((each) => each === value) === wanted
  }
  switch (operator) {
    case '==':
      if (written(left) || written(right)) return a === null && b === null
      return simple(a) && a === b
    case '!=':
      if (written(left) || written(right)) return (a === null) !== (b === null)
      return simple(a) && typeof a === typeof b && a !== b
    case 'CONTAINS':
      return typeof a === 'string' && typeof b === 'string' && a.indexOf(b) >= 0
    case 'NOT CONTAINS':
      return typeof a === 'string' && typeof b === 'string' && a.indexOf(b) < 0
    case 'IN':
      return member(left, a, right, b, true)
    case 'NOT IN':
      return member(left, a, right, b, false)
    case 'HAS':
      return member(right, b, left, a, true)
    case 'NOT HAS':
      return member(right, b, left, a, false)
  }
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false
  const order = a === b ? 0 : (a as number) < (b as number) ? -1 : 1
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator] ?? false
}

function naiveRead(side: Side, scope: Scope): unknown {
  if ('literal' in side) return side.literal
  if ('list' in side) return side.list
  let [head, ...rest] = side.key
  let from: unknown = scope.attributes
  if (typeof rest[0] === 'string' && (head === 'task' || head === 'worker' || head === 'workers')) {
    if (scope[head] !== undefined) {
      from = scope[head]
      ;[head, ...rest] = rest
    }
  }
  for (const part of [head, ...rest]) {
    const there =
      typeof part === 'number'
        ? Array.isArray(from)
        : typeof from === 'object' && from !== null && !Array.isArray(from)
    const entry = there ? Object.entries(from as object).find(([name]) => name === String(part)) : undefined
    if (entry === undefined) return null
    from = entry[1]
  }
  return from
}

/** A small seeded generator, so that a failure prints everything needed to see it again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('any expression', () => {
  test('means what the naive evaluator says, however it is spelt', () => {
    const seen = { true: 0, false: 0 }
    const property = fc.property(tree, scope, fc.nat(), (tree, scope, seed) => {
      const text = print(tree, randomFrom(seed))
      fc.pre(text.length <= 4096)
      const expected = naive(tree, scope)
      seen[`${expected}`]++
      const expression = compileExpression(text)
      assert.equal(expression.matches(scope), expected, text)
      const explanation = expression.explain(scope)
      assert.equal(explanation.matches, expected, text)
      if (!explanation.matches) {
        assert.equal(compileExpression(explanation.clause).matches(scope), false, 'the clause named is false')
        assert.ok(text.startsWith(explanation.clause, explanation.offset))
      }
    })
    fc.assert(property, { numRuns: 3000 })
    assert.ok(seen.true > 300 && seen.false > 300, `both answers are common: ${JSON.stringify(seen)}`)
  })

  test('is compiled or refused with a place inside the text, whatever was typed', () => {
    const pieces = fc.constantFrom(
      ...['a', 'task.b', '[', ']', '(', ')', ',', '.', '==', '<', "'", '"', '\\', ' ', '\n', '1', '-', '.5'],
      ...[
        'AND',
        ' OR ',
        'NOT ',
        ' IN ',
        ' HAS ',
        'null',
        '!',
        '\u{1F600}',
        '\u{D800}',
        '\u00A0',
        '__proto__',
      ],
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 30 }).map((all) => all.join('')),
    )
    for (const compile of [compileExpression, compileOrderBy]) {
      const property = fc.property(text, (text) => {
        try {
          compile(text)
        } catch (error) {
          assert.ok(error instanceof ExpressionError)
          const lines = text.split('\n')
          const line = lines[error.line - 1]
          assert.ok(line !== undefined && error.column >= 1 && error.column <= line.length + 2, error.message)
        }
      })
      fc.assert(property, { numRuns: 3000 })
    }
  })

  test('orders any workers consistently', () => {
    const orderBy = compileOrderBy('worker.a DESC, worker.b')
    const property = fc.property(attributes, attributes, attributes, (a, b, c) => {
      const ab = Math.sign(orderBy.compare(a, b))
      assert.equal(ab + Math.sign(orderBy.compare(b, a)), 0)
      if (ab <= 0 && orderBy.compare(b, c) <= 0) assert.ok(orderBy.compare(a, c) <= 0)
    })
    fc.assert(property, { numRuns: 2000 })
  })
})
