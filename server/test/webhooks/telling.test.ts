import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import twilio from 'twilio'
import twilio5 from 'twilio5'
import { openWorld, type World } from '../world/index.ts'
import type { Heard } from '../world/listener.ts'
import { HEARD, ledger, line, openRoom } from './channel.ts'

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const assertSigned = (world: World, { method, url, headers, form }: Heard) => {
  const signature = headers['x-twilio-signature'] as string
  const params = method === 'POST' ? form : {}
  for (const it of [twilio, twilio5]) {
    assert.ok(it.validateRequest(world.account.authToken, signature, url, params), `the signature of ${url}`)
    assert.ok(!it.validateRequest('another token', signature, url, params))
  }
}

describe('a webhook of a channel', () => {
  test('tells of a message with the fields of a real one, signed over the URL and its query', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    const webhookSid = await room.hook(`/new-message?channel=${room.channelSid}&x=a%20b`)
    const message = await room.post('hello, ünïcode & more')
    assert.equal(world.listener.heard.length, 0, 'nothing is sent before the commit')
    await world.settle()

    const [heard, ...more] = world.listener.heard as [Heard]
    assert.deepEqual(more, [])
    assert.equal(heard.method, 'POST')
    assert.equal(heard.path, `/new-message?channel=${room.channelSid}&x=a%20b`)
    assert.match(heard.headers['content-type'] as string, /^application\/x-www-form-urlencoded/)
    const { DateCreated, ...fields } = heard.form
    assert.match(DateCreated as string, MOMENT)
    assert.deepEqual(fields, {
      EventType: 'onMessageSent',
      InstanceSid: room.serviceSid,
      AccountSid: world.account.sid,
      Source: 'API',
      ClientIdentity: 'system',
      ChannelSid: room.channelSid,
      MessageSid: message.sid,
      Index: '0',
      Body: 'hello, ünïcode & more',
      Attributes: '{}',
      From: 'vera',
      To: room.channelSid,
      RetryCount: '0',
      WebhookType: 'webhook',
      WebhookSid: webhookSid,
    })
    assertSigned(world, heard)
    assert.match(heard.headers['i-twilio-idempotency-token'] as string, /^[0-9a-f]{8}-[0-9a-f]{4}-/)
  })

  test('tells of the channel that changes, with the fields of a real one', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/channel-update', { filters: ['onChannelUpdated'] })
    const attributes = '{"status":"INACTIVE","long_lived":false}'
    await world.twilio.chat.v2
      .services(room.serviceSid)
      .channels(room.channelSid)
      .update({ attributes, ...HEARD })
    await world.settle()
    const [heard] = world.listener.at('/channel-update') as [Heard]
    assert.deepEqual(Object.keys(heard.form).sort(), [
      'AccountSid',
      'Attributes',
      'ChannelSid',
      'ChannelType',
      'ClientIdentity',
      'CreatedBy',
      'DateCreated',
      'DateUpdated',
      'EventType',
      'FriendlyName',
      'InstanceSid',
      'RetryCount',
      'Source',
      'UniqueName',
      'WebhookSid',
      'WebhookType',
    ])
    assert.equal(heard.form.Attributes, attributes)
    assert.equal(heard.form.UniqueName, 'vera-1')
    assert.equal(heard.form.ChannelType, 'public')
    assertSigned(world, heard)
  })

  test('is asked with GET when it wants so: the form is in the query, after the query it has', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message?secret=1', { method: 'GET' })
    await room.post('hello & goodbye')
    await world.settle()
    const [heard] = world.listener.heard as [Heard]
    assert.equal(heard.method, 'GET')
    assert.equal(heard.body, '')
    assert.ok(heard.path.startsWith('/new-message?secret=1&EventType=onMessageSent&'))
    assert.equal(heard.form.Body, 'hello & goodbye')
    assertSigned(world, heard)
  })

  test('of type trigger hears of the messages that contain one of its words', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    const webhookSid = await room.hook('/trigger', { triggers: ['help', 'agent please'] })
    await room.post('good morning')
    await room.post('I need help!')
    await room.post('an agent please')
    await world.settle()
    const heard = world.listener.at('/trigger')
    assert.deepEqual(
      heard.map((it) => it.form.Body),
      ['I need help!', 'an agent please'],
    )
    assert.deepEqual(new Set(heard.map((it) => it.form.WebhookType)), new Set(['trigger']))
    const [silent, ...others] = await ledger(world, { WebhookSid: webhookSid, State: 'silent' })
    assert.equal(silent?.rule, 'no_trigger_found')
    assert.deepEqual(others, [])
  })

  test('hears of members who come, change and go', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/members', { filters: ['onMemberAdded', 'onMemberUpdated', 'onMemberRemoved'] })
    const { members } = world.twilio.chat.v2.services(room.serviceSid).channels(room.channelSid)
    const ana = await members.create({ identity: 'ana', ...HEARD })
    await members(ana.sid).update({ attributes: '{"member_type":"agent"}', ...HEARD })
    await members(ana.sid).remove(HEARD)
    await world.settle()
    const [added, updated, removed] = world.listener.at('/members').map((it) => it.form)
    assert.equal(added?.EventType, 'onMemberAdded')
    assert.equal(added?.Reason, 'ADDED')
    assert.equal(added?.MemberSid, ana.sid)
    assert.equal(added?.Identity, 'ana')
    assert.equal(updated?.EventType, 'onMemberUpdated')
    assert.match(updated?.DateUpdated ?? '', MOMENT)
    assert.equal(removed?.EventType, 'onMemberRemoved')
    assert.equal(removed?.Reason, 'REMOVED')
    assert.match(removed?.DateRemoved ?? '', MOMENT)
  })

  test('hears of a message that is edited and removed, and of the end of its channel', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/all', { filters: ['onMessageUpdated', 'onMessageRemoved', 'onChannelDestroyed'] })
    const channel = world.twilio.chat.v2.services(room.serviceSid).channels(room.channelSid)
    const { sid } = await room.post('helo')
    await channel.messages(sid).update({ body: 'hello', lastUpdatedBy: 'ana', ...HEARD })
    await channel.messages(sid).remove(HEARD)
    await channel.remove(HEARD)
    await world.settle()
    const heard = world.listener.at('/all').map((it) => it.form)
    assert.deepEqual(
      heard.map((it) => it.EventType),
      ['onMessageUpdated', 'onMessageRemoved', 'onChannelDestroyed'],
    )
    assert.equal(heard[0]?.Body, 'hello')
    assert.equal(heard[0]?.ModifiedBy, 'ana')
    assert.match(heard[1]?.DateRemoved ?? '', MOMENT)
    assert.match(heard[2]?.DateDestroyed ?? '', MOMENT)
  })
})

describe('the webhook of a service', () => {
  test('hears of the events its filters name, whichever channel or user they are about', async () => {
    await using world = await openWorld()
    const { sid } = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
    await world.twilio.chat.v2.services(sid).update({
      postWebhookUrl: world.listener.url('/service'),
      webhookMethod: 'POST',
      webhookFilters: ['onChannelAdded', 'onUserAdded', 'onUserUpdated'],
    })
    const service = world.twilio.chat.v2.services(sid)
    const channel = await service.channels.create({ friendlyName: 'Vera', ...HEARD })
    const user = await service.users.create({ identity: 'vera', ...HEARD })
    await service.users(user.sid).update({ friendlyName: 'Vera', ...HEARD })
    await service.channels(channel.sid).messages.create({ body: 'hello', ...HEARD })
    await world.settle()
    const heard = world.listener.at('/service')
    assert.deepEqual(heard.map((it) => it.form.EventType).sort(), [
      'onChannelAdded',
      'onUserAdded',
      'onUserUpdated',
    ])
    for (const it of heard) {
      assert.equal(it.form.InstanceSid, sid)
      assert.ok(!('WebhookSid' in it.form) && !('RetryCount' in it.form))
      assertSigned(world, it)
    }
    const [message] = await ledger(world, { ChannelSid: channel.sid, EventType: 'onMessageSent' })
    assert.equal(message?.state, 'silent')
    assert.equal(message?.rule, 'not_in_service_filters')
  })

  test('where there is none, and none on the channel, nothing is written', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.post('hello')
    await world.settle()
    assert.deepEqual(await ledger(world), [])
  })
})

describe('what the API does', () => {
  test('is told only where the request says X-Twilio-Webhook-Enabled, and the ledger says why not', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    const webhookSid = await room.hook('/new-message')
    const { messages } = world.twilio.chat.v2.services(room.serviceSid).channels(room.channelSid)
    const unheard = await messages.create({ body: 'unheard' })
    await messages.create({ body: 'unheard as well', xTwilioWebhookEnabled: 'false' })
    await messages.create({ body: 'heard', ...HEARD })
    await world.settle()
    assert.deepEqual(
      world.listener.heard.map((it) => it.form.Body),
      ['heard'],
    )

    const [silent] = await ledger(world, { MessageSid: unheard.sid })
    assert.equal(silent?.state, 'silent')
    assert.equal(silent?.rule, 'not_enabled')
    assert.match(silent?.why ?? '', /X-Twilio-Webhook-Enabled/)
    assert.equal(silent?.webhook_sid, webhookSid)
    const filtered = await ledger(world, { WebhookSid: webhookSid, State: 'silent' })
    assert.equal(filtered.length, 2)
  })

  test('leaves no silence in the ledger where the setting says so', async () => {
    await using world = await openWorld({ webhooks: { silences: 0 } })
    const room = await openRoom(world)
    await room.hook('/new-message')
    await world.twilio.chat.v2
      .services(room.serviceSid)
      .channels(room.channelSid)
      .messages.create({ body: 'hi' })
    assert.deepEqual(await ledger(world), [])
  })
})

describe('the ledger', () => {
  test('shows of each attempt its request, answer, duration and outcome', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message')
    world.listener.answer('/new-message', () => ({
      status: 201,
      headers: { 'x-mine': 'yes' },
      body: 'thanks',
    }))
    const message = await room.post('hello')
    await world.settle()
    const [listed] = await ledger(world, { MessageSid: message.sid })
    assert.equal(listed?.state, 'delivered')
    assert.equal(listed?.attempts, null)
    const shown = await line(world, listed?.sid ?? '')
    const [attempt, ...more] = shown.attempts ?? []
    assert.deepEqual(more, [])
    const [heard] = world.listener.heard as [Heard]
    assert.equal(attempt?.request.url, heard.url)
    assert.equal(attempt?.request.method, 'POST')
    assert.equal(attempt?.request.body, heard.body)
    assert.equal(attempt?.request.headers['X-Twilio-Signature'], heard.headers['x-twilio-signature'])
    assert.equal(attempt?.answer?.status, 201)
    assert.equal(attempt?.answer?.body, 'thanks')
    assert.equal(attempt?.answer?.headers['x-mine'], 'yes')
    assert.equal(attempt?.outcome, 'answered')
    assert.ok((attempt?.duration_ms ?? -1) >= 0)
  })

  test('does not show the password of a URL that it is sent to', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    for (const method of ['POST', 'GET']) {
      await room.hook(world.listener.url('/new-message').replace('//', '//hook:s3cret@'), { method })
      await room.post(method)
      await world.settle()
      const basic = world.listener.at('/new-message').at(-1)?.headers.authorization
      assert.equal(basic, `Basic ${Buffer.from('hook:s3cret').toString('base64')}`)
    }
    for (const { sid } of await ledger(world)) {
      const shown = await line(world, sid)
      assert.ok(!JSON.stringify(shown).includes('s3cret'))
      assert.match(shown.webhook_url, /^http:\/\/hook:\*\*\*@127\.0\.0\.1:/)
    }
    assert.ok(!JSON.stringify(await ledger(world)).includes('s3cret'))
  })

  test('is narrowed by channel, message, event, state and webhook, and pages', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    const first = await room.hook('/one')
    await room.hook('/two', { filters: ['onMessageSent', 'onMessageUpdated'] })
    const sent = []
    for (const body of ['a', 'b', 'c']) sent.push(await room.post(body))
    await world.settle()
    assert.equal((await ledger(world)).length, 6)
    assert.equal((await ledger(world, { ChannelSid: room.channelSid })).length, 6)
    assert.equal((await ledger(world, { ChannelSid: `CH${'0'.repeat(32)}` })).length, 0)
    assert.equal((await ledger(world, { MessageSid: sent[1]?.sid ?? '' })).length, 2)
    assert.equal((await ledger(world, { WebhookSid: first })).length, 3)
    assert.equal((await ledger(world, { EventType: 'onMessageUpdated' })).length, 0)
    assert.equal((await ledger(world, { State: 'pending' })).length, 0)
    assert.equal((await ledger(world, { State: 'delivered', PageSize: '2' })).length, 2)
    assert.equal((await world.fetch('/v1/Parley/Deliveries?State=nonsense')).status, 400)
  })

  test("is nobody else's to see or to replay", async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message')
    await room.post('hello')
    await world.settle()
    const [mine] = await ledger(world)
    const other = await world.newAccount('Another')
    const as = `Basic ${Buffer.from(`${other.sid}:${other.authToken}`).toString('base64')}`
    assert.equal((await world.fetch(`/v1/Parley/Deliveries/${mine?.sid}`, { as })).status, 404)
    assert.equal((await world.fetch(`/v1/Parley/Deliveries/${mine?.sid}`, { as, form: {} })).status, 404)
    const theirs = (await (await world.fetch('/v1/Parley/Deliveries', { as })).json()) as {
      deliveries: unknown[]
    }
    assert.deepEqual(theirs.deliveries, [])
  })
})
