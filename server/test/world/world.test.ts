import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { later } from '../../src/jobs/later.ts'
import { changing } from '../../src/store/query.ts'
import { openWorld } from './index.ts'

/** How many sockets listen; one that is closed counts until the event loop has turned. */
const servers = async () => {
  await turn()
  return process.getActiveResourcesInfo().filter((it) => it === 'TCPServerWrap').length
}

const claimAll = changing((db, at: { until: number }) =>
  db.updateTable('jobs').set({ leased_until: at.until }),
)

describe('a world', () => {
  test('whose house does not open leaves no listener behind', async () => {
    const before = await servers()
    await assert.rejects(openWorld({ limits: { requestTimeoutMs: -1 } }))
    assert.equal(await servers(), before)
  })

  test('is not let go of in silence while a job is claimed', async () => {
    const before = await servers()
    const world = await openWorld()
    await world.house.store.transact('claim and forget', async (tx) => {
      await later(tx, { kind: 'nobody', key: 'forgotten' })
      await claimAll.run(tx, { until: tx.now() + 30_000 })
    })
    await assert.rejects(world[Symbol.asyncDispose](), /a claimed job was not put down/)
    assert.equal(await servers(), before)
  })

  test('is let go of when its jobs are done', async () => {
    const world = await openWorld()
    await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
    await world.settle()
    await world[Symbol.asyncDispose]()
  })
})
