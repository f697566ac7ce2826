import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import twilio from 'twilio'
import { asToken, openWorld, type World } from '../world/index.ts'
import { ledger, line, openRoom, replay, tokenOf } from './channel.ts'

const ASKED = [
  'onMessageSend',
  'onMessageUpdate',
  'onMessageRemove',
  'onChannelAdd',
  'onChannelUpdate',
  'onMemberAdd',
  'onMemberRemove',
  'onUserUpdate',
]

/** A room whose service asks before a client acts, with visitor Vera in it. */
const openGatedRoom = async (world: World, { retries = 0, filters = ASKED } = {}) => {
  const room = await openRoom(world)
  const service = world.twilio.chat.v2.services(room.serviceSid)
  await service.update({
    preWebhookUrl: world.listener.url('/gate'),
    webhookFilters: filters,
    preWebhookRetryCount: retries,
  })
  await service.channels(room.channelSid).members.create({ identity: 'vera' })
  const as = asToken(tokenOf(world, 'vera', room.serviceSid))
  const channelPath = `/v2/Services/${room.serviceSid}/Channels/${room.channelSid}`
  return {
    ...room,
    say: (form: Record<string, string>) => world.fetch(`${channelPath}/Messages`, { as, form }),
    asVera: (path: string, form: Record<string, string>) => world.fetch(channelPath + path, { as, form }),
    messages: async () => (await service.channels(room.channelSid).messages.list()).map((it) => it.body),
  }
}

const problemOf = async (answer: Response): Promise<[status: number, code: number]> => [
  answer.status,
  ((await answer.json()) as { code: number }).code,
]

describe('a pre-event webhook', () => {
  test('is asked before a client acts, signed and with the fields of the question', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world)
    const answer = await room.say({ Body: 'hello' })
    assert.equal(answer.status, 201)
    assert.deepEqual(await room.messages(), ['hello'])
    const [asked, ...more] = world.listener.at('/gate')
    assert.deepEqual(more, [])
    const { DateCreated, ...fields } = asked?.form ?? {}
    assert.match(DateCreated ?? '', /\.\d{3}Z$/)
    assert.deepEqual(fields, {
      EventType: 'onMessageSend',
      InstanceSid: room.serviceSid,
      AccountSid: world.account.sid,
      Source: 'SDK',
      ClientIdentity: 'vera',
      ChannelSid: room.channelSid,
      Body: 'hello',
      Attributes: '{}',
      From: 'vera',
    })
    const signature = asked?.headers['x-twilio-signature'] as string
    assert.ok(twilio.validateRequest(world.account.authToken, signature, asked?.url ?? '', asked?.form ?? {}))
    const [entry] = await ledger(world, { EventType: 'onMessageSend' })
    assert.equal(entry?.webhook_type, 'gate')
    assert.equal(entry?.state, 'delivered')
    assert.equal((await line(world, entry?.sid ?? '')).attempts?.length, 1)
    assert.equal((await replay(world, entry?.sid ?? '')).status, 400)
  })

  test('is not asked about what the API does, nor about what the filters do not name', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world, { filters: ['onMessageRemove'] })
    await room.post('by the API')
    await room.say({ Body: 'by a client' })
    assert.deepEqual(world.listener.at('/gate'), [])
    assert.equal((await room.messages()).length, 2)
  })

  test('is not asked about what the client may not do', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world)
    const service = world.twilio.chat.v2.services(room.serviceSid)
    const mute = await service.roles.create({
      friendlyName: 'mute',
      type: 'channel',
      permission: ['leaveChannel'],
    })
    await service.channels(room.channelSid).members('vera').update({ roleSid: mute.sid })
    assert.deepEqual(await problemOf(await room.say({ Body: 'hello' })), [403, 50107])
    assert.deepEqual(await problemOf(await room.asVera('', { FriendlyName: 'mine' })), [403, 50107])
    assert.deepEqual(world.listener.at('/gate'), [])
    assert.deepEqual(await ledger(world), [])
    await service
      .channels(room.channelSid)
      .members('vera')
      .update({
        roleSid: (await service.fetch()).defaultChannelRoleSid,
      })
    assert.equal(((await (await room.say({ Body: 'hello' })).json()) as { index: number }).index, 0)
    assert.equal(world.listener.at('/gate').length, 1)
    assert.deepEqual(await room.messages(), ['hello'])
  })

  test('changes what is asked for', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world)
    world.listener.answer('/gate', () => ({
      body: JSON.stringify({ body: 'h***', attributes: { masked: true }, sid: 'ignored' }),
    }))
    const answer = (await (await room.say({ Body: 'hell' })).json()) as { body: string; attributes: string }
    assert.equal(answer.body, 'h***')
    assert.equal(answer.attributes, '{"masked":true}')
  })

  test('that answers what cannot be used refuses the action, by name', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world)
    world.listener.answer('/gate', () => ({ body: JSON.stringify({ attributes: 'no JSON' }) }))
    assert.deepEqual(await problemOf(await room.say({ Body: 'hello' })), [502, 50057])
    assert.deepEqual(await room.messages(), [])
  })

  test('that answers anything but 200 refuses the action', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world)
    world.listener.answer('/gate', () => ({ status: 403 }))
    assert.deepEqual(await problemOf(await room.say({ Body: 'hello' })), [403, 50056])
    assert.deepEqual(await room.messages(), [])
    const [entry] = await ledger(world, { EventType: 'onMessageSend' })
    assert.equal(entry?.state, 'vetoed')
    assert.equal(entry?.outcome, '403')
  })

  test('that was busy is asked again as often as the service grants', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world, { retries: 2 })
    world.listener.answer('/gate', ({ form }) => ({ status: form.RetryCount === '2' ? 200 : 503 }))
    assert.equal((await room.say({ Body: 'hello' })).status, 201)
    assert.deepEqual(
      world.listener.at('/gate').map((it) => it.form.RetryCount),
      [undefined, '1', '2'],
    )
    const [entry] = await ledger(world, { EventType: 'onMessageSend' })
    assert.equal((await line(world, entry?.sid ?? '')).attempts?.length, 3)
  })

  test('that does not answer in time, or is not there, refuses the action by name', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world)
    world.listener.answer('/gate', () => ({ hang: true }))
    assert.deepEqual(await problemOf(await room.say({ Body: 'hello' })), [504, 50076])
    await world.twilio.chat.v2.services(room.serviceSid).update({ preWebhookUrl: 'http://127.0.0.1:1/gate' })
    assert.deepEqual(await problemOf(await room.say({ Body: 'hello' })), [502, 50057])
    assert.deepEqual(await room.messages(), [])
    const states = (await ledger(world, { EventType: 'onMessageSend' })).map((it) => [it.state, it.outcome])
    assert.deepEqual(states, [
      ['failed', 'unreachable'],
      ['failed', 'timed-out'],
    ])
  })

  test('is asked about a message that a client edits, with what it is to become', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world)
    const { sid } = (await (await room.say({ Body: 'helo' })).json()) as { sid: string }
    const answer = await room.asVera(`/Messages/${sid}`, { Body: 'hello' })
    assert.equal(answer.status, 200)
    const asked = world.listener.at('/gate').at(-1)?.form
    assert.equal(asked?.EventType, 'onMessageUpdate')
    assert.equal(asked?.MessageSid, sid)
    assert.equal(asked?.Body, 'hello')
    assert.equal(asked?.ModifiedBy, 'vera')
  })
})

describe('each question', () => {
  test('has its name and its fields, and a refusal leaves everything as it was', async () => {
    await using world = await openWorld()
    const every = [...ASKED, 'onChannelDestroy', 'onMediaMessageSend', 'onMemberUpdate']
    const room = await openGatedRoom(world, { filters: every })
    const servicePath = `/v2/Services/${room.serviceSid}`
    const channelPath = `${servicePath}/Channels/${room.channelSid}`
    const message = await room.post('hello')
    const chat = world.twilio.chat.v2.services(room.serviceSid)
    const { defaultChannelCreatorRoleSid: roleSid } = await chat.fetch()
    await chat.channels(room.channelSid).members('vera').update({ roleSid })
    const as = asToken(tokenOf(world, 'vera', room.serviceSid))
    world.listener.answer('/gate', () => ({ status: 403 }))
    const asked = async (path: string, form: Record<string, string> | 'delete') => {
      world.listener.forget()
      const init = form === 'delete' ? { as, method: 'DELETE' } : { as, form }
      assert.deepEqual(await problemOf(await world.fetch(path, init)), [403, 50056])
      const [{ form: fields } = { form: {} }] = world.listener.at('/gate')
      const { InstanceSid, AccountSid, Source, ClientIdentity, DateCreated, DateUpdated, ...rest } =
        fields as Record<string, string>
      assert.deepEqual([InstanceSid, AccountSid, Source], [room.serviceSid, world.account.sid, 'SDK'])
      assert.equal(ClientIdentity, 'vera')
      return rest
    }
    const channel = { ChannelSid: room.channelSid, UniqueName: 'vera-1', CreatedBy: 'system' }

    assert.deepEqual(await asked(`${channelPath}/Messages/${message.sid}`, 'delete'), {
      EventType: 'onMessageRemove',
      ChannelSid: room.channelSid,
      MessageSid: message.sid,
      Body: 'hello',
      Attributes: '{}',
      From: 'vera',
    })
    assert.deepEqual(await asked(`${servicePath}/Channels`, { FriendlyName: 'Mine', Type: 'private' }), {
      EventType: 'onChannelAdd',
      FriendlyName: 'Mine',
      UniqueName: '',
      ChannelType: 'private',
      Attributes: '{}',
      CreatedBy: 'vera',
    })
    assert.deepEqual(await asked(`${servicePath}/Channels/vera-1`, { FriendlyName: 'Ours' }), {
      EventType: 'onChannelUpdate',
      ...channel,
      FriendlyName: 'Ours',
      Attributes: '{"status":"ACTIVE"}',
    })
    assert.deepEqual(await asked(channelPath, 'delete'), {
      EventType: 'onChannelDestroy',
      ...channel,
      FriendlyName: 'Vera',
      Attributes: '{"status":"ACTIVE"}',
      ChannelType: 'public',
    })
    assert.deepEqual(await asked(`${channelPath}/Members`, { Identity: 'ben' }), {
      EventType: 'onMemberAdd',
      ChannelSid: room.channelSid,
      Identity: 'ben',
      RoleSid: '',
      Reason: 'ADDED',
    })
    const { MemberSid, RoleSid, ...left } = await asked(`${channelPath}/Members/vera`, 'delete')
    assert.match(`${MemberSid} ${RoleSid}`, /^MB\w{32} RL\w{32}$/)
    const leaving = {
      EventType: 'onMemberRemove',
      ChannelSid: room.channelSid,
      Identity: 'vera',
      Reason: 'LEFT',
    }
    assert.deepEqual(left, leaving)
    const user = await asked(`${servicePath}/Users/vera`, { FriendlyName: 'Vera' })
    assert.equal(user.EventType, 'onUserUpdate')
    assert.equal(user.Identity, 'vera')
    assert.equal(user.FriendlyName, 'Vera')

    assert.deepEqual(await room.messages(), ['hello'])
    const service = world.twilio.chat.v2.services(room.serviceSid)
    const members = await service.channels('vera-1').members.list()
    assert.deepEqual(
      members.map((it) => it.identity),
      ['vera'],
    )
    const channels = await service.channels.list()
    assert.deepEqual(
      channels.map((it) => it.friendlyName),
      ['Vera'],
    )
  })
})

describe('what a client does', () => {
  test('is told to webhooks without being asked to, with Source SDK and its identity', async () => {
    await using world = await openWorld()
    const room = await openGatedRoom(world, { filters: [] })
    await room.hook('/new-message')
    await room.say({ Body: 'hello' })
    await world.settle()
    const [heard] = world.listener.at('/new-message')
    assert.equal(heard?.form.Source, 'SDK')
    assert.equal(heard?.form.ClientIdentity, 'vera')
    assert.equal(heard?.form.From, 'vera')
  })
})
