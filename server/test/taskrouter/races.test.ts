import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reading } from '../../src/store/query.ts'
import { openWorld } from '../world/index.ts'
import { mustAgree } from './agreement.ts'
import { openCentre } from './centre.ts'

/** A refusal is an answer; anything of ours going wrong is not. */
const orRefused = async (asked: Promise<unknown>): Promise<boolean> => {
  try {
    await asked
    return true
  } catch (fault) {
    const { status } = fault as { status?: number }
    if (status === undefined || status >= 500) throw fault
    return false
  }
}

const tasksIn = reading((db, at: { queueSid: string }) =>
  db.selectFrom('tasks').select(['sid', 'offers_max', 'turn']).where('task_queue_sid', '=', at.queueSid),
)

for (const engine of ['memory', 'postgres'] as const)
  describe(`on ${engine}, at once`, () => {
    test('everybody who was offered a task accepts it, and one has it', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const queue = await centre.queue('All', { maxReservedWorkers: 8 })
      await centre.workflow('One', { default_filter: { queue } })
      await Promise.all(Array.from({ length: 8 }, (_, at) => centre.worker(`w${at}`)))
      const task = await centre.task()
      await world.settle()
      const offers = await centre.workspace.tasks(task).reservations.list()
      assert.equal(offers.length, 8)
      const accepted = await Promise.all(
        offers.map((it) =>
          orRefused(
            centre.workspace.tasks(task).reservations(it.sid).update({ reservationStatus: 'accepted' }),
          ),
        ),
      )
      assert.equal(accepted.filter(Boolean).length, 1)
      await mustAgree(world.house.store.reader)
    })

    test('one begins to use what another deletes, and only one of the two succeeds', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const { workspace } = centre
      const ana = workspace.workers(await centre.worker('Ana'))
      const onlyOne = async (what: string, ...both: [Promise<unknown>, Promise<unknown>]) => {
        const [used, deleted] = await Promise.all(both.map(orRefused))
        assert.notEqual(used, deleted, what)
      }
      for (let round = 0; round < 8; round += 1) {
        const queue = workspace.taskQueues(await centre.queue(`Direct ${round}`))
        const taskQueueSid = (await queue.fetch()).sid
        await onlyOne('a queue', workspace.tasks.create({ taskQueueSid }), queue.remove())
        const routing = { default_filter: { queue: await centre.queue(`Routed ${round}`) } }
        const workflowSid = await centre.workflow(`Workflow ${round}`, routing)
        const workflow = workspace.workflows(workflowSid)
        await onlyOne('a workflow', workspace.tasks.create({ workflowSid }), workflow.remove())
        const { sid: activitySid } = await workspace.activities.create({ friendlyName: `Activity ${round}` })
        await onlyOne('an activity', ana.update({ activitySid }), workspace.activities(activitySid).remove())
        const taskChannel = `channel-${round}`
        await workspace.taskChannels.create({ friendlyName: taskChannel, uniqueName: taskChannel })
        const channel = workspace.taskChannels(taskChannel)
        await onlyOne(
          'a channel',
          workspace.tasks.create({ taskChannel, taskQueueSid: routing.default_filter.queue }),
          channel.remove(),
        )
        const { sid } = await world.twilio.taskrouter.v1.workspaces.create({
          friendlyName: `Desk ${round}`,
          template: 'FIFO',
        })
        const desk = world.twilio.taskrouter.v1.workspaces(sid)
        await onlyOne('a workspace', desk.tasks.create(), desk.remove())
      }
      await mustAgree(world.house.store.reader)
    })

    test('tasks that begin to wait while their queue changes wait as it says by then', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const queueSid = await centre.queue('All')
      for (let round = 0; round < 10; round += 1) {
        const taskOrder = round % 2 ? 'FIFO' : 'LIFO'
        const maxReservedWorkers = round + 2
        await Promise.all([
          ...Array.from({ length: 12 }, () => centre.task({ taskQueueSid: queueSid })),
          centre.workspace.taskQueues(queueSid).update({ maxReservedWorkers, taskOrder }),
        ])
        await world.settle()
        for (const it of await tasksIn.all(world.house.store.reader, { queueSid })) {
          // In a queue that serves the newest first turns run backwards.
          const order = it.turn < 0 ? 'LIFO' : 'FIFO'
          assert.deepEqual([it.offers_max, order], [maxReservedWorkers, taskOrder], it.sid)
        }
      }
    })

    test('a queue changes while its tasks go through their workflow again, and nobody waits in a circle', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const { workspace } = centre
      const queueSid = await centre.queue('All')
      const workflowSid = await centre.workflow('W', { default_filter: { queue: queueSid } })
      const tasks = await Promise.all(Array.from({ length: 12 }, () => centre.task({ workflowSid })))
      for (let round = 0; round < 4; round += 1) {
        const changes = round % 2 ? { friendlyName: `All ${round}` } : { maxReservedWorkers: round + 2 }
        await Promise.all([
          ...tasks.map((it) => workspace.tasks(it).update({ attributes: JSON.stringify({ round }) })),
          workspace.taskQueues(queueSid).update(changes),
        ])
      }
      await world.settle()
      const names = (await workspace.tasks.list()).map((it) => it.taskQueueFriendlyName)
      assert.deepEqual([...new Set(names)], ['All 3'])
    })

    test('tasks are changed and canceled while their workers begin to have several at once, or one', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const { workspace } = centre
      const workers = await Promise.all(Array.from({ length: 8 }, (_, at) => centre.worker(`w${at}`)))
      for (const multiTaskEnabled of [false, true, false]) {
        const tasks = await Promise.all(workers.map((routingTarget) => centre.task({ routingTarget })))
        await world.settle()
        const end = { attributes: '{"done": true}', assignmentStatus: 'canceled', reason: 'gone' } as const
        await Promise.all([
          ...tasks.map((it) => workspace.tasks(it).update(end)),
          workspace.update({ multiTaskEnabled }),
        ])
        for (const it of tasks) assert.equal(await centre.statusOf(it), 'canceled')
      }
      await mustAgree(world.house.store.reader)
    })

    test('workers who come into an activity while it is renamed are in one of its new name', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const { workspace } = centre
      for (let at = 0; at < 12; at += 1) await centre.worker(`w${at}`)
      for (let round = 0; round < 5; round += 1) {
        for (const { sid } of await workspace.workers.list())
          await workspace.workers(sid).update({ activitySid: centre.available })
        await Promise.all(Array.from({ length: 12 }, () => centre.task()))
        await world.settle()
        world.clock.advance(120_000)
        const friendlyName = `Away ${round}`
        await Promise.all([world.settle(), workspace.activities(centre.offline).update({ friendlyName })])
        await world.settle()
        const names = (await workspace.workers.list()).map((it) => it.activityName)
        assert.deepEqual([...new Set(names)], [friendlyName])
      }
    })

    test('workers who come to give several tasks at once while they take one are open as that says', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const { workspace } = centre
      for (let at = 0; at < 6; at += 1) await centre.worker(`w${at}`)
      for (let round = 0; round < 6; round += 1) {
        const tasks = await Promise.all(Array.from({ length: 6 }, () => centre.task()))
        await Promise.all([world.settle(), workspace.update({ multiTaskEnabled: round % 2 === 1 })])
        await world.settle()
        await mustAgree(world.house.store.reader)
        await Promise.all([
          ...tasks.map((it) => workspace.tasks(it).remove()),
          workspace.update({ multiTaskEnabled: round % 2 === 0 }),
        ])
        await mustAgree(world.house.store.reader)
      }
    })

    test('tasks come, are answered, canceled and completed, workers come and go, and every count agrees', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const queue = await centre.queue('All', { maxReservedWorkers: 2 })
      await centre.workflow('One', { default_filter: { queue } })
      const workers = await Promise.all(Array.from({ length: 6 }, (_, at) => centre.worker(`w${at}`)))
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(Array.from({ length: 8 }, () => centre.task({ taskChannel: 'chat' })))
        await world.settle()
        await mustAgree(world.house.store.reader)
        const pending = (
          await Promise.all(workers.map((it) => centre.workspace.workers(it).reservations.list()))
        ).flat()
        const asked = pending.flatMap((it, at) => {
          const reservation = centre.workspace.tasks(it.taskSid).reservations(it.sid)
          const worker = centre.workspace.workers(it.workerSid)
          const answer = (reservationStatus: 'accepted' | 'rejected' | 'completed') => () =>
            reservation.update({ reservationStatus })
          return [
            [
              answer('accepted'),
              () => centre.workspace.tasks(it.taskSid).update({ assignmentStatus: 'canceled', reason: 'x' }),
            ],
            [answer('rejected'), answer('accepted')],
            [
              () => worker.update({ activitySid: centre.offline, rejectPendingReservations: true }),
              () => worker.update({ activitySid: centre.available }),
            ],
            [answer('accepted'), answer('completed')],
          ][(at + round) % 4] as (() => Promise<unknown>)[]
        })
        await Promise.all([...asked.map((it) => orRefused(it())), world.settle()])
        await mustAgree(world.house.store.reader)
        for (const it of workers) await centre.workspace.workers(it).update({ activitySid: centre.available })
        await world.clock.advance(3_000)
      }
      await world.settle()
      await mustAgree(world.house.store.reader)
      const waiting = await centre.workspace.tasks.list({ assignmentStatus: ['pending'] })
      const free = (
        await Promise.all(workers.map((it) => centre.workspace.workers(it).workerChannels('chat').fetch()))
      ).filter((it) => it.availableCapacityPercentage > 0)
      assert.ok(!waiting.length || !free.length, 'nobody is idle while a task waits')
    })
  })
