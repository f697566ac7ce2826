import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'

const url = 'https://example.com/hook'

describe('channel webhooks', () => {
  test('each type keeps what it knows of its configuration', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const { webhooks } = chat.service.channels('room')
    const hook = await webhooks.create({
      type: 'webhook',
      'configuration.url': url,
      'configuration.filters': ['onMessageSent', 'onChannelUpdated'],
      'configuration.retryCount': 2,
    })
    assert.equal(hook.type, 'webhook')
    assert.deepEqual(hook.configuration, {
      url,
      method: 'POST',
      filters: ['onMessageSent', 'onChannelUpdated'],
      retry_count: 2,
    })
    const trigger = await webhooks.create({
      type: 'trigger',
      'configuration.url': url,
      'configuration.method': 'GET',
      'configuration.triggers': ['help', 'agent'],
    })
    assert.deepEqual(trigger.configuration, {
      url,
      method: 'GET',
      triggers: ['help', 'agent'],
      retry_count: 0,
    })
    const flowSid = `FW${'a'.repeat(32)}`
    const studio = await webhooks.create({ type: 'studio', 'configuration.flowSid': flowSid })
    assert.deepEqual(studio.configuration, { flow_sid: flowSid, retry_count: 0 })
    assert.deepEqual(
      (await webhooks.list()).map((it) => it.sid).sort(),
      [hook.sid, trigger.sid, studio.sid].sort(),
    )
  })

  test('a webhook is changed in part, and deleted', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    const hook = await room.webhooks.create({
      type: 'webhook',
      'configuration.url': url,
      'configuration.filters': ['onMessageSent'],
    })
    const updated = await room.webhooks(hook.sid).update({ 'configuration.url': `${url}?a=1` })
    assert.deepEqual(updated.configuration, {
      url: `${url}?a=1`,
      method: 'POST',
      filters: ['onMessageSent'],
      retry_count: 0,
    })
    assert.deepEqual((await room.webhooks(hook.sid).update({})).toJSON(), updated.toJSON())
    assert.deepEqual((await room.webhooks(hook.sid).fetch()).toJSON(), updated.toJSON())
    assert.equal(await room.webhooks(hook.sid).remove(), true)
    await notThere(room.webhooks(hook.sid).fetch())
    await notThere(room.webhooks(hook.sid).remove())
  })

  test('a channel has five webhooks at the most, however many are made at once', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const asked = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        chat.service.channels('room').webhooks.create({
          type: 'webhook',
          'configuration.url': url,
          'configuration.filters': ['onMessageSent'],
        }),
      ),
    )
    assert.equal(asked.filter((it) => it.status === 'fulfilled').length, 5)
    for (const it of asked)
      if (it.status === 'rejected') assert.deepEqual([it.reason.status, it.reason.code], [400, 50321])
  })

  test('each wrong configuration has its own code', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const { webhooks } = chat.service.channels('room')
    const hook = {
      type: 'webhook' as const,
      'configuration.url': url,
      'configuration.filters': ['onMessageSent'],
    }
    const filters = (...those: string[]) => ({ ...hook, 'configuration.filters': those })
    const trigger = (...those: string[]) =>
      ({ type: 'trigger', 'configuration.url': url, 'configuration.triggers': those }) as const
    await refused(webhooks.create({ ...hook, type: 'pigeon' as 'webhook' }), 400, 50324)
    await refused(webhooks.create({ ...hook, 'configuration.url': 'nowhere' }), 400, 50329)
    await refused(
      webhooks.create({ type: 'webhook', 'configuration.filters': ['onMessageSent'] }),
      400,
      50329,
    )
    await refused(webhooks.create({ ...hook, 'configuration.url': `${url}?${'x'.repeat(2048)}` }), 400, 50332)
    await refused(webhooks.create({ ...hook, 'configuration.method': 'PUT' as 'POST' }), 400, 50055)
    await refused(webhooks.create({ ...hook, 'configuration.retryCount': 4 }), 400, 50065)
    await refused(webhooks.create({ type: 'webhook', 'configuration.url': url }), 400, 50330)
    await refused(webhooks.create(filters('onFire')), 400, 50325)
    await refused(webhooks.create({ type: 'trigger', 'configuration.url': url }), 400, 50331)
    await refused(webhooks.create(trigger('1', '2', '3', '4', '5', '6')), 400, 50322)
    await refused(webhooks.create(trigger('')), 400, 50326)
    await refused(webhooks.create({ type: 'studio' }), 400, 50327)
    await refused(webhooks.create({ type: 'studio', 'configuration.flowSid': 'mine' }), 400, 50327)
    const missing = await chat.world.fetch(`/v2/Services/${chat.serviceSid}/Channels/room/Webhooks`, {
      form: {},
    })
    assert.equal(((await missing.json()) as { code: number }).code, 50328)
    assert.equal((await webhooks.list()).length, 0)
  })
})
