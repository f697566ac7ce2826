/** Every move of a task and of a reservation from every state, asked for: the tables say which are legal. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  RESERVATION_MOVES,
  RESERVATION_STATUSES,
  RESERVATION_STATUSES_ASKED,
  type ReservationStatus,
} from '@parley/contract/taskrouter/reservation.ts'
import {
  TASK_MOVES,
  TASK_STATUSES,
  TASK_STATUSES_ASKED,
  type TaskStatus,
} from '@parley/contract/taskrouter/task.ts'
import { openWorld, type World } from '../world/index.ts'
import { mustAgree } from './agreement.ts'
import { type Centre, openCentre } from './centre.ts'
import { refused } from './refused.ts'

/** More than any state needs, fewer than the sweep waits for. In milliseconds. */
const RESERVATION_TIMEOUT_MS = 10_000

/** Tasks of the channel `chat` are offered to both workers, who have room for all of them. */
const openPair = async (world: World): Promise<Centre> => {
  const centre = await openCentre(world, { routed: false })
  // Whoever lets an offer run out stays available here, so that all offers are alike.
  await centre.workspace.update({ timeoutActivitySid: centre.available })
  const queue = await centre.queue('All', { maxReservedWorkers: 2 })
  const seconds = RESERVATION_TIMEOUT_MS / 1000
  await centre.workflow('W', { default_filter: { queue } }, { taskReservationTimeout: seconds })
  for (const name of ['Ana', 'Ben'])
    await centre.workspace
      .workers(await centre.worker(name))
      .workerChannels('chat')
      .update({ capacity: 100 })
  return centre
}

const cancel = { assignmentStatus: 'canceled', reason: 'x' } as const

/** How a task that is offered to both comes into each state. One that is pending is of a channel nobody takes. */
const TASK_WAYS: Readonly<Record<TaskStatus, (centre: Centre, sid: string) => Promise<unknown>>> = {
  pending: async () => undefined,
  reserved: async () => undefined,
  assigned: (centre, sid) => centre.answer(sid, 'Ana', 'accepted'),
  wrapping: async (centre, sid) => {
    await centre.answer(sid, 'Ana', 'accepted')
    await centre.answer(sid, 'Ana', 'wrapping')
  },
  completed: async (centre, sid) => {
    await centre.answer(sid, 'Ana', 'accepted')
    await centre.answer(sid, 'Ana', 'completed')
  },
  canceled: (centre, sid) => centre.workspace.tasks(sid).update(cancel),
}

/** How Ana's reservation, with Ben's beside it, comes into each state. */
const RESERVATION_WAYS: Readonly<
  Record<ReservationStatus, (centre: Centre, sid: string) => Promise<unknown>>
> = {
  pending: async () => undefined,
  accepted: TASK_WAYS.assigned,
  wrapping: TASK_WAYS.wrapping,
  completed: TASK_WAYS.completed,
  canceled: TASK_WAYS.canceled,
  rejected: (centre, sid) => centre.answer(sid, 'Ana', 'rejected'),
  rescinded: (centre, sid) => centre.answer(sid, 'Ben', 'accepted'),
  timeout: async ({ world }) => {
    await world.clock.advance(RESERVATION_TIMEOUT_MS)
    await world.settle()
  },
}

for (const engine of ['memory', 'postgres'] as const)
  describe(`on ${engine}, every move`, () => {
    test('of a task is made where the table has it and a request may, and else refused with nothing changed', async () => {
      await using world = await openWorld({ engine })
      const centre = await openPair(world)
      for (const from of TASK_STATUSES)
        for (const to of TASK_STATUSES) {
          const sid = await centre.task({ taskChannel: 'chat' })
          if (from !== 'pending') await world.settle()
          await TASK_WAYS[from](centre, sid)
          const task = centre.workspace.tasks(sid)
          const before = await task.fetch()
          assert.equal(before.assignmentStatus, from)
          const asked = task.update({ assignmentStatus: to, reason: 'asked', attributes: '{"asked":1}' })
          if (TASK_MOVES[from].includes(to) && TASK_STATUSES_ASKED.includes(to)) {
            const { assignmentStatus, reason } = await asked
            assert.deepEqual([assignmentStatus, reason], [to, 'asked'])
          } else {
            await assert.rejects(asked, refused(400, 20001, new RegExp(`${from} cannot become ${to}`)))
            const { assignmentStatus, reason, attributes } = await task.fetch()
            assert.deepEqual(
              [assignmentStatus, reason, attributes],
              [before.assignmentStatus, before.reason, before.attributes],
            )
          }
        }
      await mustAgree(world.house.store.reader)
    })

    test('of a reservation, under its task and under its worker, as well', async () => {
      await using world = await openWorld({ engine })
      const centre = await openPair(world)
      const five = world.twilio5.taskrouter.v1.workspaces((await centre.workspace.fetch()).sid)
      for (const from of RESERVATION_STATUSES) {
        const ways = RESERVATION_STATUSES.map((to, at) => ({
          to,
          under: at % 2 ? 'task' : 'worker',
        }))
        const sids = await Promise.all(ways.map(() => centre.task({ taskChannel: 'chat' })))
        await world.settle()
        const offers = await Promise.all(
          sids.map(async (sid) => {
            const all = await centre.workspace.tasks(sid).reservations.list()
            return all.find((it) => it.workerName === 'Ana')
          }),
        )
        for (const sid of from === 'timeout' ? sids.slice(0, 1) : sids)
          await RESERVATION_WAYS[from](centre, sid)
        for (const [at, { to, under }] of ways.entries()) {
          const { sid = '', taskSid = '', workerSid = '' } = offers[at] ?? {}
          const underTask = centre.workspace.tasks(taskSid).reservations(sid)
          const underWorker = five.workers(workerSid).reservations(sid)
          const before = await underTask.fetch()
          assert.equal(before.reservationStatus, from)
          const move = { reservationStatus: to }
          const asked = under === 'task' ? underTask.update(move) : underWorker.update(move)
          if (RESERVATION_MOVES[from].includes(to) && RESERVATION_STATUSES_ASKED.includes(to)) {
            assert.equal((await asked).reservationStatus, to)
          } else {
            await assert.rejects(asked, refused(400, 20001, new RegExp(`${from} cannot become ${to}`)))
            const { reservationStatus, dateUpdated } = await underWorker.fetch()
            assert.deepEqual([reservationStatus, dateUpdated], [from, before.dateUpdated])
          }
        }
        for (const sid of sids) await centre.workspace.tasks(sid).remove()
      }
      await mustAgree(world.house.store.reader)
    })
  })
