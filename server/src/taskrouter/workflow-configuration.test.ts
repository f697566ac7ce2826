import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CONFIGURATION_LENGTH_MAX,
  parseWorkflowConfiguration,
  queuesOf,
  WorkflowConfigurationError,
} from './workflow-configuration.ts'

const read = (routing: unknown) => parseWorkflowConfiguration(JSON.stringify({ task_routing: routing }))
const now = Date.UTC(2024, 0, 1)

describe('reading a workflow configuration', () => {
  test('the least that works is a default filter with a queue', () => {
    const configuration = parseWorkflowConfiguration('{"task_routing":{"default_filter":{"queue":"WQ1"}}}')
    assert.deepEqual(configuration.filters, [])
    assert.equal(configuration.defaultFilter?.queue, 'WQ1')
    assert.equal(configuration.defaultFilter?.expression, null)
    assert.deepEqual(queuesOf(configuration), [{ queue: 'WQ1', place: 'task_routing.default_filter.queue' }])
  })

  test('everything a target can say is read, compiled and typed', () => {
    const { filters } = read({
      filters: [
        {
          filter_friendly_name: 'Gold',
          expression: "customer_value == 'Gold'",
          targets: [
            {
              queue: 'WQ1',
              expression: 'worker.languages HAS task.language',
              priority: '5',
              timeout: 30,
              order_by: 'worker.level DESC',
              skip_if: 'workers.available == 0',
              known_worker_sid: 'task.agent_sid',
              known_worker_friendly_name: 'task.agent_name',
              unknown: ['ignored'],
            },
          ],
        },
      ],
    })
    const [filter] = filters
    assert.ok(filter)
    assert.equal(filter.friendlyName, 'Gold')
    assert.equal(filter.expression.matches({ attributes: { customer_value: 'Gold' }, now }), true)
    const [target] = filter.targets
    assert.ok(target)
    assert.equal(target.place, 'task_routing.filters[0].targets[0]')
    assert.equal(target.queue, 'WQ1')
    assert.equal(target.priority, 5)
    assert.equal(target.timeoutSeconds, 30)
    const task = { language: 'de', agent_sid: 'WK1', agent_name: 'alice' }
    const scope = { attributes: {}, task, worker: { languages: ['de'] }, workers: { available: 0 }, now }
    assert.equal(target.expression?.matches(scope), true)
    assert.equal(target.skipIf?.matches(scope), true)
    assert.equal(target.knownWorkerSid?.read(scope), 'WK1')
    assert.equal(target.knownWorkerFriendlyName?.read(scope), 'alice')
    assert.ok((target.orderBy?.compare({ level: 2 }, { level: 1 }) ?? 0) < 0)
  })

  test('a target without a queue stays in that of the target before it', () => {
    const configuration = read({
      filters: [
        {
          expression: '1==1',
          targets: [{ queue: 'WQ1', timeout: 10 }, { timeout: 20 }, { queue: 'WQ2' }, {}],
        },
        { expression: '1==1', queue: 'WQ3', targets: [{}, {}] },
      ],
    })
    const queues = configuration.filters.map((filter) => filter.targets.map((target) => target.queue))
    assert.deepEqual(queues, [
      ['WQ1', 'WQ1', 'WQ2', 'WQ2'],
      ['WQ3', 'WQ3'],
    ])
    assert.deepEqual(queuesOf(configuration), [
      { queue: 'WQ1', place: 'task_routing.filters[0].targets[0].queue' },
      { queue: 'WQ2', place: 'task_routing.filters[0].targets[2].queue' },
      { queue: 'WQ3', place: 'task_routing.filters[1].queue' },
    ])
  })

  test('the old form has the queue in the filter itself', () => {
    const configuration = read({
      filters: [
        { friendly_name: 'Old', expression: "type == 'x'", queue: 'WQ1', priority: 3, timeout: '60' },
      ],
    })
    const [filter] = configuration.filters
    assert.equal(filter?.friendlyName, 'Old')
    assert.equal(filter?.targets.length, 1)
    assert.partialDeepStrictEqual(filter?.targets[0], {
      queue: 'WQ1',
      expression: null,
      priority: 3,
      timeoutSeconds: 60,
    })
    assert.deepEqual(queuesOf(configuration), [{ queue: 'WQ1', place: 'task_routing.filters[0].queue' }])
  })

  test('null and empty text count as absent in a target', () => {
    const empty = {
      expression: '',
      priority: null,
      timeout: '',
      order_by: ' ',
      skip_if: null,
      known_worker_sid: '',
    }
    const { filters } = read({ filters: [{ expression: '1==1', targets: [{ queue: 'WQ1', ...empty }] }] })
    const { place, queue, queuePlace, ...rest } = filters[0]?.targets[0] ?? assert.fail()
    assert.deepEqual(new Set(Object.values(rest)), new Set([null]))
  })

  test('a bare SID as known worker stands for itself', () => {
    const sid = `WK${'0a'.repeat(16)}`
    const { filters } = read({ filters: [{ expression: '1==1', queue: 'WQ1', known_worker_sid: sid }] })
    assert.equal(filters[0]?.targets[0]?.knownWorkerSid?.read({ attributes: {}, now }), sid)
  })

  test('the same text is the same configuration', () => {
    assert.equal(read({ default_filter: { queue: 'WQ1' } }), read({ default_filter: { queue: 'WQ1' } }))
  })

  const target = (fields: object) => ({
    filters: [{ expression: '1==1', targets: [{ queue: 'WQ1' }, fields] }],
  })
  for (const [routing, message] of [
    [undefined, 'task_routing: expected an object, found nothing'],
    [[], 'task_routing: expected an object, found a list'],
    [{}, 'task_routing: expected a filter or a default_filter'],
    [{ filters: {} }, 'task_routing.filters: expected a list, found an object'],
    [{ filters: [7] }, 'task_routing.filters[0]: expected an object, found 7'],
    [
      { filters: [{ queue: 'WQ1' }] },
      'task_routing.filters[0].expression: expected an expression, found nothing',
    ],
    [
      { filters: [{ expression: '', queue: 'WQ1' }] },
      'task_routing.filters[0].expression: expected an expression, found ""',
    ],
    [
      { filters: [{ expression: '1==1' }] },
      'task_routing.filters[0].targets: expected a list of targets, found nothing',
    ],
    [
      { filters: [{ expression: '1==1', targets: [] }] },
      'task_routing.filters[0].targets: expected at least one target, found none',
    ],
    [
      { filters: [{ expression: '1==1', targets: [{}] }] },
      'task_routing.filters[0].targets[0].queue: expected the SID of a task queue, found nothing',
    ],
    [target({ queue: 5 }), 'task_routing.filters[0].targets[1].queue: expected a string, found 5'],
    [
      target({ priority: 'high' }),
      'task_routing.filters[0].targets[1].priority: expected a whole number from 0 to 2147483647, found "high"',
    ],
    [
      target({ timeout: -1 }),
      'task_routing.filters[0].targets[1].timeout: expected a whole number from 0 to 2147483647, found -1',
    ],
    [
      target({ expression: 'worker.a ==' }),
      'task_routing.filters[0].targets[1].expression: line 1, column 12: expected a key, a literal or a list, ' +
        'found the end of the text',
    ],
    [
      target({ order_by: 'worker.a UP' }),
      'task_routing.filters[0].targets[1].order_by: line 1, column 10: ' +
        'expected ASC, DESC, a comma or the end of the order, found UP',
    ],
    [
      target({ known_worker_sid: '{{task.sid}}' }),
      'task_routing.filters[0].targets[1].known_worker_sid: line 1, column 1: ' +
        'expected a key, a literal, an operator or a bracket, found {',
    ],
    [
      { default_filter: {} },
      'task_routing.default_filter.queue: expected the SID of a task queue, found nothing',
    ],
  ] as const) {
    test(`refused: ${message.slice(0, 70)}`, () => {
      assert.throws(
        () => read(routing),
        (error) => error instanceof WorkflowConfigurationError && error.message === message,
      )
    })
  }

  test('what is not a JSON object, or too long, is refused as a whole', () => {
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '"x"',
      '['.repeat(400_000),
      ' '.repeat(CONFIGURATION_LENGTH_MAX + 1),
    ]) {
      assert.throws(() => parseWorkflowConfiguration(text), { name: 'WorkflowConfigurationError', place: '' })
    }
  })

  test('keys of the JSON cannot reach a prototype', () => {
    const text = '{"task_routing":{"__proto__":{"default_filter":{"queue":"WQ1"}}}}'
    assert.throws(() => parseWorkflowConfiguration(text), { place: 'task_routing' })
  })
})
