/** What the simulation found in TaskRouter, and what was found beside it, each as a story of its own. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { find } from '../../src/store/rows.ts'
import { until } from '../journeys/program.ts'
import { type Bridge, openBridge } from '../protocols/bridge.ts'
import { mustAgree } from '../taskrouter/agreement.ts'
import { openCentre } from '../taskrouter/centre.ts'
import { openWorld } from '../world/index.ts'
import { openChance } from './chance.ts'
import { openStage, WORKER, WORKSPACE } from './stage.ts'

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

  test('a worker whose socket is gone takes no tasks where those who let offers pass stay available', async () => {
    await using bridge = await openBridge()
    const { centre, world } = bridge
    await centre.workspace.update({ timeoutActivitySid: centre.available })
    const ana = await centre.worker('ana')
    await leaves(bridge, ana)
    world.clock.advance(LEASE_MS + 1_000)
    await world.settle()
    assert.equal((await centre.workspace.workers(ana).fetch()).activityName, 'Offline')
  })

  test('a worker who comes back while the disk fails is not put offline for having been gone', async () => {
    await using stage = await openStage(openChance(1), { committed: () => {} })
    const { sid: workspaceSid } =
      (await stage.ask(WORKSPACE, 'create', {}, { friendlyName: 'Support' })) ?? {}
    const ready = { friendlyName: 'Ready', available: true }
    const activity = await stage.ask(`${WORKSPACE}.activity`, 'create', { workspaceSid }, ready)
    const ana = { friendlyName: 'ana', activitySid: activity?.sid }
    const { sid = '' } = (await stage.ask(WORKER, 'create', { workspaceSid }, ana)) ?? {}
    const goOn = async (ms: number) => {
      await stage.quiet()
      stage.advance(ms)
      await stage.settle()
    }
    stage.attendance.arrived(sid)
    stage.attendance.left(sid)
    await goOn(50_000)
    stage.trials.troublePercent = 100
    stage.attendance.arrived(sid)
    await stage.quiet()
    stage.trials.troublePercent = 0
    await goOn(5_000)
    await goOn(10_000)
    assert.equal((await find(stage.reader, 'workers', { sid }))?.available, 1)
    stage.attendance.left(sid)
    await goOn(60_000)
    assert.equal((await find(stage.reader, 'workers', { sid }))?.available, 0)
  })

  test('an offer that passes makes nobody available who has left', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.workspace.update({ timeoutActivitySid: centre.available })
    const ana = await centre.worker('ana')
    const task = await centre.task()
    await world.settle()
    await centre.workspace.workers(ana).update({ activitySid: centre.away })
    world.clock.advance(120_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:timeout'])
    assert.equal((await centre.workspace.workers(ana).fetch()).activityName, 'Unavailable')
  })

  for (const [how, mode, leavesAfter] of [
    ['is given away for good', 'COLD', false],
    ['is left by who gave it', 'WARM', true],
  ] as const)
    test(`a task that ${how}, to a queue of nobody, does not wait for ever`, async () => {
      await using bridge = await openBridge()
      const { centre, world } = bridge
      const ana = await centre.worker('ana')
      const nobody = await centre.queue('Nobody', { targetWorkers: '1 == 2' })
      const task = await centre.task({ timeout: 600 })
      await world.settle()
      await centre.answer(task, 'ana', 'accepted')
      await gives(bridge, { task, from: ana, to: nobody, mode })
      if (leavesAfter) await centre.answer(task, 'ana', 'completed')
      world.clock.advance(599_000)
      await world.settle()
      assert.equal(await centre.statusOf(task), 'pending')
      world.clock.advance(1_000)
      await world.settle()
      assert.equal(await centre.statusOf(task), 'canceled')
      await mustAgree(world.house.store.reader)
    })

  test('a task that was for one worker within their capacity still is when nobody else took it', async () => {
    await using bridge = await openBridge()
    const { centre, world } = bridge
    const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
    const task = await centre.task({ routingTarget: ana, ignoreCapacity: false })
    await world.settle()
    await centre.answer(task, 'ana', 'accepted')
    await gives(bridge, { task, from: ana, to: ben, mode: 'COLD' })
    await centre.answer(task, 'ana', 'completed')
    const other = await centre.task({ routingTarget: ana, ignoreCapacity: false })
    await world.settle()
    await centre.answer(task, 'ben', 'rejected')
    await world.settle()
    assert.deepEqual(await centre.offersOf(other), ['ana:pending'])
    assert.deepEqual(await centre.offersOf(task), ['ana:completed', 'ben:rejected'])
    await mustAgree(world.house.store.reader)
  })

  test('a task for one worker is offered to them once, whatever queue it was given to meanwhile', async () => {
    await using bridge = await openBridge()
    const { centre, world, ask, token } = bridge
    const ana = await centre.worker('ana')
    const many = await centre.queue('Many', { targetWorkers: '1 == 2', maxReservedWorkers: 3 })
    const task = await centre.task({ routingTarget: ana })
    await world.settle()
    await centre.answer(task, 'ana', 'accepted')
    const transfer = await gives(bridge, { task, from: ana, to: many, mode: 'COLD' })
    await centre.answer(task, 'ana', 'completed')
    const back = { TaskSid: task, TransferStatus: 'canceled' }
    assert.equal((await ask('POST', `Workers/${ana}/Transfers/${transfer}`, token(ana), back)).status, 200)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:completed', 'ana:pending'])
    const row = await find(world.house.store.reader, 'tasks', { sid: task })
    assert.deepEqual([row?.offers_max, row?.waits], [1, 0])
  })

  test('a task that waits again is not for who is tidying up after it, and holds up no other', async () => {
    await using bridge = await openBridge()
    const { centre, world, ask, token } = bridge
    const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
    await centre.workspace.workers(ana).workerChannels('default').update({ capacity: 5 })
    const nobody = await centre.queue('Nobody', { targetWorkers: '1 == 2' })
    const task = await centre.task({ routingTarget: ana })
    await world.settle()
    await centre.answer(task, 'ana', 'accepted')
    await gives(bridge, { task, from: ana, to: ben, mode: 'WARM' })
    await centre.answer(task, 'ben', 'accepted')
    await centre.answer(task, 'ana', 'wrapping')
    const transfer = await gives(bridge, { task, from: ben, to: nobody, mode: 'WARM' })
    await centre.answer(task, 'ben', 'completed')
    const back = { TaskSid: task, TransferStatus: 'canceled' }
    assert.equal((await ask('POST', `Workers/${ben}/Transfers/${transfer}`, token(ben), back)).status, 200)
    await world.settle()
    const other = await centre.task({ routingTarget: ben })
    await world.settle()
    assert.deepEqual(await centre.offersOf(other), ['ben:pending'])
    assert.deepEqual(await centre.offersOf(task), ['ana:wrapping', 'ben:completed'])
    await centre.answer(task, 'ana', 'completed')
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:completed', 'ben:completed', 'ana:pending'])
    await mustAgree(world.house.store.reader)
  })
})

describe('Found by the simulation on PostgreSQL', () => {
  test('a task that is made while its workflow changes goes where the workflow leads by then', async () => {
    await using world = await openWorld({ engine: 'postgres' })
    const centre = await openCentre(world, { routed: false })
    const queues = [await centre.queue('First'), await centre.queue('Second')] as const
    const leadingTo = (queue: string) => ({ default_filter: { queue } })
    const workflow = await centre.workflow('Changes', leadingTo(queues[0]))
    for (let round = 1; round <= 5; round += 1) {
      const queue = queues[round % 2] as string
      const configuration = JSON.stringify({ task_routing: leadingTo(queue) })
      const change = () =>
        centre.workspace.workflows(workflow).update({ configuration, reEvaluateTasks: 'true' })
      const [made] = await Promise.all([
        Promise.all(Array.from({ length: 8 }, () => centre.task({ workflowSid: workflow }))),
        change(),
        world.settle(),
      ])
      await world.settle()
      const tasks = await centre.workspace.tasks.list({ taskQueueSid: queue })
      const there = new Set(tasks.map((it) => it.sid))
      assert.deepEqual(
        made.filter((it) => !there.has(it)),
        [],
        `round ${round}`,
      )
    }
  })
})

/** Of who is gone, and may come back, in milliseconds; who is here has a longer one. */
const LEASE_MS = 60_000

/** A worker comes, and is cut off. */
const leaves = async ({ begin, world }: Bridge, workerSid: string): Promise<void> => {
  const raw = await begin(workerSid)
  raw.socket.close()
  await raw.ended
  const latest = world.clock.now() + LEASE_MS
  await until('the end of their socket is written down', async () => {
    const lease = { kind: 'taskrouter.worker-gone', key: workerSid }
    const job = await find(world.house.store.reader, 'jobs', lease)
    return job && job.due_at <= latest ? job : undefined
  })
}

/** @returns the SID of the transfer */
const gives = async (
  { centre, ask, token }: Bridge,
  { task, from, to, mode }: { task: string; from: string; to: string; mode: 'WARM' | 'COLD' },
): Promise<string> => {
  const own = (await centre.workspace.tasks(task).reservations.list({ workerSid: from })).at(-1)
  const form = { TaskSid: task, ReservationSid: own?.sid, To: to, Mode: mode }
  const made = await ask('POST', `Workers/${from}/Transfers`, token(from), form)
  assert.equal(made.status, 200, JSON.stringify(made.body))
  return made.body.sid
}
