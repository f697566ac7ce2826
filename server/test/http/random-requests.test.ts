import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld } from '../world/index.ts'
import { everyOperation } from './furnished.ts'
import { askByChance } from './random-requests.ts'

describe('Requests by chance', () => {
  test('never meet a fault, a hang, another shape or another account, on SQLite', async () => {
    await using world = await openWorld()
    const { statuses, succeeded } = await askByChance(world, 4_000)
    for (const status of [200, 201, 204, 400, 401, 403, 404])
      assert.ok(statuses.has(status), `some are answered ${status}: ${[...statuses]}`)
    const never = everyOperation.filter((it) => !succeeded.has(it.name))
    assert.ok(
      never.length < everyOperation.length / 6,
      `most succeed at times, but not ${never.map((it) => it.name)}`,
    )
  })

  test('nor on PostgreSQL, which is stricter', async () => {
    await using world = await openWorld({ engine: 'postgres' })
    await askByChance(world, 800)
  })
})
