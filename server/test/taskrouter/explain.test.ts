import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openBridge } from '../protocols/bridge.ts'
import { openWorld, type World } from '../world/index.ts'
import { type Centre, openCentre } from './centre.ts'

interface Found {
  readonly obstacle: string
  readonly why: string
  readonly clause?: string
  readonly seen?: readonly { readonly key: string; readonly value: unknown }[]
  readonly until?: string
  readonly [more: string]: unknown
}

interface TaskAnswer {
  readonly summary: string
  readonly assignment_status: string
  readonly workflow: {
    readonly filter: { readonly place: string; readonly friendly_name: string | null }
    readonly target: string
    readonly since: string
    readonly is_outdated: boolean
    readonly filters: readonly { readonly place: string; readonly holds: boolean; readonly clause?: string }[]
    readonly targets: readonly { readonly place: string; readonly state: string }[]
  }
  readonly queue: {
    readonly friendly_name: string
    readonly ahead: number
    readonly skip_if: { readonly holds: boolean; readonly to: string | null } | null
  }
  readonly offers: { readonly refusals: number; readonly live: readonly { readonly worker_name: string }[] }
  readonly known_worker: { readonly friendly_name: string | null } | null
  readonly transfer: { readonly from: string; readonly to: string; readonly mode: string } | null
  readonly workers: readonly {
    readonly worker_sid: string
    readonly friendly_name: string
    readonly can_take_it: boolean
    readonly refused_before: boolean
    readonly obstacles: readonly Found[]
  }[]
  readonly considered: {
    readonly workers: number
    readonly considered: number
    readonly next_after: string | null
    readonly can_take_it: number
    readonly obstacles: Readonly<Record<string, number>>
  }
  readonly next: readonly { readonly what: string; readonly at: string; readonly outcome: string }[]
}

interface WorkerAnswer {
  readonly summary: string
  readonly reservations: readonly {
    readonly task_sid: string
    readonly reservation_status: string
    readonly until: string | null
  }[]
  readonly channels: readonly {
    readonly task_channel_unique_name: string
    readonly closed_by: readonly string[]
  }[]
  readonly lines: readonly {
    readonly task_queue_friendly_name: string
    readonly waiting: number
    readonly can_take: boolean
    readonly obstacles: readonly Found[]
    readonly tasks: readonly { readonly task_sid: string; readonly obstacles: readonly Found[] }[]
  }[]
  readonly next_after: string | null
}

const sidOf = async (centre: Centre): Promise<string> => (await centre.workspace.fetch()).sid

const ask = async <T>(centre: Centre, path: string): Promise<T> => {
  const answer = await centre.world.fetch(`/v1/Workspaces/${await sidOf(centre)}/${path}`)
  assert.equal(answer.status, 200, await answer.clone().text())
  return (await answer.json()) as T
}

const explainTask = (centre: Centre, sid: string, query = ''): Promise<TaskAnswer> =>
  ask(centre, `Tasks/${sid}/Explain${query}`)

const explainWorker = (centre: Centre, sid: string): Promise<WorkerAnswer> =>
  ask(centre, `Workers/${sid}/Explain`)

const obstaclesOf = (answer: TaskAnswer, name: string): string[] =>
  answer.workers.find((it) => it.friendly_name === name)?.obstacles.map((it) => it.obstacle) ?? ['not told']

const nextOf = ({ next }: TaskAnswer, what: string) => next.find((it) => it.what === what)

const iso = (ms: number): string => new Date(ms).toISOString()

/** Skills and languages: a filter that takes gold customers through two targets, and everybody for the rest. */
const openSkilled = async (world: World) => {
  const centre = await openCentre(world, { routed: false })
  const english = await centre.queue('English', { targetWorkers: "languages HAS 'en'" })
  const all = await centre.queue('All')
  await centre.workflow('Support', {
    filters: [
      { filter_friendly_name: 'Silver', expression: "customer == 'Silver'", targets: [{ queue: all }] },
      {
        filter_friendly_name: 'Gold',
        expression: "customer == 'Gold'",
        targets: [
          { queue: english, expression: 'worker.level >= task.level', timeout: 30 },
          { queue: all, priority: 10, timeout: 60 },
        ],
      },
    ],
    default_filter: { queue: all },
  })
  return centre
}

const gold = { attributes: JSON.stringify({ customer: 'Gold', level: 3 }), taskChannel: 'chat' }

for (const engine of ['memory', 'postgres'] as const)
  describe(`Explain, on ${engine}`, () => {
    test('says of a task where it is, who is passed over and why, and what comes next', async () => {
      await using world = await openWorld({ engine })
      const centre = await openSkilled(world)
      await centre.worker('french', { languages: ['fr'], level: 5 })
      await centre.worker('novice', { languages: ['en'], level: 1 })
      await centre.worker('away', { languages: ['en'], level: 5 }, centre.away)
      const busy = await centre.worker('busy', { languages: ['en'], level: 5 })
      const off = await centre.worker('off', { languages: ['en'], level: 5 })
      await centre.workspace.workers(off).workerChannels('chat').update({ available: false })
      const first = await centre.task(gold)
      await world.settle()
      await centre.answer(first, 'busy', 'accepted')
      const began = world.clock.now()
      const ahead = await centre.task(gold)
      const task = await centre.task(gold)
      await world.settle()

      const answer = await explainTask(centre, task)
      assert.equal(answer.assignment_status, 'pending')
      assert.deepEqual(obstaclesOf(answer, 'french'), ['queue'])
      assert.deepEqual(obstaclesOf(answer, 'novice'), ['target'])
      assert.deepEqual(obstaclesOf(answer, 'away'), ['activity'])
      assert.deepEqual(obstaclesOf(answer, 'busy'), ['capacity'])
      assert.deepEqual(obstaclesOf(answer, 'off'), ['channel_unavailable'])
      const [novice] = answer.workers.find((it) => it.friendly_name === 'novice')?.obstacles ?? []
      assert.equal(novice?.clause, 'worker.level >= task.level')
      assert.deepEqual(novice?.seen, [
        { key: 'worker.level', value: 1 },
        { key: 'task.level', value: 3 },
      ])
      assert.deepEqual(answer.considered, {
        workers: 5,
        considered: 5,
        next_after: null,
        can_take_it: 0,
        obstacles: { queue: 1, target: 1, activity: 1, capacity: 1, channel_unavailable: 1 },
      })
      assert.match(
        answer.summary,
        /^It waits in English; none of the 5 workers considered can take it: 1 not in the queue, 1 outside/,
      )
      assert.deepEqual(answer.workflow.filter, {
        place: 'task_routing.filters[1]',
        friendly_name: 'Gold',
        expression: "customer == 'Gold'",
      })
      assert.equal(answer.workflow.target, 'task_routing.filters[1].targets[0]')
      assert.equal(answer.workflow.since, iso(began))
      assert.deepEqual(
        answer.workflow.filters.map((it) => [it.holds, it.clause]),
        [
          [false, "customer == 'Silver'"],
          [true, undefined],
        ],
      )
      assert.deepEqual(
        answer.workflow.targets.map((it) => it.state),
        ['here', 'to come'],
      )
      assert.equal(answer.queue.friendly_name, 'English')
      assert.equal(answer.queue.ahead, 1)
      assert.equal((await explainTask(centre, ahead)).queue.ahead, 0)
      assert.deepEqual(
        answer.next.map((it) => [it.what, it.at]),
        [
          ['target_timeout', iso(began + 30_000)],
          ['task_timeout', iso(began + 86_400_000)],
        ],
      )
      assert.match(answer.next[0]?.outcome ?? '', /moves to task_routing.filters\[1\].targets\[1\]/)
      const { channels } = await explainWorker(centre, busy)
      assert.deepEqual(channels.find((it) => it.task_channel_unique_name === 'chat')?.closed_by, ['capacity'])

      for (const { sid, friendlyName } of await centre.workspace.workers.list())
        if (friendlyName !== 'busy')
          await centre.workspace.workers(sid).update({ activitySid: centre.offline })
      world.clock.advance(31_000)
      await world.settle()
      const later = await explainTask(centre, task)
      assert.equal(later.workflow.since, iso(began + 31_000))
      assert.deepEqual(
        later.workflow.targets.map((it) => it.state),
        ['passed', 'here'],
      )
      assert.equal(later.next[0]?.outcome, 'The task is canceled: Task canceled on Workflow timeout.')
    })

    test('goes through the workers by the page', async () => {
      await using world = await openWorld({ engine })
      const centre = await openSkilled(world)
      for (const name of ['a', 'b', 'c', 'd', 'e']) await centre.worker(name, {}, centre.offline)
      const task = await centre.task(gold)
      const seen: string[] = []
      let after = ''
      for (;;) {
        const answer = await explainTask(centre, task, `?PageSize=2${after && `&After=${after}`}`)
        seen.push(...answer.workers.map((it) => it.friendly_name))
        assert.equal(answer.considered.workers, 5)
        if (answer.considered.next_after === null) break
        after = answer.considered.next_after
      }
      assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'e'])
      const { summary } = await explainTask(centre, task, '?PageSize=2')
      assert.match(summary, /; none of the 2 workers considered, of 5, can take it: 2 not in the queue, /)
    })

    test('tells of a line the five tasks at its head one by one, and counts the others', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const ana = await centre.worker('ana', {}, centre.offline)
      const tasks: string[] = []
      for (let at = 0; at < 9; at += 1) tasks.push(await centre.task())
      await world.settle()
      const { lines } = await explainWorker(centre, ana)
      assert.deepEqual(
        lines.map((it) => [it.waiting, it.tasks.map(({ task_sid }) => task_sid)]),
        [[9, tasks.slice(0, 5)]],
      )
    })

    test('says of a worker which lines could reach them, and what stands in the way', async () => {
      await using world = await openWorld({ engine })
      const centre = await openSkilled(world)
      const novice = await centre.worker('novice', { languages: ['en'], level: 1 }, centre.offline)
      const golden = await centre.task(gold)
      await centre.task({ taskChannel: 'chat' })
      const plain = await centre.task({ taskChannel: 'sms' })
      await world.settle()
      const away = await explainWorker(centre, novice)
      assert.match(
        away.summary,
        /^novice is Offline with 0 in hand; of the 3 tasks that wait, none can reach them/,
      )
      assert.ok(away.lines.every((it) => it.obstacles.some(({ obstacle }) => obstacle === 'activity')))
      assert.deepEqual(away.lines.find((it) => it.task_queue_friendly_name === 'English')?.waiting, 1)

      await centre.workspace.workers(novice).workerChannels('sms').update({ capacity: 0 })
      await centre.workspace.workers(novice).update({ activitySid: centre.available })
      const back = await explainWorker(centre, novice)
      const byTask = new Map(back.lines.map((it) => [it.tasks[0]?.task_sid, it]))
      assert.deepEqual(
        byTask.get(golden)?.obstacles.map((it) => it.clause),
        ['worker.level >= task.level'],
      )
      assert.deepEqual(
        byTask.get(plain)?.obstacles.map((it) => it.obstacle),
        ['capacity'],
      )
      assert.equal(back.lines.filter((it) => it.can_take).length, 1)
      assert.equal(back.next_after, null)
    })
  })

describe('Explain', () => {
  test('tells offers, refusals and the pause after one', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('ana')
    const task = await centre.task()
    const asked = await explainTask(centre, task)
    assert.deepEqual(
      asked.next.map((it) => it.what),
      ['routing', 'task_timeout'],
    )
    assert.equal(asked.considered.can_take_it, 1)
    assert.match(asked.summary, /; the one worker there is can take it in its turn\.$/)
    await world.settle()
    const offered = await explainTask(centre, task)
    assert.match(offered.summary, /offered to ana/)
    assert.deepEqual(obstaclesOf(offered, 'ana'), ['offered'])
    assert.equal(
      nextOf(offered, 'reservation_timeout')?.outcome,
      'The offer to ana is over, who goes into Offline; others are asked first.',
    )

    await centre.answer(task, 'ana', 'rejected')
    const refused = await explainTask(centre, task)
    assert.deepEqual(obstaclesOf(refused, 'ana'), ['refused'])
    assert.equal(refused.workers[0]?.refused_before, true)
    assert.equal(refused.workers[0]?.obstacles[0]?.until, iso(world.clock.now() + 2_000))
    await world.settle()
    assert.equal(
      (await explainTask(centre, task)).next.find((it) => it.what === 'routing')?.at,
      iso(world.clock.now() + 2_000),
      'and the router looks again when it ends',
    )

    world.clock.advance(2_000)
    await world.settle()
    await centre.answer(task, 'ana', 'accepted')
    assert.equal((await explainTask(centre, task)).summary, 'ana has it.')
    await centre.answer(task, 'ana', 'completed')
    const over = await explainTask(centre, task)
    assert.match(over.summary, /^It is completed/)
    assert.deepEqual(over.workers, [])
    assert.deepEqual(
      over.next.map((it) => it.what),
      ['removal'],
    )
  })

  test('tells of a task for a known worker only that worker', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const all = await centre.queue('All')
    await centre.workflow('Known', {
      filters: [
        {
          expression: '1 == 1',
          targets: [{ queue: all, known_worker_friendly_name: 'task.agent' }],
        },
      ],
    })
    await centre.worker('ana', {}, centre.offline)
    await centre.worker('ben')
    const task = await centre.task({ attributes: JSON.stringify({ agent: 'ana' }) })
    await world.settle()
    const answer = await explainTask(centre, task)
    assert.deepEqual(
      answer.workers.map((it) => it.friendly_name),
      ['ana'],
    )
    assert.deepEqual(obstaclesOf(answer, 'ana'), ['activity'])
    assert.equal(answer.known_worker?.friendly_name, 'ana')
    assert.equal(answer.summary, 'It waits in All for ana alone, who cannot take it: not available.')
    const ben = (await centre.workspace.workers.list({ friendlyName: 'ben' }))[0]?.sid as string
    const [line] = (await explainWorker(centre, ben)).lines
    assert.deepEqual(
      line?.obstacles.map((it) => it.obstacle),
      ['known_worker'],
    )
  })

  test('tells of a task that was sent straight to a worker nothing of the queue and workflow it is in', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const nobody = await centre.queue('Nobody', { targetWorkers: '1 == 2' })
    const workflow = await centre.workflow('Calls', { default_filter: { queue: nobody } })
    const ana = await centre.worker('ana', {}, centre.offline)
    const asked = { routingTarget: ana, taskQueueSid: nobody, workflowSid: workflow, ignoreCapacity: 'false' }
    const task = await centre.task(asked)
    await world.settle()
    const answer = await explainTask(centre, task)
    assert.equal(answer.workflow, null)
    assert.deepEqual(obstaclesOf(answer, 'ana'), ['activity'])
    assert.equal(answer.summary, 'It waits in Nobody for ana alone, who cannot take it: not available.')
  })

  test('tells whether a target lets the task pass, and what of one with a task at a time', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false, workspace: { multiTaskEnabled: false } })
    const all = await centre.queue('All')
    const few = await centre.queue('Few', { targetWorkers: "skill == 'few'" })
    await centre.workflow('Skips', {
      filters: [
        {
          expression: '1 == 1',
          targets: [{ queue: few, skip_if: 'workers.available == 0', timeout: 60 }, { queue: all }],
        },
      ],
    })
    await centre.worker('ana', { skill: 'few' })
    const first = await centre.task({ taskChannel: 'chat' })
    await world.settle()
    await centre.answer(first, 'ana', 'accepted')
    const task = await centre.task({ taskChannel: 'sms' })
    await world.settle()
    const answer = await explainTask(centre, task)
    assert.deepEqual(obstaclesOf(answer, 'ana'), ['busy'])
    assert.equal(answer.queue.skip_if?.holds, false)
    assert.equal(answer.queue.skip_if?.to, 'task_routing.filters[0].targets[1]')
  })

  test('tells where a refusal would lead a task whose time at its target is up, and there it goes', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [first, second] = [await centre.queue('First'), await centre.queue('Second')]
    const routing = (expression: string) => ({
      filters: [
        {
          expression: '1 == 1',
          targets: [
            { queue: first, timeout: 10 },
            { queue: first, known_worker_friendly_name: "'nobody'", timeout: 10 },
            { queue: second, expression, timeout: 300 },
          ],
        },
      ],
    })
    const workflow = await centre.workflow('Offers', routing("level == '2'"), { taskReservationTimeout: 60 })
    await centre.worker('ana')
    const task = await centre.task()
    await world.settle()
    const began = world.clock.now()
    const moves = 'the task moves to task_routing.filters[0].targets[2], queue Second'
    const offered = await explainTask(centre, task)
    assert.deepEqual(
      offered.next.map((it) => [it.what, it.at, it.outcome]).slice(0, 2),
      [
        [
          'target_timeout',
          iso(began + 10_000),
          `Nothing while the task is offered; if the offer is refused right after, ${moves}.`,
        ],
        [
          'reservation_timeout',
          iso(began + 60_000),
          `The offer to ana is over, who goes into Offline, and ${moves}.`,
        ],
      ],
      'and nobody is a target that nobody comes to',
    )
    world.clock.advance(60_000)
    await world.settle()
    const moved = await explainTask(centre, task)
    assert.equal(moved.workflow.target, 'task_routing.filters[0].targets[2]')
    assert.equal(moved.workflow.since, iso(began + 60_000))
    assert.match(moved.summary, /^It waits in Second; the one worker there is cannot take it: /)
    assert.equal(moved.workflow.is_outdated, false)

    const configuration = JSON.stringify({ task_routing: routing("level == '3'") })
    await centre.workspace.workflows(workflow).update({ configuration })
    const outdated = await explainTask(centre, task)
    assert.equal(outdated.workflow.is_outdated, true)
    assert.equal(outdated.workers[0]?.obstacles.at(-2)?.clause, "level == '2'", 'what the router goes by')
    await centre.workspace.workflows(workflow).update({ reEvaluateTasks: 'true' })
    await world.settle()
    assert.equal((await explainTask(centre, task)).workflow.is_outdated, false)
  })

  test('tells that as many are asked at once as may be', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    await centre.workflow('Two', {
      default_filter: { queue: await centre.queue('All', { maxReservedWorkers: 2 }) },
    })
    const ana = await centre.worker('ana')
    await centre.worker('ben')
    await centre.worker('cleo')
    const task = await centre.task()
    await world.settle()
    const asked = await explainTask(centre, task)
    assert.equal(asked.summary, 'It waits in All and is offered to ana and ben, who may answer.')
    assert.deepEqual(obstaclesOf(asked, 'cleo'), ['others_offered'])
    assert.equal(asked.considered.can_take_it, 0)
    const { summary, reservations } = await explainWorker(centre, ana)
    assert.equal(summary, 'ana is Available with 0 in hand and an offer to answer; no task waits.')
    assert.deepEqual(
      reservations.map((it) => [it.task_sid, it.reservation_status, it.until]),
      [[task, 'pending', iso(world.clock.now() + 120_000)]],
    )
    await centre.answer(task, 'ana', 'rejected')
    assert.match((await explainTask(centre, task)).summary, /is offered to ben, who may answer/)
    await world.settle()
    assert.match((await explainTask(centre, task)).summary, /is offered to ben and cleo, who may answer/)
  })

  test('tells who gives a task to whom, and who keeps it where nobody takes it', async () => {
    await using bridge = await openBridge()
    const { centre, world, ask, token } = bridge
    const queue = (await centre.workspace.taskQueues.list())[0]?.sid
    const ana = await centre.worker('ana')
    const task = await centre.task({ routingTarget: ana })
    await world.settle()
    assert.equal(
      nextOf(await explainTask(centre, task), 'reservation_timeout')?.outcome,
      'The offer to ana is over, who goes into Offline; nobody else may take the task.',
    )
    await centre.answer(task, 'ana', 'accepted')
    const ben = await centre.worker('ben')
    const [own] = await centre.workspace.tasks(task).reservations.list()
    const give = async (To: string | undefined) => {
      const form = { TaskSid: task, ReservationSid: own?.sid, To }
      const made = await ask('POST', `Workers/${ana}/Transfers`, token(ana), form)
      assert.equal(made.status, 200, JSON.stringify(made.body))
    }
    await give(ben)
    const given = await explainTask(centre, task)
    assert.equal(given.summary, 'It is being transferred from ana to ben, who may answer.')
    assert.deepEqual([given.transfer?.from, given.transfer?.to, given.transfer?.mode], ['ana', 'ben', 'WARM'])
    assert.deepEqual(
      given.workers.map((it) => it.friendly_name),
      ['ben'],
    )
    const over = nextOf(given, 'reservation_timeout')
    assert.equal(
      over?.outcome,
      'The offer to ben is over, who goes into Offline; the transfer fails, and ana keeps the task.',
    )
    world.clock.advance(Date.parse(over?.at ?? '') - world.clock.now())
    await world.settle()
    assert.equal((await explainTask(centre, task)).summary, 'ana has it.')

    world.clock.advance(2_000)
    await give(queue)
    await world.settle()
    const waiting = await explainTask(centre, task)
    assert.equal(
      waiting.summary,
      'It is being transferred from ana to Sample Queue; none of the 2 workers considered can take it: ' +
        '1 with it in hand, 1 not available.',
    )
    await centre.workspace.workers(ben).update({ activitySid: centre.available })
    await world.settle()
    assert.equal(
      (await explainTask(centre, task)).summary,
      'It is being transferred from ana to Sample Queue and is offered to ben, who may answer.',
    )
    await centre.answer(task, 'ben', 'accepted')
    assert.equal((await explainTask(centre, task)).summary, 'ana and ben have it.')
    await centre.answer(task, 'ana', 'wrapping')
    assert.equal((await explainTask(centre, task)).summary, 'ben has it; ana wraps it up.')
  })

  test('says what becomes of a task that was given away for good, where nobody takes it', async () => {
    await using bridge = await openBridge()
    const { centre, world, ask, token } = bridge
    const queue = await centre.queue('All')
    const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben', {}, centre.away)]
    const given = async (options: object, afterMs: number) => {
      const task = await centre.task(options)
      await world.settle()
      await centre.answer(task, 'ana', 'accepted')
      world.clock.advance(afterMs)
      await world.settle()
      await centre.workspace.workers(ben).update({ activitySid: centre.available })
      const [own] = await centre.workspace.tasks(task).reservations.list()
      const form = { TaskSid: task, ReservationSid: own?.sid, To: ben, Mode: 'COLD' }
      assert.equal((await ask('POST', `Workers/${ana}/Transfers`, token(ana), form)).status, 200)
      const over = nextOf(await explainTask(centre, task), 'reservation_timeout')
      world.clock.advance(Date.parse(over?.at ?? '') - world.clock.now())
      await world.settle()
      const { assignmentStatus, reason } = await centre.workspace.tasks(task).fetch()
      await centre.workspace.tasks(task).remove()
      return [over?.outcome.split('; ')[1], assignmentStatus, reason || null]
    }
    const workflowSid = await centre.workflow('A minute', {
      filters: [{ expression: '1 == 1', targets: [{ queue, timeout: 60 }] }],
    })
    assert.deepEqual(await given({ workflowSid, timeout: 3_600 }, 61_000), [
      'the transfer fails, and the task is canceled: Task canceled on Workflow timeout.',
      'canceled',
      'Task canceled on Workflow timeout',
    ])
    const endless = await centre.workflow('Endless', { default_filter: { queue } })
    assert.deepEqual(await given({ workflowSid: endless }, 61_000), [
      'the transfer fails, and the task goes through its workflow again.',
      'pending',
      null,
    ])
    assert.deepEqual(await given({ taskQueueSid: queue }, 61_000), [
      'the transfer fails, and the task waits where it waited before.',
      'pending',
      null,
    ])
  })

  test('is for back ends, and each for their own', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('ana')
    const task = await centre.task()
    const workspace = await sidOf(centre)
    const other = await world.newAccount('Other')
    const as = `Basic ${Buffer.from(`${other.sid}:${other.authToken}`).toString('base64')}`
    for (const path of [`Tasks/${task}/Explain`, `Workers/${ana}/Explain`]) {
      const address = `/v1/Workspaces/${workspace}/${path}`
      assert.equal((await world.fetch(address)).status, 200)
      assert.equal((await world.fetch(address, { as })).status, 404)
      assert.equal((await world.fetch(address, { as: null })).status, 401)
    }
    const wrong = await world.fetch(`/v1/Workspaces/${workspace}/Tasks/${task}/Explain?PageSize=1001`)
    assert.equal(wrong.status, 400)
  })
})
