/** Connections break, tokens end, answers and events overtake each other: everything is told, once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkerClient, WorkerError, type WorkerErrorKind } from '../src/index.ts'
import { runProgram } from './stage.ts'
import { listenToAll, nextOf, openWorkerStage, type WorkerStage } from './worker-stage.ts'

const connected = (client: WorkerClient) => nextOf(client, 'stateChanged', (state) => state === 'connected')

/** Cut off, something happens, and back. */
const missing = async (
  { network }: WorkerStage,
  client: WorkerClient,
  happens: () => Promise<unknown>,
): Promise<void> => {
  network.refuse(true)
  network.cut()
  await happens()
  const back = connected(client)
  network.refuse(false)
  await back
}

describe('a worker whose connection breaks', () => {
  test('is told what became of everything, once, before the state is connected', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const ana = await stage.hire('ana')
    const channel = centre.workspace.workers(ana.worker.sid).workerChannels('default')
    const wide = nextOf(ana, 'capacityUpdated')
    await channel.update({ capacity: 8 })
    await wide
    const [stays, wraps, ends, changes, deleted] = [
      await stage.give(ana),
      await stage.give(ana),
      await stage.give(ana),
      await stage.give(ana),
      await stage.give(ana),
    ]
    const offer = async () => {
      const offered = nextOf(ana, 'reservationCreated')
      await centre.task({ routingTarget: ana.worker.sid })
      return offered
    }
    const [accepted, canceled] = [await offer(), await offer()]
    const told = listenToAll(ana)
    const lines: string[] = []
    const named = new Map(
      Object.entries({ stays, wraps, ends, changes, deleted, accepted, canceled }).map(([name, it]) => [
        it.sid,
        name,
      ]),
    )
    for (const name of [
      'reservationAccepted',
      'reservationCanceled',
      'reservationCompleted',
      'reservationWrapUp',
    ] as const)
      ana.on(name, (it) => lines.push(`${named.get(it.sid)}: ${name} ${it.task.status}`))
    ana.on('taskUpdated', (it) => lines.push(`task: ${JSON.stringify(it.attributes)}`))

    await missing(stage, ana, async () => {
      const { workspace } = centre
      const task = ({ task: { sid } }: { task: { sid: string } }) => workspace.tasks(sid)
      const wrap = { assignmentStatus: 'wrapping', reason: 'done' } as const
      await task(wraps).update(wrap)
      await task(ends).update(wrap)
      await task(ends).update({ assignmentStatus: 'completed', reason: 'solved' })
      await task(changes).update({ attributes: '{"crm":1}' })
      await task(changes).update({ attributes: '{"crm":2}' })
      await task(deleted).remove()
      await centre.answer(accepted.task.sid, 'ana', 'accepted')
      await task(accepted).update(wrap)
      await task(canceled).update({ assignmentStatus: 'canceled', reason: 'hung up' })
      await workspace.workers(ana.worker.sid).update({ attributes: '{"languages":["fr"]}' })
      await workspace.workers(ana.worker.sid).update({ activitySid: centre.away })
      await channel.update({ capacity: 9 })
    })
    assert.deepEqual(lines.sort(), [
      'accepted: reservationAccepted wrapping',
      'accepted: reservationWrapUp wrapping',
      'canceled: reservationCanceled canceled',
      'deleted: reservationCompleted assigned',
      'ends: reservationCompleted completed',
      'task: {"crm":2}',
      'wraps: reservationWrapUp wrapping',
    ])
    assert.equal(told.filter((it) => it === 'activityUpdated').length, 1)
    assert.equal(told.filter((it) => it === 'attributesUpdated').length, 1)
    assert.equal(told.filter((it) => it === 'capacityUpdated').length, 1)
    assert.deepEqual(
      new Set(ana.reservations.map((it) => named.get(it.sid))),
      new Set(['stays', 'wraps', 'changes', 'accepted']),
    )

    told.length = 0
    await missing(stage, ana, async () => {})
    assert.deepEqual(told, [])
    const live = nextOf(ana, 'taskUpdated')
    await centre.workspace.tasks(stays.task.sid).update({ attributes: '{"live":true}' })
    assert.deepEqual((await live).attributes, { live: true })
  })

  test('is told what was offered meanwhile, and what was done about it elsewhere', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const ana = await stage.hire('ana')
    const told = listenToAll(ana)
    await missing(stage, ana, async () => {
      const task = await centre.task()
      await stage.world.house.runner.settle()
      await centre.answer(task, 'ana', 'accepted')
    })
    assert.deepEqual(told, ['reservationCreated', 'reservationAccepted'])
  })

  test('learns how a transfer ended meanwhile', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const ana = await stage.hire('ana')
    const bensSid = await centre.worker('ben')
    const reservation = await stage.give(ana)
    const told = listenToAll(ana)
    await reservation.transfer(bensSid)
    await missing(stage, ana, () => centre.answer(reservation.task.sid, 'ben', 'accepted'))
    assert.deepEqual(
      told.filter((it) => it.startsWith('transfer')),
      ['transferInitiated', 'transferCompleted'],
    )
    await missing(stage, ana, async () => {})
    assert.equal(told.filter((it) => it.startsWith('transfer')).length, 2)
  })

  test('says of what it asked that nobody knows, and asks later what waits', async () => {
    await using stage = await openWorkerStage()
    const ana = await stage.hire('ana')
    stage.network.refuse(true)
    const asked = ana.worker.setAttributes({ asked: true })
    stage.network.cut()
    await assert.rejects(
      asked,
      (it) => it instanceof WorkerError && it.kind === 'lost' && /look/.test(it.advice),
    )
    await nextOf(ana, 'stateChanged').catch(() => {})
    const waits = ana.worker.setAttributes({ waits: true })
    const reads = ana.getTaskQueues()
    stage.network.refuse(false)
    assert.deepEqual((await waits).attributes, { waits: true })
    assert.equal((await reads).length, 1)
  })

  test('survives a restart of the house', async () => {
    await using stage = await openWorkerStage({ engine: 'disk' })
    const ana = await stage.hire('ana')
    const reservation = await stage.give(ana)
    const back = connected(ana)
    await stage.world.restart()
    await back
    const told = listenToAll(ana)
    await reservation.complete()
    assert.deepEqual(told, ['taskCompleted', 'reservationCompleted'])
  })

  test('hears of an event before its answer, and of an answer before its event', async () => {
    await using stage = await openWorkerStage()
    for (const slow of ['fetch', 'socket'] as const) {
      const real = globalThis.fetch
      const late = async <T>(it: Promise<T>): Promise<T> => {
        const value = await it
        await new Promise((resolve) => setTimeout(resolve, 300))
        return value
      }
      class SlowSocket extends WebSocket {
        override set onmessage(listener: WebSocket['onmessage']) {
          super.onmessage = (event) => void setTimeout(() => listener?.call(this, event), 300)
        }
      }
      if (slow === 'fetch') globalThis.fetch = (...given) => late(real(...given))
      try {
        const ana = await stage.hire(`ana-${slow}`, slow === 'socket' ? { WebSocket: SlowSocket } : {})
        const told = listenToAll(ana)
        const reservation = await stage.give(ana)
        assert.equal(reservation.status, 'accepted')
        assert.equal(reservation.task.status, 'assigned')
        await reservation.task.setAttributes({ slow })
        assert.equal((await reservation.complete()).task.status, 'completed')
        assert.deepEqual(ana.reservations, [])
        assert.deepEqual(told, [
          'reservationCreated',
          'reservationAccepted',
          'taskUpdated',
          'taskCompleted',
          'reservationCompleted',
        ])
      } finally {
        globalThis.fetch = real
      }
    }
  })

  test('is told nothing twice while it is cut twenty times under load', async () => {
    await using stage = await openWorkerStage()
    const { centre } = stage
    const ana = await stage.hire('ana')
    await centre.workspace.workers(ana.worker.sid).workerChannels('default').update({ capacity: 50 })
    const created: string[] = []
    const completed: string[] = []
    ana.on('reservationCreated', (it) => created.push(it.task.sid))
    ana.on('reservationCompleted', (it) => completed.push(it.task.sid))
    const tasks: string[] = []
    for (let cut = 0; cut < 20; cut += 1) {
      const task = await centre.task()
      tasks.push(task)
      if (cut % 2) stage.network.cut()
      await stage.world.house.runner.settle()
      await centre.answer(task, 'ana', 'accepted')
      stage.network.cut()
    }
    const last = nextOf(ana, 'reservationCreated', (it) => it.task.attributes.last === true)
    tasks.push(await centre.task({ attributes: '{"last":true}' }))
    await (await last).accept()
    assert.deepEqual(created.sort(), tasks.sort())
    for (const { task } of ana.reservations) {
      stage.network.cut(() => Math.random() < 0.3)
      await centre.workspace.tasks(task.sid).update({ assignmentStatus: 'completed', reason: 'done' })
    }
    while (ana.reservations.length > 0) await nextOf(ana, 'reservationCompleted')
    assert.deepEqual(completed.sort(), tasks)
  })

  test('notices a line that swallows everything', async (t) => {
    await using stage = await openWorkerStage()
    let isDeaf = false
    class Deaf extends WebSocket {
      override set onmessage(listener: WebSocket['onmessage']) {
        super.onmessage = (event) => {
          if (!isDeaf) listener?.call(this, event)
        }
      }
    }
    t.mock.timers.enable({ apis: ['setInterval'] })
    // The house must find its own intervals when it closes.
    using _ = { [Symbol.dispose]: () => t.mock.timers.reset() }
    const ana = await stage.hire('ana', { WebSocket: Deaf })
    isDeaf = true
    const left = nextOf(ana, 'stateChanged', (state, error) => {
      return state === 'connecting' && error?.message === 'The connection fell silent'
    })
    t.mock.timers.tick(60_000)
    await left
    isDeaf = false
    await connected(ana)
  })
})

describe('tokens', () => {
  test('are renewed before they end, without a break', async () => {
    await using stage = await openWorkerStage()
    const sid = await stage.centre.worker('ana')
    let minted = 0
    const second = Promise.withResolvers<void>()
    const getToken = () => {
      minted += 1
      if (minted === 2) second.resolve()
      return stage.token(sid, { ttl: minted === 1 ? 3 : 3600 })
    }
    const ana = await stage.come(sid, { getToken })
    const states: string[] = []
    ana.on('stateChanged', (state) => states.push(state))
    const told = listenToAll(ana)
    const reservation = await stage.give(ana)
    await second.promise
    const ended = Date.now() + 3_000
    for (let at = 0; Date.now() <= ended; at += 1) await reservation.task.setAttributes({ at })
    await reservation.complete()
    assert.equal(minted, 2)
    assert.deepEqual(states, [])
    assert.equal(told.filter((it) => it === 'reservationCompleted').length, 1)
  })

  test('that could not be renewed are asked for again, and nothing is lost', async () => {
    await using stage = await openWorkerStage()
    const sid = await stage.centre.worker('ana')
    let minted = 0
    let isBroken = true
    const second = Promise.withResolvers<void>()
    // From the first on: on a slow machine it is to be renewed before anything else could be done.
    const getToken = async () => {
      if (minted > 0 && isBroken) throw new Error('the back end is down')
      minted += 1
      if (minted === 2) second.resolve()
      return stage.token(sid, { ttl: minted === 1 ? 2 : 3600 })
    }
    const ana = await stage.come(sid, { getToken })
    const ended = Date.now() + 2_000
    // It is told each time that a renewal fails.
    const failed = await nextOf(ana, 'error')
    assert.match(failed.message, /getToken failed: the back end is down/)
    const told = listenToAll(ana)
    await missing(stage, ana, async () => {
      await stage.centre.task()
      await stage.world.house.runner.settle()
      while (Date.now() <= ended) await stage.centre.workspace.fetch()
      isBroken = false
    })
    assert.deepEqual(told, ['reservationCreated'])
    await second.promise
    assert.equal(minted, 2)
  })

  test('that are refused when fresh say precisely why, and a new attempt may be made', async () => {
    await using stage = await openWorkerStage()
    const sid = await stage.centre.worker('ana')
    const refused = async (getToken: () => string, kind: WorkerErrorKind, code: number) => {
      const client = new WorkerClient({ url: stage.url, getToken })
      await assert.rejects(client.connect(), (it) => {
        assert.ok(it instanceof WorkerError)
        assert.deepEqual([it.kind, it.code], [kind, code], it.message)
        assert.ok(it.advice.length > 10)
        return true
      })
      assert.equal(client.state, 'denied')
      await client.close()
    }
    await refused(() => stage.token(sid, { ttl: -60 }), 'token', 20104)
    await refused(() => 'nonsense', 'token', 20101)
    await refused(() => stage.token(undefined), 'token', 20106)
    await refused(() => stage.token(`WK${'0'.repeat(32)}`), 'missing', 20404)
    const client = new WorkerClient({ url: 'chat.example.org', getToken: () => stage.token(sid) })
    await assert.rejects(client.connect(), { kind: 'invalid' })
    await client.close()

    let isGood = false
    const ana = new WorkerClient({
      url: stage.url,
      getToken: () => stage.token(sid, { ttl: isGood ? 3_600 : -60 }),
    })
    await assert.rejects(ana.connect(), WorkerError)
    isGood = true
    await ana.connect()
    assert.equal(ana.state, 'connected')
    await ana.close()
  })
})

describe('sessions', () => {
  test('are replaced where asked so, and the other one stays away', async () => {
    await using stage = await openWorkerStage()
    const first = await stage.hire('ana')
    const second = await stage.come(first.worker.sid)
    const denied = [first, second].map((it) => nextOf(it, 'stateChanged', (state) => state === 'denied'))
    const third = await stage.come(first.worker.sid, { closeExistingSessions: true })
    await Promise.all(denied)
    const back = connected(third)
    stage.network.cut()
    await back
    await first.connect()
    assert.deepEqual([first.state, third.state], ['connected', 'connected'])
  })

  test('hear of each other, and what is refused says why', async () => {
    await using stage = await openWorkerStage()
    const one = await stage.hire('ana')
    const other = await stage.come(one.worker.sid)
    const reservation = await stage.give(one)
    if (other.reservations[0]?.status !== 'accepted') await nextOf(other, 'reservationAccepted')
    await other.reservations[0]?.complete()
    await assert.rejects(reservation.accept(), { name: 'WorkerError', kind: 'invalid', status: 400 })
    await assert.rejects(one.worker.setActivity('nonsense'), { kind: 'invalid' })
    await assert.rejects(one.worker.setActivity(`WA${'0'.repeat(32)}`), WorkerError)
  })
})

describe('a worker who is removed', () => {
  test('is told so, and stays away', async () => {
    await using stage = await openWorkerStage()
    const sid = await stage.centre.worker('ana', {}, stage.centre.offline)
    const ana = await stage.come(sid)
    const denied = new Promise<WorkerError | undefined>((resolve) => {
      ana.on('stateChanged', (state, error) => {
        if (state === 'denied') resolve(error)
      })
    })
    await stage.centre.workspace.workers(sid).remove()
    const error = await denied
    assert.deepEqual([error?.kind, error?.status], ['missing', 404])
    await assert.rejects(ana.connect(), { kind: 'missing' })
  })
})

describe('close', () => {
  test('leaves no timer: a program ends by itself', async () => {
    await using stage = await openWorkerStage()
    const sid = await stage.centre.worker('ana')
    const program = `const client = new WorkerClient({ url, getToken: () => args[0] })
      const offered = new Promise((resolve) => client.on('reservationCreated', resolve))
      await client.connect()
      const sid = await client.createTask({})
      const reservation = await offered
      await reservation.accept()
      const waits = reservation.task.setAttributes({}).catch((fault) => fault.kind)
      await client.close()
      const after = await reservation.complete().catch((fault) => fault.kind)
      console.log(await waits, after, client.state)`
    assert.deepEqual(await runProgram(stage, program, [stage.token(sid)]), {
      said: 'closed closed disconnected',
      code: 0,
    })
  })

  test('ends attempts to connect, and before them nothing can be asked', async () => {
    await using stage = await openWorkerStage()
    stage.network.refuse(true)
    const sid = await stage.centre.worker('ana')
    const client = new WorkerClient({ url: stage.url, getToken: () => stage.token(sid) })
    assert.throws(() => client.worker, WorkerError)
    await assert.rejects(client.getTaskQueues(), { kind: 'closed' })
    const attempts = client.connect()
    const waits = client.getTaskQueues()
    await nextOf(client, 'stateChanged', (_, error) => error?.kind === 'lost')
    await client.close()
    await assert.rejects(attempts, { kind: 'closed' })
    await assert.rejects(waits, { kind: 'closed' })
    await assert.rejects(client.connect(), WorkerError)
  })
})
