import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { choose, type Lane, type WaitingTask } from './choose.ts'

const task = (sid: string, more: Partial<WaitingTask> = {}): WaitingTask => ({
  sid,
  priority: 0,
  start: 0,
  wants: 1,
  ...more,
})

const lane = (name: string, tasks: WaitingTask[], workers: string[], more: Partial<Lane> = {}): Lane => ({
  name,
  order: 'FIFO',
  tasks,
  workers: workers.map((sid) => ({ sid })),
  best: 'idle longest',
  ...more,
})

const pairs = (lanes: Lane[], prefer: 'FIFO' | 'LIFO' = 'FIFO') =>
  choose(lanes, prefer).offers.map((it) => `${it.task}-${it.worker}`)

describe('choose', () => {
  test('gives the task with the highest priority the best worker', () => {
    const tasks = [task('high', { priority: 2 }), task('low')]
    assert.deepEqual(pairs([lane('a', tasks, ['ana', 'ben'])]), ['high-ana', 'low-ben'])
  })

  test('gives a worker whom two lanes admit to the task that comes first', () => {
    const old = lane('a', [task('old', { start: 1 })], ['ana'])
    const young = lane('b', [task('young', { start: 2 })], ['ana', 'ben'])
    assert.deepEqual(pairs([young, old]), ['old-ana', 'young-ben'])
  })

  test('serves the preferred kind of queue first where priorities are equal', () => {
    const fifo = lane('a', [task('fifo', { start: 1 })], ['ana'])
    const lifo = lane('b', [task('lifo', { start: 2 })], ['ana'], { order: 'LIFO' })
    assert.deepEqual(pairs([fifo, lifo], 'LIFO'), ['lifo-ana'])
    assert.deepEqual(pairs([fifo, lifo], 'FIFO'), ['fifo-ana'])
  })

  test('asks those who refused a task only when nobody else is there, and says so', () => {
    const refused = task('t', { refusedBy: new Set(['ana']) })
    assert.deepEqual(pairs([lane('a', [refused], ['ana', 'ben'])]), ['t-ben'])
    const [again] = choose([lane('a', [refused], ['ana'])], 'FIFO').offers
    assert.equal(again?.because.again, true)
  })

  test('does not ask those who are barred, and offers them the next task', () => {
    const barred = task('t', { barred: new Set(['ana']) })
    assert.deepEqual(pairs([lane('a', [barred, task('u', { start: 1 })], ['ana'])]), ['u-ana'])
  })

  test('offers one task to as many as it wants', () => {
    const { offers, left } = choose([lane('a', [task('t', { wants: 3 })], ['ana', 'ben'])], 'FIFO')
    assert.deepEqual(
      offers.map((it) => it.worker),
      ['ana', 'ben'],
    )
    assert.equal(left.get('a')?.[0]?.wants, 1)
  })

  const sids = (letter: string) => fc.integer({ min: 0, max: 9 }).map((it) => `${letter}${it}`)
  const tasks = fc.uniqueArray(
    fc.record({
      sid: fc.integer({ min: 0, max: 99 }).map((it) => `t${String(it).padStart(2, '0')}`),
      priority: fc.integer({ min: 0, max: 3 }),
      start: fc.integer({ min: 0, max: 9 }),
      wants: fc.integer({ min: 1, max: 3 }),
      barred: fc.array(sids('w'), { maxLength: 2 }).map((it) => new Set(it)),
      refusedBy: fc.array(sids('w'), { maxLength: 2 }).map((it) => new Set(it)),
    }),
    { maxLength: 12, selector: (it) => it.sid },
  )
  const lanesOfTasks = fc
    .tuple(tasks, fc.array(fc.uniqueArray(sids('w')), { minLength: 1, maxLength: 4 }))
    .map(([all, admitted]) =>
      admitted.map((workers, at) => {
        const own = all.filter((_, index) => index % admitted.length === at)
        own.sort((a, b) => b.priority - a.priority || a.start - b.start || (a.sid < b.sid ? -1 : 1))
        return lane(`lane ${at}`, own, workers)
      }),
    )

  test('never offers a worker two tasks, nor one they do not qualify for', () => {
    fc.assert(
      fc.property(lanesOfTasks, (lanes) => {
        const { offers } = choose(lanes, 'FIFO')
        assert.equal(new Set(offers.map((it) => it.worker)).size, offers.length)
        for (const offer of offers) {
          const from = lanes.find((it) => it.name === offer.lane) as Lane
          const about = from.tasks.find((it) => it.sid === offer.task) as WaitingTask
          assert.ok(from.workers.some((it) => it.sid === offer.worker))
          assert.ok(!about.barred?.has(offer.worker))
          assert.ok(offers.filter((it) => it.task === offer.task).length <= about.wants)
        }
      }),
    )
  })

  test('leaves no worker without a task while one they could take is left', () => {
    fc.assert(
      fc.property(lanesOfTasks, (lanes) => {
        const { offers, left } = choose(lanes, 'FIFO')
        const taken = new Set(offers.map((it) => it.worker))
        for (const it of lanes)
          for (const about of left.get(it.name) ?? [])
            for (const { sid } of it.workers) assert.ok(taken.has(sid) || about.barred?.has(sid))
      }),
    )
  })

  test('never lets a task wait for a worker who went to one that comes after it', () => {
    fc.assert(
      fc.property(lanesOfTasks, (lanes) => {
        const { offers, left } = choose(lanes, 'FIFO')
        const find = (sid: string) =>
          lanes.flatMap((it) => it.tasks).find((it) => it.sid === sid) as WaitingTask
        const before = (a: WaitingTask, b: WaitingTask) =>
          a.priority !== b.priority ? a.priority > b.priority : a.start < b.start
        for (const it of lanes)
          for (const waiting of left.get(it.name) ?? [])
            for (const { sid } of it.workers) {
              const got = offers.find((offer) => offer.worker === sid)
              if (got && got.task !== waiting.sid && !waiting.barred?.has(sid))
                assert.ok(!before(waiting, find(got.task)), `${waiting.sid} comes before ${got.task}`)
            }
      }),
    )
  })
})
