import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld } from '../world/index.ts'
import { mustAgree } from './agreement.ts'
import { openCentre } from './centre.ts'

const MINUTE = 60_000

describe('an offer', () => {
  test('goes to an available worker, who accepts, wraps up and completes the task', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('Ana')
    await centre.worker('Ben', {}, centre.offline)
    const task = await centre.task({ attributes: '{"name":"Vera"}', taskChannel: 'chat' })
    assert.equal(await centre.statusOf(task), 'pending')
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'])
    assert.equal(await centre.statusOf(task), 'reserved')
    await centre.answer(task, 'Ana', 'accepted')
    assert.equal(await centre.statusOf(task), 'assigned')
    await centre.answer(task, 'Ana', 'wrapping')
    assert.equal(await centre.statusOf(task), 'wrapping')
    await centre.answer(task, 'Ana', 'completed')
    assert.equal(await centre.statusOf(task), 'completed')
    assert.deepEqual(await centre.offersOf(task), ['Ana:completed'])
  })

  test('is made by priority and then by age', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const first = await centre.task({ taskChannel: 'chat' })
    await world.clock.advance(1_000)
    const second = await centre.task({ taskChannel: 'chat' })
    await world.clock.advance(1_000)
    const urgent = await centre.task({ taskChannel: 'chat', priority: 5 })
    await world.settle()
    await centre.worker('Ana')
    const served: string[] = []
    for (const _ of [1, 2, 3]) {
      await world.settle()
      const [reserved] = await centre.workspace.tasks.list({ assignmentStatus: ['reserved'] })
      assert.ok(reserved)
      served.push(reserved.sid)
      await centre.answer(reserved.sid, 'Ana', 'accepted')
      await centre.answer(reserved.sid, 'Ana', 'completed')
    }
    assert.deepEqual(served, [urgent, first, second])
  })

  test('of a LIFO queue is made to the newest first', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const [queue] = await centre.workspace.taskQueues.list()
    await centre.task()
    await world.clock.advance(1_000)
    const newest = await centre.task()
    await centre.workspace.taskQueues(queue?.sid as string).update({ taskOrder: 'LIFO' })
    await centre.worker('Ana')
    await world.settle()
    assert.deepEqual(await centre.offersOf(newest), ['Ana:pending'])
  })

  test('goes to the worker who has been idle longest', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('Ana')
    await world.clock.advance(1_000)
    await centre.worker('Ben')
    await world.clock.advance(1_000)
    const offered: string[] = []
    for (const _ of [1, 2, 3, 4]) {
      const task = await centre.task()
      await world.settle()
      const [offer] = await centre.offersOf(task)
      const name = offer?.split(':')[0] as string
      offered.push(name)
      await centre.answer(task, name, 'accepted')
      await world.clock.advance(1_000)
      await centre.answer(task, name, 'completed')
    }
    assert.deepEqual(offered, ['Ana', 'Ben', 'Ana', 'Ben'])
  })

  test('is spread before anybody gets a second one', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    for (const name of ['Ana', 'Ben']) {
      const sid = await centre.worker(name)
      await centre.workspace.workers(sid).workerChannels('default').update({ capacity: 2 })
      await world.clock.advance(1_000)
    }
    const tasks = [await centre.task(), await centre.task(), await centre.task()]
    await world.settle()
    const offers = await Promise.all(tasks.map((it) => centre.offersOf(it)))
    assert.deepEqual(offers, [['Ana:pending'], ['Ben:pending'], ['Ana:pending']])
  })

  test('is never more than the capacity of the channel', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('Ana')
    const channel = centre.workspace.workers(ana).workerChannels('chat')
    await channel.update({ capacity: 2 })
    for (const _ of [1, 2, 3, 4]) await centre.task({ taskChannel: 'chat' })
    const voice = await centre.task({ taskChannel: 'voice' })
    await world.settle()
    const pending = await centre.workspace.workers(ana).reservations.list({ reservationStatus: 'pending' })
    assert.equal(pending.length, 3, 'two chats and, of another channel, one call')
    assert.deepEqual(await centre.offersOf(voice), ['Ana:pending'])
    assert.equal((await channel.fetch()).availableCapacityPercentage, 0)
    await channel.update({ capacity: 3 })
    await world.settle()
    assert.equal((await centre.workspace.workers(ana).reservations.list()).length, 4)
    await channel.update({ available: false })
    assert.equal((await channel.fetch()).available, false)
    for (const it of pending)
      await centre.workspace.tasks(it.taskSid).update({ assignmentStatus: 'canceled', reason: 'x' })
    await world.settle()
    const live = await centre.workspace.workers(ana).reservations.list({ reservationStatus: 'pending' })
    assert.equal(live.length, 1, 'a channel that is not available gets nothing new')
  })

  test('is one at a time where the workspace is not for several tasks', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { workspace: { multiTaskEnabled: false } })
    const ana = await centre.worker('Ana')
    const chat = await centre.task({ taskChannel: 'chat' })
    const call = await centre.task({ taskChannel: 'voice' })
    await world.settle()
    assert.equal((await centre.workspace.workers(ana).reservations.list()).length, 1)
    await centre.answer(chat, 'Ana', 'accepted')
    await world.settle()
    assert.deepEqual(await centre.offersOf(call), [])
    await centre.answer(chat, 'Ana', 'completed')
    await world.settle()
    assert.deepEqual(await centre.offersOf(call), ['Ana:pending'])
  })

  test('goes to those whom the queue targets, as soon as they are', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('Spanish', { targetWorkers: "languages HAS 'es'" })
    await centre.workflow('One', { default_filter: { queue } })
    const ana = await centre.worker('Ana', { languages: ['en'] })
    const task = await centre.task()
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), [])
    await centre.workspace.workers(ana).update({ attributes: '{"languages":["en","es"]}' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'])
  })

  test('does not wait behind tasks that nobody here could take', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All')
    const target = { queue, expression: 'task.language IN worker.languages' }
    await centre.workflow('One', { filters: [{ expression: '1==1', targets: [target] }] })
    for (const _ of [1, 2, 3]) await centre.task({ attributes: '{"language":"tlh"}', priority: 9 })
    const english = await centre.task({ attributes: '{"language":"en"}' })
    await centre.worker('Ana', { languages: ['en'] })
    await world.settle()
    assert.deepEqual(await centre.offersOf(english), ['Ana:pending'])
  })

  test('follows order_by, and idle time where that does not tell', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All')
    const target = { queue, order_by: 'worker.level DESC' }
    await centre.workflow('One', { filters: [{ expression: '1==1', targets: [target] }] })
    await centre.worker('Ana', { level: 1 })
    await world.clock.advance(1_000)
    await centre.worker('Ben', { level: 3 })
    await world.clock.advance(1_000)
    await centre.worker('Cas', { level: 3 })
    const tasks = [await centre.task(), await centre.task(), await centre.task()]
    await world.settle()
    const offers = await Promise.all(tasks.map((it) => centre.offersOf(it)))
    assert.deepEqual(offers.flat(), ['Ben:pending', 'Cas:pending', 'Ana:pending'])
  })

  test('goes straight to the worker a task names, whatever they have in hand', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('Ana')
    const ben = await centre.worker('Ben', {}, centre.offline)
    const regardless = await centre.task({ routingTarget: ben })
    const respectful = await centre.task({ routingTarget: ben, ignoreCapacity: 'false' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(regardless), ['Ben:pending'])
    assert.deepEqual(await centre.offersOf(respectful), [])
    await centre.workspace.workers(ben).update({ activitySid: centre.available })
    await world.settle()
    assert.deepEqual(await centre.offersOf(respectful), [], 'he has one in hand')
    await centre.answer(regardless, 'Ben', 'accepted')
    await centre.answer(regardless, 'Ben', 'completed')
    await world.settle()
    assert.deepEqual(await centre.offersOf(respectful), ['Ben:pending'])
  })
})

describe('tasks that ignore capacity', () => {
  test('goes straight to its worker, and whoever comes first of the others has the next', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { workspace: { multiTaskEnabled: false } })
    const ana = await centre.worker('Ana', {}, centre.offline)
    const ben = await centre.worker('Ben', {}, centre.offline)
    const low = await centre.task()
    const high = await centre.task({ priority: 5 })
    const own = await centre.task({ routingTarget: ana, ignoreCapacity: 'true' })
    for (const it of [ana, ben]) {
      await centre.workspace.workers(it).update({ activitySid: centre.available })
      world.clock.advance(1_000)
    }
    await world.settle()
    assert.deepEqual(await centre.offersOf(own), ['Ana:pending'])
    assert.deepEqual([await centre.offersOf(high), await centre.offersOf(low)], [['Ben:pending'], []])
  })

  test('all reach the workers they name at once, however many there are for each', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const workers = {
      ana: await centre.worker('ana', {}, centre.offline),
      ben: await centre.worker('ben', {}, centre.offline),
    }
    const named: [string, string][] = []
    for (const [name, routingTarget] of [...Object.entries(workers), ...Object.entries(workers)])
      named.push([await centre.task({ routingTarget, ignoreCapacity: 'true' }), name])
    await world.settle()
    for (const [task, name] of named) assert.deepEqual(await centre.offersOf(task), [`${name}:pending`])
  })
})

describe('an offer that nobody answers', () => {
  test('runs out, sends the worker offline and goes to somebody else, across a restart', async () => {
    await using world = await openWorld({ engine: 'disk' })
    const centre = await openCentre(world)
    const ana = await centre.worker('Ana')
    await world.clock.advance(1_000)
    const task = await centre.task()
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'])
    await centre.worker('Ben')
    await world.restart()
    await world.clock.advance(119_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'], 'two minutes are not over')
    await world.clock.advance(1_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:timeout', 'Ben:pending'])
    assert.equal((await centre.workspace.workers(ana).fetch()).activityName, 'Offline')
    const channel = await centre.workspace.workers(ana).workerChannels('default').fetch()
    assert.deepEqual([channel.assignedTasks, channel.availableCapacityPercentage], [0, 100])
  })

  test('stands as long as its workflow says', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const [workflow] = await centre.workspace.workflows.list()
    await centre.workspace.workflows(workflow?.sid as string).update({ taskReservationTimeout: 10 })
    await centre.worker('Ana')
    const task = await centre.task()
    await world.settle()
    await world.clock.advance(10_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:timeout'])
    assert.equal(await centre.statusOf(task), 'pending')
  })
})

describe('an offer that is rejected', () => {
  test('goes to others first, and only after a pause to the same worker again', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('Ana')
    await world.clock.advance(1_000)
    const task = await centre.task()
    await world.settle()
    await centre.answer(task, 'Ana', 'rejected')
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:rejected'], 'not at once')
    await world.clock.advance(2_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:rejected', 'Ana:pending'], 'nobody else is there')
    await centre.worker('Ben')
    await centre.answer(task, 'Ana', 'rejected')
    await world.settle()
    assert.deepEqual((await centre.offersOf(task)).at(-1), 'Ben:pending')
  })

  test('leaves the worker free for other tasks meanwhile', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('Ana')
    const [first, second] = [await centre.task(), await centre.task()]
    await world.settle()
    const offered = (await centre.offersOf(first)).length ? first : second
    await centre.answer(offered, 'Ana', 'rejected')
    await world.settle()
    assert.deepEqual(await centre.offersOf(offered === first ? second : first), ['Ana:pending'])
  })

  test('can send the worker into another activity', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('Ana')
    const task = await centre.task()
    await world.settle()
    await centre.answer(task, 'Ana', 'rejected', { workerActivitySid: centre.away })
    assert.equal((await centre.workspace.workers(ana).fetch()).activityName, 'Unavailable')
  })
})

describe('a task offered to several workers', () => {
  const openSeveral = async (world: Awaited<ReturnType<typeof openWorld>>) => {
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All', { maxReservedWorkers: 2 })
    await centre.workflow('One', { default_filter: { queue } })
    for (const name of ['Ana', 'Ben', 'Cas']) {
      await centre.worker(name)
      await world.clock.advance(1_000)
    }
    return centre
  }

  test('is given to the first who accepts, and rescinded from the others', async () => {
    await using world = await openWorld()
    const centre = await openSeveral(world)
    const task = await centre.task()
    await world.settle()
    assert.deepEqual((await centre.offersOf(task)).sort(), ['Ana:pending', 'Ben:pending'])
    await centre.answer(task, 'Ben', 'accepted')
    assert.deepEqual((await centre.offersOf(task)).sort(), ['Ana:rescinded', 'Ben:accepted'])
    await assert.rejects(centre.answer(task, 'Ana', 'accepted'), { status: 400 })
    const second = await centre.task()
    await world.settle()
    assert.deepEqual((await centre.offersOf(second)).sort(), ['Ana:pending', 'Cas:pending'])
  })

  test('is offered to another in place of one who rejects, and stays reserved meanwhile', async () => {
    await using world = await openWorld()
    const centre = await openSeveral(world)
    const task = await centre.task()
    await world.settle()
    await centre.answer(task, 'Ana', 'rejected')
    assert.equal(await centre.statusOf(task), 'reserved')
    await world.settle()
    assert.deepEqual((await centre.offersOf(task)).sort(), ['Ana:rejected', 'Ben:pending', 'Cas:pending'])
  })

  test('is offered to nobody in place of one who rejects where the queue now asks fewer at once', async () => {
    await using world = await openWorld()
    const centre = await openSeveral(world)
    const task = await centre.task()
    await world.settle()
    const { taskQueueSid } = await centre.workspace.tasks(task).fetch()
    await centre.workspace.taskQueues(taskQueueSid).update({ maxReservedWorkers: 1 })
    await centre.answer(task, 'Ana', 'rejected')
    await world.settle()
    assert.deepEqual((await centre.offersOf(task)).sort(), ['Ana:rejected', 'Ben:pending'])
    await mustAgree(world.house.store.reader)
    await centre.answer(task, 'Ben', 'rejected')
    await world.settle()
    assert.deepEqual((await centre.offersOf(task)).sort(), ['Ana:rejected', 'Ben:rejected', 'Cas:pending'])
  })
})

describe('a workflow', () => {
  test('moves a task on when its time at a target is up', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const experts = await centre.queue('Experts', { targetWorkers: 'expert == true' })
    const everybody = await centre.queue('Everybody')
    const targets = [
      { queue: experts, timeout: 30, priority: 1 },
      { queue: everybody, timeout: 60, priority: 7 },
    ]
    await centre.workflow('Escalate', { filters: [{ expression: "topic == 'loan'", targets }] })
    await centre.worker('Ana')
    const task = await centre.task({ attributes: '{"topic":"loan"}' })
    await world.settle()
    const before = await centre.workspace.tasks(task).fetch()
    assert.deepEqual([before.taskQueueFriendlyName, before.priority], ['Experts', 1])
    await world.clock.advance(30_000)
    await world.settle()
    const after = await centre.workspace.tasks(task).fetch()
    assert.deepEqual([after.taskQueueFriendlyName, after.priority], ['Everybody', 7])
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'])
  })

  test('cancels a task whose last target ran out', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('Nobody', { targetWorkers: '' })
    await centre.workflow('One', { filters: [{ expression: '1==1', targets: [{ queue, timeout: 30 }] }] })
    const task = await centre.task()
    await world.clock.advance(30_000)
    await world.settle()
    const canceled = await centre.workspace.tasks(task).fetch()
    assert.deepEqual(
      [canceled.assignmentStatus, canceled.reason],
      ['canceled', 'Task canceled on Workflow timeout'],
    )
  })

  test('uses the first filter that matches, and the default for what no filter takes', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [sales, care] = [await centre.queue('Sales'), await centre.queue('Care')]
    await centre.workflow('One', {
      filters: [
        { expression: "topic == 'loan'", targets: [{ queue: sales }] },
        { expression: 'topic != null', targets: [{ queue: care }] },
      ],
      default_filter: { queue: care },
    })
    const queueOf = async (attributes: object) => {
      const sid = await centre.task({ attributes: JSON.stringify(attributes) })
      return (await centre.workspace.tasks(sid).fetch()).taskQueueFriendlyName
    }
    assert.equal(await queueOf({ topic: 'loan' }), 'Sales')
    assert.equal(await queueOf({ topic: 'card' }), 'Care')
    assert.equal(await queueOf({}), 'Care')
  })

  test('lets a target pass whose skip_if holds once nobody can take the task', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const experts = await centre.queue('Experts', { targetWorkers: 'expert == true' })
    const everybody = await centre.queue('Everybody')
    const targets = [
      { queue: experts, skip_if: 'workers.available == 0', timeout: 600 },
      { queue: everybody },
    ]
    await centre.workflow('One', { filters: [{ expression: '1==1', targets }] })
    await centre.worker('Ana')
    const expert = await centre.worker('Ben', { expert: true })
    const [first, second] = [await centre.task(), await centre.task()]
    await world.settle()
    assert.deepEqual((await Promise.all([first, second].map(centre.offersOf))).flat(), ['Ben:pending'])
    await centre.workspace.workers(expert).update({ activitySid: centre.offline })
    const third = await centre.task()
    await world.settle()
    const queues = await Promise.all([second, third].map((it) => centre.workspace.tasks(it).fetch()))
    assert.deepEqual(
      queues.map((it) => it.taskQueueFriendlyName),
      ['Everybody', 'Everybody'],
    )
  })

  test('finds the worker whom the task knows, and passes over one who does not exist', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All')
    const targets = [{ queue, known_worker_friendly_name: 'task.agent' }, { queue }]
    await centre.workflow('One', { filters: [{ expression: '1==1', targets }] })
    await centre.worker('Ana')
    await world.clock.advance(1_000)
    await centre.worker('Ben')
    const known = await centre.task({ attributes: '{"agent":"Ben"}' })
    const unknown = await centre.task({ attributes: '{"agent":"Zoe"}' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(known), ['Ben:pending'])
    assert.deepEqual(await centre.offersOf(unknown), ['Ana:pending'])
  })

  test('sends waiting tasks through it again when its configuration changes and that is asked for', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [one, two] = [await centre.queue('One'), await centre.queue('Two')]
    const workflow = await centre.workflow('W', { default_filter: { queue: one } })
    const task = await centre.task()
    const queueNow = async () => {
      await world.settle()
      return (await centre.workspace.tasks(task).fetch()).taskQueueFriendlyName
    }
    const configuration = JSON.stringify({ task_routing: { default_filter: { queue: two } } })
    await centre.workspace.workflows(workflow).update({ configuration })
    assert.equal(await queueNow(), 'One')
    await centre.workspace.workflows(workflow).update({ reEvaluateTasks: 'true' })
    assert.equal(await queueNow(), 'Two')
  })

  test('takes a pending task through its filters again when the attributes change', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [one, vip] = [await centre.queue('One'), await centre.queue('VIP')]
    const filters = [{ expression: 'vip == true', targets: [{ queue: vip }] }]
    await centre.workflow('W', { filters, default_filter: { queue: one } })
    const task = await centre.task()
    const updated = await centre.workspace.tasks(task).update({ attributes: '{"vip":true}' })
    assert.equal(updated.taskQueueFriendlyName, 'VIP')
  })

  test('is left by a task that no filter takes, which is canceled', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('One')
    await centre.workflow('W', { filters: [{ expression: 'vip == true', targets: [{ queue }] }] })
    const task = await centre.task()
    assert.equal(await centre.statusOf(task), 'canceled')
  })
})

describe('a task', () => {
  test('that waits longer than it may is canceled', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const task = await centre.task({ timeout: 60 })
    await world.clock.advance(60_000)
    await world.settle()
    const canceled = await centre.workspace.tasks(task).fetch()
    assert.deepEqual(
      [canceled.assignmentStatus, canceled.reason, canceled.age],
      ['canceled', 'Task TTL Exceeded', 60],
    )
  })

  test('that was accepted in time is not', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('Ana')
    const task = await centre.task({ timeout: 60 })
    await world.settle()
    await centre.answer(task, 'Ana', 'accepted')
    await world.clock.advance(60 * MINUTE)
    await world.settle()
    assert.equal(await centre.statusOf(task), 'assigned')
  })

  test('that is over can be fetched for five minutes', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const task = await centre.task()
    await centre.workspace.tasks(task).update({ assignmentStatus: 'canceled', reason: 'gone' })
    await world.clock.advance(5 * MINUTE - 1)
    await world.settle()
    assert.equal(await centre.statusOf(task), 'canceled')
    await world.clock.advance(1)
    await world.settle()
    await assert.rejects(centre.statusOf(task), { status: 404, code: 20404 })
  })

  test('that is canceled while it is offered frees the worker', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.worker('Ana')
    const [first, second] = [await centre.task(), await centre.task()]
    await world.settle()
    const offered = (await centre.offersOf(first)).length ? first : second
    await centre.workspace.tasks(offered).update({ assignmentStatus: 'canceled', reason: 'Vera left' })
    assert.deepEqual(await centre.offersOf(offered), ['Ana:canceled'])
    await world.settle()
    assert.deepEqual(await centre.offersOf(offered === first ? second : first), ['Ana:pending'])
  })
})

describe('a worker', () => {
  test('who leaves with offers may reject them all at once', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('Ana')
    const [chat, call] = [
      await centre.task({ taskChannel: 'chat' }),
      await centre.task({ taskChannel: 'voice' }),
    ]
    await world.settle()
    await centre.workspace.workers(ana).update({ activitySid: centre.away })
    assert.deepEqual(await centre.offersOf(chat), ['Ana:pending'], 'unless they say so, offers stand')
    await centre.workspace.workers(ana).update({ activitySid: centre.available })
    const left = { activitySid: centre.offline, rejectPendingReservations: true }
    await centre.workspace.workers(ana).update(left)
    assert.deepEqual(await centre.offersOf(chat), ['Ana:rejected'])
    assert.deepEqual(await centre.offersOf(call), ['Ana:rejected'])
    await world.clock.advance(10_000)
    await world.settle()
    assert.equal(await centre.statusOf(chat), 'pending')
  })
})
