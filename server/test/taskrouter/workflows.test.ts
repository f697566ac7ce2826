/** What a workflow's configuration says, one key after the other, and what a task may ask beside it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld } from '../world/index.ts'
import { mustAgree } from './agreement.ts'
import { openCentre } from './centre.ts'
import { refused } from './refused.ts'

const ANY = '1==1'

describe('a target', () => {
  test('holds what the worker has against what the task wants, and names in any depth', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All')
    const expression =
      "worker.skills HAS task.wants.skill AND worker.level >= task.wants.level AND worker.friendly_name != 'Ben'"
    await centre.workflow('One', { filters: [{ expression: ANY, targets: [{ queue, expression }] }] })
    await centre.worker('Ana', { skills: ['loan'], level: 2 })
    await centre.worker('Ben', { skills: ['loan'], level: 9 })
    await centre.worker('Cas', { skills: ['loan', 'card'], level: 5 })
    const wanting = (wants: object) => centre.task({ attributes: JSON.stringify({ wants }) })
    const [hard, easy, strange] = [
      await wanting({ skill: 'loan', level: 4 }),
      await wanting({ skill: 'loan', level: 1 }),
      await wanting({ skill: 'whale', level: 1 }),
    ]
    await world.settle()
    assert.deepEqual((await Promise.all([hard, easy, strange].map(centre.offersOf))).flat().sort(), [
      'Ana:pending',
      'Cas:pending',
    ])
    assert.deepEqual(await centre.offersOf(hard), ['Cas:pending'])
  })

  test('is for the worker whose SID the task knows, and for nobody else', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All')
    const targets = [{ queue, known_worker_sid: 'task.agent', timeout: 30 }, { queue }]
    await centre.workflow('One', { filters: [{ expression: ANY, targets }] })
    await centre.worker('Ana')
    await world.clock.advance(1_000)
    const ben = await centre.worker('Ben')
    const task = await centre.task({ attributes: JSON.stringify({ agent: ben }) })
    const second = await centre.task({ attributes: JSON.stringify({ agent: ben }) })
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ben:pending'])
    assert.deepEqual(await centre.offersOf(second), [], 'Ana is free, and not the one it is for')
    await world.clock.advance(30_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(second), ['Ana:pending'], 'the next target is for all')
  })

  test('orders workers by what they have in hand where order_by says so', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All', {
      targetWorkers: 'worker.channel.voice.available_capacity_percentage == 100',
    })
    const order_by = 'worker.channel.chat.available_capacity_percentage DESC'
    await centre.workflow('One', { filters: [{ expression: ANY, targets: [{ queue, order_by }] }] })
    const [ana, ben] = [await centre.worker('Ana'), await centre.worker('Ben')]
    await centre.workspace.workers(ana).workerChannels('chat').update({ capacity: 2 })
    await centre.workspace.workers(ben).workerChannels('chat').update({ capacity: 5 })
    const chat = async () => {
      const task = await centre.task({ taskChannel: 'chat' })
      await world.settle()
      return (await centre.offersOf(task))[0]?.split(':')[0]
    }
    await centre.workspace.workers(ana).workerChannels('voice').update({ capacity: 2 })
    const inQueue = async () =>
      (await centre.workspace.workers.list({ taskQueueSid: queue })).map((it) => it.friendlyName)
    const queuesOf = async (workerSid: string) =>
      (await centre.workspace.taskQueues.list({ workerSid })).length
    const eligible = async () =>
      (await centre.workspace.taskQueues(queue).realTimeStatistics().fetch()).totalEligibleWorkers
    assert.deepEqual([await inQueue(), await queuesOf(ben), await eligible()], [['Ana', 'Ben'], 1, 2])
    const first = await chat()
    assert.deepEqual([first, await chat()].sort(), ['Ana', 'Ben'])
    assert.deepEqual([await chat(), await chat()], ['Ben', 'Ben'], 'five are filled by less than two')
    const call = await centre.task({ routingTarget: ben, taskChannel: 'voice' })
    await world.settle()
    assert.deepEqual([await inQueue(), await queuesOf(ben), await eligible()], [['Ana'], 0, 1])
    assert.equal(await chat(), 'Ana', 'who is on a call is not in the queue')
    const waiting = await centre.task({ taskChannel: 'chat' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(waiting), [])
    await centre.workspace.tasks(call).update({ assignmentStatus: 'canceled', reason: 'hung up' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(waiting), ['Ben:pending'])
  })

  test('lets a task pass to the next filter that holds, and after the last to the default', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const nobody = { targetWorkers: '1==2' }
    const [one, two, rest] = [
      await centre.queue('One', nobody),
      await centre.queue('Two', nobody),
      await centre.queue('Rest', nobody),
    ]
    const passing = (queue: string) => [{ queue, skip_if: 'workers.available == 0' }]
    await centre.workflow('W', {
      filters: [
        { expression: "topic == 'loan'", targets: passing(one) },
        { expression: "topic == 'card'", targets: passing(one) },
        { expression: 'topic != null', targets: passing(two) },
      ],
      default_filter: { queue: rest },
    })
    const task = await centre.task({ attributes: '{"topic":"loan"}' })
    await world.settle()
    assert.equal((await centre.workspace.tasks(task).fetch()).taskQueueFriendlyName, 'Rest')
    const { events } = centre.workspace
    const passed = await events.list({ taskSid: task, eventType: 'workflow.skipped' })
    assert.equal(passed.length, 2, 'the filter that does not hold is not passed through')
  })

  test('that has run out moves the task on when the offer made there is refused', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [one, two] = [await centre.queue('One'), await centre.queue('Two')]
    const targets = [{ queue: one, timeout: 30 }, { queue: two }]
    await centre.workflow('W', { filters: [{ expression: ANY, targets }] })
    await centre.worker('Ana')
    const task = await centre.task()
    const queueNow = async () => (await centre.workspace.tasks(task).fetch()).taskQueueFriendlyName
    await world.settle()
    await world.clock.advance(40_000)
    await world.settle()
    assert.equal(await queueNow(), 'One', 'Ana may still answer')
    await centre.answer(task, 'Ana', 'rejected')
    assert.equal(await queueNow(), 'Two')
  })

  test('with a priority gives it to the task, whatever the task asks for; one without leaves it', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('One')
    const filters = [
      { expression: 'vip == true', targets: [{ queue, priority: 10 }] },
      { expression: '1==1', targets: [{ queue }] },
    ]
    await centre.workflow('W', { filters })
    const vip = await centre.workspace.tasks.create({ attributes: '{"vip":true}', priority: 3 })
    const plain = await centre.workspace.tasks.create({ priority: 3 })
    assert.deepEqual([vip.priority, plain.priority], [10, 3])
    const after = async ({ sid }: { sid: string }, asked: object) =>
      (await centre.workspace.tasks(sid).update(asked)).priority
    assert.equal(await after(vip, { priority: 4 }), 10)
    assert.equal(await after(plain, { priority: 4 }), 4)
    assert.equal(await after(vip, { priority: 5, attributes: '{}' }), 5)
    assert.equal(await after(plain, { priority: 5, attributes: '{"vip":true}' }), 10)
  })

  test('without a queue stays in that of the target before it', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('One')
    const targets = [
      { queue, expression: 'worker.level > 3', timeout: 10 },
      { expression: 'worker.level > 1' },
    ]
    await centre.workflow('W', { filters: [{ expression: ANY, targets }] })
    await centre.worker('Ana', { level: 2 })
    const task = await centre.task()
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), [])
    await world.clock.advance(10_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'])
  })
})

describe('a workflow that changed', () => {
  test('reaches what waits when that is asked for, and what is offered when the offer is refused', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [one, two] = [await centre.queue('One'), await centre.queue('Two')]
    const workflow = centre.workspace.workflows(
      await centre.workflow('W', { default_filter: { queue: one } }),
    )
    await centre.worker('Ana')
    const offered = await centre.task()
    await world.settle()
    const waiting = await centre.task()
    const configuration = JSON.stringify({ task_routing: { default_filter: { queue: two } } })
    const queues = async () => {
      await world.settle()
      const tasks = await Promise.all([offered, waiting].map((it) => centre.workspace.tasks(it).fetch()))
      return tasks.map((it) => it.taskQueueFriendlyName)
    }
    await workflow.update({ configuration, reEvaluateTasks: 'no' })
    assert.deepEqual(await queues(), ['One', 'One'])
    await workflow.update({ configuration, reEvaluateTasks: 'true' })
    assert.deepEqual(await queues(), ['One', 'Two'], 'the offer stands')
    await centre.answer(offered, 'Ana', 'rejected')
    assert.deepEqual(await queues(), ['Two', 'Two'])
  })
})

describe('a task', () => {
  test('is timed out of its target, and out of its time, by jobs that outlive the process', async () => {
    await using world = await openWorld({ engine: 'disk' })
    const centre = await openCentre(world, { routed: false })
    const [one, two] = [await centre.queue('One'), await centre.queue('Two')]
    const targets = [{ queue: one, timeout: 30 }, { queue: two }]
    await centre.workflow('W', { filters: [{ expression: ANY, targets }] })
    const task = await centre.task({ timeout: 60 })
    const seen = async () => {
      await world.settle()
      const it = await world.twilio.taskrouter.v1
        .workspaces((await centre.workspace.fetch()).sid)
        .tasks(task)
        .fetch()
      return [it.taskQueueFriendlyName, it.assignmentStatus]
    }
    await world.restart()
    await world.clock.advance(30_000)
    assert.deepEqual(await seen(), ['Two', 'pending'])
    await world.restart()
    await world.clock.advance(30_000)
    assert.deepEqual(await seen(), ['Two', 'canceled'])
  })

  for (const engine of ['memory', 'postgres'] as const)
    test(`on ${engine} waits as long as its virtual start says, which cannot be to come`, async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const now = world.clock.now()
      const plain = await centre.task()
      const older = await centre.task({ virtualStartTime: new Date(now - 3_600_000) })
      const oldest = await centre.task({ virtualStartTime: new Date(now - 7_200_000) })
      const late = await centre.task()
      await centre.workspace.tasks(late).update({ virtualStartTime: new Date(now - 5_400_000) })
      const all = await centre.workspace.tasks.list({ ordering: 'VirtualStartTime:asc,Priority:desc' })
      assert.deepEqual(
        all.map((it) => it.sid),
        [oldest, late, older, plain],
      )
      await centre.worker('Ana')
      await world.settle()
      assert.deepEqual(await centre.offersOf(oldest), ['Ana:pending'])
      for (const virtualStartTime of [new Date(now + 60_000), new Date('1899-12-31T23:59:59Z')]) {
        await assert.rejects(centre.task({ virtualStartTime }), refused(400, 20001, /VirtualStartTime/))
        const updated = centre.workspace.tasks(plain).update({ virtualStartTime })
        await assert.rejects(updated, refused(400, 20001, /VirtualStartTime/))
      }
      await assert.rejects(
        centre.workspace.tasks.list({ ordering: 'DateCreated:asc,VirtualStartTime:desc' }),
        refused(400, 20001, /do not go together/),
      )
    })

  test('goes straight to a queue or through a workflow that it names', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [one, two] = [await centre.queue('One'), await centre.queue('Two')]
    await centre.workflow('First', { default_filter: { queue: one } })
    const second = await centre.workflow('Second', { default_filter: { queue: two } })
    const seen = async (options: object) => {
      const it = await centre.workspace.tasks.create(options)
      return [it.workflowFriendlyName, it.taskQueueFriendlyName, it.routingTarget, it.ignoreCapacity]
    }
    assert.deepEqual(await seen({ routingTarget: two }), [null, 'Two', two, false])
    assert.deepEqual(await seen({ routingTarget: second }), ['Second', 'Two', second, false])
    const absent = `WQ${'0'.repeat(32)}`
    await assert.rejects(seen({ routingTarget: absent }), refused(400, 20001, /RoutingTarget/))
    const ana = await centre.worker('ana')
    assert.deepEqual(await seen({ routingTarget: ana }), [null, null, ana, true])
    const beside = { taskQueueSid: one, workflowSid: second }
    assert.deepEqual(await seen({ routingTarget: ana, ...beside }), ['Second', 'One', ana, true])
    await assert.rejects(
      seen({ routingTarget: ana, taskQueueSid: absent }),
      refused(400, 20001, /TaskQueueSid/),
    )
    const none = `WW${'0'.repeat(32)}`
    await assert.rejects(seen({ routingTarget: ana, workflowSid: none }), refused(400, 20001, /WorkflowSid/))
  })

  test('that is sent straight to a worker is in its queue and workflow for the record, and goes nowhere else', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [nobody, two] = [
      await centre.queue('Nobody', { targetWorkers: '1 == 2' }),
      await centre.queue('Two'),
    ]
    const configuration = { filters: [{ expression: 'moved == true', targets: [{ queue: two }] }] }
    const { sid: workflow } = await centre.workspace.workflows.create({
      friendlyName: 'Calls',
      configuration: JSON.stringify({ task_routing: configuration }),
      taskReservationTimeout: 7,
    })
    const ana = await centre.worker('ana')
    await centre.worker('ben')
    const task = await centre.task({ routingTarget: ana, taskQueueSid: nobody, workflowSid: workflow })
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:pending'])
    await centre.workspace.tasks(task).update({ attributes: '{"moved":true}' })
    await centre.workspace.workflows(workflow).update({ reEvaluateTasks: 'true' })
    world.clock.advance(7_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:timeout'])
    const { taskQueueSid, workflowSid, assignmentStatus } = await centre.workspace.tasks(task).fetch()
    assert.deepEqual([taskQueueSid, workflowSid, assignmentStatus], [nobody, workflow, 'pending'])
    const { cumulative } = await centre.workspace.taskQueues(nobody).statistics().fetch()
    assert.deepEqual([cumulative.tasks_entered, cumulative.reservations_timed_out], [1, 1])
  })

  test('is canceled as it is asked, though with its new attributes no filter would take it', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('One')
    await centre.workflow('W', { filters: [{ expression: 'left != true', targets: [{ queue }] }] })
    const { sid } = await centre.workspace.tasks.create({ attributes: '{"left":false}' })
    const asked = { attributes: '{"left":true}', assignmentStatus: 'canceled', reason: 'Vera left' } as const
    const { assignmentStatus, reason, attributes } = await centre.workspace.tasks(sid).update(asked)
    assert.deepEqual([assignmentStatus, reason, attributes], ['canceled', 'Vera left', '{"left":true}'])
    assert.equal((await centre.workspace.events.list({ eventType: 'task.canceled' })).length, 1)
  })

  test('is found by its attributes, with task. before them or not', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const vip = await centre.task({ attributes: '{"vip":true}' })
    await centre.task()
    for (const evaluateTaskAttributes of ['vip == true', 'task.vip == true']) {
      const found = await centre.workspace.tasks.list({ evaluateTaskAttributes })
      assert.deepEqual(
        found.map((it) => it.sid),
        [vip],
      )
    }
  })
})

describe('a workspace', () => {
  for (const [prefer, expected] of [
    ['FIFO', 'old'],
    ['LIFO', 'new'],
  ] as const)
    test(`that puts ${prefer} queues first serves them first where priorities are equal`, async () => {
      await using world = await openWorld()
      const centre = await openCentre(world, { routed: false, workspace: { prioritizeQueueOrder: prefer } })
      const fifo = await centre.queue('Fifo')
      const lifo = await centre.queue('Lifo', { taskOrder: 'LIFO' })
      const tasks = new Map([
        [await centre.task({ routingTarget: fifo }), 'old'],
        [await centre.task({ routingTarget: lifo }), 'older'],
      ])
      await world.clock.advance(1_000)
      tasks.set(await centre.task({ routingTarget: lifo }), 'new')
      await centre.worker('Ana')
      await world.settle()
      const [reserved] = await centre.workspace.tasks.list({ assignmentStatus: ['reserved'] })
      assert.equal(tasks.get(reserved?.sid as string), expected)
    })

  test('that comes to give several tasks at once gives them, and less when it no longer does', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { workspace: { multiTaskEnabled: false } })
    await centre.worker('Ana')
    const tasks: string[] = []
    for (const taskChannel of ['chat', 'voice', 'sms']) tasks.push(await centre.task({ taskChannel }))
    const offers = async () => {
      await world.settle()
      return (await Promise.all(tasks.map(centre.offersOf))).flat().length
    }
    assert.equal(await offers(), 1)
    await centre.workspace.update({ multiTaskEnabled: true })
    assert.equal(await offers(), 3)
    await centre.workspace.update({ multiTaskEnabled: false })
    tasks.push(await centre.task({ taskChannel: 'email' }))
    assert.equal(await offers(), 3)
    await mustAgree(world.house.store.reader)
  })

  test('for one task at a time moves the worker where the queue says, with the offer and with the task', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false, workspace: { multiTaskEnabled: false } })
    const [asked, busy] = [
      await centre.workspace.activities.create({ friendlyName: 'Asked' }),
      await centre.workspace.activities.create({ friendlyName: 'Busy' }),
    ]
    const activities = { reservationActivitySid: asked.sid, assignmentActivitySid: busy.sid }
    const queue = await centre.queue('All', activities)
    await centre.workflow('W', { default_filter: { queue } })
    const ana = await centre.worker('Ana')
    const doing = async () => (await centre.workspace.workers(ana).fetch()).activityName
    const task = await centre.task()
    await world.settle()
    assert.equal(await doing(), 'Asked')
    await centre.answer(task, 'Ana', 'accepted')
    assert.equal(await doing(), 'Busy')
    await centre.answer(task, 'Ana', 'completed')
    assert.equal(await doing(), 'Busy', 'the end of a task is no word of what comes next')
    const { workspace } = centre
    await workspace.workers(ana).update({ activitySid: centre.available })
    const cleared = await workspace.taskQueues(queue).update({ reservationActivitySid: '' })
    assert.deepEqual([cleared.reservationActivityName, cleared.assignmentActivityName], [null, 'Busy'])
    await workspace.activities(asked.sid).remove()
    await centre.task()
    await world.settle()
    assert.equal(await doing(), 'Available')
  })
})
