import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'
import type { Engine } from '../../test/world/index.ts'

describe('members', () => {
  test('a member is found by SID and by identity, changed, and removed', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    const member = await room.members.create({ identity: 'vera' })
    assert.equal(member.roleSid, (await chat.service.fetch()).defaultChannelRoleSid)
    assert.deepEqual(
      [member.attributes, member.lastConsumedMessageIndex, member.lastConsumptionTimestamp],
      ['{}', null, null],
    )
    assert.equal((await chat.service.users('vera').fetch()).joinedChannelsCount, 1)
    assert.equal((await room.fetch()).membersCount, 1)
    assert.deepEqual((await room.members('vera').fetch()).toJSON(), member.toJSON())
    const updated = await room.members('vera').update({ attributes: '{"seat":1}' })
    assert.equal(updated.attributes, '{"seat":1}')
    assert.deepEqual((await room.members(member.sid).update({})).toJSON(), updated.toJSON())
    assert.equal(await room.members('vera').remove(), true)
    assert.equal((await room.fetch()).membersCount, 0)
    assert.equal((await chat.service.users('vera').fetch()).joinedChannelsCount, 0)
    await notThere(room.members(member.sid).fetch())
    await notThere(room.members(member.sid).remove())
  })

  test('who made the channel is its admin when they are added to it', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room', createdBy: 'vera' })
    const { defaultChannelCreatorRoleSid, defaultChannelRoleSid, defaultServiceRoleSid } =
      await chat.service.fetch()
    const { members } = chat.service.channels('room')
    assert.equal((await members.create({ identity: 'vera' })).roleSid, defaultChannelCreatorRoleSid)
    const ana = await members.create({ identity: 'ana', roleSid: defaultChannelCreatorRoleSid })
    assert.equal(ana.roleSid, defaultChannelCreatorRoleSid)
    const changed = await chat.service
      .channels('room')
      .members('ana')
      .update({ roleSid: defaultChannelRoleSid })
    assert.equal(changed.roleSid, defaultChannelRoleSid)
    await refused(members.create({ identity: 'ben', roleSid: defaultServiceRoleSid }), 400, 50105)
    await refused(members.create({ identity: 'ben', roleSid: `RL${'0'.repeat(32)}` }), 400, 50101)
  })

  for (const engine of ['memory', 'postgres'] satisfies Engine[])
    test(`a member is added once, however many add them at once, on ${engine}`, async () => {
      await using chat = await openChat(engine)
      await chat.service.channels.create({ uniqueName: 'room' })
      const asked = await Promise.allSettled(
        Array.from({ length: 20 }, () => chat.service.channels('room').members.create({ identity: 'vera' })),
      )
      assert.equal(asked.filter((it) => it.status === 'fulfilled').length, 1)
      for (const it of asked)
        if (it.status === 'rejected') assert.deepEqual([it.reason.status, it.reason.code], [409, 50404])
      assert.equal((await chat.service.channels('room').fetch()).membersCount, 1)
    })

  test('a channel has room for as many as its service says, and a user for as many channels', async () => {
    await using chat = await openChat()
    await chat.service.update({ 'limits.channelMembers': 2, 'limits.userChannels': 1 })
    for (const uniqueName of ['one', 'two']) await chat.service.channels.create({ uniqueName })
    const { members } = chat.service.channels('one')
    await members.create({ identity: 'vera' })
    await members.create({ identity: 'ana' })
    await refused(members.create({ identity: 'ben' }), 403, 50403)
    await refused(members.create({ identity: 'ana' }), 409, 50404)
    await refused(chat.service.channels('two').members.create({ identity: 'ana' }), 403, 50208)
    assert.equal((await chat.service.channels('two').fetch()).membersCount, 0)
    await chat.service.channels('one').members('ana').remove()
    await chat.service.channels('two').members.create({ identity: 'ana' })
    await members.create({ identity: 'ben' })
  })

  test('members are listed in pages, or by identity', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const { members } = chat.service.channels('room')
    for (const identity of ['vera', 'ana', 'ben', 'sol']) await members.create({ identity })
    assert.equal((await members.list({ pageSize: 3 })).length, 4)
    const some = await members.list({ identity: ['ana', 'sol', 'nobody'] })
    assert.deepEqual(some.map((it) => it.identity).sort(), ['ana', 'sol'])
    assert.equal((await members.list({ identity: ['vera'] })).length, 1)
  })

  test('a horizon moves to a message that exists, and says when', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    await room.members.create({ identity: 'vera' })
    for (let it = 0; it < 3; it += 1) await room.messages.create({ body: `${it}` })
    const vera = room.members('vera')
    await refused(vera.update({ lastConsumedMessageIndex: 3 }), 400, 50405)
    await refused(vera.update({ lastConsumedMessageIndex: -1 }), 400, 50405)
    const read = await vera.update({ lastConsumedMessageIndex: 2 })
    assert.equal(read.lastConsumedMessageIndex, 2)
    assert.equal(Math.floor(chat.world.clock.now() / 1000), read.lastConsumptionTimestamp.getTime() / 1000)
    const told = await vera.update({ lastConsumptionTimestamp: new Date('2024-05-06T07:08:09Z') })
    assert.equal(told.lastConsumptionTimestamp.toISOString(), '2024-05-06T07:08:09.000Z')
  })

  test('a member is restored from a backup with dates and horizon', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const member = await chat.service.channels('room').members.create({
      identity: 'vera',
      lastConsumedMessageIndex: 20,
      lastConsumptionTimestamp: new Date('2020-01-02T03:04:05Z'),
      dateCreated: new Date('2019-01-02T03:04:05Z'),
      dateUpdated: new Date('2019-02-02T03:04:05Z'),
      attributes: '{"seat":1}',
    })
    assert.equal(member.lastConsumedMessageIndex, 20)
    assert.equal(member.dateCreated.toISOString(), '2019-01-02T03:04:05.000Z')
    assert.equal(member.dateUpdated.toISOString(), '2019-02-02T03:04:05.000Z')
    assert.equal(member.attributes, '{"seat":1}')
  })
})
