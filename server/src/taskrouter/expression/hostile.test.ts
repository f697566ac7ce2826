// Texts made to hurt: they are refused, or cost no more than their length. The processor's time is bounded a
// hundred times above what they take, so only a change of shape (exponential, quadratic in a large input) fails.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { busyMs } from '../../../test/world/busy.ts'
import { compileExpression } from './compile.ts'
import { remember } from './remember.ts'

const SLOW_MS = 500

function quickly<Result>(run: () => Result): Result {
  const before = busyMs()
  const result = run()
  const took = busyMs() - before
  assert.ok(took < SLOW_MS, `took ${took} ms of the processor`)
  return result
}

const scope = { attributes: {}, now: 0 }

describe('a hostile text', () => {
  test('may nest 64 deep and no deeper', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['NOT ', ''],
      ['NOT(', ')'],
    ] as const) {
      const levels = open === 'NOT(' ? 32 : 64
      const text = (times: number) => `${open.repeat(times)}1 == 1${close.repeat(times)}`
      assert.equal(compileExpression(text(levels)).matches(scope), true)
      assert.throws(() => compileExpression(text(levels + 1)), {
        name: 'ExpressionError',
        expected: 'at most 64 levels of parentheses and NOT',
      })
    }
    assert.throws(() => compileExpression('('.repeat(4096)), { column: 65 })
  })

  test('may be 4096 characters long and no longer', () => {
    const text = `a == '${'x'.repeat(4096 - 7)}'`
    assert.equal(compileExpression(text).matches(scope), false)
    const tooLong = { line: 1, column: 4097, expected: 'at most 4096 characters' }
    assert.throws(() => compileExpression(`${text} `), tooLong)
    assert.throws(() => quickly(() => compileExpression(' '.repeat(50_000_000))), { name: 'ExpressionError' })
  })

  test('of the largest size in every shape is read and evaluated at once', () => {
    const fill = (start: string, piece: string, end: string) =>
      start + piece.repeat((4096 - start.length - end.length) / piece.length) + end
    for (const text of [
      fill('1=1', ' AND 1=1', ''),
      fill('1=2', ' OR 1=2', ''),
      fill('a IN [1', ',1', ']'),
      fill('a', '.a', ' == 1'),
      fill('a', '[0]', ' == 1'),
      fill('a == "', '\\\\', '"'),
      fill('1=2', ' OR (1=1 AND 1=2)', ''),
      fill(`${'('.repeat(64)}1=2`, ' OR 1=2', ')'.repeat(64)),
      Array.from({ length: 63 }).reduce<string>((inner) => `(${inner} OR 1=2) AND 1=1 OR 1=2`, '1=2'),
    ]) {
      assert.ok(text.length <= 4096)
      const expression = quickly(() => compileExpression(text))
      quickly(() => expression.matches(scope))
      quickly(() => expression.explain(scope))
    }
  })

  test('that is broken at the very end is refused at once', () => {
    for (const text of [
      'a == 1 AND '.repeat(370),
      '(a = 1 OR '.repeat(60),
      `a == "${'\\'.repeat(4000)}`,
      '['.repeat(4096),
      'a['.repeat(2000),
      '- '.repeat(2000),
      `a[${' '.repeat(4000)}`,
    ]) {
      assert.throws(() => quickly(() => compileExpression(text)), { name: 'ExpressionError' })
    }
  })

  test('meets hostile attributes without harm', () => {
    let deep: Record<string, unknown> = {}
    for (let level = 0; level < 100_000; level++) deep = { a: deep }
    const long = Array.from({ length: 100_000 }, (_, at) => at)
    const bare = Object.assign(Object.create(null), { a: 1 })
    assert.equal(
      compileExpression(`a${'.a'.repeat(2000)} != null`).matches({ attributes: deep, now: 0 }),
      true,
    )
    assert.equal(
      quickly(() => compileExpression('a HAS 99999').matches({ attributes: { a: long }, now: 0 })),
      true,
    )
    assert.equal(compileExpression('a == 1').matches({ attributes: bare, now: 0 }), true)
    assert.equal(
      compileExpression('hasOwnProperty == 1').matches({ attributes: { hasOwnProperty: 1 }, now: 0 }),
      true,
    )
  })
})

describe('remembering what was made of texts', () => {
  test('keeps within its bound, and keeps what is asked for', () => {
    let made = 0
    const make = remember((text) => ({ text, number: ++made }), { characters: 100 * 260 })
    const kept = make('kept')
    for (let number = 0; number < 10_000; number++) {
      make(`${number}`)
      assert.equal(make('kept'), kept)
    }
    make('0')
    assert.equal(made, 10_002, 'what nobody asked for again was forgotten')
  })

  test('never keeps a text that would fill it', () => {
    let made = 0
    const make = remember((text) => ({ text, number: ++made }), { characters: 1000 })
    make('x'.repeat(600))
    make('x'.repeat(600))
    assert.equal(made, 2)
  })
})
