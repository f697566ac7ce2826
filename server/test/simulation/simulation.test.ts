import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changing, reading } from '../../src/store/query.ts'
import { find, insert, remove, update } from '../../src/store/rows.ts'
import type { Tx } from '../../src/store/tx.ts'
import { openPostgres } from '../world/postgres.ts'
import { Broken, type Invariant } from './broken.ts'
import { simulate, type Wanted } from './simulate.ts'

const SEEDS = 100

/** Each is a second there. */
const SEEDS_ON_POSTGRES = 10

/** Half an hour is some 75 steps. */
const HOURS = 0.5

const again = (seed: number) => `npm run simulate -- --agents 0 --every 0 --seed ${seed} --hours ${HOURS}`

describe('The router, simulated', () => {
  test(`through ${SEEDS} seeds everything holds after each step`, async () => {
    const done = { tasks: 0, reservations: 0, restarts: 0 }
    for (let seed = 1; seed <= SEEDS; seed += 1)
      try {
        const { tasks, reservations } = await simulate({ seed, hours: HOURS })
        done.tasks += tasks
        done.reservations += reservations
      } catch (fault) {
        throw new Error(`seed ${seed}: ${(fault as Error).message}\nTo see it again: ${again(seed)}`, {
          cause: fault,
        })
      }
    assert.ok(done.tasks > 10 * SEEDS && done.reservations > 10 * SEEDS, JSON.stringify(done))
  })

  test('the same seed is the same run, and another is another', async () => {
    const runs = await Promise.all([7, 7, 8].map((seed) => simulate({ seed, hours: HOURS })))
    const [first, second, other] = runs.map((it) => it.hash)
    assert.equal(first, second)
    assert.notEqual(first, other)
  })
})

describe('The router, simulated on PostgreSQL', () => {
  test(`in ${SEEDS_ON_POSTGRES} seeds each, done one thing after the other, is the run it is in memory`, async () => {
    for (let seed = 1; seed <= SEEDS_ON_POSTGRES; seed += 1) {
      const wanted = { seed, hours: HOURS, inTurns: true }
      const { hash } = await simulate(wanted)
      await using database = await openPostgres()
      const where = { kind: 'postgres', url: database.url } as const
      assert.equal((await simulate({ ...wanted, where })).hash, hash, `seed ${seed}`)
    }
  })

  test(`in ${SEEDS_ON_POSTGRES} seeds everything holds, whatever runs at once`, async () => {
    for (let seed = 1; seed <= SEEDS_ON_POSTGRES; seed += 1) {
      await using database = await openPostgres()
      const where = { kind: 'postgres', url: database.url } as const
      await simulate({ seed, hours: HOURS / 2, where })
    }
  })
})

const rows = {
  pending: reading((db, _: { all: true }) =>
    db.selectFrom('reservations').selectAll().where('reservation_status', '=', 'pending').orderBy('sid'),
  ),
  accepted: reading((db, _: { all: true }) =>
    db.selectFrom('reservations').selectAll().where('reservation_status', '=', 'accepted').orderBy('sid'),
  ),
  tasks: reading((db, _: { all: true }) =>
    db.selectFrom('tasks').selectAll().where('assignment_status', '=', 'pending').orderBy('sid'),
  ),
  given: reading((db, _: { all: true }) =>
    db.selectFrom('task_transfers').selectAll().where('transfer_status', '=', 'initiated').orderBy('sid'),
  ),
  leases: reading((db, _: { all: true }) =>
    db.selectFrom('jobs').selectAll().where('kind', '=', 'taskrouter.worker-gone').orderBy('sid'),
  ),
  workers: reading((db, _: { all: true }) => db.selectFrom('workers').selectAll().orderBy('sid')),
  activities: reading((db, _: { all: true }) => db.selectFrom('activities').selectAll().orderBy('sid')),
}

/** Whoever came first is served last. */
const upsideDown = changing((db, _: { all: true }) =>
  db.updateTable('tasks').set((it) => ({ turn: it('virtual_start_time', '*', -1) })),
)

const all = { all: true } as const

/** How to break each invariant. What breaks it says whether there was something to break. */
const breaking: Readonly<Record<Invariant, Partial<Wanted>>> = {
  idle: { unrouted: true },
  order: {
    sabotage: async (tx) => {
      await upsideDown.run(tx, all)
      return false
    },
  },
  capacity: {
    sabotage: async (tx) => {
      for (const { task_sid, worker_sid, task_channel_sid } of await rows.accepted.all(tx, all)) {
        if ((await find(tx, 'tasks', { sid: task_sid }))?.ignore_capacity) continue
        await update(tx, 'worker_channels', { worker_sid, task_channel_sid }, { configured_capacity: 0 })
        return true
      }
      return false
    },
  },
  'max reserved': {
    sabotage: async (tx) => {
      const [one] = await rows.pending.all(tx, all)
      const task = one && (await find(tx, 'tasks', { sid: one.task_sid }))
      if (!task || task.offers < task.offers_max) return false
      for (const { sid: worker_sid } of await rows.workers.all(tx, all)) {
        const own = { worker_sid, task_channel_sid: one.task_channel_sid }
        const channel = await find(tx, 'worker_channels', own)
        if (!channel?.open || worker_sid === one.worker_sid) continue
        await insert(tx, 'reservations', { ...one, sid: tx.newSid('WR'), worker_sid })
        return true
      }
      return false
    },
  },
  timeouts: {
    sabotage: async (tx) => {
      const [one] = await rows.pending.all(tx, all)
      return Boolean(
        one && (await remove(tx, 'jobs', { kind: 'taskrouter.reservation-timeout', key: one.sid })),
      )
    },
  },
  'legal moves': {
    sabotage: async (tx) => {
      const [one] = await rows.accepted.all(tx, all)
      if (one) await update(tx, 'reservations', { sid: one.sid }, { reservation_status: 'rejected' })
      return one !== undefined
    },
  },
  place: {
    sabotage: async (tx) => {
      for (const { sid, step, workflow_sid } of await rows.tasks.all(tx, all)) {
        if (!(await timeoutAt(tx, workflow_sid, step))) continue
        await update(tx, 'tasks', { sid }, { date_created: 0 })
        return true
      }
      return false
    },
  },
  skip: {
    sabotage: async (tx) => {
      if (!(await rows.tasks.all(tx, all)).some((it) => it.target.includes('skipIf'))) return false
      const away = (await rows.activities.all(tx, all)).find((it) => !it.available)
      for (const { sid } of await rows.workers.all(tx, all))
        await update(tx, 'workers', { sid }, { activity_sid: away?.sid ?? null })
      return true
    },
  },
  attendance: {
    sabotage: async (tx) => {
      for (const { key: sid } of await rows.leases.all(tx, all)) {
        if (!(await find(tx, 'workers', { sid }))?.available) continue
        return (await remove(tx, 'jobs', { kind: 'taskrouter.worker-gone', key: sid })) > 0
      }
      return false
    },
  },
  transfers: {
    sabotage: async (tx) => {
      const [one] = await rows.given.all(tx, all)
      if (one)
        await update(tx, 'task_transfers', { sid: one.sid }, { transfer_to: one.initiating_worker_sid })
      return one !== undefined
    },
  },
  jobs: {
    sabotage: async (tx) => {
      const sid = tx.newSid('JB')
      const lost = { kind: 'taskrouter.step', key: sid, lane: 'lost', data: 'not JSON', due_at: tx.now() }
      const unclaimed = { leased_until: null, attempts: 0, last_error: null, version: 0 }
      await insert(tx, 'jobs', { sid, ...lost, ...unclaimed })
      return false
    },
  },
  agreement: {
    sabotage: async (tx) => {
      const [one] = await rows.workers.all(tx, all)
      if (one) await update(tx, 'workers', { sid: one.sid }, { in_hand: one.in_hand + 1 })
      return one !== undefined
    },
  },
}

const timeoutAt = async (tx: Tx, workflowSid: string | null, step: string | null): Promise<unknown> => {
  const workflow = workflowSid === null ? undefined : await find(tx, 'workflows', { sid: workflowSid })
  const [filter = -1, target = -1] = (step ?? '').split('.').map(Number)
  return JSON.parse(workflow?.configuration ?? '{}').task_routing?.filters[filter]?.targets[target]?.timeout
}

describe('Each invariant can fail', () => {
  for (const [invariant, sabotage] of Object.entries(breaking))
    test(`${invariant}, in a world that is broken there`, async () => {
      for (let seed = 1; seed <= SEEDS; seed += 1)
        try {
          await simulate({ seed, hours: HOURS, ...sabotage })
        } catch (fault) {
          assert.ok(fault instanceof Broken, (fault as Error).stack)
          // Where nobody routes nothing is skipped either, and in some runs that shows first.
          if (sabotage.unrouted && fault.invariant === 'skip') continue
          assert.equal(fault.invariant, invariant, fault.message)
          return
        }
      assert.fail('nothing was noticed in any run')
    })
})
