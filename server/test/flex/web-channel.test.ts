import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asToken, openWorld, type World } from '../world/index.ts'
import { isRefused, projectOf, taskFlow } from './stage.ts'

interface Guest {
  identity: string
  token: string
  expiration: string
  roles: string[]
}

const postJson = (world: World, path: string, body: unknown, headers: Record<string, string> = {}) =>
  world.fetch(path, {
    method: 'POST',
    as: null,
    headers: { 'content-type': 'application/json;charset=UTF-8', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

const guestOf = async (world: World, path = `/v1/Accounts/${world.account.sid}/Tokens`): Promise<Guest> => {
  const answer = await postJson(world, path, { products: ['flex'] })
  assert.equal(answer.status, 200)
  return (await answer.json()) as Guest
}

const webFlowOf = async (world: World) => (await world.twilio.flexApi.v1.flexFlow.list())[0]?.sid as string

const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: number }).code]

describe('Guest tokens', () => {
  test('are given to anybody, with an identity of the house’s making and an hour to live', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    for (const path of ['/v1', '/iam', '/iam/v1'].map((it) => `${it}/Accounts/${world.account.sid}/Tokens`)) {
      const guest = await guestOf(world, path)
      assert.deepEqual(Object.keys(guest).sort(), ['expiration', 'identity', 'roles', 'token'])
      assert.match(guest.identity, /^[0-9a-zA-Z]{32}$/)
      assert.deepEqual(guest.roles, ['guest'])
      const left = Date.parse(guest.expiration) - world.clock.now()
      assert.ok(left > 3_598_000 && left <= 3_600_000)
      const claims = JSON.parse(Buffer.from(guest.token.split('.')[1] as string, 'base64url').toString())
      assert.equal(claims.sub, world.account.sid)
      assert.equal(claims.grants.identity, guest.identity)
      assert.equal(claims.grants.chat.service_sid, service)
      assert.match(claims.grants.chat.deployment_role_sid, /^RL/)
    }
    assert.notEqual((await guestOf(world)).identity, (await guestOf(world)).identity)
  })

  test('are asked for across origins', async () => {
    await using world = await openWorld()
    const preflight = await world.fetch(`/v1/Accounts/${world.account.sid}/Tokens`, {
      method: 'OPTIONS',
      as: null,
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    assert.ok(preflight.ok)
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  })

  test('are changed for another of the same identity while they are good', async () => {
    await using world = await openWorld()
    const address = `/v1/Accounts/${world.account.sid}/Tokens`
    const guest = await guestOf(world)
    world.clock.advance(3_000_000)
    const answer = await postJson(world, `${address}/refresh`, { token: guest.token })
    assert.equal(answer.status, 200)
    const fresh = (await answer.json()) as Guest
    assert.equal(fresh.identity, guest.identity)
    assert.ok(Date.parse(fresh.expiration) > Date.parse(guest.expiration))
    world.clock.advance(600_000)
    assert.deepEqual(
      await codeOf(await postJson(world, `${address}/refresh`, { token: guest.token })),
      [401, 20104],
    )
    assert.equal(
      (await postJson(world, `/iam/Accounts/${world.account.sid}/Tokens/refresh`, fresh)).status,
      200,
    )
    const [header, payload] = fresh.token.split('.')
    const forged = { token: `${header}.${payload}.${Buffer.alloc(32).toString('base64url')}` }
    assert.deepEqual(await codeOf(await postJson(world, `${address}/refresh`, forged)), [401, 20107])
    assert.deepEqual(await codeOf(await postJson(world, `${address}/refresh`, { token: 'x' })), [401, 20101])
    assert.deepEqual(await codeOf(await postJson(world, `${address}/refresh`, {})), [400, 20001])
  })

  test('are not given for accounts that do not exist, other products or broken bodies', async () => {
    await using world = await openWorld()
    const address = `/v1/Accounts/${world.account.sid}/Tokens`
    const nobody = await postJson(world, `/v1/Accounts/AC${'0'.repeat(32)}/Tokens`, { products: ['flex'] })
    assert.deepEqual(await codeOf(nobody), [404, 20404])
    for (const body of [{ products: ['video'] }, {}, [], 'null', '{"products":'])
      assert.deepEqual(await codeOf(await postJson(world, address, body)), [400, 20001])
    const other = await world.newAccount('Other')
    const guest = await guestOf(world, `/v1/Accounts/${other.sid}/Tokens`)
    assert.deepEqual(await codeOf(await postJson(world, `${address}/refresh`, guest)), [401, 20107])
  })

  test('let their visitor talk, and make and join no channels, before a conversation and in it', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const guest = await guestOf(world)
    const as = asToken(guest.token)
    const channels = `/v2/Services/${service}/Channels`
    const open = await world.twilio.chat.v2.services(service).channels.create({ friendlyName: 'Open' })
    const mayNot = async () => {
      const made = await world.fetch(channels, { as, form: { FriendlyName: 'Mine' } })
      assert.deepEqual(await codeOf(made), [403, 50107])
      const joined = await world.fetch(`${channels}/${open.sid}/Members`, {
        as,
        form: { Identity: guest.identity },
      })
      assert.deepEqual(await codeOf(joined), [403, 50107])
    }
    await mayNot()
    const form = {
      FlexFlowSid: await webFlowOf(world),
      Identity: guest.identity,
      CustomerFriendlyName: 'Vera',
      ChatFriendlyName: 'Flex WebChat',
    }
    const begun = await world.fetch('/v1/WebChannels', { form, as })
    const { sid } = (await begun.json()) as { sid: string }
    await mayNot()
    const user = `/v2/Services/${service}/Users/${guest.identity}`
    assert.equal(
      (await world.fetch(`${channels}/${sid}/Messages`, { as, form: { Body: 'hello' } })).status,
      201,
    )
    assert.equal((await world.fetch(user, { as, form: { FriendlyName: 'Vera V.' } })).status, 200)
    const role = await world.twilio.chat.v2
      .services(service)
      .roles((await world.twilio.chat.v2.services(service).users(guest.identity).fetch()).roleSid)
      .fetch()
    assert.deepEqual([role.friendlyName, role.type], ['guest', 'deployment'])
  })

  test('open Web Channels and nothing else of Flex', async () => {
    await using world = await openWorld()
    const as = asToken((await guestOf(world)).token)
    for (const path of [
      '/v1/FlexFlows',
      '/v1/Channels',
      '/v1/WebChannels',
      '/v1/Configuration',
      '/Flex/FlexFlows',
    ])
      assert.equal((await world.fetch(path, { as })).status, 403, path)
  })
})

describe('Web Channels', () => {
  for (const address of ['/v1/WebChannels', '/Flex/WebChannels'])
    test(`are made by the visitor’s own token at ${address}`, async () => {
      await using world = await openWorld()
      const { service } = await projectOf(world)
      const flow = await webFlowOf(world)
      const guest = await guestOf(world)
      const form = {
        FlexFlowSid: flow,
        Identity: guest.identity,
        CustomerFriendlyName: 'Vera Visitor',
        ChatFriendlyName: 'Flex WebChat',
        PreEngagementData: '{"friendlyName":"Anonymous","location":"http://localhost/"}',
      }
      const answer = await world.fetch(address, { form, as: asToken(guest.token) })
      assert.equal(answer.status, 201)
      assert.equal(answer.headers.get('parley-channel'), 'made')
      const made = (await answer.json()) as { sid: string; url: string; flex_flow_sid: string }
      assert.deepEqual(Object.keys(made).sort(), [
        'account_sid',
        'date_created',
        'date_updated',
        'flex_flow_sid',
        'sid',
        'url',
      ])
      assert.equal(made.url, `${world.url}/v1/WebChannels/${made.sid}`)
      const channel = await world.twilio.chat.v2.services(service).channels(made.sid).fetch()
      assert.equal(
        channel.attributes,
        '{"status":"ACTIVE","long_lived":false,"pre_engagement_data":{"friendlyName":"Anonymous",' +
          '"location":"http://localhost/"},"from":"Vera Visitor","channel_type":"web"}',
      )
      assert.equal(channel.uniqueName, null)
      assert.equal(channel.createdBy, 'system')
      assert.equal(channel.membersCount, 1)
      const user = await world.twilio.chat.v2.services(service).users(guest.identity).fetch()
      assert.equal(user.friendlyName, 'Vera Visitor')
      const again = await world.fetch(address, { form, as: asToken(guest.token) })
      assert.equal(again.headers.get('parley-channel'), 'found')
      assert.equal(((await again.json()) as { sid: string }).sid, made.sid)
    })

  test('are for the visitor who asks, on web flows that are enabled', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const flow = await webFlowOf(world)
    const custom = await world.twilio.flexApi.v1.flexFlow.create(taskFlow(project, { enabled: true }))
    const guest = await guestOf(world)
    const post = (form: Record<string, string>, as: string | null = asToken(guest.token)) =>
      world.fetch('/v1/WebChannels', {
        form: {
          FlexFlowSid: flow,
          Identity: guest.identity,
          CustomerFriendlyName: 'Vera',
          ChatFriendlyName: 'Chat',
          ...form,
        },
        as,
      })
    assert.equal((await post({ Identity: 'somebody else' })).status, 403)
    assert.equal((await post({ FlexFlowSid: custom.sid })).status, 403)
    assert.deepEqual(await codeOf(await post({ FlexFlowSid: `FO${'0'.repeat(32)}` })), [404, 45205])
    assert.equal((await post({}, null)).status, 401)
    await world.twilio.flexApi.v1.flexFlow(flow).update({ enabled: false })
    assert.equal((await post({})).status, 403)
    assert.equal((await world.twilio.flexApi.v1.webChannel.list()).length, 0)
  })

  test('are made, listed, fetched, ended and deleted by the account', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const { webChannel, channel } = world.twilio.flexApi.v1
    const wanted = {
      flexFlowSid: await webFlowOf(world),
      identity: 'vera',
      customerFriendlyName: 'Vera',
      chatFriendlyName: 'Chat',
    }
    const first = await webChannel.create(wanted)
    const second = await webChannel.create(wanted)
    assert.notEqual(first.sid, second.sid)
    assert.deepEqual((await webChannel(first.sid).fetch()).toJSON(), first.toJSON())
    assert.equal((await webChannel.list()).length, 2)
    assert.equal((await channel.list()).length, 2)

    await webChannel(first.sid).update({ chatStatus: 'inactive', postEngagementData: '{"stars":5}' })
    const attributes = JSON.parse(
      (await world.twilio.chat.v2.services(service).channels(first.sid).fetch()).attributes,
    )
    assert.equal(attributes.status, 'INACTIVE')
    assert.deepEqual(attributes.post_engagement_data, { stars: 5 })
    assert.equal(attributes.from, 'Vera')
    await isRefused(webChannel(first.sid).update({ chatStatus: 'active' as 'inactive' }), 400, 20001)
    await isRefused(webChannel(first.sid).update({ postEngagementData: '{' }), 400, 20001)
    await webChannel(first.sid).update()

    assert.equal(await webChannel(first.sid).remove(), true)
    await isRefused(webChannel(first.sid).fetch(), 404, 20404)
    await isRefused(world.twilio.chat.v2.services(service).channels(first.sid).fetch(), 404, 20404)
    const other = await world.newAccount('Other')
    await isRefused(other.twilio.flexApi.v1.webChannel(second.sid).fetch(), 404, 20404)
    await isRefused(
      other.twilio.flexApi.v1.webChannel(second.sid).update({ chatStatus: 'inactive' }),
      404,
      20404,
    )
    await isRefused(other.twilio.flexApi.v1.webChannel(second.sid).remove(), 404, 20404)
  })

  test('are ended by the visitor’s widget, by the status among the channel’s attributes', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const guest = await guestOf(world)
    const as = asToken(guest.token)
    const form = {
      FlexFlowSid: await webFlowOf(world),
      Identity: guest.identity,
      CustomerFriendlyName: 'Vera',
      ChatFriendlyName: 'Chat',
    }
    const post = async () => {
      const answer = await world.fetch('/v1/WebChannels', { form, as })
      return ((await answer.json()) as { sid: string }).sid
    }
    const sid = await post()
    const end = { Attributes: '{"status":"INACTIVE"}' }
    const ended = await world.fetch(`/v2/Services/${service}/Channels/${sid}`, { form: end, as })
    assert.equal(ended.status, 200)
    assert.notEqual(await post(), sid)
  })

  test('are ended by their own visitor, and nobody else’s', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const [vera, wim] = [await guestOf(world), await guestOf(world)]
    const made = (await (
      await world.fetch('/v1/WebChannels', {
        form: {
          FlexFlowSid: await webFlowOf(world),
          Identity: vera.identity,
          CustomerFriendlyName: 'Vera',
          ChatFriendlyName: 'Chat',
        },
        as: asToken(vera.token),
      })
    ).json()) as { sid: string }
    const end = (guest: Guest) =>
      world.fetch(`/v1/WebChannels/${made.sid}`, {
        form: { ChatStatus: 'inactive' },
        as: asToken(guest.token),
      })
    assert.equal((await end(wim)).status, 404)
    assert.equal((await world.fetch(`/v1/WebChannels/${made.sid}`, { as: asToken(wim.token) })).status, 404)
    assert.equal((await end(vera)).status, 200)
    const { attributes } = await world.twilio.chat.v2.services(service).channels(made.sid).fetch()
    assert.equal(JSON.parse(attributes).status, 'INACTIVE')
  })
})
