/** Two accounts side by side, and the library's last major version. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'

describe('chat of two accounts', () => {
  test('one account finds nothing of another, by SID or by name', async () => {
    await using chat = await openChat()
    const { world, service, serviceSid } = chat
    const channel = await service.channels.create({ uniqueName: 'room' })
    const room = service.channels('room')
    const member = await room.members.create({ identity: 'vera' })
    const message = await room.messages.create({ body: 'ours' })
    const hook = await room.webhooks.create({
      type: 'webhook',
      'configuration.url': 'https://example.com/hook',
      'configuration.filters': ['onMessageSent'],
    })
    const { defaultServiceRoleSid } = await service.fetch()

    const stranger = await world.newAccount('Stranger')
    const { v2 } = stranger.twilio.chat
    await notThere(v2.services(serviceSid).fetch())
    await notThere(v2.services(serviceSid).update({ friendlyName: 'theirs' }))
    await notThere(v2.services(serviceSid).remove())
    for (const key of ['room', channel.sid]) {
      const theirs = v2.services(serviceSid).channels(key)
      await refused(theirs.fetch(), 403, 50050)
      await refused(theirs.messages.create({ body: 'boo' }), 403, 50050)
      await refused(theirs.messages(message.sid).fetch(), 403, 50050)
      await refused(theirs.members(member.sid).remove(), 403, 50050)
      await refused(
        theirs.webhooks(hook.sid).update({ 'configuration.url': 'https://evil.example' }),
        403,
        50050,
      )
    }
    await refused(v2.services(serviceSid).users('vera').fetch(), 403, 50050)
    await refused(v2.services(serviceSid).roles(defaultServiceRoleSid).fetch(), 403, 50050)

    const own = await v2.services.create({ friendlyName: 'Own' })
    const inOwn = v2.services(own.sid)
    await notThere(inOwn.channels(channel.sid).fetch())
    await notThere(inOwn.channels(channel.sid).messages.create({ body: 'boo' }))
    await notThere(inOwn.channels('room').messages(message.sid).fetch())
    await notThere(inOwn.users('vera').fetch())
    await notThere(inOwn.roles(defaultServiceRoleSid).fetch())
    await refused(inOwn.update({ defaultServiceRoleSid }), 400, 50102)
    assert.ok((await v2.services.list()).every((it) => it.sid !== serviceSid))
    assert.deepEqual(
      (await room.messages.list()).map((it) => it.body),
      ['ours'],
    )
  })

  test('a resource of one channel is not found in another', async () => {
    await using chat = await openChat()
    for (const uniqueName of ['one', 'two']) await chat.service.channels.create({ uniqueName })
    const { sid } = await chat.service.channels('one').messages.create({ body: 'here' })
    const member = await chat.service.channels('one').members.create({ identity: 'vera' })
    const invite = await chat.service.channels('one').invites.create({ identity: 'ana' })
    const two = chat.service.channels('two')
    await notThere(two.messages(sid).fetch())
    await notThere(two.messages(sid).update({ body: 'there' }))
    await notThere(two.members(member.sid).remove())
    await notThere(two.invites(invite.sid).remove())
  })

  test('the library’s version 5 does the whole round', async () => {
    await using chat = await openChat()
    const { services } = chat.world.twilio5.chat.v2
    const { sid } = await services.create({ friendlyName: 'Five' })
    const channel = await services(sid).channels.create({ friendlyName: 'Room', uniqueName: 'room' })
    await services(sid).channels('room').members.create({ identity: 'vera' })
    const message = await services(sid).channels('room').messages.create({ body: 'hi', from: 'vera' })
    assert.deepEqual([message.channelSid, message.index, message.from], [channel.sid, 0, 'vera'])
    assert.equal((await services(sid).channels('room').messages.list({ limit: 10 })).length, 1)
    assert.equal((await services(sid).users('vera').userChannels.list()).length, 1)
    await refused(services(sid).channels('room').members.create({ identity: 'vera' }), 409, 50404)
    assert.equal(await services(sid).channels('room').remove(), true)
  })
})
