/** A worker's day, with our own client beside the published SDK, each step held against REST. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WebSocket as WsSocket } from 'ws'
import type { Task, WebSocketClass } from '../src/index.ts'
import { listenToAll, nextOf, openWorkerStage, type WorkerStage } from './worker-stage.ts'

describe('a worker', () => {
  test('comes in, sees who they are, and changes what they do and know', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const sid = await centre.worker('ana', { languages: ['de'] }, centre.offline)
    const ana = await stage.come(sid)
    assert.deepEqual([ana.state, ana.worker.sid, ana.worker.friendlyName], ['connected', sid, 'ana'])
    assert.deepEqual(ana.worker.attributes, { languages: ['de'] })
    assert.deepEqual(ana.activities.map((it) => it.friendlyName).sort(), [
      'Available',
      'Offline',
      'Unavailable',
    ])
    assert.equal(ana.channels.length, (await centre.workspace.workers(sid).workerChannels.list()).length)
    const told = listenToAll(ana)
    const before = ana.worker

    const available = ana.activities.find((it) => it.available)
    assert.ok(available)
    const now = await ana.worker.setActivity(available)
    assert.deepEqual(now.activity, available)
    assert.equal(ana.worker, now)
    assert.equal(before.activity.available, false)
    assert.equal((await centre.workspace.workers(sid).fetch()).activityName, 'Available')
    const other = await now.setAttributes({ languages: ['de', 'fr'] })
    assert.deepEqual(other.attributes, { languages: ['de', 'fr'] })
    // What changes nothing has no event, and resolves.
    await other.setActivity(available.sid)
    await other.setAttributes({ languages: ['de', 'fr'] })
    assert.deepEqual(told, ['activityUpdated', 'attributesUpdated'])

    const away = nextOf(ana, 'activityUpdated')
    await centre.workspace.workers(sid).update({ activitySid: centre.away })
    assert.equal((await away).activity.friendlyName, 'Unavailable')
    const more = nextOf(ana, 'capacityUpdated')
    const none = nextOf(ana, 'availabilityUpdated')
    const chat = centre.workspace.workers(sid).workerChannels('chat')
    await chat.update({ capacity: 3 })
    await chat.update({ available: false })
    assert.equal((await more).capacity, 3)
    assert.equal((await none).available, false)
    const known = ana.channels.find((it) => it.taskChannelUniqueName === 'chat')
    assert.deepEqual([known?.capacity, known?.available], [3, false])
  })

  test('is offered a task, accepts it, wraps it up and completes it', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const ana = await stage.hire('ana')
    const told = listenToAll(ana)
    const offered = nextOf(ana, 'reservationCreated')
    const sid = await centre.task({ attributes: JSON.stringify({ name: 'Vera' }) })
    const reservation = await offered
    assert.deepEqual([reservation.task.sid, reservation.status, reservation.timeout], [sid, 'pending', 120])
    assert.deepEqual(reservation.task.attributes, { name: 'Vera' })
    assert.deepEqual(ana.reservations, [reservation])

    const accepted = await reservation.accept()
    assert.deepEqual(
      [accepted.status, accepted.task.status, reservation.status],
      ['accepted', 'assigned', 'pending'],
    )
    assert.deepEqual(await centre.offersOf(sid), ['ana:accepted'])
    const task = await accepted.task.setAttributes({ name: 'Vera', crm: 42 })
    assert.deepEqual(task.attributes, { name: 'Vera', crm: 42 })
    assert.deepEqual(ana.reservations[0]?.task, task)

    const wrapping = await reservation.wrapUp()
    assert.deepEqual([wrapping.status, wrapping.task.status], ['wrapping', 'wrapping'])
    const completed = await reservation.complete()
    assert.deepEqual([completed.status, completed.task.status], ['completed', 'completed'])
    assert.equal(await centre.statusOf(sid), 'completed')
    assert.deepEqual(ana.reservations, [])
    assert.deepEqual(told, [
      'reservationCreated',
      'reservationAccepted',
      'taskUpdated',
      'taskWrapUp',
      'reservationWrapUp',
      'taskCompleted',
      'reservationCompleted',
    ])
  })

  test('does the same by the task, with reasons, and with another WebSocket', async () => {
    await using stage = await openWorkerStage()
    const ana = await stage.hire('ana', { WebSocket: WsSocket as unknown as WebSocketClass })
    const { task, sid } = await stage.give(ana)
    await task.wrapUp('said goodbye')
    assert.deepEqual(
      ana.reservations.map((it) => [it.sid, it.status, it.task.reason]),
      [[sid, 'wrapping', 'said goodbye']],
    )
    assert.equal((await task.complete('solved')).sid, task.sid)
    assert.deepEqual(ana.reservations, [])
    assert.equal((await stage.centre.workspace.tasks(task.sid).fetch()).reason, 'solved')
  })

  test('turns a task down, which the published SDK is offered then, and hears of every end', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const ana = await stage.hire('ana')
    const told = listenToAll(ana)
    const bensSid = await centre.worker('ben', {}, centre.away)
    const ben = await stage.comeWithSdk(bensSid)
    const offered = nextOf(ana, 'reservationCreated')
    const task = await centre.task()
    const rejected = await (await offered).reject({ activitySid: centre.away })
    assert.equal(rejected.status, 'rejected')
    if (ana.worker.activity.available) await nextOf(ana, 'activityUpdated')
    assert.equal(ana.worker.activity.friendlyName, 'Unavailable')
    assert.deepEqual(ana.reservations, [])
    await centre.workspace.workers(bensSid).update({ activitySid: centre.available })
    await ben.next('reservationCreated', (it) => it.taskSid === task)
    await ben.ask('accept', task)
    await ben.next('reservation.accepted')
    assert.deepEqual(told, ['reservationCreated', 'reservationRejected', 'activityUpdated'])

    await ana.worker.setActivity(centre.available)
    const again = nextOf(ana, 'reservationCreated')
    const canceled = await centre.task()
    const offer = await again
    const over = nextOf(ana, 'reservationCanceled')
    let heard = ''
    offer.on('taskCanceled', (it) => {
      heard = `${it.reason}`
    })
    await centre.workspace.tasks(canceled).update({ assignmentStatus: 'canceled', reason: 'hung up' })
    assert.equal((await over).sid, offer.sid)
    assert.equal(heard, 'hung up')

    const third = nextOf(ana, 'reservationCreated')
    await centre.task()
    await third
    told.length = 0
    await ana.worker.setActivity(centre.offline, { rejectPendingReservations: true })
    assert.deepEqual(told, ['reservationRejected', 'activityUpdated'])
  })

  test('hears that an offer has timed out, and that another was faster', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const [workflow] = await centre.workspace.workflows.list()
    const [queue] = await centre.workspace.taskQueues.list()
    assert.ok(workflow && queue)
    const waitFor = (taskReservationTimeout: number) =>
      centre.workspace.workflows(workflow.sid).update({ taskReservationTimeout })
    await waitFor(1)
    const ana = await stage.hire('ana')
    const late = nextOf(ana, 'reservationTimedOut')
    await centre.task()
    assert.equal((await late).status, 'timeout')

    await waitFor(120)
    await centre.workspace.taskQueues(queue.sid).update({ maxReservedWorkers: 2 })
    await centre.workspace.workers(ana.worker.sid).update({ activitySid: centre.available })
    const ben = await stage.comeWithSdk(await centre.worker('ben'))
    for (const { sid } of await centre.workspace.tasks.list()) await centre.workspace.tasks(sid).remove()
    const offered = nextOf(ana, 'reservationCreated')
    const rescinded = nextOf(ana, 'reservationRescinded')
    const task = await centre.task()
    await ben.next('reservationCreated', (it) => it.taskSid === task)
    const { sid } = await offered
    await ben.ask('accept', task)
    assert.equal((await rescinded).sid, sid)
  })

  test('makes a task of their own, and knows the others and the queues', async () => {
    await using stage = await openWorkerStage()
    const ana = await stage.hire('ana')
    await stage.centre.worker('ben', {}, stage.centre.offline)
    const offered = nextOf(ana, 'reservationCreated')
    const sid = await ana.createTask({ attributes: { outbound_to: '+4930' }, taskChannel: 'chat' })
    const { task } = await offered
    assert.deepEqual([task.sid, task.taskChannelUniqueName], [sid, 'chat'])
    assert.deepEqual((await ana.getWorkers()).map((it) => it.friendlyName).sort(), ['ana', 'ben'])
    assert.deepEqual(
      (await ana.getWorkers({ available: true })).map((it) => it.friendlyName),
      ['ana'],
    )
    assert.equal((await ana.getTaskQueues()).length, 1)
  })
})

/** Three workers of one queue, the first of whom has a task. */
const hireThree = async (stage: WorkerStage) => {
  const ana = await stage.hire('ana')
  const ben = await stage.hire('ben')
  const cleo = await stage.hire('cleo')
  const reservation = await stage.give(ana)
  const [queue] = await ana.getTaskQueues()
  return { ana, ben, cleo, reservation, queue }
}

describe('transfers', () => {
  test('warm, to the published SDK and back', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const bensSid = await centre.worker('ben')
    const ben = await stage.comeWithSdk(bensSid)
    const ana = await stage.hire('ana')
    const reservation = await stage.give(ana)
    const told = listenToAll(ana)
    const { sid: task } = reservation.task
    const transfer = await reservation.transfer(bensSid, { attributes: { note: 'angry' } })
    assert.deepEqual([transfer.status, transfer.mode, transfer.to], ['initiated', 'WARM', bensSid])
    assert.equal(reservation.outgoingTransfer?.sid, transfer.sid)
    await ben.next('reservationCreated', (it) => it.taskSid === task)
    const completed = nextOf(ana, 'transferCompleted')
    await ben.ask('accept', task)
    assert.equal((await completed).sid, transfer.sid)
    assert.equal(reservation.outgoingTransfer, null)
    await reservation.complete()
    assert.ok(told.includes('transferInitiated') && told.includes('reservationCompleted'))
    assert.equal(told.filter((it) => it.startsWith('transfer')).length, 2)
    assert.equal(await centre.statusOf(task), 'assigned')

    const back = nextOf(ana, 'reservationCreated')
    await ben.ask('transfer', task, ana.worker.sid)
    await ben.next('task.updated')
    const offer = await back
    assert.deepEqual([offer.incomingTransfer?.to, offer.task.attributes], [ana.worker.sid, { note: 'angry' }])
    assert.equal((await offer.accept()).status, 'accepted')
  })

  test('are taken back once, and refused where nobody can take them', async () => {
    await using stage = await openWorkerStage()
    const ana = await stage.hire('ana')
    const ben = await stage.hire('ben')
    const reservation = await stage.give(ana)
    await assert.rejects(reservation.transfer(ana.worker.sid), { kind: 'invalid', status: 400 })
    const offered = nextOf(ben, 'reservationCreated')
    const gone = nextOf(ben, 'reservationCanceled')
    const transfer = await reservation.transfer(ben.worker.sid, { mode: 'WARM' })
    await offered
    assert.equal((await transfer.cancel()).status, 'canceled')
    await gone
    await assert.rejects(transfer.cancel(), { kind: 'invalid', status: 400 })

    const failed = nextOf(ana, 'transferFailed')
    const again = nextOf(ben, 'reservationCreated')
    await reservation.transfer(ben.worker.sid)
    await (await again).reject()
    assert.ok((await failed).failedReason)
    assert.equal(ana.reservations[0]?.task.status, 'assigned')
  })

  test('show whoever has the task how it stands meanwhile', async () => {
    await using stage = await openWorkerStage()
    const { ana, ben, cleo, reservation, queue } = await hireThree(stage)
    const told: unknown[] = []
    ana.on('taskUpdated', ({ status, attributes }) => told.push([status, attributes.note]))
    const becomes = (status: Task['status']) => nextOf(ana, 'taskUpdated', (it) => it.status === status)

    const [offered, reserved] = [nextOf(ben, 'reservationCreated'), becomes('reserved')]
    await reservation.transfer(ben.worker.sid, { attributes: { note: 'angry' }, priority: 7 })
    assert.equal((await reserved).priority, 7)
    const assigned = becomes('assigned')
    const beside = await (await offered).accept()
    await assigned

    const [asked, again] = [nextOf(cleo, 'reservationCreated'), becomes('reserved')]
    await beside.transfer(queue?.sid ?? '', { attributes: { note: 'calm' } })
    await again
    const back = becomes('pending')
    await (await asked).reject()
    await back
    const taken = becomes('assigned')
    await stage.hire('dan').then(async (dan) => {
      const [offer] = dan.reservations
      await (offer ?? (await nextOf(dan, 'reservationCreated'))).accept()
    })
    await taken
    assert.deepEqual(told, [
      ['reserved', 'angry'],
      ['assigned', 'angry'],
      ['pending', 'calm'],
      ['reserved', 'calm'],
      ['pending', 'calm'],
      ['reserved', 'calm'],
      ['assigned', 'calm'],
    ])
  })

  test('show whoever tidies up where a task goes that nobody took', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const queue = await centre.queue('VIP')
    const target = { queue, priority: 5 }
    const filters = [{ filter_friendly_name: 'all', expression: '1 == 1', targets: [target] }]
    const workflowSid = await centre.workflow('VIP', { filters })
    const ana = await stage.hire('ana')
    const offered = nextOf(ana, 'reservationCreated')
    await centre.task({ workflowSid })
    const reservation = await (await offered).accept()
    const told: unknown[] = []
    ana.on('taskUpdated', ({ status, priority, queueName }) => told.push([status, priority, queueName]))
    const becomes = (holds: (it: Task) => boolean) => nextOf(ana, 'taskUpdated', holds)

    const ben = await stage.hire('ben')
    const asked = nextOf(ben, 'reservationCreated')
    await reservation.transfer(ben.worker.sid, { mode: 'COLD', priority: 7 })
    const placed = becomes((it) => it.status === 'pending' && it.priority === 5)
    await (await asked).reject()
    await placed
    const reserved = becomes((it) => it.status === 'reserved')
    const cleo = await stage.hire('cleo')
    await reserved
    const assigned = becomes((it) => it.status === 'assigned')
    const [offer] = cleo.reservations
    await (offer ?? (await nextOf(cleo, 'reservationCreated'))).accept()
    await assigned
    assert.deepEqual(told, [
      ['reserved', 7, 'VIP'],
      ['pending', 7, 'VIP'],
      ['pending', 5, 'VIP'],
      ['reserved', 5, 'VIP'],
      ['assigned', 5, 'VIP'],
    ])
  })

  test('cold, to a queue, until somebody takes it', async () => {
    await using stage = await openWorkerStage()
    const { ana, ben, cleo, reservation, queue } = await hireThree(stage)
    const offers = [nextOf(ben, 'reservationCreated'), nextOf(cleo, 'reservationCreated')]
    const attempt = nextOf(ana, 'transferAttemptFailed')
    const wrapping = nextOf(ana, 'reservationWrapUp')
    const completed = nextOf(ana, 'transferCompleted')
    await reservation.transfer(queue?.sid ?? '', { mode: 'COLD' })
    await wrapping
    await (await Promise.race(offers)).reject()
    await attempt
    await Promise.all(offers)
    const live = [...ben.reservations, ...cleo.reservations]
    assert.equal(live.length, 1)
    await live[0]?.accept()
    assert.equal((await completed).status, 'complete')
  })
})
