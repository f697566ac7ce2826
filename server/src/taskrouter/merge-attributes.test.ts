import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { attributesAsked } from './merge-attributes.ts'

const merged = (before: string, attributesMerge: string): unknown =>
  JSON.parse(attributesAsked(before, { attributesMerge }))

type Json = null | string | number | boolean | Json[] | { [key: string]: Json }

const isObject = (it: Json | undefined): it is { [key: string]: Json } =>
  typeof it === 'object' && it !== null && !Array.isArray(it)

/** RFC 7396, section 2, word by word. */
const naive = (target: Json | undefined, patch: Json): Json => {
  if (!isObject(patch)) return patch
  const result: { [key: string]: Json } = Object.create(null)
  if (isObject(target)) for (const key of Object.keys(target)) result[key] = target[key] as Json
  for (const key of Object.keys(patch)) {
    const value = patch[key] as Json
    if (value === null) delete result[key]
    else result[key] = naive(result[key], value)
  }
  return result
}

describe('a merge patch', () => {
  test('does what the examples of RFC 7396 show, as far as attributes are objects', () => {
    for (const [before, patch, after] of [
      ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
      ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
      ['{"a":"b"}', '{"a":null}', '{}'],
      ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
      ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
      ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
      ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
      ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
      ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
      ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
    ] as const)
      assert.deepEqual(merged(before, patch), JSON.parse(after), patch)
  })

  test('is what the naive reading of the RFC makes of any two objects, and the same when it comes twice', () => {
    const key = fc.constantFrom('a', 'b', '0', '__proto__', 'constructor', 'rawJSON', '')
    const json = fc.letrec<{ value: Json; object: { [key: string]: Json } }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<Json>(null, true, '', 'x', 0, -1.5, 1e21),
        fc.array(tie('value'), { maxLength: 2 }),
        tie('object'),
      ),
      object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    })).object
    const property = fc.property(json, json, (before, patch) => {
      const [text, asked] = [JSON.stringify(before), JSON.stringify(patch)]
      const once = attributesAsked(text, { attributesMerge: asked })
      assert.deepEqual(
        JSON.parse(once),
        JSON.parse(JSON.stringify(naive(JSON.parse(text), JSON.parse(asked)))),
      )
      assert.equal(attributesAsked(once, { attributesMerge: asked }), once)
    })
    fc.assert(property, { numRuns: 3000 })
  })
})
