/** What the published worker SDKs do beside a worker's day: offers that come to nothing, sessions, supervisors, lists. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SDKS, type SdkVersion, sdk, serversOf, sitDown } from './agent.ts'
import { openDesk } from './desk.ts'

for (const version of Object.keys(SDKS) as SdkVersion[])
  describe(`twilio-taskrouter ${version}`, () => {
    test('hears what becomes of offers that it does not take', async () => {
      await using desk = await openDesk(version)
      const { centre, world } = desk
      const ana = await desk.sit('ana')
      const rejected = await centre.task({ routingTarget: ana.worker.sid })
      await world.settle()
      await ana.until('reservationCreated')
      await ana.reservation.reject({ activitySid: centre.away } as never)
      await ana.until('reservation.rejected')
      await ana.until('activityUpdated')
      assert.equal((await centre.offersOf(rejected))[0], 'ana:rejected')
      await centre.workspace.tasks(rejected).remove()
      await ana.activity('Available').setAsCurrent()
      await ana.until('activityUpdated', 2)

      const canceled = await centre.task({ routingTarget: ana.worker.sid })
      await world.settle()
      await ana.until('reservationCreated', 2)
      await centre.workspace.tasks(canceled).update({ assignmentStatus: 'canceled', reason: 'left' })
      await ana.until('reservation.canceled')
      assert.equal(ana.reservation.task.reason, 'left')
      assert.equal(ana.count('task.canceled'), 1)

      const late = await centre.task({ routingTarget: ana.worker.sid })
      await world.settle()
      await ana.until('reservationCreated', 3)
      world.clock.advance(121_000)
      await world.settle()
      await ana.until('reservation.timeout')
      await ana.until('activityUpdated', 3)
      assert.equal(ana.worker.activity.name, 'Offline')
      assert.equal((await centre.offersOf(late))[0], 'ana:timeout')
      assert.equal(ana.count('error'), 0)
    })

    test('hears that another was faster', async () => {
      await using desk = await openDesk(version)
      const { centre, world } = desk
      const queue = await centre.queue('All', { maxReservedWorkers: 2 })
      const ana = await desk.sit('ana')
      const ben = await desk.sit('ben')
      await centre.task({ taskQueueSid: queue })
      await world.settle()
      await Promise.all([ana.until('reservationCreated'), ben.until('reservationCreated')])
      await ben.reservation.accept()
      await ana.until('reservation.rescinded')
      await ben.until('reservation.accepted')
    })

    test('makes a task for itself', async () => {
      await using desk = await openDesk(version)
      const { centre, world } = desk
      const ana = await desk.sit('ana')
      const [workflow] = await centre.workspace.workflows.list()
      const [queue] = await centre.workspace.taskQueues.list()
      const sid = await ana.worker.createTask('+4930', '+4940', workflow?.sid ?? '', queue?.sid ?? '')
      await world.settle()
      await ana.until('reservationCreated')
      assert.equal(ana.reservation.task.sid, sid)
      const task = await centre.workspace.tasks(sid).fetch()
      assert.equal(JSON.parse(task.attributes).outbound_to, '+4930')
      assert.deepEqual([task.workflowSid, task.taskQueueSid], [workflow?.sid, queue?.sid])
    })

    test('goes where it is told when it connects, and comes back when the house was away', async () => {
      await using desk = await openDesk(version, { engine: 'disk' })
      const { centre, world } = desk
      const ana = await desk.sit('ana', { connectActivitySid: centre.away })
      await ana.untilTrue(() => ana.worker.activity.name === 'Unavailable')
      await world.restart()
      await ana.until('disconnected')
      await ana.until('ready', 2)
      await centre.workspace.workers(ana.worker.sid).update({ attributes: '{"back":true}' })
      await ana.until('attributesUpdated')
      assert.deepEqual(ana.worker.attributes, { back: true })
    })

    test('takes a new token, and knows when one ends', async () => {
      await using desk = await openDesk(version)
      const worker = await desk.centre.worker('ana')
      await using ana = await sitDown(version, desk.token(worker, { ttlSeconds: 8 }), desk.world.url)
      ana.worker.updateToken(desk.token(worker, { ttlSeconds: 600 }))
      await ana.until('tokenUpdated')
      desk.world.clock.advance(9_000)
      await ana.worker.setAttributes({ by: 'the new token' })
      await ana.until('attributesUpdated')
      await using ben = await sitDown(
        version,
        desk.token(await desk.centre.worker('ben'), { ttlSeconds: 7 }),
        desk.world.url,
      )
      await ben.until('tokenExpired')
    })

    test('of a supervisor may look on', async () => {
      await using desk = await openDesk(version)
      const ana = await desk.sit('ana')
      const task = await desk.give(ana)
      const token = desk.token(await desk.centre.worker('sol'), { role: 'supervisor' })
      await using sol = await sitDown(version, token, desk.world.url)
      await sol.worker.monitor(task, ana.reservation.sid, {})
      await assert.rejects(ana.worker.monitor(task, ana.reservation.sid, {}))
    })
  })

for (const version of ['2.1.1', '0.8.5'] as const)
  describe(`the Workspace of twilio-taskrouter ${version}`, () => {
    test('lists and fetches, page by page and in an order', async () => {
      await using desk = await openDesk(version)
      const { centre } = desk
      for (const name of ['a', 'b', 'c']) {
        desk.world.clock.advance(1_000)
        await centre.worker(name)
      }
      await centre.queue('Second line')
      const { Workspace } = await sdk(version)
      const token = desk.token(undefined as never, { identity: 'root', role: 'admin' })
      const workspace = new Workspace(token, { ...serversOf(desk.world.url), pageSize: 2 })
      const names = (found: Map<string, { name?: string }>) => [...found.values()].map((it) => it.name)
      assert.deepEqual(names(await workspace.fetchWorkers()).sort(), ['a', 'b', 'c'])
      const ordered = await workspace.fetchWorkers({ Ordering: 'DateStatusChanged:desc' } as never)
      assert.deepEqual(names(ordered), ['c', 'b', 'a'])
      const [one] = [...(await workspace.fetchWorkers({ FriendlyName: 'b' } as never)).values()]
      assert.equal((await workspace.fetchWorker(one?.sid ?? '')).name, 'b')
      assert.equal((await workspace.fetchTaskQueues()).size, 2)
    })
  })

describe('twilio-taskrouter 2.1.1', () => {
  test('names the version that it knows with each change, and is right about it', async () => {
    await using desk = await openDesk('2.1.1')
    const { centre } = desk
    const ana = await desk.sit('ana', { enableVersionCheck: true })
    const { worker } = ana
    await worker.setAttributes({ a: 1 })
    await ana.until('attributesUpdated')
    const task = await desk.give(ana)
    await centre.workspace.workers(worker.sid).workerChannels('chat').update({ capacity: 3 })
    await ana.until('channel.capacityUpdated')
    await worker.setAttributes({ a: 2 })
    await ana.until('attributesUpdated', 2)
    await ana.reservation.task.setAttributes({ crm: 1 })
    await ana.until('task.updated')
    await ana.reservation.task.wrapUp({ reason: 'bye' })
    await ana.until('reservation.wrapup')
    await ana.reservation.complete()
    await ana.until('reservation.completed')
    assert.equal(await centre.statusOf(task), 'completed')
    await ana.activity('Unavailable').setAsCurrent()
    await ana.until('activityUpdated')
    assert.equal(Number(worker.version), Number((await worker.fetchLatestVersion()).version))
    assert.equal(ana.count('error'), 0)
  })

  test('of a supervisor sets others', async () => {
    await using desk = await openDesk('2.1.1')
    const { centre } = desk
    const ana = await desk.sit('ana')
    const token = desk.token(await centre.worker('sol'), { role: 'supervisor' })
    const options = { enableVersionCheck: true }
    await using sol = await sitDown('2.1.1', token, desk.world.url, options)
    await sol.worker.setWorkerActivity(ana.worker.sid, centre.away)
    await ana.until('activityUpdated')
    assert.equal((await centre.workspace.workers(ana.worker.sid).fetch()).activityName, 'Unavailable')
    await sol.worker.setWorkerAttributes(ana.worker.sid, { skills: ['it'] })
    await ana.until('attributesUpdated')
    assert.deepEqual(ana.worker.attributes, { skills: ['it'] })
    assert.equal(sol.count('activityUpdated'), 0)
  })

  test('is one session among others, or the only one', async () => {
    await using desk = await openDesk('2.1.1')
    const sid = await desk.centre.worker('ana')
    await using first = await sitDown('2.1.1', desk.token(sid), desk.world.url, {
      closeExistingSessions: true,
    })
    const token = desk.token(sid, { ttlSeconds: 3000 })
    await using second = await sitDown('2.1.1', token, desk.world.url, { closeExistingSessions: true })
    await first.until('disconnected')
    await first.until('ready', 2)
    await second.worker.setAttributes({ both: true })
    await Promise.all([first.until('attributesUpdated'), second.until('attributesUpdated')])
    assert.equal(second.count('disconnected'), 0)
  })

  test('hears at one node what is done at another', async () => {
    await using desk = await openDesk('2.1.1', { engine: 'postgres' })
    await using node = await desk.world.anotherNode()
    const { centre, world } = desk
    const sid = await centre.worker('ana')
    await using ana = await sitDown('2.1.1', desk.token(sid), node.url)
    const ben = await desk.sit('ben')
    const task = await desk.give(ana)
    await ana.reservation.task.setAttributes({ long: 'x'.repeat(30_000) })
    await ana.until('task.updated')
    await ana.reservation.task.transfer(ben.worker.sid, { mode: 'WARM' })
    await ben.until('reservationCreated')
    await ben.reservation.accept()
    await ana.until('transfer.completed')
    assert.deepEqual(await centre.offersOf(task), ['ana:accepted', 'ben:accepted'])
    await ana.reservation.complete()
    await ana.until('reservation.completed')
    await world.settle()
  })
})
