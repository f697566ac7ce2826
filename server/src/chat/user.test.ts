import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'
import type { Engine } from '../../test/world/index.ts'

describe('users', () => {
  test('a user is found by SID and by identity, changed, and deleted', async () => {
    await using chat = await openChat()
    const user = await chat.service.users.create({ identity: 'vera@example.com', friendlyName: 'Vera' })
    assert.equal(user.attributes, '{}')
    assert.equal(user.joinedChannelsCount, 0)
    assert.equal(user.isOnline, null)
    assert.equal(user.roleSid, (await chat.service.fetch()).defaultServiceRoleSid)
    assert.deepEqual((await chat.service.users('vera@example.com').fetch()).toJSON(), user.toJSON())
    const updated = await chat.service
      .users('vera@example.com')
      .update({ attributes: '{"vip":true}', friendlyName: 'Vera V.' })
    assert.deepEqual([updated.attributes, updated.friendlyName], ['{"vip":true}', 'Vera V.'])
    assert.deepEqual((await chat.service.users(user.sid).update({})).toJSON(), updated.toJSON())
    assert.equal((await chat.service.users.list()).length, 1)
    assert.equal(await chat.service.users(user.sid).remove(), true)
    await notThere(chat.service.users('vera@example.com').fetch())
    await notThere(chat.service.users(user.sid).remove())
  })

  test('a name was never given until it is', async () => {
    await using chat = await openChat()
    assert.equal((await chat.service.users.create({ identity: 'vera' })).friendlyName, null)
  })

  test('whether somebody is online is told on a single fetch, where the service reports it', async () => {
    await using chat = await openChat()
    await chat.service.update({ reachabilityEnabled: true })
    await chat.service.users.create({ identity: 'vera' })
    const user = await chat.service.users('vera').fetch()
    assert.deepEqual([user.isOnline, user.isNotifiable], [false, false])
    assert.equal((await chat.service.users.list())[0]?.isOnline, null)
  })

  test('an identity is taken once, and has its limits', async () => {
    await using chat = await openChat()
    const { users } = chat.service
    await users.create({ identity: 'vera' })
    await refused(users.create({ identity: 'vera' }), 409, 50201)
    await refused(users.create({ identity: '' }), 400, 50204)
    await refused(users.create({ identity: 'x'.repeat(257) }), 400, 50207)
    await refused(users.create({ identity: `US${'a'.repeat(32)}` }), 400, 50206)
    await refused(users.create({ identity: 'system' }), 400, 50203)
    await users.create({ identity: 'x'.repeat(256) })
    const { defaultChannelRoleSid } = await chat.service.fetch()
    await refused(users.create({ identity: 'ana', roleSid: defaultChannelRoleSid }), 400, 50105)
    await refused(users.create({ identity: 'ana', roleSid: `RL${'0'.repeat(32)}` }), 400, 50102)
    await refused(users.create({ identity: 'ana', attributes: 'not json' }), 400, 50304)
    await refused(users.create({ identity: 'ana', attributes: JSON.stringify('x'.repeat(4095)) }), 400, 50303)
    await users.create({ identity: 'ana', attributes: JSON.stringify('x'.repeat(4094)) })
    await refused(users.create({ identity: 'ben', friendlyName: 'x'.repeat(257) }), 400, 50003)
    assert.equal((await users.list()).length, 3)
  })

  for (const engine of ['memory', 'postgres'] satisfies Engine[])
    test(`a hundred who add the same somebody at once make one user, on ${engine}`, async () => {
      await using chat = await openChat(engine)
      const channels = await Promise.all(Array.from({ length: 100 }, () => chat.service.channels.create({})))
      await Promise.all(
        channels.map(({ sid }) => chat.service.channels(sid).members.create({ identity: 'vera' })),
      )
      assert.equal((await chat.service.users.list()).length, 1)
      assert.equal((await chat.service.users('vera').fetch()).joinedChannelsCount, 100)
    })

  test('a user who is deleted leaves every channel', async () => {
    await using chat = await openChat()
    for (const uniqueName of ['one', 'two']) {
      await chat.service.channels.create({ uniqueName })
      await chat.service.channels(uniqueName).members.create({ identity: 'vera' })
      await chat.service.channels(uniqueName).members.create({ identity: 'ana' })
    }
    await chat.service.channels.create({ uniqueName: 'three' })
    await chat.service.channels('three').invites.create({ identity: 'vera' })
    await chat.service.users('vera').remove()
    for (const uniqueName of ['one', 'two']) {
      assert.equal((await chat.service.channels(uniqueName).fetch()).membersCount, 1)
      await notThere(chat.service.channels(uniqueName).members('vera').fetch())
    }
    assert.equal((await chat.service.channels('three').invites.list()).length, 0)
  })
})
