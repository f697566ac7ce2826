/** Many who change the same thing at once: each change is counted by itself, so that who follows knows the last. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setStage } from '../protocols/followers.ts'
import { openWorld } from '../world/index.ts'

for (const engine of ['memory', 'postgres'] as const)
  test(`whoever follows a user knows the last of many changes at once, on ${engine}`, async () => {
    await using world = await openWorld({ live: true, engine })
    const { service, enter } = await setStage(world)
    const { sid } = await service.users.create({ identity: 'vera' })
    await using ana = await enter('ana')
    const [established] = await ana.follow(`${sid}.info`)
    const names = Array.from({ length: 40 }, (_, at) => `Vera ${at}`)
    await Promise.all(names.map((friendlyName) => service.users('vera').update({ friendlyName })))
    let number: number = established?.event.last_event_id
    const last = number + names.length
    let value = ''
    // Commits may overtake each other on their way to the hub: then it reads how the user stands, and several are one.
    while (number < last) {
      const { event } = await ana.told((it) => it.event_type === 'map_item_updated')
      assert.equal(event.item_key, 'friendlyName')
      assert.ok(event.id > number, `${event.id} was told after ${number}`)
      number = event.id
      value = event.item_data.value
      assert.ok(names.includes(value), value)
    }
    assert.equal(number, last)
    assert.equal(value, (await service.users('vera').fetch()).friendlyName)
  })
