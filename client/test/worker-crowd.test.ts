/** Many workers at once, dropped at random under load: in the end what each has been told is what is there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Reservation, WorkerClient } from '../src/index.ts'
import { PATIENCE_MS, untilConnected } from './next.ts'
import { nextOf, openWorkerStage, type WorkerStage } from './worker-stage.ts'

const WORKERS = 16
const ROUNDS = 40
const TASKS_A_ROUND = 3
/** There is room for more than all tasks. */
const CAPACITY = 8

const ENDS = [
  'reservationCanceled',
  'reservationCompleted',
  'reservationRejected',
  'reservationRescinded',
  'reservationTimedOut',
] as const

/** What a worker was told, by reservation: what it believes, and what came twice or in another order. */
const believe = (client: WorkerClient) => {
  const status = new Map<string, string>()
  const complaints: string[] = []
  const expect = (it: Reservation, now: string, before: readonly (string | undefined)[]) => {
    if (!before.includes(status.get(it.sid))) complaints.push(`${it.sid}: ${status.get(it.sid)}, ${now}`)
    status.set(it.sid, now)
  }
  client.on('reservationCreated', (it) => expect(it, 'pending', [undefined]))
  client.on('reservationAccepted', (it) => expect(it, 'accepted', ['pending']))
  client.on('reservationWrapUp', (it) => expect(it, 'wrapping', ['accepted']))
  for (const name of ENDS) client.on(name, (it) => expect(it, 'ended', ['pending', 'accepted', 'wrapping']))
  const live = () => Object.fromEntries([...status].filter(([, it]) => it !== 'ended'))
  return { complaints, live }
}

const LIVE: readonly string[] = ['pending', 'accepted', 'wrapping']

/** By REST. */
const atRest = async ({ centre }: WorkerStage, workerSid: string) => {
  const worker = centre.workspace.workers(workerSid)
  const [{ activityName, attributes }, all] = await Promise.all([worker.fetch(), worker.reservations.list()])
  const live = all.filter((it) => LIVE.includes(it.reservationStatus))
  const tasks = await Promise.all(live.map((it) => centre.workspace.tasks(it.taskSid).fetch()))
  return {
    activityName,
    attributes: JSON.parse(attributes),
    reservations: Object.fromEntries(
      live.map((it, at) => [
        it.sid,
        [it.reservationStatus, tasks[at]?.assignmentStatus, JSON.parse(tasks[at]?.attributes ?? '{}')],
      ]),
    ),
  }
}

const atDesk = (client: WorkerClient) => ({
  activityName: client.worker.activity.friendlyName,
  attributes: client.worker.attributes,
  reservations: Object.fromEntries(
    client.reservations.map(({ sid, status, task }) => [sid, [status, task.status, task.attributes]]),
  ),
})

test('a crowd of workers, dropped and revived under load, ends in agreement', async () => {
  await using stage = await openWorkerStage()
  const { centre } = stage
  const { workspace } = centre
  const clients: WorkerClient[] = []
  for (let at = 0; at < WORKERS; at += 1) {
    const sid = await centre.worker(`worker-${at}`)
    await workspace.workers(sid).workerChannels('default').update({ capacity: CAPACITY })
    clients.push(await stage.come(sid))
  }
  const beliefs = clients.map(believe)
  const chance = (part: number) => Math.random() < part
  const one = <T>(of: readonly T[]): T | undefined => of[Math.floor(Math.random() * of.length)]
  const asked: Promise<unknown>[] = []
  // What is lost may have been done, and what was done elsewhere is refused: the end tells.
  const perhaps = (it: Promise<unknown> | undefined): Promise<unknown> => {
    const settled = Promise.resolve(it).catch(() => {})
    asked.push(settled)
    return settled
  }

  let isOver = false
  for (const client of clients)
    client.on('reservationCreated', (it) => {
      if (!isOver) void perhaps(chance(0.8) ? it.accept() : it.reject())
    })
  for (let round = 0; round < ROUNDS; round += 1) {
    stage.network.cut(() => chance(0.1))
    await untilConnected(clients, WORKERS / 2)
    for (let at = 0; at < TASKS_A_ROUND; at += 1)
      await centre.task({ attributes: JSON.stringify({ round, at }) })
    for (const client of clients) {
      const reservation = one(client.reservations)
      if (!reservation || chance(0.4)) continue
      const dice = reservation.status === 'wrapping' ? 0 : Math.random()
      if (dice < 0.3) void perhaps(reservation.complete())
      else if (dice < 0.6) void perhaps(reservation.task.setAttributes({ round, noted: true }))
      else if (dice < 0.8) void perhaps(reservation.transfer(one(clients)?.worker.sid ?? ''))
      else void perhaps(reservation.wrapUp())
    }
    const client = one(clients)
    if (client) {
      const others = one([centre.available, centre.available, centre.away])
      await perhaps(workspace.workers(client.worker.sid).update({ activitySid: others ?? '' }))
      void perhaps(client.worker.setAttributes({ round }))
    }
    const known = one(clients.flatMap((it) => it.reservations))
    const task = known && workspace.tasks(known.task.sid)
    if (chance(0.2)) await perhaps(task?.remove())
    else await perhaps(task?.update({ assignmentStatus: 'completed', reason: `round ${round}` }))
  }
  isOver = true
  await untilConnected(clients)
  // Nobody answers these any more: they are under way in the end.
  for (const client of clients) {
    const mine = client.reservations.find((it) => it.status === 'accepted')
    void perhaps(mine?.transfer(one(clients)?.worker.sid ?? '', { attributes: { handed: 'on' } }))
  }
  await Promise.all(asked)
  await stage.world.house.runner.settle()
  await untilConnected(clients)
  for (const [at, client] of clients.entries()) {
    // Who has heard of the last change has heard of all before it.
    const last = nextOf(client, 'attributesUpdated', (it) => it.attributes.last === at)
    await workspace.workers(client.worker.sid).update({ attributes: JSON.stringify({ last: at }) })
    await last
  }
  await stage.world.house.runner.settle()
  for (const [at, client] of clients.entries()) {
    // What was done last may still be under way.
    const late = Date.now() + PATIENCE_MS
    let rest = await atRest(stage, client.worker.sid)
    while (!isDeepStrictEqual(atDesk(client), rest) && Date.now() < late)
      rest = await atRest(stage, client.worker.sid)
    assert.deepEqual(atDesk(client), rest)
    assert.deepEqual(beliefs[at]?.complaints, [])
    const believed = Object.fromEntries(client.reservations.map(({ sid, status }) => [sid, status]))
    assert.deepEqual(beliefs[at]?.live(), believed)
  }
})
