import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compileExpression, compileValue, type Scope } from './compile.ts'

/** Wednesday 15 November 2023, 08:05 UTC. */
const NOW = Date.UTC(2023, 10, 15, 8, 5)

const ATTRIBUTES = {
  language: 'en',
  languages: ['en', 'de'],
  level: 5,
  vip: true,
  nothing: null,
  mixed: [1, '1', null],
  address: { city: 'Bonn', phones: [{ number: '1' }, { number: '2' }] },
}

function holds(text: string, scope: Partial<Scope> = {}): boolean {
  return compileExpression(text).matches({ attributes: ATTRIBUTES, now: NOW, ...scope })
}

function allHold(...texts: string[]): void {
  for (const text of texts) assert.equal(holds(text), true, text)
}

function noneHolds(...texts: string[]): void {
  for (const text of texts) assert.equal(holds(text), false, text)
}

describe('evaluating an expression', () => {
  test('scalars compare by value, numbers by size, strings by letters', () => {
    allHold(
      '1 == 1',
      '1==1',
      "language = 'en'",
      '"en" == language',
      'level != 4',
      'level >= 5.0',
      'level < 5.1',
      '4 < level',
      "language > 'da'",
      'vip == true',
      'vip != false',
      "'apple' != 'orange'",
    )
    noneHolds('1 == 2', "language == 'EN'", 'level > 5', 'level <= 4.9', 'vip == false', 'vip < 2')
  })

  test('CONTAINS finds a part of a string, HAS an element of a list, IN the same from the other side', () => {
    allHold(
      "address.city CONTAINS 'on'",
      "address.city NOT CONTAINS 'x'",
      "languages HAS 'de'",
      "languages NOT HAS 'fr'",
      "'de' IN languages",
      "language IN ['fr', 'en']",
      'language in["en"]',
      'level NOT IN [1, 2]',
      "language IN ['a','b','c','d','e','f','g','h','i','en']",
    )
    noneHolds("languages HAS 'fr'", "language IN ['fr']", 'language IN []', "languages CONTAINS 'de'")
  })

  test('AND, OR, NOT and parentheses combine', () => {
    allHold(
      "(language == 'en' OR language == 'fr') AND level >= 5",
      'NOT level == 4',
      'NOT (level == 4 OR level == 3) and not NOT vip == true',
      'level == 1 or level == 2 or level == 5',
      'level > 1 and level > 2 and level > 3',
    )
    noneHolds(
      'NOT level == 5',
      'level > 1 AND level > 2 AND level > 5',
      'level == 1 OR level == 2 OR level == 3',
    )
  })

  test('dots and indices lead into attributes; what is missing on the way is NULL', () => {
    allHold(
      "address.phones[1].number == '2'",
      "languages[0] == 'en'",
      'address.phones[2].number == null',
      'address.city.street == null',
      'language[0] == null',
      'languages.en == null',
      'missing.deep.down[3] == null',
    )
  })

  test('NULL satisfies nothing unless null is written', () => {
    allHold(
      'missing == null',
      'nothing == null',
      'null = missing',
      'level != null',
      'null == null',
      'mixed HAS null',
    )
    allHold(
      "null != ''",
      "'' != null",
      'missing IN [1, null]',
      'null IN mixed',
      'null NOT IN languages',
      'languages != null',
    )
    noneHolds(
      'missing != null',
      'null != null',
      "missing == 'x'",
      "missing != 'x'",
      'missing == nothing',
      'missing != nothing',
      'missing < 1',
      'missing >= missing',
      'null <= null',
      "missing NOT IN ['x']",
      "missing NOT HAS 'x'",
      'mixed HAS missing',
      'missing IN mixed',
      "missing CONTAINS ''",
      "missing NOT CONTAINS 'x'",
    )
    allHold("NOT missing == 'x'", "NOT missing HAS 'x'")
  })

  test('values of different types satisfy nothing, negated or not', () => {
    noneHolds(
      "level == '5'",
      "level != '5'",
      "level < '6'",
      'vip == 1',
      "vip != 'true'",
      "language HAS 'e'",
      "language NOT HAS 'x'",
      'level CONTAINS 5',
      'level IN language',
      'level NOT IN language',
      "languages == 'en'",
      "languages != 'fr'",
      "languages IN ['en']",
      "languages NOT IN ['en']",
      "languages HAS ['en']",
      'languages == languages',
      'languages HAS address',
    )
    allHold("mixed HAS '1'", 'mixed HAS 1', "1 NOT IN ['1']")
  })

  test('task, worker and workers read their own facts where the caller gives them', () => {
    const scope = {
      task: { language: 'de', skills: ['x'] },
      worker: { sid: 'WK1', languages: ['de'], channel: { chat: { assigned_tasks: 2 } } },
      workers: { available: 0, WA1: 3 },
    }
    for (const text of [
      'worker.languages HAS task.language',
      'task.language IN worker.languages',
      "worker.sid == 'WK1'",
      'worker.channel.chat.assigned_tasks < 3',
      'workers.available == 0 AND workers.WA1 > 2',
      "language == 'en'",
    ]) {
      assert.equal(holds(text, scope), true, text)
    }
    assert.equal(holds("task.language == 'en'", scope), false)
  })

  test('without a task given, task is an attribute like any other', () => {
    assert.equal(holds("task.kind == 'x'", { attributes: { task: { kind: 'x' } } }), true)
    assert.equal(holds("task.kind == 'x'", { attributes: { task: { kind: 'x' } }, task: {} }), false)
    assert.equal(
      holds("task == 'x' AND worker[0] == 1", { attributes: { task: 'x', worker: [1] }, task: {} }),
      true,
    )
  })

  test('the time is told in UTC from the instant handed in', () => {
    allHold(
      'taskrouter.currentTime == 0805',
      'taskrouter.currentHour == 8 AND taskrouter.currentMin == 5',
      "taskrouter.dayOfWeek == 'Wed'",
      "taskrouter.dayOfWeek IN ['Mon', 'Wed'] AND taskrouter.currentTime > 800 AND taskrouter.currentTime < 1730",
      'taskrouter.somethingElse == null',
    )
    const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
    for (let now = Date.UTC(1969, 11, 1); now < Date.UTC(1970, 1, 28); now += 7_777_777) {
      const date = new Date(now)
      const time = date.getUTCHours() * 100 + date.getUTCMinutes()
      const text = `taskrouter.currentTime == ${time} AND taskrouter.dayOfWeek == '${days[date.getUTCDay()]}'`
      assert.equal(holds(text, { now }), true, text)
    }
  })

  test('only own properties are read', () => {
    noneHolds(
      '__proto__ != null',
      'constructor != null',
      'constructor.name != null',
      'address.toString != null',
      'languages.length != null',
      'language.length != null',
      'worker.__proto__ != null',
      'address.__proto__.polluted != null',
    )
    const own = JSON.parse('{"__proto__": {"x": 1}}')
    assert.equal(holds('__proto__.x == 1', { attributes: own }), true)
  })

  test('the same text is the same expression', () => {
    assert.equal(compileExpression('level == 5'), compileExpression('level == 5'))
  })

  test('a value is a key or a literal', () => {
    const scope = { attributes: ATTRIBUTES, task: { agent: 'WK1' }, now: NOW }
    assert.equal(compileValue('task.agent').read(scope), 'WK1')
    assert.equal(compileValue("'WK2'").read(scope), 'WK2')
    assert.equal(compileValue('task.missing').read(scope), null)
    assert.throws(() => compileValue('[1]'), { name: 'ExpressionError', line: 1, column: 1 })
    assert.throws(() => compileValue('Alice Smith'), { expected: 'the end of the value', column: 7 })
    assert.throws(() => compileValue(''), { expected: 'a key or a literal' })
  })
})

describe('explaining an expression', () => {
  const explain = (text: string) => compileExpression(text).explain({ attributes: ATTRIBUTES, now: NOW })

  test('one that holds says so', () => {
    assert.deepEqual(explain('level == 5 AND NOT level == 4'), { matches: true })
  })

  test('the first clause of an AND that failed is named with what its keys were', () => {
    assert.deepEqual(explain("level >= 5 AND (languages HAS 'fr' AND level == 9)"), {
      matches: false,
      clause: "languages HAS 'fr'",
      offset: 16,
      seen: [{ key: 'languages', value: ['en', 'de'] }],
      alternatives: [],
    })
  })

  test('a NOT is named whole', () => {
    assert.partialDeepStrictEqual(explain('vip == true AND NOT (level > 3 AND missing == null)'), {
      clause: 'NOT (level > 3 AND missing == null)',
      seen: [
        { key: 'level', value: 5 },
        { key: 'missing', value: null },
      ],
    })
  })

  test('an OR is named whole, and each of its alternatives', () => {
    assert.partialDeepStrictEqual(
      explain("vip == true AND (level > 8 OR vip == true AND language == 'fr')"),
      {
        clause: "level > 8 OR vip == true AND language == 'fr'",
        seen: [{ key: 'level' }, { key: 'vip' }, { key: 'language' }],
        alternatives: [
          { clause: 'level > 8' },
          { clause: "language == 'fr'", seen: [{ key: 'language', value: 'en' }] },
        ],
      },
    )
  })
})
