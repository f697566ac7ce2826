import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newVault } from '../accounts/vault.ts'
import { openStore } from '../store/open.ts'
import { find, remove } from '../store/rows.ts'
import { realNature } from '../store/sid.ts'
import type { Tx } from '../store/tx.ts'
import { HOUSE } from './house.ts'
import { provisionWorkspace } from './provision.ts'
import { createWorker } from './worker.ts'
import { expectGone, workerGone } from './worker-gone.ts'

test('a worker who came back just before they were put offline stays', async () => {
  let now = Date.UTC(2026, 0, 1)
  const nature = { ...realNature, now: () => now }
  await using store = await openStore({ kind: 'memory' }, { vault: newVault(Buffer.alloc(32)), nature })
  const ana = await store.transact('open', async (tx) => {
    const wanted = { accountSid: `AC${'0'.repeat(32)}`, friendlyName: 'Support' }
    const { workspace, activities } = await provisionWorkspace(tx, wanted)
    const activitySid = activities.find((it) => it.available)?.sid
    return createWorker(tx, workspace, { friendlyName: 'ana', activitySid, actor: HOUSE })
  })
  const lease = (ms: number) => store.transact('attend', (tx) => expectGone(tx, ana.sid, now + ms))
  /** A runner claimed the job when the lease had ended, and comes to it only now. */
  const isPutOffline = async (claimed: number) => {
    const job = { sid: 'JB', kind: workerGone.kind, key: ana.sid, data: {}, attempts: 0, dueAt: claimed }
    const end = async (tx: Tx) => {
      await remove(tx, 'jobs', { kind: job.kind, key: job.key, due_at: claimed })
      return 'ended' as const
    }
    await workerGone.run({ ...job, end }, { store, now: () => now })
    return (await find(store.reader, 'workers', { sid: ana.sid }))?.available === 0
  }
  await lease(60_000)
  now += 60_000
  const claimed = now
  await lease(150_000)
  assert.equal(await isPutOffline(claimed), false)
  now += 150_000
  assert.equal(await isPutOffline(now), true)
})
