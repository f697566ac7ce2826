/** Statistics: what they say is what a naive count of what happened says. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import twilio from 'twilio'
import { reading } from '../../src/store/query.ts'
import { busyMs } from '../world/busy.ts'
import { asToken, openWorld, type World } from '../world/index.ts'
import { openCentre } from './centre.ts'
import { durationsExpected, openRecord, reservationsExpected, tasksExpected } from './record.ts'

const { AccessToken } = twilio.jwt

for (const engine of ['memory', 'postgres'] as const)
  describe(`on ${engine}`, () => {
    test('a small centre is told as it is, and as it was', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const { workspace } = centre
      const spanish = await centre.queue('Spanish', { targetWorkers: 'languages HAS "es"' })
      const all = await centre.queue('All')
      const workflow = await centre.workflow('To all', {
        filters: [
          {
            expression: 'language == "es"',
            targets: [{ queue: spanish, timeout: 60 }, { queue: all }],
          },
        ],
        default_filter: { queue: all },
      })
      const ana = await centre.worker('ana', { languages: ['es'] })
      const ben = await centre.worker('ben', {}, centre.offline)
      const wait = async (seconds: number) => {
        world.clock.advance(seconds * 1000)
        await world.settle()
      }

      // Ana takes the first after 7 seconds, the second is canceled after 30, the third waits for her.
      const first = await centre.task({ attributes: '{"language":"es"}', taskChannel: 'chat', priority: 3 })
      await world.settle()
      await wait(7)
      await centre.answer(first, 'ana', 'accepted')
      const second = await centre.task({ attributes: '{"language":"es"}', taskChannel: 'chat' })
      await wait(30)
      await workspace.tasks(second).update({ assignmentStatus: 'canceled', reason: 'gone' })
      const third = await centre.task({ attributes: '{"language":"es"}', taskChannel: 'chat', priority: 3 })
      await wait(20)

      const now = await workspace.realTimeStatistics().fetch()
      assert.deepEqual(
        [now.totalTasks, now.totalWorkers, now.tasksByStatus, now.tasksByPriority],
        [2, 2, { assigned: 1, pending: 1, reserved: 0, wrapping: 0 }, { 3: 2 }],
      )
      assert.deepEqual([now.longestTaskWaitingSid, now.longestTaskWaitingAge], [third, 20])
      assert.deepEqual(
        now.activityStatistics.map((it) => [it.friendly_name, it.workers]),
        [
          ['Offline', 1],
          ['Available', 1],
          ['Unavailable', 0],
        ],
      )

      const was = await workspace.cumulativeStatistics().fetch({ splitByWaitTime: '7,29' })
      assert.equal(was.avgTaskAcceptanceTime, 7)
      assert.deepEqual(
        [was.tasksCreated, was.tasksCanceled, was.tasksCompleted, was.tasksDeleted, was.tasksMoved],
        [3, 1, 0, 0, 0],
      )
      assert.deepEqual([was.reservationsCreated, was.reservationsAccepted], [1, 1])
      assert.deepEqual(was.waitDurationUntilAccepted, { avg: 7, min: 7, max: 7, total: 7 })
      assert.deepEqual(was.waitDurationUntilCanceled, { avg: 30, min: 30, max: 30, total: 30 })
      assert.deepEqual(was.splitByWaitTime, {
        7: {
          above: { tasks_canceled: 1, reservations_accepted: 0 },
          below: { tasks_canceled: 0, reservations_accepted: 1 },
        },
        29: {
          above: { tasks_canceled: 1, reservations_accepted: 0 },
          below: { tasks_canceled: 0, reservations_accepted: 1 },
        },
      })

      // The third goes on to everybody's queue after a minute.
      await wait(45)
      const queue = await workspace.taskQueues(all).realTimeStatistics().fetch()
      assert.deepEqual(
        [queue.totalTasks, queue.longestTaskWaitingAge, queue.longestRelativeTaskAgeInQueue],
        [1, 65, 0],
      )
      assert.deepEqual([queue.longestTaskWaitingSid, queue.longestRelativeTaskSidInQueue], [third, third])
      assert.deepEqual([queue.totalEligibleWorkers, queue.totalAvailableWorkers], [2, 1])
      const left = await workspace.taskQueues(spanish).cumulativeStatistics().fetch()
      assert.deepEqual([left.tasksEntered, left.tasksMoved], [3, 1])
      const ofSpanish = await workspace.taskQueues(spanish).realTimeStatistics().fetch()
      assert.deepEqual([ofSpanish.totalEligibleWorkers, ofSpanish.totalTasks], [1, 1])

      await workspace.workers(ben).update({ activitySid: centre.available })
      await world.settle()
      await wait(5)
      await centre.answer(third, 'ben', 'accepted')
      const entered = await workspace.taskQueues(all).cumulativeStatistics().fetch()
      assert.deepEqual(entered.waitDurationInQueueUntilAccepted, { avg: 5, min: 5, max: 5, total: 5 })
      assert.deepEqual(entered.waitDurationUntilAccepted, { avg: 70, min: 70, max: 70, total: 70 })
      const whole = await workspace.workflows(workflow).cumulativeStatistics().fetch()
      assert.deepEqual([whole.tasksEntered, whole.tasksMoved, whole.reservationsAccepted], [3, 1, 2])

      // Ben was offline for 102 seconds and available for 5; Ana has been available all the while.
      const { cumulative } = await workspace.workers(ben).statistics().fetch()
      assert.deepEqual(
        cumulative.activity_durations.map((it: { friendly_name: string; total: number }) => [
          it.friendly_name,
          it.total,
        ]),
        [
          ['Offline', 102],
          ['Available', 5],
          ['Unavailable', 0],
        ],
      )
      assert.equal(cumulative.reservations_accepted, 1)
      const crew = await workspace.workers.cumulativeStatistics().fetch()
      const available = crew.activityDurations.find((it) => it.friendly_name === 'Available')
      assert.deepEqual([available?.min, available?.max, available?.total, available?.avg], [5, 107, 112, 56])
      const some = await workspace.workers.statistics().fetch({ taskQueueName: 'Spanish' })
      assert.deepEqual([some.realtime.total_workers, some.cumulative.reservations_accepted], [1, 1])
      assert.ok(ana)
    })

    test('those who act at once are each counted once', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const { workspace } = centre
      const queue = await centre.queue('All', { maxReservedWorkers: 4 })
      const workflow = await centre.workflow('One', { default_filter: { queue } })
      await Promise.all(Array.from({ length: 4 }, (_, at) => centre.worker(`w${at}`)))
      const tasks = await Promise.all(Array.from({ length: 12 }, () => centre.task()))
      await world.settle()
      const offers = (await Promise.all(tasks.map((it) => workspace.tasks(it).reservations.list()))).flat()
      const accepted = await Promise.allSettled(
        offers.map((it) =>
          workspace.tasks(it.taskSid).reservations(it.sid).update({ reservationStatus: 'accepted' }),
        ),
      )
      await world.settle()
      const all = (await Promise.all(tasks.map((it) => workspace.tasks(it).reservations.list()))).flat()
      const ended = (status: string) => all.filter((it) => it.reservationStatus === status).length
      const was = await workspace.workflows(workflow).cumulativeStatistics().fetch()
      assert.equal(was.tasksEntered, 12)
      assert.equal(was.reservationsCreated, all.length)
      assert.equal(was.reservationsAccepted, accepted.filter((it) => it.status === 'fulfilled').length)
      assert.equal(was.reservationsAccepted, ended('accepted'))
      assert.equal(was.reservationsRescinded, ended('rescinded'))
      assert.ok(ended('rescinded') > 0, 'somebody was too late')
    })

    test('whatever happens, every number is what a naive count says', async () => {
      let happened = 0
      await fc.assert(
        fc.asyncProperty(steps, async (played) => {
          await using world = await openWorld({ engine })
          happened += await play(world, played)
        }),
        { numRuns: engine === 'memory' ? 12 : 2, endOnFailure: true },
      )
      assert.ok(happened > 10, 'something did happen')
    })
  })

const soon = (world: World): string => new Date(world.clock.now() - 60_000).toISOString()

describe('What may be asked', () => {
  const open = async () => {
    const world = await openWorld()
    const centre = await openCentre(world)
    const { sid } = await centre.workspace.fetch()
    const ask = async (path: string, init: Parameters<World['fetch']>[1] = {}) => {
      const answer = await world.fetch(`/v1/Workspaces/${sid}${path}`, init)
      return { status: answer.status, body: (await answer.json()) as Answer }
    }
    return { world, centre, sid, ask }
  }

  test('windows that end before they begin, or begin too long ago, are refused by name', async () => {
    const { world, ask } = await open()
    await using _ = world
    const at = (ms: number) => new Date(world.clock.now() + ms).toISOString()
    const day = 86_400_000
    for (const path of [
      '/CumulativeStatistics',
      '/Statistics',
      '/TaskQueues/Statistics',
      '/Workers/Statistics',
    ]) {
      const refused = async (query: string, named: string) => {
        const { status, body } = await ask(`${path}?${query}`)
        assert.equal(status, 400, `${path}?${query}`)
        assert.equal(body.code, 20001)
        assert.match(String(body.message), new RegExp(named))
      }
      await refused(`StartDate=${at(60_000)}`, 'StartDate')
      await refused(`StartDate=${at(-32 * day)}`, 'StartDate.*30 days')
      await refused(`EndDate=${at(-31 * day)}`, 'EndDate.*30 days')
      await refused('Minutes=0', 'Minutes')
      await refused('Minutes=43201', 'Minutes')
      await refused('StartDate=yesterday', 'StartDate')
      await refused('TaskChannel=pigeon', 'TaskChannel')
      if (!path.startsWith('/Workers')) await refused('SplitByWaitTime=5,soon', 'SplitByWaitTime')
      assert.equal((await ask(`${path}?StartDate=${at(-30 * day)}`)).status, 200)
    }
  })

  test('a window may end in the far future, and is answered at once', async () => {
    const { world, ask } = await open()
    await using _ = world
    const began = busyMs()
    for (const path of ['/CumulativeStatistics', '/Workers/CumulativeStatistics'])
      assert.equal((await ask(`${path}?EndDate=9999-12-31&StartDate=${soon(world)}`)).status, 200)
    assert.ok(busyMs() - began < 2_000)
  })

  test('without a window it is the last fifteen minutes', async () => {
    const { world, ask } = await open()
    await using _ = world
    const { body } = await ask('/CumulativeStatistics')
    const [start, end] = [body.start_time, body.end_time].map((it) => Date.parse(String(it)))
    assert.equal(Number(end) - Number(start), 15 * 60_000)
    assert.equal(body.split_by_wait_time, null)
  })

  test('queues are asked about in bulk, up to fifty at once, and only those of the workspace', async () => {
    const { world, centre, ask } = await open()
    await using _ = world
    const queue = await centre.queue('Another')
    const bulk = (json: unknown) =>
      ask('/TaskQueues/RealTimeStatistics', {
        method: 'POST',
        body: JSON.stringify(json),
        headers: { 'content-type': 'application/json' },
      })
    const foreign = `WQ${'0'.repeat(32)}`
    const { body } = await bulk({ TaskQueueSids: [queue, foreign] })
    assert.equal(body.task_queue_response_count, 1)
    const [data] = body.task_queue_data as Answer[]
    assert.equal(data?.task_queue_sid, queue)
    assert.equal(data?.total_tasks, 0)
    for (const json of [{}, [], { TaskQueueSids: [] }, { TaskQueueSids: ['all'] }, { TaskQueueSids: 'all' }])
      assert.equal((await bulk(json)).status, 400, JSON.stringify(json))
    assert.equal((await bulk({ TaskQueueSids: Array(51).fill(queue) })).status, 400)
  })

  test("a worker's token reads that worker's statistics and no others", async () => {
    const { world, centre, sid, ask } = await open()
    await using _ = world
    const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
    const { sid: accountSid, apiKeySid, apiKeySecret } = world.account
    const token = new AccessToken(accountSid, apiKeySid, apiKeySecret, { identity: 'ana', ttl: 3600 })
    token.addGrant(new AccessToken.TaskRouterGrant({ workspaceSid: sid, workerSid: ana, role: 'worker' }))
    const as = asToken(token.toJwt())
    assert.equal((await ask(`/Workers/${ana}/Statistics`, { as })).status, 200)
    for (const path of [
      `/Workers/${ben}/Statistics`,
      '/Workers/Statistics',
      '/Statistics',
      '/TaskQueues/Statistics',
    ])
      assert.equal((await ask(path, { as })).status, 403, path)
  })

  test('of the workers some, by queue and by name', async () => {
    const { world, centre } = await open()
    await using _ = world
    const { workspace } = centre
    const queue = await centre.queue('Spanish', { targetWorkers: 'languages HAS "es"' })
    const ana = await centre.worker('ana', { languages: ['es'] })
    await centre.worker('ben', { languages: ['es'] }, centre.offline)
    await centre.worker('cas')
    const count = async (asked: object) =>
      (await workspace.workers.statistics().fetch(asked)).realtime.total_workers
    assert.equal(await count({}), 3)
    assert.equal(await count({ taskQueueSid: queue }), 2)
    assert.equal(await count({ taskQueueName: 'Spanish', friendlyName: 'ana' }), 1)
    assert.equal(await count({ friendlyName: 'nobody' }), 0)
    assert.equal(await count({ taskQueueName: 'No such queue' }), 0)
    // Who does not take a channel does not count in it.
    const [chat] = (await workspace.workers(ana).workerChannels.list()).filter(
      (it) => it.taskChannelUniqueName === 'chat',
    )
    await workspace.workers(ana).workerChannels(String(chat?.sid)).update({ available: false })
    assert.equal(await count({ taskQueueSid: queue, taskChannel: 'chat' }), 1)
    assert.equal(
      (await workspace.workers.realTimeStatistics().fetch({ taskChannel: 'chat' })).totalWorkers,
      2,
    )
  })
})

describe('What was counted', () => {
  test('a worker who is gone has been there all the same', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('ana')
    world.clock.advance(40_000)
    await centre.workspace.workers(ana).remove()
    world.clock.advance(10_000)
    const { activityDurations } = await centre.workspace.workers.cumulativeStatistics().fetch()
    const available = activityDurations.find((it) => it.friendly_name === 'Available')
    assert.deepEqual([available?.total, available?.avg], [40, 40])
    assert.equal((await centre.workspace.workers.realTimeStatistics().fetch()).totalWorkers, 0)
  })

  test('is there after a restart, and for a month', async () => {
    await using world = await openWorld({ engine: 'disk' })
    const centre = await openCentre(world)
    const { workspace } = centre
    const ana = await centre.worker('ana')
    const began = new Date(world.clock.now())
    const task = await centre.task()
    await world.settle()
    await centre.answer(task, 'ana', 'accepted')
    world.clock.advance(60_000)
    await workspace.workers(ana).update({ activitySid: centre.away })
    const read = async () => {
      const asked = { startDate: began, endDate: new Date(began.getTime() + 3_600_000) }
      const { cumulative } = await workspace.workers(ana).statistics().fetch(asked)
      const { tasksCreated, reservationsAccepted } = await workspace.cumulativeStatistics().fetch(asked)
      return { cumulative, tasksCreated, reservationsAccepted }
    }
    const before = await read()
    assert.deepEqual([before.tasksCreated, before.reservationsAccepted], [1, 1])
    await world.restart()
    assert.deepEqual(await read(), before)
    const day = 86_400_000
    world.clock.advance(30 * day)
    await world.settle()
    assert.equal((await read()).tasksCreated, 1)
    world.clock.advance(2 * day)
    await world.settle()
    assert.deepEqual(await happeningsLeft.all(world.house.store.reader, { all: true }), [])
  })
})

const happeningsLeft = reading((db, _: { all: true }) => db.selectFrom('task_happenings').selectAll())

/** One thing that may happen, to whatever the numbers lead to. */
interface Step {
  readonly wait: number
  readonly what: number
  readonly whom: number
}

const steps = fc.array(
  fc.record({
    wait: fc.oneof(
      { weight: 4, arbitrary: fc.nat(9_000) },
      { weight: 1, arbitrary: fc.nat(150_000) },
      { weight: 1, arbitrary: fc.constant(0) },
    ),
    what: fc.nat(11),
    whom: fc.nat(1000),
  }),
  { minLength: 20, maxLength: 45 },
)

const SPLITS = [0, 3, 60]

/** Plays the steps, then holds each statistic of several windows against the record. */
const play = async (world: World, played: readonly Step[]): Promise<number> => {
  const centre = await openCentre(world, { routed: false })
  const { workspace } = centre
  const sid = (await workspace.fetch()).sid
  const record = openRecord(world, sid)
  const queues = [
    await centre.queue('Spanish', { targetWorkers: 'languages HAS "es"', maxReservedWorkers: 2 }),
    await centre.queue('All'),
  ]
  const [spanish, all] = queues as [string, string]
  const workflows = [
    await centre.workflow('Escalates', {
      filters: [{ expression: '1==1', targets: [{ queue: spanish, timeout: 40 }, { queue: all }] }],
    }),
    await centre.workflow('Gives up', {
      filters: [{ expression: '1==1', targets: [{ queue: all, timeout: 90 }] }],
    }),
  ]
  const workers = [
    await centre.worker('ana', { languages: ['es'] }),
    await centre.worker('ben', { languages: ['es', 'en'] }),
    await centre.worker('cas'),
  ]
  const activities = [centre.available, centre.available, centre.offline, centre.away]
  await record.look()
  const one = <T>(of: readonly T[], { whom }: Step): T | undefined => of[whom % of.length]
  const answered = async (from: string, to: 'accepted' | 'rejected' | 'completed' | 'wrapping', it: Step) => {
    const lists = workers.map((worker) =>
      workspace.workers(worker).reservations.list({ reservationStatus: from as 'pending' }),
    )
    const found = one((await Promise.all(lists)).flat(), it)
    if (found) await workspace.tasks(found.taskSid).reservations(found.sid).update({ reservationStatus: to })
  }
  const waiting = async (it: Step) =>
    one(await workspace.tasks.list({ assignmentStatus: ['pending', 'reserved'] }), it)?.sid
  const happen = async (it: Step): Promise<unknown> => {
    const canceled = it.what === 8 ? await waiting(it) : undefined
    if (canceled) return workspace.tasks(canceled).update({ assignmentStatus: 'canceled', reason: 'gone' })
    if (it.what >= 4 && it.what <= 6) return answered('pending', 'accepted', it)
    if (it.what === 7) return answered('pending', 'rejected', it)
    if (it.what === 9) return answered('accepted', 'completed', it)
    if (it.what === 10) {
      const worker = workspace.workers(one(workers, it) as string)
      return worker.update({
        activitySid: one(activities, it) as string,
        rejectPendingReservations: it.whom % 2 === 0,
      })
    }
    const gone = it.what === 11 ? await waiting(it) : undefined
    if (gone) return workspace.tasks(gone).remove()
    return centre.task({
      workflowSid: one(workflows, it),
      taskChannel: it.whom % 3 ? 'chat' : 'default',
      priority: it.whom % 4,
    })
  }
  const began = world.clock.now()
  for (const it of played) {
    world.clock.advance(it.wait)
    await world.settle()
    await record.look()
    await happen(it)
    await world.settle()
    await record.look()
  }
  const now = world.clock.now()
  const channel = (await workspace.taskChannels.list()).find((it) => it.uniqueName === 'chat')?.sid as string
  const ask = async (path: string, { start, end, channel: only }: Window): Promise<Answer> => {
    const query = new URLSearchParams({
      StartDate: new Date(start).toISOString(),
      EndDate: new Date(end).toISOString(),
      SplitByWaitTime: SPLITS.join(),
      ...(only && { TaskChannel: 'chat' }),
    })
    const answer = await world.fetch(`/v1/Workspaces/${sid}${path}?${query}`)
    assert.equal(answer.status, 200, await answer.clone().text())
    return (await answer.json()) as Answer
  }
  const third = Math.floor((now - began) / 3)
  const windows: Window[] = [
    { start: began - 10_000, end: now + 5_000 },
    { start: began + third, end: now - third },
    { start: began, end: now, channel },
  ]
  for (const window of windows) {
    const expected = tasksExpected(record, window, SPLITS)
    mustAgree(await ask('/CumulativeStatistics', window), expected)
    for (const queue of queues)
      mustAgree(
        await ask(`/TaskQueues/${queue}/CumulativeStatistics`, window),
        tasksExpected(record, { ...window, queue }, SPLITS),
      )
    for (const it of (await ask('/TaskQueues/Statistics', window)).task_queues_statistics as Answer[]) {
      const queue = it.task_queue_sid as string
      mustAgree(it.cumulative as Answer, tasksExpected(record, { ...window, queue }, SPLITS))
    }
    for (const workflow of workflows)
      mustAgree(
        (await ask(`/Workflows/${workflow}/Statistics`, window)).cumulative as Answer,
        tasksExpected(record, { ...window, workflow }, SPLITS),
      )
    const durations = (asked: Window & { worker?: string }) =>
      Object.fromEntries(
        [centre.available, centre.offline, centre.away].map((it) => [
          it,
          durationsExpected(record, asked, it, now),
        ]),
      )
    const found = (it: Answer) =>
      Object.fromEntries(
        (it.activity_durations as Answer[]).map(({ sid: activity, friendly_name: _, ...rest }) => [
          activity,
          rest,
        ]),
      )
    for (const worker of workers) {
      const { cumulative } = (await ask(`/Workers/${worker}/Statistics`, window)) as { cumulative: Answer }
      mustAgree(cumulative, reservationsExpected(record, { ...window, worker }))
      assert.deepEqual(found(cumulative), durations({ ...window, worker }))
    }
    const crew = await ask('/Workers/CumulativeStatistics', window)
    mustAgree(crew, reservationsExpected(record, window))
    assert.deepEqual(found(crew), durations(window))
  }
  await mustBeNow(world, sid, queues, workflows)
  return record.happenings.length
}

interface Window {
  readonly start: number
  readonly end: number
  readonly channel?: string
}

type Answer = Readonly<Record<string, unknown>>

/** Each number that the answer has is the expected one, and it has most of them. */
const mustAgree = (answer: Answer, expected: object): void => {
  const told = Object.entries(expected).filter(([name]) => name in answer)
  assert.ok(told.length >= 6)
  assert.deepEqual(Object.fromEntries(told.map(([name]) => [name, answer[name]])), Object.fromEntries(told))
}

const allTasks = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('tasks').selectAll().where('workspace_sid', '=', at.workspaceSid).orderBy('sid'),
)

/** Real-time statistics against all the rows there are. */
const mustBeNow = async (
  world: World,
  sid: string,
  queues: readonly string[],
  workflows: readonly string[],
): Promise<void> => {
  const live = (await allTasks.all(world.house.store.reader, { workspaceSid: sid })).filter(
    (it) => it.assignment_status !== 'canceled' && it.assignment_status !== 'completed',
  )
  const check = async (path: string, own: typeof live): Promise<void> => {
    const answer = await world.fetch(`/v1/Workspaces/${sid}${path}/RealTimeStatistics`)
    const now = (await answer.json()) as Answer
    const statuses = { assigned: 0, pending: 0, reserved: 0, wrapping: 0 }
    const priorities: Record<string, number> = {}
    for (const it of own) {
      statuses[it.assignment_status as 'pending'] += 1
      priorities[it.priority] = (priorities[it.priority] ?? 0) + 1
    }
    const waits = own.filter((it) => ['pending', 'reserved'].includes(it.assignment_status))
    mustAgree(
      { ...now, url: '' },
      {
        total_tasks: own.length,
        tasks_by_status: statuses,
        tasks_by_priority: priorities,
        longest_task_waiting_sid: waits[0]?.sid ?? null,
        longest_task_waiting_age: waits[0]
          ? Math.floor((world.clock.now() - waits[0].date_created) / 1000)
          : 0,
        url: '',
      },
    )
    if (!path.startsWith('/TaskQueues')) return
    const entered = waits.map((it) => Number(it.task_queue_entered_date))
    const longest = waits.length ? Math.floor((world.clock.now() - Math.min(...entered)) / 1000) : 0
    assert.equal(now.longest_relative_task_age_in_queue, longest)
  }
  await check('', live)
  for (const it of queues)
    await check(
      `/TaskQueues/${it}`,
      live.filter((task) => task.task_queue_sid === it),
    )
  for (const it of workflows)
    await check(
      `/Workflows/${it}`,
      live.filter((task) => task.workflow_sid === it),
    )
}
