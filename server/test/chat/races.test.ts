/**
 * Many who change the same thing at once: each change is counted by itself, so that who follows knows the last; and
 * nothing is left in what another deletes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { addMember, createChannel, ensureUser, findService, lockChannel } from '../../src/chat/index.ts'
import { find } from '../../src/store/rows.ts'
import type { Tx } from '../../src/store/tx.ts'
import { setStage } from '../protocols/followers.ts'
import { ask } from '../store/given.ts'
import { openWorld, type World } from '../world/index.ts'

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

const BACK_END = { kind: 'api', webhooks: false } as const

/** Asks for something in the middle of a transaction, which goes on only when that waits for it, or is answered. */
const inTheMiddle = async <T>(
  { house: { store } }: World,
  first: (tx: Tx) => Promise<unknown>,
  then: () => Promise<T>,
): Promise<T> => {
  let asked: Promise<T> | undefined
  await store.transact('first', async (tx) => {
    await first(tx)
    let isAnswered = false
    asked = then().finally(() => {
      isAnswered = true
    })
    const waiting = `select pid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    while (!isAnswered && (await ask(store.reader, waiting)).length === 0);
  })
  return asked as Promise<T>
}

const openService = async (world: World) => {
  const { services } = world.twilio.chat.v2
  const { sid } = await services.create({ friendlyName: 'Support' })
  const row = (await findService(world.house.store.reader, world.account.sid, sid)) as ServiceRow
  return { service: services(sid), row, reader: world.house.store.reader }
}

const join = async (tx: Tx, service: ServiceRow, channelSid: string, identity: string) => {
  const channel = await lockChannel(tx, service.account_sid, channelSid)
  assert.ok(channel)
  return addMember(tx, { service, channel, identity, reason: 'ADDED', actor: BACK_END })
}

test('who is added to a channel while they are deleted is in none', async () => {
  await using world = await openWorld({ engine: 'postgres' })
  const { service, row } = await openService(world)
  await service.users.create({ identity: 'vera' })
  const { sid } = await service.channels.create({})
  await inTheMiddle(
    world,
    (tx) => join(tx, row, sid, 'vera'),
    () => service.users('vera').remove(),
  )
  assert.deepEqual(await service.users.list(), [])
  assert.deepEqual(await service.channels(sid).members.list(), [])
  assert.equal((await service.channels(sid).fetch()).membersCount, 0)
})

test('what is made in a service while that is deleted goes with it', async () => {
  await using world = await openWorld({ engine: 'postgres' })
  const making: Readonly<Record<string, (tx: Tx, service: ServiceRow, channel: string) => Promise<unknown>>> =
    {
      channels: (tx, service) => createChannel(tx, { service, actor: BACK_END }),
      users: (tx, service) => ensureUser(tx, { service, identity: 'vera', actor: BACK_END }),
      members: (tx, service, channel) => join(tx, service, channel, 'vera'),
    }
  for (const [what, make] of Object.entries(making)) {
    const { service, row, reader } = await openService(world)
    const { sid } = await service.channels.create({})
    await service.users.create({ identity: 'ana' })
    await inTheMiddle(
      world,
      (tx) => make(tx, row, sid),
      () => service.remove(),
    )
    for (const table of ['channels', 'users', 'members'] as const)
      assert.equal(await find(reader, table, { service_sid: row.sid }), undefined, `${table}, of ${what}`)
  }
})

for (const engine of ['memory', 'postgres'] as const)
  test(`of those who are deleted and added at once, each who is in a channel is a user, on ${engine}`, async () => {
    await using world = await openWorld({ engine })
    const { service } = await openService(world)
    const { sid } = await service.channels.create({})
    const { members } = service.channels(sid)
    for (let round = 0; round < 10; round += 1) {
      const identity = `vera-${round}`
      await service.users.create({ identity })
      await Promise.all([members.create({ identity }), service.users(identity).remove()])
    }
    for (const { identity } of await members.list())
      assert.equal((await service.users(identity).fetch()).joinedChannelsCount, 1)
    for (const { identity, joinedChannelsCount } of await service.users.list())
      assert.deepEqual([joinedChannelsCount, (await members(identity).fetch()).identity], [1, identity])
  })
