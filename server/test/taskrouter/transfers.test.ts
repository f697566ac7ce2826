/** Transfers that others meddle with: whoever is first decides, nobody is left with half a task, and every count agrees. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Bridge, openBridge } from '../protocols/bridge.ts'
import { mustAgree } from './agreement.ts'

interface Given {
  readonly task: string
  readonly transfer: string
  /** The pending reservation of whoever is to get it. */
  readonly offer: string
}

/** A task that ana has and gives to ben. */
const give = async (bridge: Bridge, ana: string, ben: string, mode: 'WARM' | 'COLD'): Promise<Given> => {
  const { centre, world, ask, token } = bridge
  const task = await centre.task({ routingTarget: ana })
  await world.settle()
  await centre.answer(task, 'ana', 'accepted')
  const [own] = await centre.workspace.tasks(task).reservations.list()
  const form = { TaskSid: task, ReservationSid: own?.sid, To: ben, Mode: mode }
  const made = await ask('POST', `Workers/${ana}/Transfers`, token(ana), form)
  assert.equal(made.status, 200, JSON.stringify(made.body))
  const offer = (await centre.workspace.tasks(task).reservations.list()).find((it) => it.workerSid === ben)
  return { task, transfer: made.body.sid, offer: offer?.sid ?? '' }
}

for (const engine of ['memory', 'postgres'] as const)
  describe(`on ${engine}`, () => {
    test('of accepting, rejecting, canceling and deleting at once, each is done or refused', async () => {
      await using bridge = await openBridge({ engine })
      const { centre, world, ask, token } = bridge
      const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
      await centre.workspace.workers(ana).workerChannels('default').update({ capacity: 20 })
      await centre.workspace.workers(ben).workerChannels('default').update({ capacity: 20 })
      for (const mode of ['WARM', 'COLD'] as const)
        for (let round = 0; round < 4; round += 1) {
          const { task, transfer, offer } = await give(bridge, ana, ben, mode)
          const move = (ReservationStatus: string) =>
            ask('POST', `Workers/${ben}/Reservations/${offer}`, token(ben), { ReservationStatus })
          const cancel = () =>
            ask('POST', `Workers/${ana}/Transfers/${transfer}`, token(ana), {
              TaskSid: task,
              TransferStatus: 'canceled',
            })
          const remove = async () => {
            const it = await world.fetch(`/v1/Workspaces/${bridge.workspaceSid}/Tasks/${task}`, {
              method: 'DELETE',
            })
            return { status: it.status }
          }
          const all = [() => move('accepted'), () => move('rejected'), cancel, ...(round > 1 ? [remove] : [])]
          const order = [...all.slice(round % 3), ...all.slice(0, round % 3)]
          const done = await Promise.all(order.map((it) => it()))
          for (const { status } of done) assert.ok([200, 204, 400, 404].includes(status), String(status))
          await mustAgree(world.house.store.reader)
          await world.settle()
          await mustAgree(world.house.store.reader)
        }
    })

    test('of those who give one task to two, one does', async () => {
      await using bridge = await openBridge({ engine })
      const { centre, world, ask, token } = bridge
      const names = ['ana', 'ben', 'cleo']
      const [ana = '', ben = '', cleo = ''] = await Promise.all(names.map((it) => centre.worker(it)))
      const task = await centre.task({ routingTarget: ana })
      await world.settle()
      await centre.answer(task, 'ana', 'accepted')
      const [own] = await centre.workspace.tasks(task).reservations.list()
      const made = await Promise.all(
        [ben, cleo].map((To) =>
          ask('POST', `Workers/${ana}/Transfers`, token(ana), {
            TaskSid: task,
            ReservationSid: own?.sid,
            To,
          }),
        ),
      )
      assert.deepEqual(made.map((it) => it.status).toSorted(), [200, 400])
      assert.equal((await centre.offersOf(task)).length, 2)
      await mustAgree(world.house.store.reader)
    })
  })

test('who has nothing more to do completes alone, and the last ends the task', async () => {
  await using bridge = await openBridge()
  const { centre, world, ask, token } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  const { task, offer } = await give(bridge, ana, ben, 'COLD')
  const move = async (worker: string, sid: string, ReservationStatus: string) =>
    assert.equal(
      (await ask('POST', `Workers/${worker}/Reservations/${sid}`, token(worker), { ReservationStatus }))
        .status,
      200,
    )
  const [own] = await centre.workspace.tasks(task).reservations.list({ workerSid: ana })
  await move(ana, own?.sid ?? '', 'completed')
  assert.equal(await centre.statusOf(task), 'reserved')
  await move(ben, offer, 'accepted')
  assert.equal(await centre.statusOf(task), 'assigned')
  await move(ben, offer, 'wrapping')
  assert.equal(await centre.statusOf(task), 'wrapping')
  await move(ben, offer, 'completed')
  assert.equal(await centre.statusOf(task), 'completed')
  await mustAgree(world.house.store.reader)
})

test('what was sent straight to somebody waits for them again where nobody takes it, also in a queue', async () => {
  await using bridge = await openBridge()
  const { centre, world, ask, token } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  // Whom the queue would serve first.
  await centre.worker('cleo')
  world.clock.advance(1_000)
  const taskQueueSid = await centre.queue('Everybody')
  const task = await centre.task({ routingTarget: ana, taskQueueSid })
  await world.settle()
  await centre.answer(task, 'ana', 'accepted')
  const [own] = await centre.workspace.tasks(task).reservations.list()
  const form = { TaskSid: task, ReservationSid: own?.sid, To: ben, Mode: 'COLD' }
  assert.equal((await ask('POST', `Workers/${ana}/Transfers`, token(ana), form)).status, 200)
  await centre.answer(task, 'ana', 'completed')
  await centre.answer(task, 'ben', 'rejected')
  await world.settle()
  assert.deepEqual(await centre.offersOf(task), ['ana:completed', 'ben:rejected', 'ana:pending'])
  await mustAgree(world.house.store.reader)
})

test('what is given to one worker is offered to no other, though its queue may come to ask several at once', async () => {
  await using bridge = await openBridge()
  const { centre, world, ask, token } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  const queue = await centre.queue('All')
  const task = await centre.task({ taskQueueSid: queue })
  await world.settle()
  await centre.answer(task, 'ana', 'accepted')
  await centre.worker('cleo')
  const [own] = await centre.workspace.tasks(task).reservations.list()
  const form = { TaskSid: task, ReservationSid: own?.sid, To: ben, Mode: 'WARM' }
  assert.equal((await ask('POST', `Workers/${ana}/Transfers`, token(ana), form)).status, 200)
  await centre.workspace.taskQueues(queue).update({ maxReservedWorkers: 5, friendlyName: 'Everybody' })
  await world.settle()
  assert.deepEqual(await centre.offersOf(task), ['ana:accepted', 'ben:pending'])
  assert.equal((await centre.workspace.tasks(task).fetch()).taskQueueFriendlyName, 'Everybody')
  await mustAgree(world.house.store.reader)
})

test('what a queue has given to somebody waits in that queue again, whoever it was sent to at first', async () => {
  await using bridge = await openBridge()
  const { centre, world, ask, token } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  const queue = await centre.queue('Bens', { targetWorkers: `sid == '${ben}'` })
  const nobody = await centre.queue('Nobody', { targetWorkers: '1 == 2' })
  const task = await centre.task({ routingTarget: ana })
  await world.settle()
  await centre.answer(task, 'ana', 'accepted')
  const give = async (from: string, name: string, to: string): Promise<string> => {
    const own = (await centre.workspace.tasks(task).reservations.list({ workerSid: from })).at(-1)
    const form = { TaskSid: task, ReservationSid: own?.sid, To: to, Mode: 'COLD' }
    const { status, body } = await ask('POST', `Workers/${from}/Transfers`, token(from), form)
    assert.equal(status, 200)
    await centre.answer(task, name, 'completed')
    await world.settle()
    return body.sid
  }
  await give(ana, 'ana', queue)
  await centre.answer(task, 'ben', 'accepted')
  const transfer = await give(ben, 'ben', nobody)
  const back = { TaskSid: task, TransferStatus: 'canceled' }
  assert.equal((await ask('POST', `Workers/${ben}/Transfers/${transfer}`, token(ben), back)).status, 200)
  await world.settle()
  assert.deepEqual(await centre.offersOf(task), ['ana:completed', 'ben:completed', 'ben:pending'])
})

test('goes on through many hands, and to nobody who has it', async () => {
  await using bridge = await openBridge()
  const { centre, world, ask, token } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  for (const sid of [ana, ben])
    await centre.workspace.workers(sid).workerChannels('default').update({ capacity: 5 })
  const queue = await centre.queue('Everybody')
  const { task, offer } = await give(bridge, ana, ben, 'WARM')
  await centre.answer(task, 'ben', 'accepted')
  const on = (To: string, Mode = 'WARM') =>
    ask('POST', `Workers/${ben}/Transfers`, token(ben), { TaskSid: task, ReservationSid: offer, To, Mode })
  const refused = await on(ana)
  assert.equal(refused.status, 400)
  assert.match(refused.body.message, /ana has it already/)
  assert.equal((await on(queue)).status, 200)
  await world.settle()
  assert.deepEqual(await centre.offersOf(task), ['ana:accepted', 'ben:accepted'])
  const cleo = await centre.worker('cleo')
  await world.settle()
  await centre.answer(task, 'cleo', 'accepted')
  await mustAgree(world.house.store.reader)
  const dora = await centre.worker('dora')
  const [hers] = await centre.workspace.tasks(task).reservations.list({ workerSid: cleo })
  const form = { TaskSid: task, ReservationSid: hers?.sid, To: dora, Mode: 'COLD' }
  assert.equal((await ask('POST', `Workers/${cleo}/Transfers`, token(cleo), form)).status, 200)
  await centre.answer(task, 'dora', 'rejected')
  assert.equal(await centre.statusOf(task), 'assigned')
  await mustAgree(world.house.store.reader)
})

test('a cold transfer whose giver is gone and whose taker refuses lets the task wait where it was', async () => {
  await using bridge = await openBridge()
  const { centre, world, ask, token } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  const { task, offer } = await give(bridge, ana, ben, 'COLD')
  const [own] = await centre.workspace.tasks(task).reservations.list({ workerSid: ana })
  const post = (worker: string, sid: string, ReservationStatus: string) =>
    ask('POST', `Workers/${worker}/Reservations/${sid}`, token(worker), { ReservationStatus })
  await post(ana, own?.sid ?? '', 'completed')
  await post(ben, offer, 'rejected')
  assert.equal(await centre.statusOf(task), 'pending')
  await world.settle()
  assert.equal((await centre.offersOf(task)).at(-1), 'ana:pending')
  await mustAgree(world.house.store.reader)
})

test('its events are kept, and its transfer goes with the task', async () => {
  await using bridge = await openBridge()
  const { centre, world } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  const { task, transfer } = await give(bridge, ana, ben, 'WARM')
  await centre.answer(task, 'ben', 'accepted')
  const events = await centre.workspace.events.list({ taskSid: task })
  const told = events.filter((it) => it.eventType.startsWith('task.transfer-'))
  assert.deepEqual(told.map((it) => it.eventType).toSorted(), [
    'task.transfer-completed',
    'task.transfer-initiated',
  ])
  for (const it of told) assert.equal(it.eventData.transfer_sid, transfer)
  await centre.workspace.tasks(task).remove()
  await mustAgree(world.house.store.reader)
})
