import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'
import type { Engine } from '../../test/world/index.ts'

describe('channels', () => {
  test('a channel is found by SID and by unique name, changed, and destroyed', async () => {
    await using chat = await openChat()
    const channel = await chat.service.channels.create({ friendlyName: 'Room', uniqueName: 'room ü' })
    assert.deepEqual(
      [channel.type, channel.attributes, channel.createdBy, channel.membersCount, channel.messagesCount],
      ['public', '{}', 'system', 0, 0],
    )
    assert.equal(channel.links.last_message, null)
    assert.deepEqual((await chat.service.channels('room ü').fetch()).toJSON(), channel.toJSON())
    const updated = await chat.service
      .channels('room ü')
      .update({ friendlyName: 'Salon', uniqueName: 'salon', attributes: '{"a":1}' })
    assert.deepEqual(
      [updated.friendlyName, updated.uniqueName, updated.attributes],
      ['Salon', 'salon', '{"a":1}'],
    )
    await notThere(chat.service.channels('room ü').fetch())
    assert.deepEqual((await chat.service.channels(channel.sid).update({})).toJSON(), updated.toJSON())
    assert.equal((await chat.service.channels(channel.sid).update({ uniqueName: '' })).uniqueName, null)
    assert.equal(await chat.service.channels(channel.sid).remove(), true)
    await notThere(chat.service.channels(channel.sid).fetch())
    await notThere(chat.service.channels(channel.sid).remove())
    await notThere(chat.service.channels(channel.sid).messages.list())
  })

  test('a missing channel is named by its path, a missing service is answered 403', async () => {
    await using chat = await openChat()
    await assert.rejects(chat.service.channels('nowhere').messages.create({ body: 'hi' }), {
      status: 404,
      code: 20404,
      message: `The requested resource /Services/${chat.serviceSid}/Channels/nowhere was not found`,
    })
    const none = chat.world.twilio.chat.v2.services(`IS${'0'.repeat(32)}`)
    await assert.rejects(none.channels('nowhere').messages.create({ body: 'hi' }), {
      status: 403,
      code: 50050,
      message: 'Service instance not found',
    })
    await refused(none.channels.create({}), 403, 50050)
    await refused(none.channels('nowhere').fetch(), 403, 50050)
    await refused(none.channels('nowhere').members.list(), 403, 50050)
  })

  for (const engine of ['memory', 'postgres'] satisfies Engine[])
    test(`a unique name is had by one channel at a time, however many want it at once, on ${engine}`, async () => {
      await using chat = await openChat(engine)
      const asked = await Promise.allSettled(
        Array.from({ length: 20 }, () => chat.service.channels.create({ uniqueName: 'room' })),
      )
      assert.equal(asked.filter((it) => it.status === 'fulfilled').length, 1)
      for (const it of asked)
        if (it.status === 'rejected') assert.deepEqual([it.reason.status, it.reason.code], [409, 50307])
      const other = await chat.service.channels.create({ uniqueName: 'other' })
      await refused(chat.service.channels(other.sid).update({ uniqueName: 'room' }), 409, 50307)
      assert.equal(
        (await chat.service.channels(other.sid).update({ uniqueName: 'other' })).uniqueName,
        'other',
      )
      await chat.service.channels('room').remove()
      assert.equal((await chat.service.channels(other.sid).update({ uniqueName: 'room' })).sid, other.sid)
      const rest = await Promise.all(Array.from({ length: 10 }, () => chat.service.channels.create({})))
      const renamed = await Promise.allSettled(
        rest.map(({ sid }) => chat.service.channels(sid).update({ uniqueName: 'wanted' })),
      )
      assert.equal(renamed.filter((it) => it.status === 'fulfilled').length, 1)
      for (const it of renamed) if (it.status === 'rejected') assert.equal(it.reason.code, 50307)
    })

  test('names, attributes and dates have their limits and codes', async () => {
    await using chat = await openChat()
    const { channels } = chat.service
    await refused(channels.create({ friendlyName: 'x'.repeat(257) }), 400, 50003)
    await refused(channels.create({ uniqueName: 'x'.repeat(257) }), 400, 50004)
    await refused(channels.create({ uniqueName: `CH${'a'.repeat(32)}` }), 400, 50306)
    await refused(channels.create({ attributes: '{' }), 400, 50304)
    await refused(channels.create({ attributes: JSON.stringify('é'.repeat(16_384)) }), 400, 50303)
    await refused(channels.create({ createdBy: 'x'.repeat(257) }), 400, 50310)
    await refused(channels.create({ type: 'secret' as 'public' }), 400, 20001)
    const wrong = (form: Record<string, string>) =>
      chat.world.fetch(`/v2/Services/${chat.serviceSid}/Channels`, { form }).then((it) => it.json())
    assert.equal(((await wrong({ DateCreated: 'yesterday' })) as { code: number }).code, 50308)
    assert.equal(((await wrong({ DateUpdated: 'tomorrow' })) as { code: number }).code, 50309)
    assert.equal((await channels.list()).length, 0)
    await channels.create({ attributes: JSON.stringify('x'.repeat(32_766)) })
  })

  test('a channel is restored from a backup with its dates and its author', async () => {
    await using chat = await openChat()
    const channel = await chat.service.channels.create({
      dateCreated: new Date('2020-01-02T03:04:05Z'),
      createdBy: 'vera',
    })
    assert.equal(channel.dateCreated.toISOString(), '2020-01-02T03:04:05.000Z')
    assert.equal(channel.dateUpdated.toISOString(), '2020-01-02T03:04:05.000Z')
    assert.equal(channel.createdBy, 'vera')
    const updated = await chat.service.channels(channel.sid).update({
      dateUpdated: new Date('2021-01-02T03:04:05Z'),
      createdBy: 'ana',
    })
    assert.deepEqual(
      [updated.dateUpdated.toISOString(), updated.createdBy],
      ['2021-01-02T03:04:05.000Z', 'ana'],
    )
  })

  test('a list shows public channels unless it is told otherwise, and its pages lead on', async () => {
    await using chat = await openChat()
    for (let it = 0; it < 5; it += 1) await chat.service.channels.create({ uniqueName: `public ${it}` })
    await chat.service.channels.create({ uniqueName: 'hidden', type: 'private' })
    const names = async (type?: ('public' | 'private')[]) =>
      (await chat.service.channels.list({ ...(type ? { type } : {}), pageSize: 2 }))
        .map((it) => it.uniqueName)
        .sort()
    assert.equal((await names()).length, 5)
    assert.deepEqual(await names(['private']), ['hidden'])
    assert.equal((await names(['public', 'private'])).length, 6)
    const first = await chat.service.channels.page({ pageSize: 2 })
    const second = await first.nextPage()
    assert.equal(second?.instances.length, 2)
    assert.deepEqual(
      (await second?.previousPage())?.instances.map((it) => it.sid),
      first.instances.map((it) => it.sid),
    )
  })

  test('a channel that is destroyed tells of itself alone, and takes its members and messages along', async () => {
    await using chat = await openChat()
    const { world, service } = chat
    await service.update({
      postWebhookUrl: world.listener.url('/hook'),
      webhookFilters: ['onChannelDestroyed', 'onMemberRemoved', 'onMessageRemoved'],
    })
    const channel = await service.channels.create({ uniqueName: 'room' })
    for (const identity of ['vera', 'ana', 'ben']) await service.channels('room').members.create({ identity })
    for (let it = 0; it < 3; it += 1) await service.channels('room').messages.create({ body: `${it}` })
    await service.channels('room').remove({ xTwilioWebhookEnabled: 'true' })
    await world.settle()
    assert.deepEqual(
      world.listener.heard.map(({ form }) => [form.EventType, form.ChannelSid]),
      [['onChannelDestroyed', channel.sid]],
    )
    assert.equal((await service.users('vera').fetch()).joinedChannelsCount, 0)
    assert.equal((await service.users('vera').userChannels.list()).length, 0)
    assert.equal((await service.channels.create({ uniqueName: 'room' })).messagesCount, 0)
  })
})
