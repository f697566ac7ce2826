import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compileOrderBy } from './order-by.ts'

function order(text: string, workers: readonly Record<string, unknown>[]): unknown[] {
  return workers.toSorted(compileOrderBy(text).compare).map((worker) => worker.name)
}

describe('ordering workers', () => {
  const ann = { name: 'ann', level: 3, skill: { fr: 1 }, vip: true }
  const bob = { name: 'bob', level: 5, skill: { fr: 2 }, vip: false }
  const cat = { name: 'cat', level: 5, skill: { fr: 1 } }
  const dan = { name: 'dan' }

  test('ascending unless told otherwise, by the first key that tells', () => {
    assert.deepEqual(order('worker.level', [bob, ann]), ['ann', 'bob'])
    assert.deepEqual(order('worker.level desc, worker.skill.fr ASC', [ann, bob, cat]), ['cat', 'bob', 'ann'])
    assert.deepEqual(order('name DESC', [ann, bob]), ['bob', 'ann'])
    assert.deepEqual(order('worker.vip', [ann, bob]), ['bob', 'ann'])
  })

  test('who lacks the key comes last either way, and equals keep their places', () => {
    assert.deepEqual(order('worker.level ASC', [dan, bob, cat, ann]), ['ann', 'bob', 'cat', 'dan'])
    assert.deepEqual(order('worker.level DESC', [dan, bob, cat, ann]), ['bob', 'cat', 'ann', 'dan'])
  })

  test('mixed types have one order, so that sorting is well defined', () => {
    const mixed = [
      { name: 's', x: 'a' },
      { name: 'b', x: true },
      { name: 'l', x: [1] },
      { name: 'n', x: 7 },
    ]
    assert.deepEqual(order('worker.x', mixed), ['n', 's', 'b', 'l'])
  })

  test('what cannot be read is refused at its place', () => {
    assert.throws(() => compileOrderBy(''), {
      column: 1,
      expected: 'a key of the worker such as worker.level',
    })
    assert.throws(() => compileOrderBy('worker.level,'), { column: 14 })
    assert.throws(() => compileOrderBy('worker.level DOWN'), { column: 14, expected: /^ASC, DESC, a comma/ })
    assert.throws(() => compileOrderBy('task.level'), { column: 1 })
    assert.throws(() => compileOrderBy('worker.level > 3'), { column: 14 })
  })
})
