/** What a client does over the socket is told and asked about as what it does over REST. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectOf, taskFlow, visitor } from '../flex/stage.ts'
import { setStage } from '../protocols/followers.ts'
import { connect, tokenFor } from '../protocols/raw.ts'
import { openWorld, type World } from '../world/index.ts'

const openRoom = async (world: World) => {
  const stage = await setStage(world)
  const { sid } = await stage.service.channels.create({})
  for (const identity of ['vera', 'ana']) await stage.service.channels(sid).members.create({ identity })
  const messages = `/Client/v1/Services/${stage.serviceSid}/Conversations/${sid}/Messages`
  return { ...stage, sid, messages }
}

const asksBefore = async ({ service }: Awaited<ReturnType<typeof setStage>>, { listener }: World) => {
  await service.update({ preWebhookUrl: listener.url('/gate'), webhookFilters: ['onMessageSend'] })
}

test('a message is told with Source=SDK and who sent it', async () => {
  await using world = await openWorld({ live: true })
  const { service, serviceSid, enter, messages, sid } = await openRoom(world)
  await service.update({ postWebhookUrl: world.listener.url('/hook'), webhookFilters: ['onMessageSent'] })
  await using vera = await enter('vera')
  const { status } = await vera.client.ask('POST', messages, { body: 'hello', attributes: '{"a":1}' })
  assert.equal(status, 201)
  const [heard] = await world.listener.until('/hook', 1)
  const { EventType, Source, ClientIdentity, Body, Attributes, From, ChannelSid, InstanceSid } =
    heard?.form ?? {}
  assert.deepEqual(
    { EventType, Source, ClientIdentity, Body, Attributes, From, ChannelSid, InstanceSid },
    {
      EventType: 'onMessageSent',
      Source: 'SDK',
      ClientIdentity: 'vera',
      Body: 'hello',
      Attributes: '{"a":1}',
      From: 'vera',
      ChannelSid: sid,
      InstanceSid: serviceSid,
    },
  )
})

test('a pre-event webhook may change what is sent: everybody sees it changed', async () => {
  await using world = await openWorld({ live: true })
  const room = await openRoom(world)
  await asksBefore(room, world)
  world.listener.answer('/gate', () => ({ body: '{"body":"****","attributes":{"censored":true}}' }))
  await using vera = await room.enter('vera')
  await using ana = await room.enter('ana')
  await ana.follow(`${room.sid}.messages`)
  const { status, body } = await vera.client.ask('POST', room.messages, { body: 'a number' })
  assert.equal(status, 201)
  assert.equal(body.body, '****')
  const { text, attributes, memberSid } = (await ana.change('list_item_added')).event.item_data
  assert.equal(memberSid, (await room.service.channels(room.sid).members('vera').fetch()).sid)
  assert.deepEqual([text, JSON.parse(attributes)], ['****', { censored: true }])
  assert.equal(world.listener.at('/gate')[0]?.form.Source, 'SDK')
})

test('a pre-event webhook may refuse: the sender is told so, nobody else anything', async () => {
  await using world = await openWorld({ live: true })
  const room = await openRoom(world)
  await asksBefore(room, world)
  world.listener.answer('/gate', () => ({ status: 403 }))
  await using vera = await room.enter('vera')
  await using ana = await room.enter('ana')
  await ana.follow(`${room.sid}.messages`)
  const { status, body } = await vera.client.ask('POST', room.messages, { body: 'no' })
  assert.deepEqual(
    [status, body],
    [
      403,
      {
        code: 50056,
        message: 'The action was refused by the pre-event webhook',
        more_info: 'https://www.twilio.com/docs/errors/50056',
        status: 403,
      },
    ],
  )
  assert.deepEqual(await ana.settled(), [])
  assert.deepEqual(await room.service.channels(room.sid).messages.list(), [])
})

test('a slow pre-event webhook holds up the one request that it is asked about', async () => {
  await using world = await openWorld({ live: true })
  const room = await openRoom(world)
  await asksBefore(room, world)
  const answered = Promise.withResolvers<void>()
  world.listener.answer('/gate', async ({ form }) => {
    if (form.Body === 'slow') await answered.promise
    return {}
  })
  await using vera = await room.enter('vera')
  await using ana = await room.enter('ana')
  let isSlowDone = false
  const slow = vera.client.ask('POST', room.messages, { body: 'slow' }).then(({ status }) => {
    isSlowDone = true
    return status
  })
  await world.listener.until('/gate', 1)
  for (const who of [vera, ana]) {
    assert.equal((await who.client.ask('POST', room.messages, { body: 'quick' })).status, 201)
    assert.equal((await who.root(`${room.sid}.messages`)).status, 200)
  }
  assert.equal(isSlowDone, false)
  answered.resolve()
  assert.equal(await slow, 201)
  const said = (await room.service.channels(room.sid).messages.list()).map((it) => it.body)
  assert.deepEqual(said, ['quick', 'quick', 'slow'])
})

test("a customer's first message over the socket makes the task, as by REST", async () => {
  await using world = await openWorld({ live: true })
  const project = await projectOf(world)
  const { flexApi, taskrouter } = world.twilio
  const flow = await flexApi.v1.flexFlow.create(
    taskFlow(project, { 'integration.creationOnMessage': true }) as never,
  )
  const channel = await flexApi.v1.channel.create(visitor(flow.sid, { target: 'vera' }))
  const tasks = () => taskrouter.v1.workspaces(project.workspace).tasks.list()
  assert.equal((await tasks()).length, 0)
  await using vera = await connect(world.url)
  await vera.init(tokenFor(world.account, 'vera', project.service))
  const path = `/Client/v1/Services/${project.service}/Conversations/${channel.sid}/Messages`
  assert.equal((await vera.ask('POST', path, { body: 'Where is my parcel?' })).status, 201)
  const [task, ...more] = await tasks()
  assert.deepEqual(more, [])
  assert.equal(JSON.parse(task?.attributes ?? '{}').channelSid, channel.sid)
  assert.equal((await vera.ask('POST', path, { body: 'Hello?' })).status, 201)
  assert.equal((await tasks()).length, 1)
})
