import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExpressionError, parseExpression } from './parse.ts'

/** The error a text gives, without its message. */
function errorOf(text: string) {
  try {
    parseExpression(text)
  } catch (error) {
    assert.ok(error instanceof ExpressionError)
    const { line, column, expected } = error
    return { line, column, expected }
  }
  throw new Error(`no error in ${text}`)
}

describe('reading an expression', () => {
  test('a comparison is an operator between two operands, each with its place in the text', () => {
    assert.deepEqual(parseExpression(' skill  HAS "en"'), {
      kind: 'comparison',
      operator: 'HAS',
      left: { kind: 'key', path: ['skill'], start: 1, end: 6 },
      right: { kind: 'literal', value: 'en', start: 12, end: 16 },
      start: 1,
      end: 16,
    })
  })

  test('AND binds tighter than OR, NOT tighter than both', () => {
    const condition = parseExpression('a = 1 OR NOT b = 2 AND c = 3')
    assert.ok(condition.kind === 'or')
    assert.deepEqual(
      condition.conditions.map((part) => part.kind),
      ['comparison', 'and'],
    )
    const [, and] = condition.conditions
    assert.ok(and?.kind === 'and')
    assert.equal(and.conditions[0]?.kind, 'not')
  })

  test('words of the language are words in any case, and names after a dot', () => {
    const condition = parseExpression('task.in not in ["x"] And worker.has.not hAs true')
    assert.ok(condition.kind === 'and')
    assert.partialDeepStrictEqual(condition.conditions, [
      { operator: 'NOT IN', left: { path: ['task', 'in'] } },
      { operator: 'HAS', left: { path: ['worker', 'has', 'not'] }, right: { value: true } },
    ])
  })

  test('keys take indices, digits after a dot, dollars and letters of any script', () => {
    for (const [text, path] of [
      ['a[0].b[12]', ['a', 0, 'b', 12]],
      ['task.1st', ['task', '1st']],
      ['$x._y', ['$x', '_y']],
      ['größe.名前', ['größe', '名前']],
      ['true.story', ['true', 'story']],
    ] as const) {
      assert.partialDeepStrictEqual(parseExpression(`${text} == 1`), { left: { path } })
    }
  })

  test('numbers are decimal, may start with a dot, a minus or noughts', () => {
    for (const [text, value] of [
      ['1', 1],
      ['1.00', 1],
      ['.5', 0.5],
      ['-2.5', -2.5],
      ['0800', 800],
    ] as const) {
      assert.partialDeepStrictEqual(parseExpression(`a == ${text}`), { right: { value } })
    }
  })

  test('strings take either quote; a backslash frees a quote or a backslash and is itself otherwise', () => {
    for (const [text, value] of [
      [`'say "hi"'`, 'say "hi"'],
      [`"it's"`, "it's"],
      [`'it\\'s'`, "it's"],
      [`'C:\\dir'`, 'C:\\dir'],
      [`'\\\\'`, '\\'],
      [`''`, ''],
    ] as const) {
      assert.partialDeepStrictEqual(parseExpression(`a == ${text}`), { right: { value } })
    }
  })

  test('an error tells line, column, what was expected and what was found', () => {
    assert.throws(() => parseExpression("skills HAS 'en'\nAND level >> 3"), {
      name: 'ExpressionError',
      line: 2,
      column: 12,
      message: 'line 2, column 12: expected a key, a literal or a list, found >',
    })
  })

  for (const [text, column, expected] of [
    ['', 1, /^a key, a literal, a list, NOT or \($/],
    ['   ', 4, /^a key/],
    ['a', 2, /^a comparison: ==/],
    ['a AND b == 1', 3, /^a comparison/],
    ['a ==', 5, /^a key, a literal or a list$/],
    ['a == 1 b', 8, /^AND, OR or the end/],
    ['a == 1 AND', 11, /^a key/],
    ['(a == 1', 8, /closing parenthesis$/],
    ['a == 1)', 7, /^AND, OR or the end/],
    ['()', 2, /^a key/],
    ['a NOT b', 7, /^IN, HAS or CONTAINS after NOT$/],
    ["a == 'x", 8, /^a closing '$/],
    ['a IN [1, b]', 10, /^a string, a number, true, false or null$/],
    ['a IN [1, ]', 10, /^a string/],
    ['a IN [1 2]', 9, /^a comma or a closing \]$/],
    ['a IN [1', 8, /^a comma or a closing \]$/],
    ['first-name == 1', 6, /^a key without hyphens/],
    ['a. == 1', 3, /^an attribute's name after the dot$/],
    ["a['b'] == 1", 3, /^an index/],
    ['a[-1] == 1', 3, /^an index/],
    ['a == 1x', 7, /after the number$/],
    ['a == 1.2.3', 9, /after the number$/],
    ['a && b', 3, /^AND$/],
    ['a == 1 | b == 2', 8, /^OR$/],
    ['!a', 1, /^NOT, or/],
    ['a == ‘x’', 6, /^a straight quote$/],
    ['a == #', 6, /^a key, a literal, an operator or a bracket$/],
    ['HAS == 1', 1, /^a key/],
    [`a == ${'9'.repeat(400)}`, 6, /^a number of at most 308 digits$/],
  ] as const) {
    test(`« ${text.slice(0, 30)} » is refused at column ${column}`, () => {
      const error = errorOf(text)
      assert.deepEqual({ line: error.line, column: error.column }, { line: 1, column })
      assert.match(error.expected, expected)
    })
  }
})
