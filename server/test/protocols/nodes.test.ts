/** Presence and what is told, over restarts and on every node. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openProxy } from '../realtime/proxy.ts'
import { type Engine, openWorld, type World } from '../world/index.ts'
import { openPostgres } from '../world/postgres.ts'
import { setStage, type Told } from './followers.ts'

const reachability = (it: Told): boolean =>
  it.event_type === 'map_item_updated' && it.event.item_key === 'reachability'

/** For how long after a start those stand whom the last end cut off, in milliseconds. */
const COME_BACK_WITHIN_MS = 5_000

const followsVera = async (world: World, url = world.url) => {
  const stage = await setStage(world)
  await stage.service.users.create({ identity: 'vera' })
  const { sid } = await stage.service.users('vera').fetch()
  const ana = await stage.enter('ana', url)
  await ana.follow(`${sid}.info`)
  const isOnline = async () => (await stage.service.users('vera').fetch()).isOnline
  return { ...stage, ana, isOnline, infoName: `${sid}.info` }
}

for (const engine of ['disk', 'postgres'] as const satisfies readonly Engine[])
  test('[CS134] who is here follows the connections, over restarts', async () => {
    await using world = await openWorld({ live: true, engine })
    const { ana, enter, isOnline, infoName } = await followsVera(world)
    assert.equal(await isOnline(), false)
    const vera = await enter('vera')
    assert.deepEqual((await ana.told(reachability)).event.item_data, { online: true, notifiable: false })
    assert.equal(await isOnline(), true)
    const second = await enter('vera')
    await vera.client.close()
    assert.deepEqual(await ana.settled(), [])
    assert.equal(await isOnline(), true)
    await second.client.close()
    assert.equal((await ana.told(reachability)).event.item_data.online, false)
    assert.equal(await isOnline(), false)

    await enter('vera')
    await ana.told(reachability)
    const began = performance.now()
    await world.restart()
    const isStillOnline = await isOnline()
    if (performance.now() - began < COME_BACK_WITHIN_MS)
      assert.equal(isStillOnline, true, 'they had no time yet to come back')
    await using back = await enter('ana')
    const missed = await back.follow(infoName, 3)
    if (engine === 'disk') {
      const isGone = (it: Told): boolean => reachability(it) && it.event.item_data.online === false
      if (!missed.some(isGone)) await back.told(isGone)
      assert.equal(await isOnline(), false)
    }
  })

test('[CS136] what one node commits the clients of every other hear', async () => {
  await using world = await openWorld({ live: true, engine: 'postgres' })
  await using node = await world.anotherNode()
  const { service, serviceSid, ana, enter, isOnline } = await followsVera(world, node.url)
  const { sid } = await service.channels.create({ type: 'private' })
  for (const identity of ['ana', 'vera']) await service.channels(sid).members.create({ identity })

  const vera = await enter('vera')
  assert.equal((await ana.told(reachability)).event.item_data.online, true)
  for (const name of [`${sid}.messages`, `${sid}.roster`, `${sid}.channel`]) {
    await ana.follow(name)
    await vera.follow(name)
  }
  const there = node.twilio.chat.v2.services(serviceSid).channels(sid).messages
  const here = service.channels(sid).messages
  await Promise.all(
    Array.from({ length: 30 }, (_, at) => (at % 2 ? here : there).create({ body: `${at}`, from: 'sol' })),
  )
  for (const who of [ana, vera]) {
    const ids: number[] = []
    while (ids.length < 30) ids.push((await who.change('list_item_added')).event.id)
    assert.deepEqual(
      ids,
      Array.from({ length: 30 }, (_, at) => at + 1),
    )
  }

  const typing = (await vera.get('/Client/v1/Configuration')).body.links.typing.replace(
    /^https:\/\/[^/]+/,
    '',
  )
  await vera.client.ask('POST', typing, { ChannelSid: sid })
  await ana.told((it) => it.messageType === 'twilio.ipmsg.typing_indicator')

  await service.channels(sid).members('ana').remove()
  await vera.change('map_item_removed')
  await here.create({ body: 'behind their back' })
  await vera.change('list_item_added')
  await vera.client.close()
  assert.equal((await ana.told(reachability)).event.item_data.online, false)
  assert.equal(await isOnline(), false)
  const heard = (await ana.settled()).map((it) => it.event.list_unique_name).filter((it) => it !== undefined)
  assert.deepEqual(heard, [])
  await ana.client.close()
})

test('[CS117] who is put out hears nothing after, also where nobody was told whether that was committed', async () => {
  await using database = await openPostgres()
  const url = new URL(database.url)
  await using way = await openProxy(Number(url.port))
  url.port = String(way.port)
  await using world = await openWorld({ live: true, databaseUrl: url.href })
  const { service, enter } = await setStage(world)
  const { sid } = await service.channels.create({})
  const { messages, members } = service.channels(sid)
  for (const identity of ['ana', 'vera']) await members.create({ identity })
  await using ana = await enter('ana')
  await using vera = await enter('vera')
  for (const who of [ana, vera]) for (const name of ['messages', 'roster']) await who.follow(`${sid}.${name}`)
  way.loseCommitOf((await members('vera').fetch()).sid)
  await assert.rejects(members('vera').remove(), { status: 503, message: /it may have been done$/ })
  await ana.change('map_item_removed')
  await messages.create({ body: 'behind their back' })
  await ana.change('list_item_added')
  const heard = (await vera.settled()).map((it) => it.event_type)
  assert.equal(heard.includes('list_item_added'), false)
})
