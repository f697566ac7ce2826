import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'

describe('chat services', () => {
  test('a service is made with the roles, limits and intervals of a new Twilio service', async () => {
    await using chat = await openChat()
    const service = await chat.service.fetch()
    assert.equal(service.friendlyName, 'Support')
    assert.deepEqual(service.limits, { channel_members: 100, user_channels: 250 })
    assert.equal(service.typingIndicatorTimeout, 5)
    assert.equal(service.consumptionReportInterval, 10)
    assert.equal(service.readStatusEnabled, true)
    assert.equal(service.reachabilityEnabled, false)
    assert.equal((service.media as { size_limit_mb: number }).size_limit_mb, 150)
    const roles = await chat.service.roles.list()
    assert.deepEqual(roles.map((it) => `${it.type}: ${it.friendlyName}`).sort(), [
      'channel: channel admin',
      'channel: channel user',
      'deployment: service admin',
      'deployment: service user',
    ])
    const named = (sid: string) => roles.find((it) => it.sid === sid)?.friendlyName
    assert.equal(named(service.defaultServiceRoleSid), 'service user')
    assert.equal(named(service.defaultChannelRoleSid), 'channel user')
    assert.equal(named(service.defaultChannelCreatorRoleSid), 'channel admin')
  })

  test('every parameter of an update is kept, and an empty update changes nothing', async () => {
    await using chat = await openChat()
    const role = await chat.service.roles.create({
      friendlyName: 'guest',
      type: 'deployment',
      permission: ['joinChannel'],
    })
    const updated = await chat.service.update({
      friendlyName: 'Sales',
      defaultServiceRoleSid: role.sid,
      readStatusEnabled: false,
      reachabilityEnabled: true,
      typingIndicatorTimeout: 7,
      consumptionReportInterval: 20,
      'notifications.newMessage.enabled': true,
      'notifications.newMessage.template': 'New message',
      'notifications.newMessage.badgeCountEnabled': true,
      'notifications.addedToChannel.sound': 'ping',
      'notifications.logEnabled': true,
      preWebhookUrl: 'https://example.com/before',
      postWebhookUrl: 'https://example.com/after',
      webhookMethod: 'GET',
      webhookFilters: ['onMessageSent', 'onChannelAdd'],
      'limits.channelMembers': 500,
      'limits.userChannels': 600,
      'media.compatibilityMessage': 'A file',
      preWebhookRetryCount: 2,
      postWebhookRetryCount: 3,
    })
    const { dateUpdated: _, ...kept } = (await chat.service.fetch()).toJSON() as Record<string, unknown>
    const { dateUpdated: __, ...said } = updated.toJSON() as Record<string, unknown>
    assert.deepEqual(kept, said)
    assert.equal(updated.friendlyName, 'Sales')
    assert.equal(updated.defaultServiceRoleSid, role.sid)
    assert.deepEqual(updated.limits, { channel_members: 500, user_channels: 600 })
    assert.deepEqual(updated.webhookFilters, ['onMessageSent', 'onChannelAdd'])
    assert.deepEqual((updated.notifications as Record<string, unknown>).new_message, {
      enabled: true,
      badge_count_enabled: true,
      template: 'New message',
    })
    assert.equal(updated.postWebhookRetryCount, 3)
    assert.deepEqual((await chat.service.update({})).toJSON(), (await chat.service.fetch()).toJSON())

    const cleared = await chat.service.update({ preWebhookUrl: '', webhookFilters: [''] })
    assert.equal(cleared.preWebhookUrl, null)
    assert.equal(cleared.webhookFilters, null)
    assert.equal(cleared.postWebhookUrl, 'https://example.com/after')
  })

  test('each wrong parameter has its own code and changes nothing', async () => {
    await using chat = await openChat()
    const before = (await chat.service.fetch()).toJSON()
    const { roles } = chat.service
    const channelRole = await roles.create({
      friendlyName: 'guest',
      type: 'channel',
      permission: ['sendMessage'],
    })
    const none = `RL${'0'.repeat(32)}`
    await refused(chat.service.update({ 'limits.channelMembers': 1001 }), 400, 50060)
    await refused(chat.service.update({ 'limits.userChannels': 0 }), 400, 50061)
    await refused(chat.service.update({ typingIndicatorTimeout: -1 }), 400, 50053)
    await refused(chat.service.update({ consumptionReportInterval: 99999 }), 400, 50052)
    await refused(chat.service.update({ preWebhookUrl: 'nowhere' }), 400, 50077)
    await refused(chat.service.update({ postWebhookUrl: 'ftp://example.com' }), 400, 50078)
    await refused(chat.service.update({ webhookMethod: 'PUT' }), 400, 50055)
    await refused(chat.service.update({ webhookFilters: ['onFire'] }), 400, 50325)
    await refused(chat.service.update({ preWebhookRetryCount: 4 }), 400, 50065)
    await refused(chat.service.update({ friendlyName: 'x'.repeat(257) }), 400, 50003)
    await refused(chat.service.update({ defaultServiceRoleSid: none }), 400, 50102)
    await refused(chat.service.update({ defaultChannelRoleSid: none }), 400, 50101)
    await refused(chat.service.update({ defaultChannelCreatorRoleSid: none }), 400, 50106)
    await refused(chat.service.update({ defaultServiceRoleSid: channelRole.sid }), 400, 50105)
    await refused(chat.world.twilio.chat.v2.services.create({ friendlyName: '' }), 400, 50000)
    const missing = await chat.world.fetch('/v2/Services', { form: {} })
    assert.equal(((await missing.json()) as { code: number }).code, 50000)
    assert.deepEqual((await chat.service.fetch()).toJSON(), before)
  })

  test('services are listed in pages, and one that is deleted takes everything with it', async () => {
    await using chat = await openChat()
    const { services } = chat.world.twilio.chat.v2
    const second = await services.create({ friendlyName: 'Second' })
    const listed = await services.list({ pageSize: 1 })
    assert.ok(listed.some((it) => it.sid === chat.serviceSid) && listed.some((it) => it.sid === second.sid))
    assert.deepEqual(
      listed.map((it) => it.sid),
      listed.map((it) => it.sid).sort(),
    )
    const channel = await chat.service.channels.create({ uniqueName: 'room' })
    await chat.service.channels('room').members.create({ identity: 'vera' })
    await chat.service.channels('room').messages.create({ body: 'hello' })
    assert.equal(await chat.service.remove(), true)
    await notThere(chat.service.fetch())
    await notThere(chat.service.remove())
    await refused(chat.service.channels.list(), 403, 50050)
    await refused(chat.service.channels(channel.sid).messages.create({ body: 'anybody?' }), 403, 50050)
    await refused(chat.service.users('vera').fetch(), 403, 50050)
    await refused(chat.service.roles.list(), 403, 50050)
  })

  test('push notifications are declined with the reason', async () => {
    await using chat = await openChat()
    await refused(chat.service.bindings.list(), 501, 20501)
    await refused(chat.service.users('vera').userBindings.list(), 501, 20501)
    await refused(chat.world.twilio.chat.v2.credentials.create({ type: 'fcm', secret: 'x' }), 501, 20501)
  })
})
