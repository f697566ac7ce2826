/** The chat client API through the tunnel, rule by rule, in raw frames; what REST then says is asked of REST. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openWorld } from '../world/index.ts'
import { type Follower, setStage } from './followers.ts'
import { connect, type RawAnswer, tokenFor } from './raw.ts'

const world = await openWorld({ live: true })
after(() => world[Symbol.asyncDispose]())
const { service, serviceSid, enter } = await setStage(world)

const IN_SERVICE = `/Client/v1/Services/${serviceSid}`

type Ask = (method: string, path: string, body?: unknown, params?: object) => Promise<RawAnswer>

const asking =
  ({ client }: Follower, base = IN_SERVICE): Ask =>
  (method, path, body, params) =>
    client.ask(method, `${base}/${path}`, body, params)

const refused = ({ status, body }: RawAnswer, expected: number, code: number): void => {
  assert.deepEqual([status, body?.code], [expected, code], JSON.stringify(body))
  assert.equal(body.status, expected)
}

const channelWith = async (
  identities: readonly string[],
  more: { type?: 'public' | 'private'; uniqueName?: string; messages?: number } = {},
): Promise<string> => {
  const { messages = 0, ...channel } = more
  const { sid } = await service.channels.create({ type: 'public', friendlyName: 'Room', ...channel })
  for (const identity of identities) await service.channels(sid).members.create({ identity })
  for (let at = 0; at < messages; at += 1)
    await service.channels(sid).messages.create({ body: `${at}`, from: 'ana' })
  return sid
}

test('[CS200] the configuration says who one is, what to follow and where everything is', async () => {
  await service.update({ typingIndicatorTimeout: 7, consumptionReportInterval: 9 })
  await using vera = await enter('vera')
  const { sid } = await service.users('vera').fetch()
  const { status, body } = await vera.get('/Client/v1/Configuration')
  assert.equal(status, 200)
  const aim = `https://aim.us1.twilio.com${IN_SERVICE}`
  assert.deepEqual(body, {
    options: {
      reachability_enabled: true,
      user_infos_to_subscribe: 100,
      consumption_report_interval: 'PT9S',
      http_cache_interval: 'PT5S',
      my_conversations_page_size: 100,
    },
    sync_objects: { my_conversations: `${sid}.my_channels`, my_user_info: `${sid}.info` },
    links: {
      my_conversations: `${aim}/Users/${sid}/Conversations`,
      conversations: `${aim}/Conversations`,
      users: `${aim}/Users`,
      current_user: `${aim}/Users/${sid}`,
      typing: `${aim}/Typing`,
      media_service: `${world.url}/v1/Services/${serviceSid}/Media`,
      media_set_service: `${world.url}/v1/Services/${serviceSid}/MediaSet`,
      messages_receipts: `${aim}/Conversations/%s/Messages/%s/Receipts`,
    },
    identity: 'vera',
    url: 'https://aim.us1.twilio.com/Client/v1/Configuration',
  })
  const second = (await vera.get('/Client/v2/Configuration')).body
  assert.equal(second.options.media_attachments_count_limit, 1)
  assert.equal(second.options.media_attachment_size_limit_in_mb, 150)
  assert.equal(second.links.conversations, `${aim.replace('/v1/', '/v2/')}/Conversations`)
})

test('[CS201] everything else is in the one service, by paths and methods that are known', async () => {
  const other = await world.twilio.chat.v2.services.create({ friendlyName: 'Other' })
  await using vera = await enter('vera')
  refused(await vera.get(`/Client/v1/Services/${other.sid}/Conversations`), 403, 50107)
  const ask = asking(vera)
  refused(await ask('GET', 'Nonsense'), 404, 20404)
  refused(await ask('PUT', 'Conversations'), 405, 20004)
  refused(await vera.get('/Client/v3/Configuration'), 404, 20404)
})

test('[CS202] a client may do what its roles allow, and hears REST’s refusals', async () => {
  const channel = await channelWith(['vera', 'ana'])
  const { sid } = await service.channels(channel).messages.create({ body: 'hers', from: 'ana' })
  await using vera = await enter('vera')
  const ask = asking(vera)
  const { status, body } = await ask('POST', `Conversations/${channel}/Messages/${sid}`, { body: 'mine now' })
  assert.equal(status, 403)
  assert.deepEqual(body, {
    code: 50107,
    message: 'User unauthorized for command',
    more_info: 'https://www.twilio.com/docs/errors/50107',
    status: 403,
  })
  refused(await ask('DELETE', `Conversations/${channel}`), 403, 50107)
  refused(await ask('DELETE', `Conversations/${channel}/Participants/ana`), 403, 50107)
  refused(await ask('POST', `Conversations/${channel}`, { attributes: 'no JSON' }), 400, 50304)
  const open = await channelWith([])
  refused(await ask('POST', `Conversations/${open}/Messages`, { body: 'from outside' }), 403, 50400)
})

test('[CS203] a channel that is not there, or not seen, is 50300; what is missing in one that is seen, 20404', async () => {
  const hidden = await channelWith(['ana'], { type: 'private' })
  const seen = await channelWith(['vera'])
  await using vera = await enter('vera')
  const ask = asking(vera)
  for (const sid of [hidden, `CH${'0'.repeat(32)}`, 'no such name']) {
    const key = encodeURIComponent(sid)
    refused(await ask('GET', `Conversations/${key}`), 404, 50300)
    refused(await ask('POST', `Conversations/${key}`, { friendly_name: 'x' }), 404, 50300)
    refused(await ask('DELETE', `Conversations/${key}`), 404, 50300)
    refused(await ask('POST', `Conversations/${key}/Participants`, { identity: 'vera' }), 404, 50300)
    refused(await ask('POST', `Conversations/${key}/Messages`, { body: 'hi' }), 404, 50300)
    refused(await ask('POST', 'Typing', { ChannelSid: sid }), 404, 50300)
  }
  refused(await ask('DELETE', `Conversations/${seen}/Messages/IM${'0'.repeat(32)}`), 404, 20404)
  refused(await ask('POST', `Conversations/${seen}/Participants/nobody`, { attributes: '{}' }), 404, 20404)
})

test('[CS204] names in paths come as they are or encoded, and identities may hold slashes', async () => {
  const channel = await channelWith(['vera'])
  const { defaultChannelCreatorRoleSid: roleSid } = await service.fetch()
  await service.channels(channel).members('vera').update({ roleSid })
  await using vera = await enter('vera')
  const ask = asking(vera)
  for (const identity of ['user@example.com', 'whatsapp:+15550100', '100%', 'team/x y', 'Jörg']) {
    for (const written of [identity, encodeURIComponent(identity)]) {
      const added = await ask('POST', `Conversations/${channel}/Participants`, { identity })
      assert.equal(added.status, 201, identity)
      assert.equal((await ask('GET', `Users/${written}`)).body.identity, identity)
      const path = `Conversations/${channel}/Participants/${written}`
      assert.equal((await ask('GET', path)).body.identity, identity)
      assert.equal((await ask('DELETE', path, null)).status, 204)
    }
  }
  refused(await ask('GET', 'Users/%00'), 404, 20404)
  refused(await ask('GET', 'Users', undefined, { ConversationSid: '%00' }), 404, 20404)
  refused(await ask('POST', 'Typing', { ChannelSid: '\0' }), 404, 20404)
})

test('[CS205] bodies have REST’s names in small letters, null is not given, and the unknown is passed over', async () => {
  await using vera = await enter('vera')
  const ask = asking(vera)
  const made = await ask('POST', 'Conversations', {
    friendly_name: null,
    unique_name: 'named-205',
    attributes: { as: 'it is' },
    type: 'public',
    created_by: 'somebody else',
    shoe_size: 44,
  })
  assert.equal(made.status, 201)
  const { friendlyName, uniqueName, attributes, createdBy } = await service.channels(made.body.sid).fetch()
  assert.deepEqual(
    [friendlyName, uniqueName, attributes, createdBy],
    [null, 'named-205', '{"as":"it is"}', 'vera'],
  )
})

test('[CS206] pages of a hundred, either way, by tokens that only we can read', async () => {
  const made = await world.twilio.chat.v2.services.create({ friendlyName: 'Many' })
  const many = world.twilio.chat.v2.services(made.sid)
  for (let at = 0; at < 203; at += 1) await many.channels.create({ uniqueName: `${at}` })
  await using client = await connect(world.url)
  await client.init(tokenFor(world.account, 'vera', made.sid))
  const page = async (token?: string) => {
    const path = `/Client/v1/Services/${made.sid}/Conversations`
    const params = token === undefined ? {} : { PageToken: token }
    const { body } = await client.ask('GET', path, undefined, params)
    return { names: body.conversations.map((it: { unique_name: string }) => it.unique_name), ...body.meta }
  }
  const first = await page()
  const second = await page(first.next_token)
  const third = await page(second.next_token)
  assert.equal(first.previous_token, null)
  assert.equal(third.next_token, null)
  const names = [...first.names, ...second.names, ...third.names]
  assert.deepEqual(
    names,
    Array.from({ length: 203 }, (_, at) => `${at}`),
  )
  assert.deepEqual((await page(third.previous_token)).names, second.names)
  const back = await page(second.previous_token)
  assert.deepEqual([back.names, back.previous_token], [first.names, null])
  await using vera = await enter('vera')
  refused(await asking(vera)('GET', 'Conversations', undefined, { PageToken: 'bm90IG91cnM' }), 400, 20001)
})

test('[CS210] the public channels are listed, and any that is seen is found by SID or unique name', async () => {
  const channel = await channelWith(['vera', 'ana'], { uniqueName: 'room 210/1', messages: 3 })
  const hidden = await channelWith(['vera'], { type: 'private' })
  await using vera = await enter('vera')
  const ask = asking(vera)
  const { body } = await ask('GET', `Conversations/${encodeURIComponent('room 210/1')}`)
  assert.deepEqual((await ask('GET', `Conversations/${channel}`)).body, body)
  const { messages_count, participants_count, type, status, unread_messages_count, sync_objects, links } =
    body
  assert.deepEqual(
    { messages_count, participants_count, type, status, unread_messages_count },
    {
      messages_count: 3,
      participants_count: 2,
      type: 'public',
      status: 'joined',
      unread_messages_count: null,
    },
  )
  assert.deepEqual(sync_objects, {
    conversation: `${channel}.channel`,
    messages: `${channel}.messages`,
    participants: `${channel}.roster`,
  })
  assert.equal(links.messages, `${body.url}/Messages`)
  const listed = (await ask('GET', 'Conversations')).body.conversations.map((it: { sid: string }) => it.sid)
  assert.ok(listed.includes(channel))
  assert.ok(!listed.includes(hidden))
})

test('[CS211] a channel is made by its client, who is not in it yet; one of Conversations is private', async () => {
  await using vera = await enter('vera')
  const made = await asking(vera)('POST', 'Conversations', { type: 'public', attributes: '{"a":1}' })
  assert.equal(made.status, 201)
  assert.equal(made.body.sync_objects.conversation, `${made.body.sid}.channel`)
  const channel = await service.channels(made.body.sid).fetch()
  assert.deepEqual([channel.createdBy, channel.membersCount, channel.type], ['vera', 0, 'public'])
  const ask2 = asking(vera, IN_SERVICE.replace('v1', 'v2'))
  const second = await ask2('POST', 'Conversations', { friendly_name: 'Second' })
  assert.equal((await service.channels(second.body.sid).fetch()).type, 'private')
  await ask2('POST', 'Conversations', { unique_name: 'twice' })
  refused(await ask2('POST', 'Conversations', { unique_name: 'twice' }), 409, 50307)
})

test('[CS212] a channel is changed, loses its unique name by "" or null, and is deleted', async () => {
  await using vera = await enter('vera')
  const ask = asking(vera)
  const { sid } = (await ask('POST', 'Conversations', { unique_name: 'named-212' })).body
  await ask('POST', `Conversations/${sid}/Participants`, { identity: 'vera' })
  const changed = await ask('POST', `Conversations/${sid}`, {
    friendly_name: 'Changed',
    attributes: '{"b":2}',
  })
  assert.deepEqual(
    [changed.status, changed.body.friendly_name, changed.body.attributes],
    [200, 'Changed', '{"b":2}'],
  )
  for (const none of ['', null]) {
    await ask('POST', `Conversations/${sid}`, { unique_name: 'named-212' })
    assert.equal((await ask('POST', `Conversations/${sid}`, { unique_name: none })).body.unique_name, null)
  }
  assert.deepEqual(await ask('DELETE', `Conversations/${sid}`, null), { status: 204, body: undefined })
  refused(await ask('GET', `Conversations/${sid}`), 404, 50300)
})

test('[CS213] joining and adding, attributes, leaving and removing, by SID or identity', async () => {
  await using vera = await enter('vera')
  await using ana = await enter('ana')
  const ask = asking(vera)
  const { sid } = (await ask('POST', 'Conversations', { type: 'public' })).body
  const participants = `Conversations/${sid}/Participants`
  assert.equal((await ask('POST', participants, { identity: 'vera' })).status, 201)
  const joined = await asking(ana)('POST', participants, { identity: 'ana', attributes: '{"seat":1}' })
  assert.deepEqual([joined.status, joined.body.identity, joined.body.attributes], [201, 'ana', '{"seat":1}'])
  refused(await asking(ana)('POST', participants, { identity: 'ana' }), 409, 50404)
  const own = await asking(ana)('POST', `${participants}/${joined.body.sid}`, { attributes: '{"seat":2}' })
  assert.deepEqual([own.status, own.body.attributes], [200, '{"seat":2}'])
  assert.equal((await ask('DELETE', `${participants}/${joined.body.sid}`)).status, 204)
  assert.equal((await ask('DELETE', `${participants}/vera`)).status, 204)
  assert.equal((await service.channels(sid).fetch()).membersCount, 0)
})

test('[CS214] an invitation is declined by the invited, or taken back', async () => {
  await using vera = await enter('vera')
  await using ben = await enter('ben')
  const ask = asking(vera)
  const { sid } = (await ask('POST', 'Conversations', { type: 'private' })).body
  await ask('POST', `Conversations/${sid}/Participants`, { identity: 'vera' })
  const invites = `Conversations/${sid}/Invites`
  assert.equal((await ask('POST', invites, { identity: 'ben' })).status, 201)
  refused(await ask('POST', invites, { identity: 'ben' }), 409, 50212)
  assert.equal((await asking(ben)('GET', `Conversations/${sid}`)).body.status, 'invited')
  assert.equal((await asking(ben)('DELETE', `${invites}/ben`, null)).status, 204)
  refused(await asking(ben)('DELETE', `${invites}/ben`, null), 404, 50300)
  await ask('POST', invites, { identity: 'ben' })
  assert.equal((await ask('DELETE', `${invites}/ben`)).status, 204)
  assert.equal((await service.channels(sid).invites.list()).length, 0)
})

test('[CS215] a message is sent by its client, with one file at the most, edited and deleted', async () => {
  const channel = await channelWith(['vera'])
  await using vera = await enter('vera')
  const ask = asking(vera)
  const messages = `Conversations/${channel}/Messages`
  const sent = await ask('POST', messages, { body: 'Grüße 👋', attributes: '{"x":1}', from: 'ana' })
  assert.equal(sent.status, 201)
  const { index, author, body, attributes } = sent.body
  assert.deepEqual(
    { index, author, body, attributes },
    {
      index: 0,
      author: 'vera',
      body: 'Grüße 👋',
      attributes: '{"x":1}',
    },
  )
  refused(await ask('POST', messages, {}), 400, 50503)
  const one = `${messages}/${sent.body.sid}`
  assert.equal((await ask('POST', one, { body: 'edited' })).body.body, 'edited')
  assert.deepEqual((await ask('GET', `${one}/Receipts`)).body.delivery_receipts, [])
  const files = []
  for (const text of ['one', 'two']) {
    const uploaded = await world.fetch(`/v1/Services/${serviceSid}/Media`, {
      method: 'POST',
      body: text,
      headers: {
        'content-type': 'text/plain',
        'x-twilio-token': tokenFor(world.account, 'vera', serviceSid),
      },
    })
    files.push(((await uploaded.json()) as { sid: string }).sid)
  }
  assert.equal((await ask('POST', messages, { media_sid: files[0] })).body.media.sid, files[0])
  refused(await ask('POST', messages, { media_sids: [files[1], files[0]] }), 400, 20001)
  assert.equal((await ask('POST', messages, { media_sids: [files[1]] })).body.media.sid, files[1])
  assert.equal((await ask('DELETE', one, null)).status, 204)
  assert.equal((await service.channels(channel).fetch()).messagesCount, 2)
})

test('[CS216] a pre-event webhook is asked as for REST: it refuses, or changes what is said', async () => {
  const made = await world.twilio.chat.v2.services.create({ friendlyName: 'Asked' })
  const asked = world.twilio.chat.v2.services(made.sid)
  await asked.update({ preWebhookUrl: world.listener.url('/pre-216'), webhookFilters: ['onMessageSend'] })
  const channel = await asked.channels.create({})
  await asked.channels(channel.sid).members.create({ identity: 'vera' })
  world.listener.answer('/pre-216', ({ form }) =>
    form.Body === 'rude' ? { status: 403 } : { body: JSON.stringify({ body: `${form.Body}!` }) },
  )
  await using client = await connect(world.url)
  await client.init(tokenFor(world.account, 'vera', made.sid))
  const path = `/Client/v1/Services/${made.sid}/Conversations/${channel.sid}/Messages`
  refused(await client.ask('POST', path, { body: 'rude' }), 403, 50056)
  assert.equal((await client.ask('POST', path, { body: 'hello' })).body.body, 'hello!')
  assert.deepEqual(
    world.listener.at('/pre-216').map(({ form }) => [form.Source, form.ClientIdentity, form.Body]),
    [
      ['SDK', 'vera', 'rude'],
      ['SDK', 'vera', 'hello'],
    ],
  )
})

const mineOf = async (identity: string): Promise<string> =>
  `Users/${(await service.users(identity).fetch()).sid}/Conversations`

test('[CS220] one’s own channels, those joined and those invited to, with what is unread', async () => {
  const joined = await channelWith(['dora', 'ana'], { messages: 3 })
  await service.users('dora').userChannels(joined).update({ lastConsumedMessageIndex: 0 })
  const invited = await channelWith([], { type: 'private' })
  await service.channels(invited).invites.create({ identity: 'dora' })
  await using dora = await enter('dora')
  const mine = await mineOf('dora')
  const { conversations, meta } = (await asking(dora)('GET', mine)).body
  assert.deepEqual(meta, { previous_token: null, next_token: null })
  const facts = conversations.map((it: Record<string, unknown>) => [
    it.conversation_sid,
    it.status,
    it.last_consumed_message_index,
    it.unread_messages_count,
    it.messages_count,
    it.participants_count,
  ])
  assert.deepEqual(facts, [
    [joined, 'joined', 0, 2, 3, 2],
    [invited, 'invited', null, null, 0, 0],
  ])
  const second = asking(dora, IN_SERVICE.replace('v1', 'v2'))
  assert.equal((await second('GET', `${mine}/${joined}`)).body.last_read_message_index, 0)
})

test('[CS221] a horizon moves, and null says that nothing was read; a channel is muted', async () => {
  const channel = await channelWith(['vera', 'ana'], { messages: 4 })
  await using vera = await enter('vera')
  const ask = asking(vera)
  const mine = `${await mineOf('vera')}/${channel}`
  const moved = await ask('POST', mine, { last_consumed_message_index: 2 })
  assert.deepEqual([moved.status, moved.body.unread_messages_count], [200, 1])
  refused(await ask('POST', mine, { last_consumed_message_index: 9 }), 400, 50405)
  const second = asking(vera, IN_SERVICE.replace('v1', 'v2'))
  assert.equal((await second('POST', mine, { last_read_message_index: 3 })).body.unread_messages_count, 0)
  for (const [it, name] of [
    [ask, 'last_consumed_message_index'],
    [second, 'last_read_message_index'],
  ] as const) {
    await ask('POST', mine, { last_consumed_message_index: 1 })
    const { body } = await it('POST', mine, { [name]: null })
    assert.deepEqual([body[name], body.unread_messages_count], [null, null])
    const member = await service.channels(channel).members('vera').fetch()
    assert.deepEqual([member.lastConsumedMessageIndex, member.lastConsumptionTimestamp], [null, null])
  }
  assert.equal((await ask('POST', mine, { notification_level: 'muted' })).body.notification_level, 'muted')
  const open = `${await mineOf('vera')}/${await channelWith([])}`
  refused(await ask('POST', open, { last_consumed_message_index: null }), 403, 50400)
})

test('[CS222] nobody reads the channels of somebody else', async () => {
  await channelWith(['ana'])
  await using vera = await enter('vera')
  refused(await asking(vera)('GET', await mineOf('ana')), 404, 20404)
})

test('[CS223] anybody in the service is known by name; presence is told where the service reports it', async () => {
  await service.users.create({ identity: 'sol', friendlyName: 'Sol', attributes: '{"desk":3}' })
  await using vera = await enter('vera')
  const ask = asking(vera)
  const sol = (await ask('GET', 'Users/sol')).body
  assert.deepEqual(
    [sol.friendly_name, sol.attributes, sol.is_online, sol.is_notifiable],
    ['Sol', '{"desk":3}', false, false],
  )
  assert.equal(sol.sync_unique_name, `${sol.sid}.info`)
  assert.equal(sol.sync_objects.user_info_map, sol.sync_unique_name)
  refused(await ask('GET', 'Users/nobody'), 404, 20404)
  await service.update({ reachabilityEnabled: false })
  assert.equal((await ask('GET', 'Users/sol')).body.is_online, null)
  await service.update({ reachabilityEnabled: true })
  const own = await ask('POST', 'Users/vera', { friendly_name: 'Vera', attributes: '{"mood":1}' })
  assert.deepEqual([own.status, own.body.friendly_name, own.body.attributes], [200, 'Vera', '{"mood":1}'])
  refused(await ask('POST', 'Users/sol', { friendly_name: 'Mine' }), 403, 50107)
})

test('[CS224] who is in a channel is for its members', async () => {
  const channel = await channelWith(['vera', 'ana'])
  await using vera = await enter('vera')
  await using ben = await enter('ben')
  const { users, meta } = (await asking(vera)('GET', 'Users', undefined, { ConversationSid: channel })).body
  assert.deepEqual(users.map((it: { identity: string }) => it.identity).toSorted(), ['ana', 'vera'])
  assert.deepEqual(meta, { prev_token: null, next_token: null })
  refused(await asking(ben)('GET', 'Users', undefined, { ConversationSid: channel }), 403, 50400)
  refused(await asking(vera)('GET', 'Users'), 400, 20001)
})

test('[CS225] typing is told to the others in the channel, a second longer than it is answered', async () => {
  await service.update({ typingIndicatorTimeout: 4 })
  const channel = await channelWith(['vera', 'ana'])
  await using vera = await enter('vera')
  await using ana = await enter('ana')
  await ana.follow(`${channel}.roster`)
  const said = await asking(vera)('POST', 'Typing', { ChannelSid: channel })
  assert.deepEqual(said, { status: 200, body: { typing_timeout: 4 } })
  const { payload } = await ana.client.next(
    ({ header }) => header.message_type === 'twilio.ipmsg.typing_indicator',
  )
  assert.deepEqual(payload, { channel_sid: channel, identity: 'vera', typing_timeout: 5 })
  await using ben = await enter('ben')
  refused(await asking(ben)('POST', 'Typing', { ChannelSid: channel }), 403, 50400)
  refused(await asking(vera)('POST', 'Typing', {}), 400, 20001)
})

test('[CS226] a device that registers for push gets an id, and nothing is kept', async () => {
  await using vera = await enter('vera')
  const registration = { channel_type: 'fcm', data: { registration_id: 'device' } }
  const first = await vera.client.ask('POST', '/v1/registrations', registration, {
    productId: 'ip_messaging',
  })
  assert.equal(first.status, 201)
  assert.match(first.body.id, /^[0-9a-f]{32}$/)
  const again = await vera.client.ask('POST', '/v1/registrations', registration)
  assert.equal(again.body.id, first.body.id)
  assert.equal((await vera.client.ask('DELETE', `/v1/registrations/${first.body.id}`)).status, 204)
})
