import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'

describe('user channels', () => {
  test('a user has the channels they joined and those they are invited to, in pages', async () => {
    await using chat = await openChat()
    for (const name of ['one', 'two', 'three', 'four'])
      await chat.service.channels.create({ uniqueName: name })
    const { service } = chat
    for (const name of ['one', 'three']) await service.channels(name).members.create({ identity: 'vera' })
    await service.channels('two').invites.create({ identity: 'vera' })
    await service.channels('four').members.create({ identity: 'ana' })
    const vera = await service.users('vera').fetch()
    const listed = await service.users('vera').userChannels.list({ pageSize: 1 })
    assert.deepEqual(listed.map((it) => it.status).sort(), ['invited', 'joined', 'joined'])
    assert.deepEqual(
      (await service.users(vera.sid).userChannels.list()).map((it) => it.channelSid),
      listed.map((it) => it.channelSid),
    )
    const first = await service.users('vera').userChannels.page({ pageSize: 2 })
    const back = await (await first.nextPage())?.previousPage()
    assert.deepEqual(
      back?.instances.map((it) => it.channelSid),
      first.instances.map((it) => it.channelSid),
    )
    await notThere(service.users('vera').userChannels('four').fetch())
    await notThere(service.users('nobody').userChannels.list())
  })

  test('what is unread is counted from the horizon, and unknown before there is one', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    await room.members.create({ identity: 'vera' })
    const sent = []
    for (let it = 0; it < 6; it += 1) sent.push(await room.messages.create({ body: `${it}` }))
    const mine = chat.service.users('vera').userChannels('room')
    const fresh = await mine.fetch()
    assert.deepEqual([fresh.lastConsumedMessageIndex, fresh.unreadMessagesCount], [null, null])
    assert.equal((await mine.update({ lastConsumedMessageIndex: 1 })).unreadMessagesCount, 4)
    await room.messages(sent[4]?.sid ?? '').remove()
    await room.messages(sent[0]?.sid ?? '').remove()
    assert.equal((await mine.fetch()).unreadMessagesCount, 3)
    assert.equal((await chat.service.users('vera').userChannels.list())[0]?.unreadMessagesCount, 3)
    await refused(mine.update({ lastConsumedMessageIndex: 6 }), 400, 50405)
    assert.equal((await mine.update({ lastConsumedMessageIndex: 5 })).unreadMessagesCount, 0)
    assert.equal((await room.members('vera').fetch()).lastConsumedMessageIndex, 5)
  })

  test('a channel is muted for one user alone', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    for (const identity of ['vera', 'ana']) await chat.service.channels('room').members.create({ identity })
    const level = async (identity: string) =>
      (await chat.service.users(identity).userChannels('room').fetch()).notificationLevel
    await chat.service.users('vera').userChannels('room').update({ notificationLevel: 'muted' })
    assert.deepEqual([await level('vera'), await level('ana')], ['muted', 'default'])
    const wrong = chat.service
      .users('vera')
      .userChannels('room')
      .update({ notificationLevel: 'loud' as 'muted' })
    await refused(wrong, 400, 50210)
  })

  test('removing one ends the membership, or the invitation', async () => {
    await using chat = await openChat()
    for (const name of ['one', 'two']) await chat.service.channels.create({ uniqueName: name })
    await chat.service.channels('one').members.create({ identity: 'vera' })
    await chat.service.channels('two').invites.create({ identity: 'vera' })
    const { userChannels } = chat.service.users('vera')
    for (const name of ['one', 'two'])
      assert.equal(await chat.service.users('vera').userChannels(name).remove(), true)
    assert.equal((await userChannels.list()).length, 0)
    assert.equal((await chat.service.channels('one').fetch()).membersCount, 0)
    await notThere(chat.service.users('vera').userChannels('one').remove())
  })
})
