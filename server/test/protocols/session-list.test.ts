/** The older generation's commands and answers, rule by rule, in raw frames; what REST then says is asked of REST. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openWorld } from '../world/index.ts'
import { type Follower, setStage, type Told } from './followers.ts'
import { type RawAnswer, tokenFor } from './raw.ts'

const world = await openWorld({ live: true })
after(() => world[Symbol.asyncDispose]())
const { service, serviceSid, enter } = await setStage(world)

const CONTEXT = { type: 'IpMsgSession', apiVersion: '3', endpointPlatform: 'JS|4.1.0|Linux|Node.js|24' }

/** Paths as the clients ask them: addresses with their host taken off. */
const pathOf = (url: string): string => new URL(url).pathname

let commands = 0

/** A client with its list. */
class Session {
  readonly follower: Follower
  // biome-ignore lint/suspicious/noExplicitAny: a list's root, which the assertions look into
  readonly root: any

  constructor(follower: Follower, root: unknown) {
    this.follower = follower
    this.root = root
  }

  get items(): string {
    return pathOf(this.root.links.items)
  }

  /** Writes a command. */
  push(action: string, request: object = {}, by = this.follower): Promise<RawAnswer> {
    commands += 1
    const data = { commandId: `command-${commands}`, request: { action, ...request } }
    return by.client.ask('POST', this.items, { data })
  }

  /** @returns what the command was answered with */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, which the assertions look into
  async command(action: string, request: object = {}): Promise<any> {
    const { status, body } = await this.push(action, request)
    assert.equal(status, 201)
    return (await this.answerTo(body.index)).event.item_data.response
  }

  answerTo(index: number, by = this.follower): Promise<Told> {
    return by.told(
      ({ event_type, event }) => event_type === 'list_item_updated' && event.item_index === index,
    )
  }

  /** @returns everything that was told, how the subscription stands last */
  subscribe(lastEventId: number | null, by = this.follower): Promise<Told[]> {
    return by.establish(this.root.sid, 'of.messages', lastEventId)
  }
}

const open = async (identity: string): Promise<Session & AsyncDisposable> => {
  const follower = await enter(identity)
  const { status, body } = await follower.client.ask('POST', '/v3/Lists', {
    purpose: 'com.twilio.rtd.ipmsg',
    context: CONTEXT,
  })
  assert.equal(status, 201)
  return Object.assign(new Session(follower, body), {
    [Symbol.asyncDispose]: () => follower[Symbol.asyncDispose](),
  })
}

const channelWith = async (identities: readonly string[], type: 'public' | 'private' = 'public') => {
  const { sid } = await service.channels.create({ type, friendlyName: 'Room' })
  for (const identity of identities) await service.channels(sid).members.create({ identity })
  return sid
}

test('[CS300] a client opens a list of its own for its commands; for another purpose there is none', async () => {
  await using vera = await open('vera')
  assert.match(vera.root.sid, /^ESf[0-9a-f]{31}$/)
  assert.equal(vera.root.last_event_id, 0)
  assert.equal(vera.root.links.items, `${vera.root.url}/Items`)
  assert.deepEqual((await vera.follower.get(`/v3/Lists/${vera.root.sid}`)).body, vera.root)
  assert.deepEqual((await vera.follower.get(vera.items)).body.items, [])
  const other = await vera.follower.client.ask('POST', '/v3/Lists', { purpose: 'something else' })
  assert.deepEqual([other.status, other.body.code], [403, 54007])
})

test('[CS301] its context is told to whoever subscribes, and can be asked for', async () => {
  await service.update({ consumptionReportInterval: 6 })
  await using vera = await open('vera')
  const { sid } = await service.users('vera').fetch()
  const inService = `/v1/Services/${serviceSid}`
  const context = {
    type: 'IpMsgSession',
    apiVersion: '3',
    identity: 'vera',
    userInfo: `${sid}.info`,
    myChannels: `${sid}.my_channels`,
    channels: `${serviceSid}.channels`,
    reachabilityEnabled: true,
    userInfosToSubscribe: 100,
    consumptionReportInterval: 'PT6S',
    httpCacheInterval: 'PT5S',
    links: {
      publicChannelsUrl: `${inService}/PublicChannels`,
      myChannelsUrl: `${inService}/MyChannels`,
      syncListUrl: `${inService}/SyncList`,
      usersUrl: `${inService}/Users`,
      typingUrl: '/v1/typing',
      mediaServiceUrl: `${inService}/Media`,
    },
  }
  const [told, established] = await vera.subscribe(0)
  assert.deepEqual([told?.event_type, told?.messageType], ['list_context_updated', 'twilio.sync.event'])
  assert.deepEqual([told?.event.id, told?.event.list_sid], [1, vera.root.sid])
  assert.deepEqual(told?.event.context_data, context)
  assert.deepEqual(established?.event, {
    object_sid: vera.root.sid,
    object_type: 'list',
    replay_status: 'completed',
    last_event_id: 1,
  })
  const asked = await vera.follower.get(pathOf(vera.root.links.context))
  assert.deepEqual(asked.body, { data: context, last_event_id: 0 })
})

test('[CS302] a command is an item, and its answer stands beside it', async () => {
  const channel = await channelWith(['vera'])
  await using vera = await open('vera')
  await vera.subscribe(0)
  const { status, body } = await vera.push('sendMessage', { channelSid: channel, text: 'hi' })
  assert.equal(status, 201)
  assert.equal(body.data.request.text, 'hi')
  const { event, messageType } = await vera.answerTo(body.index)
  assert.equal(messageType, 'com.twilio.rtd.cds.list')
  assert.ok(event.id > body.last_event_id)
  const { response, ...command } = event.item_data
  assert.deepEqual(command, body.data)
  const [{ sid } = { sid: '' }] = await service.channels(channel).messages.list()
  assert.deepEqual(response, { status: 200, statusText: 'OK', messageId: 0, messageSid: sid })
})

test('[CS303] what is refused has the code of its error for a status', async () => {
  const hidden = await channelWith(['ana'], 'private')
  const seen = await channelWith(['vera'])
  await using vera = await open('vera')
  const refusals = {
    50300: vera.command('joinChannelV2', { channelSid: hidden }),
    50107: vera.command('destroyChannel', { channelSid: seen }),
    50503: vera.command('sendMessage', { channelSid: seen }),
    20404: vera.command('deleteMessage', { channelSid: seen, messageIdx: '7' }),
    20001: vera.command('makeTea'),
  }
  for (const [code, refusal] of Object.entries(refusals)) {
    const { status, statusText } = await refusal
    assert.deepEqual([status, typeof statusText], [Number(code), 'string'])
  }
  assert.equal((await vera.command('constructor')).status, 20001)
  const none = await vera.follower.client.ask('POST', vera.items, { data: null })
  assert.equal((await vera.answerTo(none.body.index)).event.item_data.response.status, 20001)
})

test('[CS304] each command does what its name says', async () => {
  await using vera = await open('vera')
  await using ana = await open('ana')
  const made = await vera.command('createChannel', {
    friendlyName: 'Room',
    uniqueName: 'room-304',
    type: 'private',
    attributes: '{"a":1}',
  })
  const { channelSid } = made
  assert.equal(made.channel, `${channelSid}.channel`)
  const at = { channelSid }
  const room = service.channels(channelSid)
  const ok = async (session: Session, action: string, request: object = {}) => {
    const response = await session.command(action, { ...at, ...request })
    assert.deepEqual([response.status, response.statusText], [200, 'OK'], action)
    return response
  }
  await ok(vera, 'joinChannelV2')
  await ok(vera, 'inviteMember', { username: 'ana' })
  await ok(ana, 'declineInvitation')
  await ok(vera, 'inviteMember', { username: 'ana' })
  await ok(ana, 'joinChannelV2')
  await ok(vera, 'addMemberV2', { username: 'ben' })
  await ok(vera, 'removeMember', { username: 'ben' })
  const ben = await room.members.create({ identity: 'ben' })
  await ok(vera, 'removeMember', { memberSid: ben.sid })
  assert.deepEqual((await room.members.list()).map((it) => it.identity).toSorted(), ['ana', 'vera'])
  const { sid: memberSid } = await room.members('ana').fetch()
  await ok(ana, 'editMemberAttributes', { memberSid, attributes: '{"seat":1}' })
  assert.equal((await room.members('ana').fetch()).attributes, '{"seat":1}')
  await ok(vera, 'editAttributes', { attributes: '{"a":2}' })
  await ok(vera, 'editFriendlyName', { friendlyName: 'Den' })
  await ok(vera, 'editUniqueName', { uniqueName: '' })
  const channel = await room.fetch()
  assert.deepEqual(
    [channel.attributes, channel.friendlyName, channel.uniqueName, channel.createdBy],
    ['{"a":2}', 'Den', null, 'vera'],
  )
  const { messageId: messageIdx } = await ok(ana, 'sendMessage', { text: 'hi', attributes: '{"x":1}' })
  await ok(ana, 'editMessage', { messageIdx: `${messageIdx}`, text: 'edited' })
  await ok(ana, 'editMessageAttributes', { messageIdx, attributes: '{"x":2}' })
  const [message] = await room.messages.list()
  assert.deepEqual([message?.body, message?.attributes, message?.from], ['edited', '{"x":2}', 'ana'])
  await ok(ana, 'deleteMessage', { messageIdx: `${messageIdx}` })
  assert.equal((await room.messages.list()).length, 0)
  const uploaded = await world.fetch(`/v1/Services/${serviceSid}/Media`, {
    method: 'POST',
    body: 'a file',
    headers: { 'content-type': 'text/plain', 'x-twilio-token': tokenFor(world.account, 'ana', serviceSid) },
  })
  const { sid: mediaSid } = (await uploaded.json()) as { sid: string }
  assert.equal((await ok(ana, 'sendMediaMessage', { mediaSid, attributes: '{}' })).messageId, 1)
  const [file] = await room.messages.list()
  assert.deepEqual([file?.type, file?.media.sid, file?.from], ['media', mediaSid, 'ana'])
  await ok(ana, 'editNotificationLevel', { notificationLevel: 'muted' })
  const placed = await service.users('ana').userChannels(channelSid).fetch()
  assert.equal(placed.notificationLevel, 'muted')
  await ok(ana, 'editUserFriendlyName', { username: 'ana', friendlyName: 'Ana' })
  await ok(ana, 'editUserAttributes', { username: 'ana', attributes: '{"desk":1}' })
  const user = await service.users('ana').fetch()
  assert.deepEqual([user.friendlyName, user.attributes], ['Ana', '{"desk":1}'])
  await ok(ana, 'leaveChannel')
  assert.equal((await room.fetch()).membersCount, 1)
  await ok(vera, 'destroyChannel')
  assert.equal((await vera.command('editFriendlyName', { ...at, friendlyName: 'x' })).status, 50300)
})

test('[CS305] several horizons are reported at once, each for itself', async () => {
  const [one, two, outside] = [
    await channelWith(['vera']),
    await channelWith(['vera']),
    await channelWith([]),
  ]
  for (const body of ['1', '2', '3'])
    for (const sid of [one, two]) await service.channels(sid).messages.create({ body, from: 'ana' })
  await using vera = await open('vera')
  const report = async (...entries: readonly (readonly [string, number | null])[]) =>
    vera.command('consumptionReportV2', {
      report: entries.map(([channelSid, messageIdx]) => ({ channelSid, messageIdx })),
    })
  assert.deepEqual(await report([one, 0], [outside, 0], [two, 2]), {
    status: 200,
    statusText: 'OK',
    report: [
      { channelSid: one, unreadMessagesCount: 2 },
      { channelSid: two, unreadMessagesCount: 0 },
    ],
  })
  assert.deepEqual((await report([one, null])).report, [{ channelSid: one, unreadMessagesCount: null }])
  assert.equal((await service.channels(one).members('vera').fetch()).lastConsumedMessageIndex, null)
  assert.equal((await report([outside, null])).status, 50400)
})

/** A service whose pre-event webhook answers when it is told to. */
const holdMessages = async (path: string) => {
  const held: (() => void)[] = []
  let isOpen = false
  world.listener.answer(path, async () => {
    if (!isOpen) await new Promise<void>((resolve) => held.push(resolve))
    return {}
  })
  await service.update({ preWebhookUrl: world.listener.url(path), webhookFilters: ['onMessageSend'] })
  return {
    release: () => {
      isOpen = true
      for (const go of held) go()
    },
    [Symbol.asyncDispose]: async () => {
      await service.update({ preWebhookUrl: '', webhookFilters: [] })
    },
  }
}

test('[CS306] sixteen commands of a list run at once; a further one is confirmed with its answer', async () => {
  const channelSid = await channelWith(['vera'])
  await using vera = await open('vera')
  await using hold = await holdMessages('/hold-306')
  const say = (text: number) => vera.push('sendMessage', { channelSid, text: `${text}` })
  const confirmed: number[] = []
  for (let at = 0; at < 16; at += 1) confirmed.push((await say(at)).body.index)
  let isConfirmed = false
  const further = say(16).then((answer) => {
    isConfirmed = true
    return answer
  })
  await world.listener.until('/hold-306', 17)
  await vera.follower.settled()
  assert.equal(isConfirmed, false)
  hold.release()
  confirmed.push((await further).body.index)
  for (const index of confirmed)
    assert.equal((await vera.answerTo(index)).event.item_data.response.status, 200)
  assert.equal((await service.channels(channelSid).fetch()).messagesCount, 17)
})

test('[CS307] a list outlives its connection: who comes back finds what was answered meanwhile', async () => {
  const channelSid = await channelWith(['vera'])
  await using vera = await open('vera')
  const [, established] = await vera.subscribe(0)
  await using hold = await holdMessages('/hold-307')
  const { body } = await vera.push('sendMessage', { channelSid, text: 'on my way out' })
  await world.listener.until('/hold-307', 1)
  await vera.follower.client.close()
  hold.release()
  await using again = await enter('vera')
  let told: Told[] = []
  while (told.length < 2) told = await vera.subscribe(established?.event.last_event_id, again)
  const [answer] = told
  assert.deepEqual([answer?.event_type, answer?.messageType], ['list_item_updated', 'twilio.sync.event'])
  assert.deepEqual([answer?.event.item_index, answer?.event.item_data.response.status], [body.index, 200])
  const next = await vera.push('sendMessage', { channelSid, text: 'back' }, again)
  assert.ok(next.body.index > body.index)
  assert.equal((await vera.answerTo(next.body.index, again)).event.item_data.response.status, 200)
})

test('[CS308] a list that is not known any more is taken on, with numbers higher than it had', async () => {
  const channelSid = await channelWith(['vera'])
  const before = Date.now()
  await using vera = await enter('vera')
  const session = new Session(vera, {
    sid: `ESf${'a'.repeat(31)}`,
    links: { items: `https://cds.us1.twilio.com/v3/Lists/ESf${'a'.repeat(31)}/Items` },
  })
  const { status, body } = await session.push('sendMessage', { channelSid, text: 'hi' })
  assert.equal(status, 201)
  assert.ok(body.index > before && body.last_event_id > before)
  assert.equal((await session.answerTo(body.index)).event.item_data.response.status, 200)
  const told = await session.subscribe(before)
  assert.equal(told.at(-1)?.event_type, 'subscription_established')
  assert.ok(told.at(-1)?.event.last_event_id > before)
})

test('[CS309] a list is its user’s: somebody else who names it has one of their own', async () => {
  const channelSid = await channelWith(['vera', 'ana'])
  await using vera = await open('vera')
  await vera.command('sendMessage', { channelSid, text: 'mine' })
  await using ana = await enter('ana')
  const told = await ana.establish(vera.root.sid, 'of.messages', 0)
  assert.deepEqual(
    told.map((it) => it.event_type),
    ['list_context_updated', 'subscription_established'],
  )
  assert.equal(told[0]?.event.context_data.identity, 'ana')
  const { body } = await vera.push('sendMessage', { channelSid, text: 'to ana’s list' }, ana)
  await vera.answerTo(body.index, ana)
  const [, last] = await service.channels(channelSid).messages.list()
  assert.equal(last?.from, 'ana')
})

test('[CS310] what is read is read with requests, in the words of Programmable Chat', async () => {
  const inService = `/v1/Services/${serviceSid}`
  const joined = await channelWith(['dora', 'ana'])
  await service.channels(joined).messages.create({ body: 'one', from: 'ana' })
  await service.users('dora').userChannels(joined).update({ lastConsumedMessageIndex: 0 })
  const invited = await channelWith([], 'private')
  await service.channels(invited).invites.create({ identity: 'dora' })
  const { sid: named } = await service.channels.create({ uniqueName: 'room/310' })
  await using dora = await enter('dora')
  for (const path of ['SyncList', 'MyChannels']) {
    const { channels, meta } = (await dora.get(`${inService}/${path}`)).body
    assert.deepEqual(
      channels.map((it: Record<string, unknown>) => [
        it.channel_sid,
        it.status,
        it.channel,
        it.last_consumed_message_index,
        it.unread_messages_count,
        it.members_count,
      ]),
      [
        [joined, 'joined', `${joined}.channel`, 0, 0, 2],
        [invited, 'invited', `${invited}.channel`, null, null, 0],
      ],
    )
    assert.deepEqual(meta, { previous_token: null, next_token: null })
  }
  const only = async (ChannelSid: string) =>
    (await dora.get(`${inService}/MyChannels`, { ChannelSid })).body.channels.map(
      (it: { channel_sid: string }) => it.channel_sid,
    )
  assert.deepEqual([await only(joined), await only(named)], [[joined], []])
  const open = (await dora.get(`${inService}/PublicChannels`)).body.channels
  assert.ok(open.some((it: { sid: string }) => it.sid === named))
  assert.ok(!open.some((it: { sid: string }) => it.sid === invited))
  assert.equal(
    (await dora.get(`${inService}/PublicChannels/${encodeURIComponent('room/310')}`)).body.sid,
    named,
  )
  assert.equal((await dora.get(`${inService}/PublicChannels/nowhere`)).body.code, 50300)
  assert.equal((await dora.get(`${inService}/Users/ana`)).body.identity, 'ana')
  assert.equal((await dora.get(`${inService}/Users`, { ChannelSid: joined })).body.users.length, 2)
  const typing = await dora.client.ask('POST', '/v1/typing', { ChannelSid: joined })
  assert.deepEqual([typing.status, typing.body], [200, { typing_timeout: 5 }])
  const other = await world.twilio.chat.v2.services.create({ friendlyName: 'Other' })
  assert.equal((await dora.get(`/v1/Services/${other.sid}/MyChannels`)).body.code, 50107)
  assert.equal((await dora.get(`${inService}/Nonsense`)).status, 404)
})

test('[CS311] of nine lists on one connection the first is forgotten', async () => {
  const before = Date.now()
  await using vera = await open('vera')
  const standing = async () => (await vera.follower.get(`/v3/Lists/${vera.root.sid}`)).body.last_event_id
  const another = () => vera.follower.client.ask('POST', '/v3/Lists', { purpose: 'com.twilio.rtd.ipmsg' })
  for (let at = 2; at <= 8; at += 1) await another()
  assert.equal(await standing(), 0)
  await another()
  assert.ok((await standing()) >= before)
})
