import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '@parley/contract/event.ts'
import { newVault } from '../accounts/vault.ts'
import { openStore } from '../store/open.ts'
import { find } from '../store/rows.ts'
import { realNature } from '../store/sid.ts'
import type { Tx } from '../store/tx.ts'
import { HOUSE } from './house.ts'
import { handlers } from './jobs.ts'
import { liveReservations } from './offer.ts'
import { provisionWorkspace } from './provision.ts'
import { acceptReservation, lockReservation, refuseReservation } from './reservation.ts'
import { completeTask, createTask } from './task.ts'
import { createWorker } from './worker.ts'

const accountSid = `AC${'0'.repeat(32)}`

/** A store that writes down what happens, without anybody who reacts. */
const openRoom = async () => {
  const told: string[] = []
  const store = await openStore(
    { kind: 'memory' },
    {
      vault: newVault(Buffer.alloc(32)),
      nature: realNature,
      hooks: {
        react: async (_, events: readonly Event[]) => {
          for (const event of events) told.push(event.name)
        },
        committed: () => {},
      },
    },
  )
  const made = await store.transact('provision', (tx) =>
    provisionWorkspace(tx, { accountSid, friendlyName: 'W' }),
  )
  const available = made.activities.find((it) => it.friendly_name === 'Available')
  const [router] = handlers
  return {
    ...made,
    store,
    told,
    since: () => told.splice(0),
    do: <T>(run: (tx: Tx) => Promise<T>) => store.transact('story', run),
    worker: (friendlyName: string) =>
      store.transact('worker', (tx) =>
        createWorker(tx, made.workspace, { friendlyName, activitySid: available?.sid, actor: HOUSE }),
      ),
    route: () =>
      router?.run(
        {
          ...{ sid: 'JB', kind: router.kind, key: made.workspace.sid, data: {}, attempts: 0, dueAt: 0 },
          end: async () => 'ended' as const,
        },
        { store, now: () => store.reader.now() },
      ),
    offerOf: async (taskSid: string) => {
      const [offer] = await liveReservations(store.reader, taskSid)
      assert.ok(offer)
      return offer
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

const wanted = (room: Awaited<ReturnType<typeof openRoom>>) => ({
  accountSid,
  workspaceSid: room.workspace.sid,
  workflowSid: room.workflow.sid,
  attributes: '{}',
  actor: HOUSE,
})

describe('what is told', () => {
  test('of a task from its making to its end, in order, and nothing else', async () => {
    await using room = await openRoom()
    assert.deepEqual(room.since(), ['workspace.created', 'task-queue.created', 'workflow.created'])
    await room.worker('ana')
    assert.deepEqual(room.since(), ['worker.created'])
    const task = await room.do((tx) => createTask(tx, wanted(room)))
    assert.deepEqual(room.since(), [
      'workflow.entered',
      'workflow.target-matched',
      'task-queue.entered',
      'task.created',
    ])
    await room.route()
    assert.deepEqual(room.since(), ['reservation.created'])
    const { sid } = await room.offerOf(task.sid)
    await room.do(async (tx) => {
      const locked = await lockReservation(tx, accountSid, sid)
      if (locked) await acceptReservation(tx, { ...locked, actor: { kind: 'client', identity: 'ana' } })
    })
    assert.deepEqual(room.since(), ['reservation.accepted'])
    await room.do((tx) => completeTask(tx, { task, reason: 'done', actor: HOUSE }))
    assert.deepEqual(room.since(), ['reservation.completed', 'task.completed'])
  })

  test('of an offer that is left unanswered: the timeout and where it sends the worker', async () => {
    await using room = await openRoom()
    const ana = await room.worker('ana')
    const task = await room.do((tx) => createTask(tx, wanted(room)))
    await room.route()
    room.since()
    const { sid } = await room.offerOf(task.sid)
    await room.do(async (tx) => {
      const locked = await lockReservation(tx, accountSid, sid)
      const activitySid = room.workspace.timeout_activity_sid
      if (locked) await refuseReservation(tx, { ...locked, to: 'timeout', activitySid, actor: HOUSE })
    })
    assert.deepEqual(room.since(), ['reservation.timeout', 'worker.activity.update'])
    assert.equal((await find(room.store.reader, 'workers', { sid: ana.sid }))?.available, 0)
  })
})
