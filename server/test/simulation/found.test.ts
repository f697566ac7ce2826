/** What the simulation found in the router, and what was found beside it, each as a story of its own. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openCentre } from '../taskrouter/centre.ts'
import { openWorld } from '../world/index.ts'

describe('Found by the simulation', () => {
  test('a task that a worker refused a moment ago does not hide the next of its queue from them', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [first, second] = [await centre.queue('First'), await centre.queue('Second')]
    await centre.worker('ana')
    const refused = await centre.task({ taskQueueSid: first })
    await world.settle()
    const next = await centre.task({ taskQueueSid: first })
    world.clock.advance(1)
    const last = await centre.task({ taskQueueSid: second })
    await centre.answer(refused, 'ana', 'rejected')
    await world.settle()
    assert.deepEqual(await centre.offersOf(next), ['ana:pending'])
    assert.deepEqual(await centre.offersOf(last), [])
  })

  test('a worker whose task was canceled while it was being offered gets the next one', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('ana', {}, centre.offline)
    const ends = await centre.task({ timeout: 1 })
    const waits = await centre.task()
    await world.settle()
    world.clock.advance(1_000)
    await centre.workspace.workers(ana).update({ activitySid: centre.available })
    await world.settle()
    assert.equal(await centre.statusOf(ends), 'canceled')
    assert.deepEqual(await centre.offersOf(waits), ['ana:pending'])
  })

  test('an activity that is renamed is read by its new name', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('Seniors', { targetWorkers: "worker.activity_name == 'On duty'" })
    const other = await centre.queue('All')
    await centre.worker('ana')
    const first = await centre.task({ taskQueueSid: other })
    await world.settle()
    await centre.answer(first, 'ana', 'accepted')
    await centre.answer(first, 'ana', 'completed')
    const task = await centre.task({ taskQueueSid: queue })
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), [])
    await centre.workspace.activities(centre.available).update({ friendlyName: 'On duty' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:pending'])
  })

  test('a target is asked whether it is to be skipped when its last worker leaves', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const [few, all] = [
      await centre.queue('Few', { targetWorkers: "skill == 'few'" }),
      await centre.queue('All'),
    ]
    await centre.workflow('Skips', {
      filters: [
        {
          expression: '1 == 1',
          targets: [{ queue: few, skip_if: 'workers.available == 0' }, { queue: all }],
        },
      ],
    })
    for (const leaves of [true, false]) {
      const name = leaves ? 'leaves' : 'is gone'
      const worker = await centre.worker(name, { skill: 'few' })
      await centre.workspace.workers(worker).workerChannels('default').update({ available: false })
      const task = await centre.task()
      await world.settle()
      const queueOf = async () => (await centre.workspace.tasks(task).fetch()).taskQueueSid
      assert.equal(await queueOf(), few)
      if (leaves) await centre.workspace.workers(worker).update({ activitySid: centre.offline })
      else await centre.workspace.workers(worker).remove()
      await world.settle()
      assert.equal(await queueOf(), all, name)
    }
  })

  test('what a worker has in hand is read anew when they accept', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const all = await centre.queue('All')
    const queue = await centre.queue('Busy', { targetWorkers: 'worker.channel.chat.assigned_tasks >= 1' })
    await centre.worker('ana')
    const chat = await centre.task({ taskQueueSid: all, taskChannel: 'chat' })
    const sms = await centre.task({ taskQueueSid: queue, taskChannel: 'sms' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(sms), [])
    await centre.answer(chat, 'ana', 'accepted')
    await world.settle()
    assert.deepEqual(await centre.offersOf(sms), ['ana:pending'])
  })
})
