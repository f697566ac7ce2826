import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseWorkflowConfiguration } from './workflow-configuration.ts'
import { enter, resume, type Stop, skip } from './workflow-step.ts'

const facts = (ageSeconds: number, attributes: Record<string, unknown> = { a: 1, b: 1 }) => ({
  attributes,
  ageSeconds,
  now: 0,
})

const configuration = parseWorkflowConfiguration(
  JSON.stringify({
    task_routing: {
      filters: [
        { expression: 'a == 1', targets: [{ queue: 'A', timeout: 30 }, { timeout: 60 }] },
        { expression: 'b == 1', targets: [{ queue: 'B' }] },
      ],
      default_filter: { queue: 'D' },
    },
  }),
)

const at = (stop: Stop | undefined) => (stop?.kind === 'target' ? stop.step : stop?.why)

describe('a step through a workflow', () => {
  test('begins at the first target of the first filter that holds', () => {
    const stop = enter(configuration, facts(0))
    assert.equal(at(stop), '0.0')
    assert.equal(stop.kind === 'target' && stop.untilAgeSeconds, 30)
    assert.equal(at(enter(configuration, facts(0, { b: 1 }))), '1.0')
    assert.equal(at(enter(configuration, facts(0, {}))), 'default')
  })

  test('adds the timeouts up and holds them against the age', () => {
    const stop = resume(configuration, facts(30), '0.0')
    assert.equal(at(stop), '0.1')
    assert.equal(stop.kind === 'target' && stop.untilAgeSeconds, 90)
    assert.equal(at(resume(configuration, facts(89), '0.1')), '0.1')
    assert.equal(at(resume(configuration, facts(90), '0.1')), 'timeout')
  })

  test('goes on to the next filter that holds when the last target is skipped', () => {
    assert.equal(at(skip(configuration, facts(0), '0.0')), '0.1')
    assert.equal(at(skip(configuration, facts(0), '0.1')), '1.0')
    assert.equal(at(skip(configuration, facts(0, { a: 1 }), '0.1')), 'default')
    assert.equal(skip(configuration, facts(0), 'default'), undefined)
  })

  test('begins anew where the configuration no longer has the step', () => {
    assert.equal(at(resume(configuration, facts(0), '7.3')), '0.0')
  })
})
