import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createChannelWebhook, findChannel } from '../../src/chat/index.ts'
import { openWorld, type World } from '../world/index.ts'
import { openListener } from '../world/listener.ts'
import { ledger, line, openRoom, replay } from './channel.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const bodies = (world: World, path: string) => world.listener.at(path).map((it) => it.form.Body)

/** Moves the clock on, step by step, running what becomes due. */
const pass = async (world: World, ms: number, step: number) => {
  for (let gone = 0; gone < ms; gone += step) {
    world.clock.advance(step)
    await world.settle()
  }
}

describe('deliveries of a channel to a URL', () => {
  test('are made in order, however many there are', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message')
    const said = Array.from({ length: 40 }, (_, at) => String(at))
    for (const body of said) await room.post(body)
    await world.settle()
    assert.deepEqual(bodies(world, '/new-message'), said)
  })

  for (const engine of ['disk', 'postgres'] as const)
    test(`are made once each and in the order of the messages when they are posted at once (${engine})`, async () => {
      await using world = await openWorld({ engine, live: true })
      const room = await openRoom(world)
      await room.hook('/new-message')
      await Promise.all(Array.from({ length: 60 }, (_, at) => room.post(String(at))))
      const heard = await world.listener.until('/new-message', 60)
      assert.deepEqual(
        heard.map((it) => it.form.Index),
        Array.from({ length: 60 }, (_, at) => String(at)),
      )
    })

  test('wait for one that fails, and come after it when it is delivered', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message')
    let up = false
    world.listener.answer('/new-message', () => ({ status: up ? 200 : 500 }))
    await room.post('first')
    await world.settle()
    await room.post('second')
    await room.post('third')
    await world.settle()
    assert.deepEqual(bodies(world, '/new-message'), ['first'])
    up = true
    await pass(world, 3_000, 1_000)
    assert.deepEqual(bodies(world, '/new-message'), ['first', 'first', 'second', 'third'])
  })

  test('pass one that goes on failing after two minutes', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message')
    world.listener.answer('/new-message', ({ form }) => ({ status: form.Body === 'poison' ? 500 : 200 }))
    await room.post('poison')
    await room.post('sound')
    await world.settle()
    await pass(world, MINUTE, 10_000)
    assert.ok(!bodies(world, '/new-message').includes('sound'))
    await pass(world, MINUTE + 10_000, 10_000)
    assert.ok(bodies(world, '/new-message').includes('sound'))
    const states = (await ledger(world)).map((it) => it.state)
    assert.deepEqual(states.sort(), ['delivered', 'pending'])
  })

  test('to an endpoint that hangs delay no other', async () => {
    await using world = await openWorld()
    const sick = await Promise.all(Array.from({ length: 10 }, () => openRoom(world)))
    world.listener.answer('/hangs', () => ({ hang: true }))
    await using healthy = await openListener()
    for (const room of sick) {
      await room.hook('/hangs')
      await room.hook(healthy.url('/new-message'))
    }
    for (const room of sick) await room.post('hello')
    const settled = world.settle()
    await healthy.until('/new-message', sick.length)
    const hanging = (await ledger(world, { State: 'pending' })).filter((it) =>
      it.webhook_url.endsWith('/hangs'),
    )
    assert.deepEqual(
      hanging.map((it) => it.outcome),
      sick.map(() => null),
      'the healthy endpoint hears before the first call times out',
    )
    await settled
    const [hung] = await ledger(world, { State: 'pending' })
    assert.equal(hung?.outcome, 'timed-out')
    const { attempts } = await line(world, hung?.sid ?? '')
    assert.ok((attempts?.[0]?.duration_ms ?? 0) >= 4_900)
  })
})

describe('a delivery that fails', () => {
  test('is retried as often as the webhook grants, with a growing RetryCount and one idempotency token', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message', { retryCount: 3 })
    world.listener.answer('/new-message', () => ({ status: 503 }))
    await room.post('hello')
    await world.settle()
    await pass(world, 3_000, 1_000)
    const heard = world.listener.at('/new-message')
    assert.deepEqual(
      heard.map((it) => it.form.RetryCount),
      ['0', '1', '2', '3'],
    )
    assert.equal(new Set(heard.map((it) => it.headers['i-twilio-idempotency-token'])).size, 1)
    await pass(world, 2_000, 1_000)
    assert.equal(world.listener.at('/new-message').length, 4, 'what Twilio grants is used up')
  })

  test('is retried with growing waits for a day, then set aside, and delivered when it is replayed', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message')
    world.listener.answer('/new-message', () => ({ status: 500, body: 'broken' }))
    await room.post('hello')
    await world.settle()
    await pass(world, 10 * MINUTE, 10_000)
    const soon = world.listener.at('/new-message').length
    assert.ok(soon >= 6 && soon <= 10, `${soon} attempts in ten minutes`)
    await pass(world, 25 * HOUR, 10 * MINUTE)
    const [aside] = await ledger(world)
    assert.equal(aside?.state, 'set-aside')
    assert.equal(aside?.next_attempt_at, null)
    const tried = world.listener.at('/new-message').length
    assert.ok(tried > 20 && tried < 45, `${tried} attempts in a day`)
    const { attempts } = await line(world, aside?.sid ?? '')
    assert.equal(attempts?.length, tried)
    assert.equal(attempts?.[0]?.answer?.body, 'broken')

    world.listener.answer('/new-message', () => ({ status: 200 }))
    assert.equal((await replay(world, aside?.sid ?? '')).status, 200)
    await world.settle()
    assert.equal((await line(world, aside?.sid ?? '')).state, 'delivered')
    const tokens = world.listener.at('/new-message').map((it) => it.headers['i-twilio-idempotency-token'])
    assert.equal(new Set(tokens).size, 1)
  })

  test('because it is refused is set aside at once, and holds nobody up', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message', { retryCount: 3 })
    world.listener.answer('/new-message', ({ form }) => ({ status: form.Body === 'bad' ? 400 : 200 }))
    await room.post('bad')
    await room.post('good')
    await world.settle()
    assert.deepEqual(bodies(world, '/new-message'), ['bad', 'good'])
    const states = (await ledger(world)).map((it) => [it.params.Body, it.state, it.outcome])
    assert.deepEqual(states, [
      ['good', 'delivered', '200'],
      ['bad', 'set-aside', '400'],
    ])
  })

  test('because nobody listens waits to be retried', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('http://127.0.0.1:1/new-message')
    await room.post('hello')
    await world.settle()
    const [waiting] = await ledger(world)
    assert.equal(waiting?.state, 'pending')
    assert.equal(waiting?.outcome, 'unreachable')
  })

  test('because its address is private is set aside at once, by name', async () => {
    await using world = await openWorld({ webhooks: { allowPrivate: false } })
    const room = await openRoom(world)
    // As where its name was that of a public address when it was given.
    await world.house.store.transact('hook', async (tx) => {
      const channel = await findChannel(tx, world.account.sid, room.channelSid)
      assert.ok(channel)
      const configuration = { url: world.listener.url('/new-message'), filters: ['onMessageSent'] }
      await createChannelWebhook(tx, { channel, type: 'webhook', configuration })
    })
    await room.post('hello')
    await world.settle()
    assert.deepEqual(world.listener.heard, [])
    const [refused] = await ledger(world)
    assert.equal(refused?.state, 'set-aside')
    assert.equal(refused?.outcome, 'refused-address')
    const { attempts } = await line(world, refused?.sid ?? '')
    assert.match(attempts?.[0]?.reason ?? '', /loopback/)
  })

  test('is never owed to an address that is private when it is given: that is refused, and nothing changes', async () => {
    await using world = await openWorld({ webhooks: { allowPrivate: false } })
    const room = await openRoom(world)
    const service = `/v2/Services/${room.serviceSid}`
    const { chatServiceInstanceSid: ChatServiceSid } = await world.twilio.flexApi.v1.configuration
      .get()
      .fetch()
    const refused = async (path: string, form: Record<string, string>, code: number) => {
      const answer = await world.fetch(path, { form })
      const problem = (await answer.json()) as { code: number; message: string }
      assert.deepEqual([answer.status, problem.code], [400, code])
      assert.match(problem.message, /not a public address/)
    }
    for (const url of [
      'http://127.0.0.1:1/x',
      'http://localhost/x',
      'http://[::1]/x',
      'https://10.1.2.3/x',
    ]) {
      const hook = { Type: 'webhook', 'Configuration.Url': url, 'Configuration.Filters': 'onMessageSent' }
      await refused(`${service}/Channels/${room.channelSid}/Webhooks`, hook, 50329)
      await refused(service, { PreWebhookUrl: url }, 50077)
      await refused(service, { PostWebhookUrl: url }, 50078)
      const flow = { FriendlyName: 'f', ChatServiceSid, ChannelType: 'custom', IntegrationType: 'external' }
      await refused('/v1/FlexFlows', { ...flow, 'Integration.Url': url }, 45004)
    }
    const kept = await world.twilio.chat.v2.services(room.serviceSid).fetch()
    assert.deepEqual([kept.preWebhookUrl, kept.postWebhookUrl], [null, null])
    await room.hook('https://93.184.215.14/new-message')
    await room.hook('https://nobody.invalid/new-message')
    assert.equal((await world.twilio.flexApi.v1.flexFlow.list()).length, 1)
  })

  for (const engine of ['disk', 'postgres'] as const)
    test(`is still owed after a restart (${engine})`, async () => {
      await using world = await openWorld({ engine })
      const room = await openRoom(world)
      await room.hook('/new-message')
      world.listener.answer('/new-message', () => ({ status: 500 }))
      await room.post('tried')
      await world.settle()
      await room.post('untried')
      await world.restart()
      world.listener.answer('/new-message', () => ({ status: 200 }))
      await pass(world, 20_000, 5_000)
      assert.deepEqual(bodies(world, '/new-message'), ['tried', 'tried', 'untried'])
      const [first, second] = world.listener
        .at('/new-message')
        .map((it) => it.headers['i-twilio-idempotency-token'])
      assert.equal(first, second)
    })
})

describe('a replay', () => {
  test('sends what was delivered again, with the same token and the next RetryCount', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message')
    await room.post('hello')
    await world.settle()
    const [done] = await ledger(world)
    const answer = await replay(world, done?.sid ?? '')
    assert.equal(answer.status, 200)
    assert.equal(((await answer.json()) as { state: string }).state, 'pending')
    await world.settle()
    const [first, second] = world.listener.at('/new-message')
    assert.equal(second?.headers['i-twilio-idempotency-token'], first?.headers['i-twilio-idempotency-token'])
    assert.equal(second?.form.RetryCount, '1')
    assert.equal((await line(world, done?.sid ?? '')).attempts?.length, 2)
  })

  test('of what was silenced is refused with the reason', async () => {
    await using world = await openWorld()
    const room = await openRoom(world)
    await room.hook('/new-message', { filters: ['onMessageUpdated'] })
    await room.post('hello')
    const [silent] = await ledger(world)
    const answer = await replay(world, silent?.sid ?? '')
    assert.equal(answer.status, 400)
    assert.match(((await answer.json()) as { message: string }).message, /silenced/)
    await world.settle()
    assert.deepEqual(world.listener.heard, [])
  })

  test('of what does not exist answers 404', async () => {
    await using world = await openWorld()
    assert.equal((await replay(world, `DL${'0'.repeat(32)}`)).status, 404)
  })
})

describe('the ledger forgets', () => {
  test('silences after three days and the rest after thirty, but never what is owed', async () => {
    await using world = await openWorld({ webhooks: { retryHours: 24 * 365 } })
    const room = await openRoom(world)
    await room.hook('/new-message')
    await room.hook('/edited', { filters: ['onMessageUpdated'] })
    await room.hook('/down')
    world.listener.answer('/down', () => ({ status: 500 }))
    await room.post('hello')
    await world.settle()
    const states = async () => (await ledger(world)).map((it) => it.state).sort()
    assert.deepEqual(await states(), ['delivered', 'pending', 'silent'])
    await pass(world, 4 * 24 * HOUR, 24 * HOUR)
    assert.deepEqual(await states(), ['delivered', 'pending'])
    await pass(world, 28 * 24 * HOUR, 24 * HOUR)
    assert.deepEqual(await states(), ['pending'])
  })
})
