/**
 * A socket's worth of trouble, before the whole house: whatever some do, the others go on, nobody sees what is another's,
 * and afterwards the memory is back.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WebSocket } from 'ws'
import { type Follower, setStage } from '../protocols/followers.ts'
import { connect, frameOf, tokenFor } from '../protocols/raw.ts'
import { openWorld } from '../world/index.ts'

const world = await openWorld({ live: true, engine: 'disk' })
after(() => world[Symbol.asyncDispose]())
const { service, serviceSid, enter } = await setStage(world)
await service.update({ limitsChannelMembers: 1_000 } as never)

/** What the house may have learnt and keeps, in bytes: statements, compiled code, pools. */
const KEPT_MOST = 24 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heapUsed = (): number => {
  collect()
  return process.memoryUsage().heapUsed + process.memoryUsage().external
}

const areGone = async (most = 0): Promise<void> => {
  const deadline = performance.now() + 60_000
  while (Number(await connections()) > most) {
    assert.ok(performance.now() < deadline, `${await connections()} connections are left`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const connections = async (): Promise<string> => {
  const text = await (await fetch(`${world.url}/metrics`)).text()
  return /^parley_socket_connections (\d+)/m.exec(text)?.[1] ?? 'none counted'
}

/** That somebody who does nothing wrong is served. */
const goesOn = async (): Promise<void> => {
  await using sol = await enter('sol')
  assert.equal((await sol.get('/Client/v1/Configuration')).status, 200)
}

const roomWith = async (...identities: string[]): Promise<string> => {
  const { sid } = await service.channels.create({})
  for (const identity of identities) await service.channels(sid).members.create({ identity })
  return sid
}

const say = (who: Follower, channel: string, body: string) =>
  who.client.ask('POST', `/Client/v1/Services/${serviceSid}/Conversations/${channel}/Messages`, { body })

// Everything once, so that what is learnt for good is not taken for a leak.
await goesOn()
const atFirst = heapUsed()

test('frames of every wrong kind, before and after coming in', async () => {
  const wrong: (string | Buffer)[] = [
    '',
    'hello',
    Buffer.alloc(0),
    Buffer.from('TWILSOCK V3.0 99\r\n{}\r\n'),
    Buffer.from('TWILSOCK V3.0 -1\r\n{}\r\n'),
    Buffer.from(`TWILSOCK V3.0 2\r\n{}\r\n${'x'.repeat(1000)}`),
    frameOf({ method: 'message', id: 'TM1', payload_size: 10 ** 9 }, 'short'),
    frameOf({ method: 'init', id: 'TM1', token: { toString: 'x' } }),
    frameOf(
      { method: 'message', id: 'TM1', http_request: { path: '/v4/Subscriptions', method: 'POST' } },
      '{"a":',
    ),
    frameOf({ method: 'message', id: 'TM1', http_request: { path: 'x'.repeat(60_000), method: 'GET' } }),
    frameOf({ method: '__proto__', id: '__proto__' }),
    Buffer.alloc(3 * 1024 * 1024, 65),
  ]
  for (const isIn of [false, true])
    for (const frame of wrong) {
      await using client = await connect(world.url)
      if (isIn) await client.init(tokenFor(world.account, 'mallory', serviceSid))
      client.socket.send(frame)
      client.socket.send(frame)
    }
  await areGone()
  await goesOn()
})

test('what requests hold that no client would send', async () => {
  await using mallory = await enter('mallory')
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const paths = [
    '/v3/Documents/__proto__',
    '/v3/Lists/CH….messages/Items',
    `/v3/Maps/${'x'.repeat(5_000)}`,
    '/v3/Maps/%00/Items',
    '/v3/Documents/%E0%A4%A',
    '/Client/v1/Services/../../Configuration',
    `/Client/v1/Services/${serviceSid}/Users/%00`,
    `/Client/v1/Services/${serviceSid}/Conversations/%27%3B--`,
    '//',
    '/v4/Subscriptions',
  ]
  for (const path of paths)
    for (const method of ['GET', 'POST', 'DELETE', 'CONNECT', '']) {
      const body =
        method === 'POST' ? { requests: [null, 7, { object_sid: {} }], __proto__: null } : undefined
      const { status } = await mallory.client.ask(method, path, body)
      assert.ok(status >= 200 && status < 500, `${method} ${path}: ${status}`)
    }
  const about = {
    method: 'message',
    payload_type: 'application/json',
    http_request: { method: 'POST', path: '/v4/Subscriptions' },
  }
  const { header } = await mallory.client.request(about, deep)
  assert.equal(header.http_status?.code, 400)
  await goesOn()
})

test('a million pings', async () => {
  const pings = 1_000_000
  const each = 5_000
  for (let sent = 0; sent < pings; sent += each * 10)
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const socket = new WebSocket(`${world.url.replace('http', 'ws')}/v3/wsconnect`)
        socket.on('error', () => {})
        await once(socket, 'open')
        for (let at = 0; at < each; at += 1) socket.ping()
        const [code, reason] = await once(socket, 'close')
        assert.deepEqual([code, String(reason)], [1013, 'too many pings'])
      }),
    )
  await areGone()
  await goesOn()
})

test('somebody who never reads is closed by name, and gets everything after', async () => {
  const channel = await roomWith('vera', 'ana')
  const list = `${channel}.messages`
  await using ana = await enter('ana')
  const vera = await enter('vera')
  await vera.follow(list)
  vera.client.socket.pause()
  const body = 'x'.repeat(16_000)
  let said = 0
  while ((await connections()) !== '1') {
    await Promise.all(Array.from({ length: 50 }, () => say(ana, channel, body)))
    said += 50
    assert.ok(said < 20_000, 'nobody reads for ever')
  }
  vera.client.socket.resume()
  await vera.client.ended
  const heard = vera.client.untaken.length
  assert.ok(heard < said)
  await using back = await enter('vera')
  const missed: number[] = []
  for (let number = 0; ; ) {
    const told = await back.follow(list, number)
    missed.push(...told.slice(0, -1).map((it) => it.event.item_index))
    const end = told.at(-1)?.event
    number = end.last_event_id
    if (end.replay_status === 'completed') break
  }
  assert.deepEqual(
    missed,
    Array.from({ length: said }, (_, at) => at),
  )
})

test('ten thousand joins and leaves, as fast as they go', async () => {
  const channel = await roomWith('ana')
  const people = await Promise.all(Array.from({ length: 50 }, (_, at) => enter(`hasty-${at}`)))
  const path = `/Client/v1/Services/${serviceSid}/Conversations/${channel}/Participants`
  await using ana = await enter('ana')
  await ana.follow(`${channel}.roster`)
  await Promise.all(
    people.map(async ({ client }, at) => {
      for (let times = 0; times < 100; times += 1) {
        const joined = await client.ask('POST', path, { identity: `hasty-${at}` })
        assert.equal(joined.status, 201)
        const left = await client.ask('DELETE', `${path}/hasty-${at}`)
        assert.equal(left.status, 204)
      }
    }),
  )
  const members = await service.channels(channel).members.list()
  assert.deepEqual(
    members.map((it) => it.identity),
    ['ana'],
  )
  const numbers: number[] = []
  while (numbers.length < 10_000)
    numbers.push((await ana.told((it) => it.event_type.startsWith('map_item_'))).event.id)
  assert.deepEqual(
    numbers,
    Array.from({ length: 10_000 }, (_, at) => at + 2),
  )
  await Promise.all(people.map(({ client }) => client.close()))
})

test('ten sockets of one person are ten clients', async () => {
  const channel = await roomWith('vera', 'ana')
  await using ana = await enter('ana')
  const sockets = await Promise.all(Array.from({ length: 10 }, () => enter('vera')))
  for (const it of sockets) await it.follow(`${channel}.messages`)
  await say(ana, channel, 'to all of you')
  for (const it of sockets)
    assert.equal((await it.change('list_item_added')).event.item_data.text, 'to all of you')
  const [first, ...rest] = sockets
  await first?.client.close()
  await say(ana, channel, 'to nine')
  for (const it of rest) await it.change('list_item_added')
  await Promise.all(rest.map(({ client }) => client.close()))
})

test('a token for another account opens nothing here', async () => {
  const other = await world.newAccount('Other')
  await using client = await connect(world.url)
  const claims = { sub: other.sid }
  const { header } = await client.init(tokenFor(world.account, 'vera', serviceSid, { claims }))
  assert.deepEqual([header.status?.code, header.status?.errorCode], [401, 20103])
  const theirs = await other.twilio.chat.v2.services.create({ friendlyName: 'Theirs' })
  await using wrong = await connect(world.url)
  const refused = await wrong.init(tokenFor(world.account, 'vera', theirs.sid))
  assert.deepEqual([refused.header.status?.code, refused.header.status?.errorCode], [401, 20106])
})

test('afterwards the memory is back', async () => {
  await areGone()
  assert.match(await (await fetch(`${world.url}/metrics`)).text(), /^parley_socket_followings 0$/m)
  const deadline = performance.now() + 60_000
  // Several rounds: what a finalizer lets go of is garbage only for the collection after it.
  for (let grown = heapUsed() - atFirst; grown >= KEPT_MOST; grown = heapUsed() - atFirst) {
    assert.ok(performance.now() < deadline, `${Math.round(grown / 1024 / 1024)} MiB more than at first`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})
