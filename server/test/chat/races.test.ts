/** Many who change the same thing at once: each change is counted by itself, so that nobody who follows misses one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setStage } from '../protocols/followers.ts'
import { openWorld } from '../world/index.ts'

for (const engine of ['memory', 'postgres'] as const)
  test(`whoever follows a user is told of each of many changes at once, on ${engine}`, async () => {
    await using world = await openWorld({ live: true, engine })
    const { service, enter } = await setStage(world)
    const { sid } = await service.users.create({ identity: 'vera' })
    await using ana = await enter('ana')
    await ana.follow(`${sid}.info`)
    const names = Array.from({ length: 40 }, (_, at) => `Vera ${at}`)
    await Promise.all(names.map((friendlyName) => service.users('vera').update({ friendlyName })))
    const told: string[] = []
    while (told.length < names.length) {
      const { event } = await ana.told((it) => it.event_type === 'map_item_updated')
      assert.equal(event.item_key, 'friendlyName')
      told.push(event.item_data.value)
    }
    assert.deepEqual(told.toSorted(), names.toSorted())
    assert.equal(told.at(-1), (await service.users('vera').fetch()).friendlyName)
  })
