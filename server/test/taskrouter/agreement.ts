/** What must hold of a workspace at every moment, read straight off the rows. */
import assert from 'node:assert/strict'
import { reading } from '../../src/store/query.ts'
import type { Reader } from '../../src/store/tx.ts'

const every = {
  workspaces: reading((db, _: { all: true }) => db.selectFrom('workspaces').selectAll()),
  activities: reading((db, _: { all: true }) => db.selectFrom('activities').selectAll()),
  workers: reading((db, _: { all: true }) => db.selectFrom('workers').selectAll().orderBy('sid')),
  channels: reading((db, _: { all: true }) =>
    db
      .selectFrom('worker_channels')
      .select(['sid', 'worker_sid', 'task_channel_sid', 'task_channel_unique_name'])
      .select(['available', 'open', 'idle_since'])
      .select(['configured_capacity', 'assigned_tasks', 'reserved_tasks'])
      .orderBy('sid'),
  ),
  tasks: reading((db, _: { all: true }) => db.selectFrom('tasks').selectAll().orderBy('sid')),
  reservations: reading((db, _: { all: true }) => db.selectFrom('reservations').selectAll().orderBy('sid')),
  transfers: reading((db, _: { all: true }) => db.selectFrom('task_transfers').selectAll()),
  jobs: reading((db, _: { all: true }) => db.selectFrom('jobs').selectAll().orderBy('due_at')),
}

/** Every row that decides who gets what, read anew. */
export const readEverything = async (reader: Reader) => {
  const all = { all: true } as const
  return {
    workspaces: await every.workspaces.all(reader, all),
    activities: await every.activities.all(reader, all),
    workers: await every.workers.all(reader, all),
    channels: await every.channels.all(reader, all),
    tasks: await every.tasks.all(reader, all),
    reservations: await every.reservations.all(reader, all),
    transfers: await every.transfers.all(reader, all),
    jobs: await every.jobs.all(reader, all),
  }
}

export type Everything = Awaited<ReturnType<typeof readEverything>>

/** @throws when a counter, a flag or a state does not agree with the reservations */
export const mustAgree = async (reader: Reader): Promise<void> => agree(await readEverything(reader))

/** @throws as `mustAgree` does, of rows that are read already */
export const agree = ({ workspaces, workers, channels, tasks, reservations, ...all }: Everything): void => {
  const oneAtATime = new Set(workspaces.filter((it) => !it.multi_task_enabled).map((it) => it.sid))
  const given = new Set(all.transfers.map((it) => it.task_sid))
  const jobs = new Set(all.jobs.map((it) => `${it.kind} ${it.key}`))
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
    const accepted = own.filter((it) => it.reservation_status === 'accepted').length
    const open = all.transfers.filter((it) => it.task_sid === task.sid && it.transfer_status === 'initiated')
    assert.deepEqual(
      open.map((it) => it.sid),
      task.transfer_sid === null ? [] : [task.transfer_sid],
      `${what}: transfer`,
    )
    switch (task.assignment_status) {
      case 'assigned':
        assert.ok(accepted > 0 && pending === 0, what)
        break
      case 'wrapping':
        assert.ok(accepted === 0 && taken > 0 && pending === 0, what)
        break
      case 'canceled':
      case 'completed':
        assert.deepEqual(own, [], what)
        break
      default:
        assert.equal(task.assignment_status, pending > 0 ? 'reserved' : 'pending', what)
        // Nobody is offered what somebody has, but for a transfer.
        assert.ok(accepted === 0 || open.length > 0, what)
    }
    const waits = ['pending', 'reserved'].includes(task.assignment_status) && pending < task.offers_max
    assert.equal(task.waits, Number(waits), `${what}: waits`)
  }

  for (const it of live.filter((it) => it.reservation_status === 'pending'))
    assert.ok(jobs.has(`taskrouter.reservation-timeout ${it.sid}`), `offer ${it.sid} has its timeout`)
}
