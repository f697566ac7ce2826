import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import twilio from 'twilio'
import { openWorld, type World } from '../world/index.ts'
import { openCentre } from './centre.ts'

const refused = (status: number, code: number, about?: RegExp) => (fault: unknown) => {
  const it = fault as { status: number; code: number; message: string }
  assert.deepEqual([it.status, it.code], [status, code], it.message)
  if (about) assert.match(it.message, about)
  return true
}

/** A whole number of seconds, as dates are shown. */
const NOTHING = 'WQ00000000000000000000000000000000'

describe('a new account', () => {
  test('has the workspace of a new Flex project', async () => {
    await using world = await openWorld()
    const [workspace] = await world.twilio.taskrouter.v1.workspaces.list()
    assert.ok(workspace)
    assert.deepEqual(
      [workspace.friendlyName, workspace.defaultActivityName, workspace.timeoutActivityName],
      ['Flex Task Assignment', 'Offline', 'Offline'],
    )
    assert.equal(workspace.multiTaskEnabled, true)
    const within = world.twilio.taskrouter.v1.workspaces(workspace.sid)
    const activities = await within.activities.list()
    assert.deepEqual(activities.map((it) => [it.friendlyName, it.available]).sort(), [
      ['Available', true],
      ['Break', false],
      ['Offline', false],
      ['Unavailable', false],
    ])
    const channels = await within.taskChannels.list()
    assert.deepEqual(channels.map((it) => it.uniqueName).sort(), [
      'chat',
      'default',
      'email',
      'sms',
      'video',
      'voice',
    ])
    const [queue] = await within.taskQueues.list()
    assert.deepEqual([queue?.friendlyName, queue?.targetWorkers], ['Everyone', '1==1'])
    const [workflow] = await within.workflows.list()
    assert.equal(workflow?.friendlyName, 'Assign to Anyone')
    const routing = { task_routing: { filters: [], default_filter: { queue: queue?.sid } } }
    assert.deepEqual(JSON.parse(workflow?.configuration as string), routing)
  })
})

describe('workspaces', () => {
  test('are made, found, changed and deleted', async () => {
    await using world = await openWorld()
    const { workspaces } = world.twilio.taskrouter.v1
    const made = await workspaces.create({
      friendlyName: 'Support',
      eventCallbackUrl: world.listener.url('/events'),
      eventsFilter: 'task.created',
      multiTaskEnabled: false,
      prioritizeQueueOrder: 'LIFO',
    })
    assert.deepEqual(
      [made.multiTaskEnabled, made.prioritizeQueueOrder, made.eventCallbackUrl, made.eventsFilter],
      [false, 'LIFO', world.listener.url('/events'), 'task.created'],
    )
    assert.equal(made.url, `${world.url}/v1/Workspaces/${made.sid}`)
    assert.equal(made.links.task_queues, `${made.url}/TaskQueues`)
    assert.equal((await workspaces(made.sid).taskQueues.list()).length, 0)
    assert.deepEqual(
      (await workspaces.list({ friendlyName: 'Support' })).map((it) => it.sid),
      [made.sid],
    )
    const [activity] = await workspaces(made.sid).activities.list({ friendlyName: 'Unavailable' })
    const changed = await workspaces(made.sid).update({
      friendlyName: 'Care',
      defaultActivitySid: activity?.sid as string,
      timeoutActivitySid: activity?.sid as string,
      multiTaskEnabled: true,
      eventCallbackUrl: '',
    })
    assert.deepEqual(
      [
        changed.friendlyName,
        changed.defaultActivityName,
        changed.timeoutActivityName,
        changed.multiTaskEnabled,
      ],
      ['Care', 'Unavailable', 'Unavailable', true],
    )
    assert.equal(changed.eventCallbackUrl, null)
    assert.ok(await workspaces(made.sid).remove())
    await assert.rejects(workspaces(made.sid).fetch(), refused(404, 20404))
    await assert.rejects(workspaces(made.sid).workers.list(), refused(404, 20404))
  })

  test('of another account are as if they were not there', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('Ana')
    const task = await centre.task()
    const other = await world.newAccount('Other')
    const { sid } = await centre.workspace.fetch()
    const theirs = other.twilio.taskrouter.v1.workspaces(sid)
    await assert.rejects(theirs.fetch(), refused(404, 20404))
    await assert.rejects(theirs.workers(ana).fetch(), refused(404, 20404))
    await assert.rejects(theirs.tasks(task).update({ priority: 3 }), refused(404, 20404))
    await assert.rejects(theirs.tasks.create({}), refused(404, 20404))
    await assert.rejects(theirs.workers(ana).workerChannels.list(), refused(404, 20404))
    await assert.rejects(theirs.taskChannels('chat').fetch(), refused(404, 20404))
  })

  test('with tasks that are not over are not deleted', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const task = await centre.task()
    await assert.rejects(centre.workspace.remove(), refused(409, 20409, /tasks/))
    await centre.workspace.tasks(task).update({ assignmentStatus: 'canceled', reason: 'x' })
    assert.ok(await centre.workspace.remove())
  })
})

describe('activities', () => {
  test('are made, listed, renamed everywhere and deleted', async () => {
    await using world = await openWorld()
    const { workspace, worker } = await openCentre(world)
    const lunch = await workspace.activities.create({ friendlyName: 'Lunch', available: false })
    assert.equal(lunch.available, false)
    const ana = await worker('Ana', {}, lunch.sid)
    await workspace.activities(lunch.sid).update({ friendlyName: 'Dinner' })
    assert.equal((await workspace.workers(ana).fetch()).activityName, 'Dinner')
    const available = await workspace.activities.list({ available: 'true' })
    assert.deepEqual(
      available.map((it) => it.friendlyName),
      ['Available'],
    )
    assert.equal((await workspace.activities.list({ available: 'no' })).length, 3)
    await assert.rejects(workspace.activities.create({ friendlyName: 'Dinner' }), refused(409, 20409))
    await assert.rejects(workspace.activities(lunch.sid).remove(), refused(409, 20409, /workers/))
    const { defaultActivitySid } = await workspace.fetch()
    await assert.rejects(workspace.activities(defaultActivitySid).remove(), refused(409, 20409, /default/))
    await workspace.workers(ana).remove()
    assert.ok(await workspace.activities(lunch.sid).remove())
    await assert.rejects(workspace.activities(lunch.sid).fetch(), refused(404, 20404))
  })
})

describe('workers', () => {
  test('are made, changed and deleted', async () => {
    await using world = await openWorld()
    const { workspace, offline, available } = await openCentre(world)
    const ana = await workspace.workers.create({ friendlyName: 'Ana', attributes: '{"languages":["en"]}' })
    assert.deepEqual(
      [ana.activitySid, ana.available, ana.attributes],
      [offline, false, '{"languages":["en"]}'],
    )
    await assert.rejects(workspace.workers.create({ friendlyName: 'Ana' }), refused(409, 20409))
    await assert.rejects(
      workspace.workers.create({ friendlyName: 'B', attributes: 'x' }),
      refused(400, 20001),
    )
    await assert.rejects(
      workspace.workers.create({ friendlyName: 'B', activitySid: `WA${'0'.repeat(32)}` }),
      refused(400, 20001, /ActivitySid/),
    )
    await world.clock.advance(5_000)
    const changed = await workspace.workers(ana.sid).update({ activitySid: available, friendlyName: 'Anna' })
    assert.deepEqual(
      [changed.available, changed.activityName, changed.friendlyName],
      [true, 'Available', 'Anna'],
    )
    assert.ok(changed.dateStatusChanged > ana.dateStatusChanged)
    assert.ok(await workspace.workers(ana.sid).remove())
    await assert.rejects(workspace.workers(ana.sid).fetch(), refused(404, 20404))
  })

  test('are found by every filter and in the order asked', async () => {
    await using world = await openWorld()
    const { workspace, worker, queue, offline } = await openCentre(world)
    await worker('Ana', { languages: ['en', 'es'], level: 2 })
    await world.clock.advance(2_000)
    await worker('Ben', { languages: ['en'] })
    await world.clock.advance(2_000)
    await worker('Cas', { languages: ['es'] }, offline)
    const spanish = await queue('Spanish', { targetWorkers: "languages HAS 'es'" })
    const names = async (filter: object) =>
      (await workspace.workers.list(filter)).map((it) => it.friendlyName)
    assert.deepEqual(await names({ available: '1' }), ['Ana', 'Ben'])
    assert.deepEqual(await names({ activityName: 'Offline' }), ['Cas'])
    assert.deepEqual(await names({ activitySid: offline }), ['Cas'])
    assert.deepEqual(await names({ friendlyName: 'Ben' }), ['Ben'])
    assert.deepEqual(await names({ targetWorkersExpression: 'worker.level > 1' }), ['Ana'])
    assert.deepEqual(await names({ taskQueueSid: spanish }), ['Ana', 'Cas'])
    assert.deepEqual(await names({ taskQueueName: 'Spanish', available: 'true' }), ['Ana'])
    assert.deepEqual(await names({ ordering: 'DateStatusChanged:desc' }), ['Cas', 'Ben', 'Ana'])
    await assert.rejects(names({ targetWorkersExpression: 'a ==' }), refused(400, 20001, /line 1/))
    await assert.rejects(names({ ordering: 'Shoes:asc' }), refused(400, 20001, /Ordering/))
  })

  test('have a channel for every task channel, each with its capacity', async () => {
    await using world = await openWorld()
    const { workspace, worker } = await openCentre(world)
    const ana = workspace.workers(await worker('Ana'))
    const channels = await ana.workerChannels.list()
    assert.equal(channels.length, 6)
    assert.ok(channels.every((it) => it.configuredCapacity === 1 && it.availableCapacityPercentage === 100))
    const made = await workspace.taskChannels.create({ friendlyName: 'Fax', uniqueName: 'fax' })
    const fax = await ana.workerChannels('fax').fetch()
    assert.equal(fax.taskChannelSid, made.sid)
    const changed = await ana.workerChannels(fax.sid).update({ capacity: 4, available: false })
    assert.deepEqual([changed.configuredCapacity, changed.available], [4, false])
    await assert.rejects(ana.workerChannels('fax').update({ capacity: -1 }), refused(400, 20001))
    await assert.rejects(ana.workerChannels('pigeon').fetch(), refused(404, 20404))
  })

  test('keep their capacity above what they have in hand', async () => {
    await using world = await openWorld()
    const { workspace, worker, task } = await openCentre(world)
    const ana = workspace.workers(await worker('Ana'))
    await task()
    await world.settle()
    await assert.rejects(
      ana.workerChannels('default').update({ capacity: 0 }),
      refused(400, 20001, /Capacity/),
    )
    await assert.rejects(ana.remove(), refused(409, 20409, /reservations/))
  })
})

describe('task queues', () => {
  test('are made, found, changed and deleted', async () => {
    await using world = await openWorld()
    const { workspace, worker } = await openCentre(world)
    const made = await workspace.taskQueues.create({
      friendlyName: 'Spanish',
      targetWorkers: "languages HAS 'es'",
    })
    assert.deepEqual([made.maxReservedWorkers, made.taskOrder], [1, 'FIFO'])
    assert.equal(made.links.assignment_activity, null)
    await assert.rejects(
      workspace.taskQueues.create({ friendlyName: 'Bad', targetWorkers: 'languages HAS' }),
      refused(400, 20001, /TargetWorkers: line 1, column \d+: expected/),
    )
    await assert.rejects(
      workspace.taskQueues.create({ friendlyName: 'Bad', maxReservedWorkers: 51 }),
      refused(400, 20001),
    )
    await assert.rejects(workspace.taskQueues.create({ friendlyName: 'Spanish' }), refused(409, 20409))
    const names = async (filter: object) =>
      (await workspace.taskQueues.list(filter)).map((it) => it.friendlyName)
    assert.deepEqual(await names({ evaluateWorkerAttributes: '{"languages":["es"]}' }), [
      'Sample Queue',
      'Spanish',
    ])
    const ana = await worker('Ana', { languages: ['en'] })
    assert.deepEqual(await names({ workerSid: ana }), ['Sample Queue'])
    assert.deepEqual(await names({ friendlyName: 'Spanish' }), ['Spanish'])
    await world.clock.advance(2_000)
    const changed = await workspace.taskQueues(made.sid).update({ targetWorkers: '', taskOrder: 'LIFO' })
    assert.deepEqual([changed.targetWorkers, changed.taskOrder], ['', 'LIFO'])
    assert.deepEqual(await names({ ordering: 'DateUpdated:desc' }), ['Spanish', 'Sample Queue'])
    assert.ok(await workspace.taskQueues(made.sid).remove())
    const [used] = await workspace.taskQueues.list()
    await assert.rejects(workspace.taskQueues(used?.sid as string).remove(), refused(409, 20409, /workflow/))
  })
})

describe('workflows', () => {
  test('are made, found, changed and deleted', async () => {
    await using world = await openWorld()
    const { workspace, queue, task } = await openCentre(world, { routed: false })
    const queueSid = await queue('All')
    const configuration = JSON.stringify({ task_routing: { default_filter: { queue: queueSid } } })
    const made = await workspace.workflows.create({
      friendlyName: 'One',
      configuration,
      assignmentCallbackUrl: world.listener.url('/assign'),
      taskReservationTimeout: 30,
    })
    assert.deepEqual([made.taskReservationTimeout, made.documentContentType], [30, 'application/json'])
    assert.equal(made.configuration, configuration)
    const changed = await workspace
      .workflows(made.sid)
      .update({ friendlyName: 'Two', assignmentCallbackUrl: '' })
    assert.deepEqual([changed.friendlyName, changed.assignmentCallbackUrl], ['Two', null])
    assert.equal((await workspace.workflows.list({ friendlyName: 'Two' })).length, 1)
    const waiting = await task({ workflowSid: made.sid })
    await assert.rejects(workspace.workflows(made.sid).remove(), refused(409, 20409, /tasks/))
    await workspace.tasks(waiting).remove()
    assert.ok(await workspace.workflows(made.sid).remove())
  })

  test('that cannot be read are refused with the place', async () => {
    await using world = await openWorld()
    const { workspace, queue } = await openCentre(world, { routed: false })
    const sid = await queue('All')
    const make = (routing: unknown) =>
      workspace.workflows.create({ friendlyName: 'Bad', configuration: JSON.stringify(routing) })
    await assert.rejects(make([]), refused(400, 20001, /Configuration/))
    const filters = [{ expression: 'a ==', targets: [{ queue: sid }] }]
    await assert.rejects(make({ task_routing: { filters } }), refused(400, 20001, /filters\[0\]\.expression/))
    const elsewhere = { task_routing: { default_filter: { queue: NOTHING } } }
    await assert.rejects(make(elsewhere), refused(400, 20001, /default_filter\.queue/))
    assert.equal((await workspace.workflows.list()).length, 0)
    for (const configuration of ['{"task_routing":', ''])
      await assert.rejects(
        workspace.workflows.create({ friendlyName: 'Bad', configuration }),
        refused(400, 20001, /Configuration: expected JSON/),
      )
  })
})

describe('task channels', () => {
  test('are found by SID and by unique name', async () => {
    await using world = await openWorld()
    const { workspace, task } = await openCentre(world)
    const fax = await workspace.taskChannels.create({ friendlyName: 'Fax', uniqueName: 'fax' })
    assert.equal(fax.channelOptimizedRouting, false)
    assert.equal((await workspace.taskChannels('fax').fetch()).sid, fax.sid)
    const changed = await workspace.taskChannels('fax').update({ friendlyName: 'Telefax' })
    assert.equal((await workspace.taskChannels(fax.sid).fetch()).friendlyName, changed.friendlyName)
    await assert.rejects(
      workspace.taskChannels.create({ friendlyName: 'Fax', uniqueName: 'fax' }),
      refused(409, 20409),
    )
    const named = workspace.taskChannels.create({ friendlyName: 'Fax', uniqueName: fax.sid })
    await assert.rejects(named, refused(400, 20001, /UniqueName/))
    const waiting = await task({ taskChannel: 'fax' })
    await assert.rejects(workspace.taskChannels('fax').remove(), refused(409, 20409))
    await workspace.tasks(waiting).remove()
    assert.ok(await workspace.taskChannels(fax.sid).remove())
    await assert.rejects(workspace.taskChannels('default').remove(), refused(409, 20409))
  })
})

describe('tasks', () => {
  test('are made, changed, canceled and deleted', async () => {
    await using world = await openWorld()
    const { workspace } = await openCentre(world)
    const made = await workspace.tasks.create({
      attributes: '{"name":"Vera"}',
      taskChannel: 'chat',
      priority: 2,
    })
    assert.deepEqual(
      [
        made.assignmentStatus,
        made.attributes,
        made.priority,
        made.timeout,
        made.age,
        made.addons,
        made.reason,
      ],
      ['pending', '{"name":"Vera"}', 2, 86400, 0, '{}', null],
    )
    assert.deepEqual(
      [made.taskChannelUniqueName, made.taskQueueFriendlyName, made.workflowFriendlyName],
      ['chat', 'Sample Queue', 'Default Fifo Workflow'],
    )
    assert.ok(made.taskQueueEnteredDate)
    await world.clock.advance(3_000)
    const changed = await workspace
      .tasks(made.sid)
      .update({ attributes: '{"name":"V"}', priority: 7, taskChannel: 'sms' })
    assert.deepEqual(
      [changed.attributes, changed.priority, changed.taskChannelUniqueName, changed.age],
      ['{"name":"V"}', 7, 'sms', 3],
    )
    await assert.rejects(
      workspace.tasks(made.sid).update({ assignmentStatus: 'canceled' }),
      refused(400, 20001, /Reason/),
    )
    const canceled = await workspace.tasks(made.sid).update({ assignmentStatus: 'canceled', reason: 'left' })
    assert.deepEqual([canceled.assignmentStatus, canceled.reason], ['canceled', 'left'])
    assert.ok(await workspace.tasks(made.sid).remove())
    await assert.rejects(workspace.tasks(made.sid).fetch(), refused(404, 20404))
  })

  test('move only as they may', async () => {
    await using world = await openWorld()
    const { workspace, task, worker, answer } = await openCentre(world)
    await worker('Ana')
    const sid = await task()
    const ask = (assignmentStatus: string, reason = 'x') =>
      workspace.tasks(sid).update({ assignmentStatus: assignmentStatus as 'pending', reason })
    for (const to of ['pending', 'reserved', 'assigned', 'wrapping', 'completed'])
      await assert.rejects(ask(to), refused(400, 20001, /pending cannot become/))
    await world.settle()
    for (const to of ['reserved', 'assigned', 'wrapping', 'completed'])
      await assert.rejects(ask(to), refused(400, 20001, /reserved cannot become/))
    await answer(sid, 'Ana', 'accepted')
    for (const to of ['pending', 'canceled'])
      await assert.rejects(ask(to), refused(400, 20001, /assigned cannot become/))
    await ask('completed')
    for (const to of ['pending', 'canceled', 'completed', 'wrapping'])
      await assert.rejects(ask(to), refused(400, 20001, /completed cannot become/))
    const [reservation] = await workspace.tasks(sid).reservations.list()
    assert.equal(reservation?.reservationStatus, 'completed')
  })

  test('are found by every filter, in any order, page by page', async () => {
    await using world = await openWorld()
    const { workspace, queue, workflow } = await openCentre(world, { routed: false })
    const [sales, care] = [await queue('Sales'), await queue('Care')]
    const filters = [{ expression: "topic == 'loan'", targets: [{ queue: sales }] }]
    const workflowSid = await workflow('W', { filters, default_filter: { queue: care } })
    const other = await workflow('Other', { default_filter: { queue: care } })
    const sids: string[] = []
    for (const at of [0, 1, 2, 3, 4, 5]) {
      const attributes = JSON.stringify({ topic: at < 2 ? 'loan' : 'card', at })
      const task = await workspace.tasks.create({ workflowSid, attributes, priority: at % 3 })
      sids.push(task.sid)
      await world.clock.advance(1_000)
    }
    const stray = await workspace.tasks.create({ workflowSid: other, routingTarget: sales })
    await workspace.tasks(sids[5] as string).update({ assignmentStatus: 'canceled', reason: 'x' })
    const found = async (filter: object) => {
      const tasks = await workspace.tasks.list(filter)
      return tasks.map((it) => (it.sid === stray.sid ? 's' : String(sids.indexOf(it.sid)))).join('')
    }
    assert.equal(await found({}), '012345s')
    assert.equal(await found({ priority: 1 }), '14')
    assert.equal(await found({ assignmentStatus: ['canceled', 'assigned'] }), '5')
    assert.equal(await found({ assignmentStatus: ['canceled,Pending'] }), '012345s')
    assert.equal(await found({ workflowSid }), '012345')
    assert.equal(await found({ workflowName: 'Other' }), 's')
    assert.equal(await found({ taskQueueSid: sales }), '01s')
    assert.equal(await found({ taskQueueName: 'Care' }), '2345')
    assert.equal(await found({ evaluateTaskAttributes: "topic == 'card' AND at > 2" }), '345')
    assert.equal(await found({ routingTarget: sales }), 's')
    assert.equal(await found({ hasAddons: true }), '')
    assert.equal(await found({ ordering: 'Priority:desc,DateCreated:asc', workflowSid }), '251403')
    assert.equal(await found({ ordering: 'DateCreated:desc', workflowSid, pageSize: 2 }), '543210')
    assert.equal(
      await found({ ordering: 'Priority:desc,DateCreated:asc', workflowSid, pageSize: 1 }),
      '251403',
    )
    assert.equal(await found({ evaluateTaskAttributes: 'at >= 1', pageSize: 2 }), '12345')
    const page = await workspace.tasks.page({ workflowSid, pageSize: 2 })
    const second = await page.nextPage()
    const back = await second?.previousPage()
    assert.deepEqual(
      back?.instances.map((it) => it.sid),
      sids.slice(0, 2),
    )
    await assert.rejects(found({ assignmentStatus: ['lost'] }), refused(400, 20001, /AssignmentStatus/))
    await assert.rejects(
      found({ evaluateTaskAttributes: '((' }),
      refused(400, 20001, /EvaluateTaskAttributes/),
    )
  })

  test('need a workflow, a queue and a channel that the workspace has', async () => {
    await using world = await openWorld()
    const { workspace, workflow, queue } = await openCentre(world)
    const absent = `WW${'0'.repeat(32)}`
    await assert.rejects(workspace.tasks.create({ workflowSid: absent }), refused(400, 20001, /WorkflowSid/))
    await assert.rejects(workspace.tasks.create({ taskChannel: 'fax' }), refused(400, 20001, /TaskChannel/))
    await assert.rejects(workspace.tasks.create({ routingTarget: 'x' }), refused(400, 20001, /RoutingTarget/))
    await assert.rejects(workspace.tasks.create({ attributes: '[1]' }), refused(400, 20001, /Attributes/))
    await assert.rejects(workspace.tasks.create({ timeout: 1_209_601 }), refused(400, 20001, /Timeout/))
    await assert.rejects(workspace.tasks.create({ timeout: 0 }), refused(400, 20001, /Timeout/))
    await assert.rejects(workspace.tasks.create({ priority: -1 }), refused(400, 20001, /Priority/))
    const queueSid = await queue('Other')
    await workflow('Second', { default_filter: { queue: queueSid } })
    await assert.rejects(workspace.tasks.create({}), refused(400, 20001, /WorkflowSid/))
    const [workflowSid] = (await workspace.workflows.list()).map((it) => it.sid)
    const lost = workspace.tasks.create({ taskQueueSid: NOTHING, ...(workflowSid && { workflowSid }) })
    await assert.rejects(lost, refused(400, 20001, /TaskQueueSid/))
    const direct = await workspace.tasks.create({ taskQueueSid: queueSid })
    assert.deepEqual([direct.taskQueueFriendlyName, direct.workflowSid], ['Other', null])
  })

  test('are changed only from the version that was seen', async () => {
    await using world = await openWorld()
    const { workspace, task } = await openCentre(world)
    const { sid } = await workspace.fetch()
    const path = `/v1/Workspaces/${sid}/Tasks/${await task()}`
    const etag = (await world.fetch(path)).headers.get('etag') as string
    assert.match(etag, /^"\d+"$/)
    const change = (ifMatch: string) =>
      world.fetch(path, { method: 'POST', headers: { 'If-Match': ifMatch }, form: { Priority: '3' } })
    const first = await change(etag)
    assert.equal(first.status, 200)
    assert.notEqual(first.headers.get('etag'), etag)
    const second = await change(etag)
    assert.equal(second.status, 412)
    assert.equal(((await second.json()) as { code: number }).code, 20412)
  })
})

describe('reservations', () => {
  test('are seen under the task and under the worker, and move only as they may', async () => {
    await using world = await openWorld()
    const { workspace, task, worker } = await openCentre(world)
    const ana = await worker('Ana')
    const sid = await task()
    await world.settle()
    const [offer] = await workspace.workers(ana).reservations.list({ reservationStatus: 'pending' })
    assert.ok(offer)
    assert.deepEqual([offer.taskSid, offer.workerName], [sid, 'Ana'])
    assert.match(offer.url, new RegExp(`/Workers/${ana}/Reservations/${offer.sid}$`))
    const underTask = workspace.tasks(sid).reservations(offer.sid)
    assert.match((await underTask.fetch()).url, new RegExp(`/Tasks/${sid}/Reservations/${offer.sid}$`))
    const ask = (reservationStatus: string) =>
      workspace
        .workers(ana)
        .reservations(offer.sid)
        .update({ reservationStatus: reservationStatus as 'pending' })
    for (const to of ['pending', 'timeout', 'canceled', 'rescinded', 'wrapping', 'completed'])
      await assert.rejects(ask(to), refused(400, 20001, /pending cannot become/))
    assert.equal((await ask('accepted')).reservationStatus, 'accepted')
    const channel = await workspace.workers(ana).workerChannels('default').fetch()
    assert.deepEqual([channel.assignedTasks, channel.availableCapacityPercentage], [1, 0])
    for (const to of ['accepted', 'rejected', 'pending'])
      await assert.rejects(ask(to), refused(400, 20001, /accepted cannot become/))
    assert.equal((await ask('Wrapping')).reservationStatus, 'wrapping')
    assert.equal((await ask('completed')).reservationStatus, 'completed')
    assert.equal((await workspace.workers(ana).workerChannels('default').fetch()).assignedTasks, 0)
    assert.equal((await workspace.tasks(sid).reservations.list({ workerSid: ana })).length, 1)
    assert.equal((await workspace.tasks(sid).reservations.list({ reservationStatus: 'pending' })).length, 0)
    const nobody = `WT${'0'.repeat(32)}`
    await assert.rejects(workspace.tasks(nobody).reservations.list(), refused(404, 20404))
  })

  test('ignore the parameters of voice', async () => {
    await using world = await openWorld()
    const { workspace, task, worker } = await openCentre(world)
    await worker('Ana')
    const sid = await task()
    await world.settle()
    const [offer] = await workspace.tasks(sid).reservations.list()
    const reservation = workspace.tasks(sid).reservations(offer?.sid as string)
    const answered = await reservation.update({
      instruction: 'dequeue',
      dequeueTo: '+49301234',
      callTimeout: 5,
    })
    assert.equal(answered.reservationStatus, 'pending')
  })
})

describe("a worker's access token", () => {
  const tokenOf = (
    world: World,
    identity: string,
    grant: { workspaceSid?: string; workerSid?: string } | null = {},
  ) => {
    const { AccessToken } = twilio.jwt
    const { sid, apiKeySid, apiKeySecret } = world.account
    const token = new AccessToken(sid, apiKeySid, apiKeySecret, { identity })
    if (grant) token.addGrant(new AccessToken.TaskRouterGrant({ ...grant, role: 'worker' }))
    return `Basic ${Buffer.from(`token:${token.toJwt()}`).toString('base64')}`
  }

  test('answers the own reservations and changes the own activity, and no one else’s', async () => {
    await using world = await openWorld()
    const { workspace, task, worker, away } = await openCentre(world)
    const [ana, ben] = [await worker('Ana'), await worker('Ben')]
    const { sid: workspaceSid } = await workspace.fetch()
    const [first] = [await task(), await task()]
    await world.settle()
    const base = `/v1/Workspaces/${workspaceSid}`
    const ask = async (as: string, path: string, form?: Record<string, string>) =>
      (await world.fetch(base + path, { as, ...(form && { method: 'POST', form }) })).status
    const [offered] = await workspace.workers(ana).reservations.list()
    for (const as of [tokenOf(world, 'Ana'), tokenOf(world, 'x', { workspaceSid, workerSid: ana })]) {
      assert.equal(await ask(as, `/Workers/${ana}`), 200)
      assert.equal(await ask(as, `/Workers/${ana}/Reservations`), 200)
      assert.equal(await ask(as, `/Workers/${ana}/Channels`), 200)
      assert.equal(await ask(as, '/Activities'), 200)
      assert.equal(await ask(as, `/Workers/${ben}`), 403)
      assert.equal(await ask(as, `/Workers/${ben}`, { ActivitySid: away }), 403)
      assert.equal(await ask(as, `/Workers/${ben}/Reservations`), 403)
      assert.equal(await ask(as, `/Workers/${ana}`, { Attributes: '{"admin":true}' }), 403)
      assert.equal(await ask(as, `/Workers/${ana}`, { 'Attributes.Merge': '{"admin":true}' }), 403)
      assert.equal(await ask(as, '/Tasks'), 403)
    }
    const as = tokenOf(world, 'Ana')
    const others = tokenOf(world, 'Ben')
    const path = `/Tasks/${offered?.taskSid}/Reservations/${offered?.sid}`
    assert.equal(await ask(others, path, { ReservationStatus: 'accepted' }), 403)
    assert.equal(await ask(as, path, { ReservationStatus: 'accepted' }), 200)
    assert.equal(await ask(as, `/Workers/${ana}`, { ActivitySid: away }), 200)
    assert.equal(await ask(tokenOf(world, 'Vera'), '/Activities'), 403)
    const visitor = tokenOf(world, 'Ana', null)
    assert.equal(await ask(visitor, `/Workers/${ana}`), 403)
    assert.equal(await ask(visitor, path, { ReservationStatus: 'completed' }), 403)
    assert.ok(first)
  })
})
