/** What one connection may do to the house: the bounds of docs/protocols/chat-socket.md, told from outside. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openWorld } from '../world/index.ts'
import { type Door, openDoor } from './door.ts'
import { frameOf } from './raw.ts'

const world = await openWorld()
after(() => world[Symbol.asyncDispose]())

const areLeft = async (door: Door, number: number): Promise<void> => {
  while (door.sockets.size > number) await new Promise(setImmediate)
}

test('[CS50] a notification is one frame for everybody', async () => {
  const { notification } = await import('../../src/realtime/protocols/twilsock/frame.ts')
  await using door = await openDoor(world)
  await using ana = await door.enter('ana')
  await using ben = await door.enter('ben')
  const frame = notification('twilio.sync.event', { text: 'für alle' }, () => `TM${'1'.repeat(32)}`)
  for (const client of door.clients) client.send(frame)
  for (const client of [ana, ben]) {
    const { header, payload } = await client.next(({ header }) => header.method === 'notification')
    assert.deepEqual(
      [header.message_type, header.id, payload],
      ['twilio.sync.event', `TM${'1'.repeat(32)}`, { text: 'für alle' }],
    )
  }
})

test('[CS80] who is not heard of from one ping to the next is cut', async () => {
  await using door = await openDoor(world, { bounds: { heartbeatSweeps: 5 } })
  await using alive = await door.enter('ana')
  await using gone = await door.enter('ben')
  gone.socket.pause()
  await door.until('leave ben')
  assert.equal((await alive.ask('GET', '/x')).status, 200)
  assert.equal(door.sockets.size, 1)
  gone.socket.resume()
  assert.equal((await gone.ended).code, 1006)
})

test('[CS81] who does not take what it is sent unasked is closed, and may come back', async () => {
  await using door = await openDoor(world, { bounds: { closeTimeoutMs: 20 } })
  await using client = await door.enter('ana')
  client.socket.pause()
  const [ana] = door.clients
  const frame = Buffer.alloc(1_000_000)
  for (let i = 0; i < 32; i += 1) ana?.send(frame)
  await door.until('leave ana')
  assert.deepEqual(
    door.logged.map(({ msg, reason, identity }) => [msg, reason, identity]),
    [['a connection was ended', 'slow consumer', 'ana']],
  )
  await using again = await door.enter('ana')
  assert.equal((await again.ask('GET', '/x')).status, 200)
})

test('[CS87] who asks for more than it takes at once is answered as fast as it takes it', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter('ana')
  client.socket.pause()
  const sizes = Array.from({ length: 64 }, (_, i) => client.ask('GET', `/big/1000000/${i}`))
  await door.until('ask /big/1000000/15')
  assert.ok(!door.told.includes('ask /big/1000000/63'))
  client.socket.resume()
  for (const { body } of await Promise.all(sizes)) assert.equal(body.length, 1_000_000)
  assert.deepEqual(door.logged, [])
})

test('[CS82] who sends nothing but pings is closed', async () => {
  // No heart beats meanwhile: the count begins again with each beat.
  await using door = await openDoor(world, { bounds: { heartbeatSweeps: 1_000_000 } })
  await using client = await door.enter()
  for (let i = 0; i < 301; i += 1) client.socket.ping()
  assert.deepEqual(await client.ended, { code: 1013, reason: 'too many pings' })
  await using patient = await door.enter()
  for (let i = 0; i < 300; i += 1) patient.socket.ping()
  assert.equal((await patient.ask('GET', '/x')).status, 200)
})

test('[CS83] when the house closes, connections end with 1012 and nobody else comes in', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  await using fresh = await door.connect()
  await using refused = await door.connect()
  await refused.init('x')
  const slow = client.send({ method: 'message', http_request: { method: 'GET', path: '/wait/on' } })
  await door.until('ask /wait/on')
  let isClosed = false
  const closing = door.sockets[Symbol.asyncDispose]().then(() => {
    isClosed = true
  })
  for (const it of [client, fresh, refused]) assert.equal((await it.ended).code, 1012)
  assert.ok(client.untaken.every(({ header }) => header.method !== 'close' && header.id !== slow))
  const { port } = new URL(door.url)
  const late = connectTcp(Number(port), '127.0.0.1')
  late.write(
    'GET /v3/wsconnect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  const [answer] = await once(late, 'data')
  assert.match(answer.toString(), /^HTTP\/1\.1 503 /)
  assert.equal(isClosed, false, 'a request still runs')
  door.release('on')
  await closing
})

test('[CS84] who was let in leaves once, and who is gone before that is not let in', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  await using door = await openDoor(world, {
    arrive: ({ identity }) => (identity === 'cy' ? promise : Promise.resolve()),
  })
  const ways: Record<string, (client: Awaited<ReturnType<Door['enter']>>) => void> = {
    ana: (client) => client.send({ method: 'close' }),
    ben: (client) => client.socket.terminate(),
    dan: (client) => client.socket.close(),
    eve: (client) => client.socket.send('text'),
  }
  for (const [identity, end] of Object.entries(ways)) {
    const client = await door.enter(identity)
    end(client)
    await client.ended
    await door.until(`leave ${identity}`)
  }
  const early = await door.connect()
  early.send({ method: 'init', token: door.token('cy') })
  await door.until('judge cy')
  early.socket.terminate()
  await areLeft(door, 0)
  resolve()
  await door.enter('last')
  assert.ok(!door.told.includes('join cy') && !door.told.includes('leave cy'))
  for (const identity of Object.keys(ways))
    assert.equal(door.told.filter((it) => it === `leave ${identity}`).length, 1, identity)
})

test('[CS85] nothing that one connection sends ends another', async () => {
  await using door = await openDoor(world)
  await using ana = await door.enter('ana')
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json({ depthSize: 'small' }).map((json) => frameOf({ method: 'message', id: 'TM1' }, json)),
    fc
      .record({ method: fc.string(), id: fc.string(), token: fc.jsonValue(), http_request: fc.jsonValue() })
      .map((header) => frameOf(header)),
    fc.nat(80).map((end) => frameOf({ method: 'init', id: 'TM1', token: 'x' }).subarray(0, end)),
  )
  const seed = randomInt(2 ** 31)
  const samples = fc.sample(fc.array(anything, { minLength: 1, maxLength: 5 }), { numRuns: 300, seed })
  for (const frames of samples) {
    const hostile = await (frames.length % 2 ? door.connect() : door.enter('mal'))
    for (const frame of frames) hostile.socket.send(frame)
    await hostile.close()
    assert.equal((await ana.ask('GET', '/x')).status, 200, `seed ${seed}`)
  }
  await areLeft(door, 1)
  assert.ok(
    door.logged.every(({ level }) => level === 30),
    `nothing was a fault of ours, seed ${seed}`,
  )
})

test('[CS86] one person may have many connections', async () => {
  await using door = await openDoor(world)
  const ten = await Promise.all(Array.from({ length: 10 }, () => door.enter('ana')))
  assert.equal(door.clients.size, 10)
  await Promise.all(ten.slice(1).map((it) => it.close()))
  assert.equal((await ten[0]?.ask('GET', '/x'))?.status, 200)
  await ten[0]?.close()
  await areLeft(door, 0)
  assert.equal(door.told.filter((it) => it === 'leave ana').length, 10)
})
