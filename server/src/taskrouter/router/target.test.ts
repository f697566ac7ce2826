import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributesRead, laneOf, type Target } from './target.ts'

const lane = (target: Target, attributes: object) => laneOf('WQ', 'TC', target, JSON.stringify(attributes))

describe('a lane', () => {
  test('is the queue and the channel where the target asks nothing', () => {
    assert.equal(lane({}, { a: 1 }), lane({}, { a: 2 }))
    assert.equal(laneOf('WQ', 'TC', {}, '{}'), 'WQ:TC')
  })

  test('parts tasks by the attributes that the target reads, and by no others', () => {
    const target = { expression: 'task.language IN worker.languages AND level > 1' }
    assert.equal(lane(target, { language: 'en', name: 'Vera' }), lane(target, { language: 'en', level: 3 }))
    assert.notEqual(lane(target, { language: 'en' }), lane(target, { language: 'de' }))
    assert.notEqual(
      lane(target, { language: 'en' }),
      lane({ ...target, workerSid: 'WK' }, { language: 'en' }),
    )
  })

  test('keeps what skip_if reads of the task as well', () => {
    const target = { skipIf: "vip != true AND workers.available == 0 AND task.tier.name != 'gold'" }
    assert.deepEqual(attributesRead(target, '{"vip":true,"tier":{"name":"x"},"other":1}'), {
      vip: true,
      tier: { name: 'x' },
    })
  })
})
