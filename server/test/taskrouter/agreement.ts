/** What must hold of a workspace at every moment, read straight off the rows. */
import assert from 'node:assert/strict'
import { reading } from '../../src/store/query.ts'
import type { Reader } from '../../src/store/tx.ts'

const everything = {
  workspaces: reading((db, _: { all: true }) => db.selectFrom('workspaces').selectAll()),
  workers: reading((db, _: { all: true }) => db.selectFrom('workers').selectAll()),
  channels: reading((db, _: { all: true }) => db.selectFrom('worker_channels').selectAll()),
  tasks: reading((db, _: { all: true }) => db.selectFrom('tasks').selectAll()),
  reservations: reading((db, _: { all: true }) => db.selectFrom('reservations').selectAll()),
  transfers: reading((db, _: { all: true }) => db.selectFrom('task_transfers').selectAll()),
  jobs: reading((db, _: { all: true }) => db.selectFrom('jobs').selectAll()),
}

/** @throws when a counter, a flag or a state does not agree with the reservations */
export const mustAgree = async (reader: Reader): Promise<void> => {
  const all = { all: true } as const
  const oneAtATime = new Set(
    (await everything.workspaces.all(reader, all)).filter((it) => !it.multi_task_enabled).map((it) => it.sid),
  )
  const workers = await everything.workers.all(reader, all)
  const channels = await everything.channels.all(reader, all)
  const tasks = await everything.tasks.all(reader, all)
  const reservations = await everything.reservations.all(reader, all)
  const given = new Set((await everything.transfers.all(reader, all)).map((it) => it.task_sid))
  const jobs = new Set((await everything.jobs.all(reader, all)).map((it) => `${it.kind} ${it.key}`))
  const regardless = new Set(tasks.filter((it) => it.ignore_capacity).map((it) => it.sid))
  const live = reservations.filter((it) =>
    ['pending', 'accepted', 'wrapping'].includes(it.reservation_status),
  )
  const liveOfWorker = Map.groupBy(live, (it) => it.worker_sid)
  const liveOfTask = Map.groupBy(live, (it) => it.task_sid)
  const channelsOf = Map.groupBy(channels, (it) => it.worker_sid)

  for (const worker of workers) {
    const own = liveOfWorker.get(worker.sid) ?? []
    assert.equal(worker.in_hand, own.length, `${worker.friendly_name} has in hand`)
    for (const channel of channelsOf.get(worker.sid) ?? []) {
      const there = own.filter((it) => it.task_channel_sid === channel.task_channel_sid)
      const pending = there.filter((it) => it.reservation_status === 'pending').length
      const what = `${worker.friendly_name}'s ${channel.task_channel_unique_name}`
      assert.equal(channel.reserved_tasks, pending, `${what}: offers`)
      assert.equal(channel.assigned_tasks, there.length - pending, `${what}: assigned`)
      const usual = there.filter((it) => !regardless.has(it.task_sid))
      assert.ok(usual.length <= channel.configured_capacity, `${what}: capacity`)
      const takes = worker.available && (!oneAtATime.has(worker.workspace_sid) || own.length === 0)
      const open = takes && channel.available && there.length < channel.configured_capacity
      assert.equal(channel.open, Number(Boolean(open)), `${what}: open`)
      assert.equal(channel.idle_since, worker.idle_since, `${what}: idle since`)
    }
  }

  for (const task of tasks) {
    const own = liveOfTask.get(task.sid) ?? []
    const pending = own.filter((it) => it.reservation_status === 'pending').length
    const taken = own.filter((it) => it.reservation_status !== 'pending').length
    const what = `task ${task.sid}, ${task.assignment_status}`
    assert.equal(task.offers, pending, `${what}: offers`)
    assert.ok(pending <= task.offers_max, `${what}: most offers`)
    const expected = { pending: [0, 0], reserved: [pending || 1, 0], canceled: [0, 0], completed: [0, 0] }
    const [offers, hands] = expected[task.assignment_status as 'pending'] ?? [0, 1]
    // Who gave it to another may still have it, or be tidying up.
    if (!given.has(task.sid)) assert.deepEqual([pending, taken], [offers, hands], what)
    const waits = ['pending', 'reserved'].includes(task.assignment_status) && pending < task.offers_max
    assert.equal(task.waits, Number(waits), `${what}: waits`)
  }

  for (const it of live.filter((it) => it.reservation_status === 'pending'))
    assert.ok(jobs.has(`taskrouter.reservation-timeout ${it.sid}`), `offer ${it.sid} has its timeout`)
}
