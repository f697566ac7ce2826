/** The transport of the chat socket, rule by rule, as docs/protocols/chat-socket.md states it, in raw frames. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { after, test } from 'node:test'
import { problem } from '@parley/contract/problem.ts'
import { WebSocket } from 'ws'
import { provisionAccount } from '../../src/provision.ts'
import { StoreAway } from '../../src/store/away.ts'
import { openWorld } from '../world/index.ts'
import { openDoor, SERVICE } from './door.ts'
import { connect, frameOf, type RawFrame, tokenFor } from './raw.ts'

const world = await openWorld()
after(() => world[Symbol.asyncDispose]())

const statusOf = ({ header }: RawFrame) => header.status

const refusedWith = ({ header }: RawFrame, code: number, errorCode: number, description: RegExp): void => {
  assert.deepEqual([header.status?.code, header.status?.errorCode], [code, errorCode])
  assert.match(header.status?.description ?? '', description)
}

const httpStatus = async (url: string, headers: Record<string, string>): Promise<number | undefined> => {
  const request = httpRequest(url, { headers })
  request.end()
  const [response] = await once(request, 'response')
  response.resume()
  return response.statusCode
}

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
}

test('[CS1] a socket opens at /v3/wsconnect, whatever stands before it or in its query', async () => {
  await using door = await openDoor(world)
  for (const path of ['/v3/wsconnect', '/v3/wsconnect?a=b', '/r.twilio.com/v3/wsconnect']) {
    await using client = await door.connect(path)
    assert.equal(statusOf(await client.init(door.token()))?.code, 200)
  }
})

test('[CS2] any other path is answered as a request, and so is any other upgrade', async () => {
  await using door = await openDoor(world)
  assert.equal(await httpStatus(`${door.url}/v3/elsewhere`, UPGRADE), 404)
  assert.equal(await httpStatus(`${door.url}/here`, UPGRADE), 200)
  assert.equal(await httpStatus(`${door.url}/here`, { ...UPGRADE, Upgrade: 'h2c' }), 200)
  assert.equal(await httpStatus(`${door.url}/v3/wsconnect`, { ...UPGRADE, Upgrade: 'h2c' }), 404)
})

test('[CS3] compression is offered in vain', async () => {
  await using door = await openDoor(world)
  await using client = await door.connect()
  assert.equal(client.socket.extensions, '')
})

test('[CS10] a frame is a binary message with method and id, a reply has the id of what it replies to', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const reply = await client.request({
    method: 'message',
    id: 'TM-mine',
    http_request: { method: 'GET', path: '/x' },
  })
  assert.equal(reply.header.id, 'TM-mine')
  assert.equal(reply.header.payload_type, 'application/json')
  assert.equal(typeof reply.payload, 'object')
})

test('[CS11] sizes are bytes', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const { body } = await client.ask('POST', '/x', { text: 'Grüße 👋\n日本' }, { name: 'Größe' })
  assert.deepEqual([body.body, body.query], [{ text: 'Grüße 👋\n日本' }, { name: 'Größe' }])
})

test("[CS12] a line's end behind the payload is passed over", async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const frame = frameOf(
    { method: 'message', id: 'TM1', http_request: { method: 'POST', path: '/x' } },
    '{"a":1}',
  )
  client.socket.send(Buffer.concat([frame, Buffer.from('\r\n')]))
  const { payload } = await client.replyTo('TM1')
  assert.deepEqual((payload as { body: unknown }).body, { a: 1 })
})

const MALFORMED: readonly (readonly [fault: string, frame: string])[] = [
  ['first_line', ''],
  ['first_line', 'GET / HTTP/1.1\r\n\r\n'],
  ['first_line', 'TWILSOCK V2.0 2\r\n{}\r\n'],
  ['first_line', 'TWILSOCK V3.0 -2\r\n{}\r\n'],
  ['first_line', 'TWILSOCK V3.0 12345678\r\n{}\r\n'],
  ['header_too_large', 'TWILSOCK V3.0 65537\r\n{}\r\n'],
  ['header_cut_off', 'TWILSOCK V3.0 60\r\n{"method":'],
  ['header_not_ended', 'TWILSOCK V3.0 2\r\n{}XX'],
  ['header_not_json', 'TWILSOCK V3.0 2\r\n{x\r\n'],
  ['header_not_an_object', 'TWILSOCK V3.0 2\r\n[]\r\n'],
  ['method_missing', 'TWILSOCK V3.0 12\r\n{"id":"TM1"}\r\n'],
  ['id_missing', 'TWILSOCK V3.0 18\r\n{"method":"close"}\r\n'],
  ['id_missing', frameOf({ method: 'close', id: 'x'.repeat(129) }).toString()],
  ['payload_size', frameOf({ method: 'close', id: 'TM1', payload_size: '7' }).toString()],
  ['payload_size', frameOf({ method: 'close', id: 'TM1', payload_size: -1 }).toString()],
  ['payload_too_large', frameOf({ method: 'close', id: 'TM1', payload_size: 2 ** 20 + 1 }).toString()],
  ['payload_cut_off', frameOf({ method: 'close', id: 'TM1', payload_size: 5 }).toString()],
]

test('[CS13] what cannot be read ends the connection, with the name of what is wrong', async () => {
  await using door = await openDoor(world)
  for (const [fault, frame] of MALFORMED) {
    await using client = await door.connect()
    client.socket.send(Buffer.from(frame))
    assert.deepEqual(await client.ended, { code: 1002, reason: `malformed frame: ${fault}` })
  }
})

test('[CS14] so does a text', async () => {
  await using door = await openDoor(world)
  await using client = await door.connect()
  client.socket.send(frameOf({ method: 'init', id: 'TM1', token: door.token() }).toString())
  assert.deepEqual(await client.ended, { code: 1002, reason: 'malformed frame: not_binary' })
})

test('[CS15] a header of 64 KiB and a payload of 1 MiB are read, a message larger than both is not', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const text = 'x'.repeat(2 ** 20 - 2)
  const { body } = await client.ask('POST', '/x', text, { long: 'y'.repeat(65_000) })
  assert.deepEqual([body.body.length, body.query.long.length], [text.length, 65_000])
  client.socket.send(Buffer.alloc(2 ** 20 + 2 ** 16 + 28))
  assert.equal((await client.ended).code, 1009)
})

test('[CS16] ids of ours are TM and 32 hexadecimal digits', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter('ana', { lives: 3 })
  const { header } = await client.next(({ header }) => header.method === 'client_update')
  assert.match(header.id, /^TM[0-9a-f]{32}$/)
})

test('[CS20] init with an access token lets a client in', async () => {
  await using door = await openDoor(world)
  await using client = await door.connect()
  const { header, payload } = await client.init(door.token())
  assert.deepEqual(header.status, { code: 200, status: 'OK' })
  assert.equal(header.payload_size, 0)
  assert.equal(payload, undefined)
  for (const member of [
    'capabilities',
    'continuation_token',
    'continuation_token_status',
    'init_registrations',
  ])
    assert.ok(member in header, member)
  assert.deepEqual(door.told, ['judge ana', 'join ana'])
})

test('[CS21] of what clients can do only client_update is taken up', async () => {
  await using door = await openDoor(world)
  await using client = await door.connect()
  const { header } = await client.init(door.token())
  assert.deepEqual(header.capabilities, ['client_update'])
  assert.ok(!('offline_storage' in header))
})

test('[CS22] a continuation token is given back, or issued', async () => {
  await using door = await openDoor(world)
  const continued = async (shown: string | null) => {
    await using client = await door.connect()
    const { header } = await client.init(door.token(), { continuation_token: shown })
    const { reissued, reissue_reason: reason } = header.continuation_token_status as Record<string, unknown>
    return { token: header.continuation_token as string, reissued, reason }
  }
  const first = await continued(null)
  assert.deepEqual([first.reissued, first.reason], [true, 'MISSING'])
  assert.deepEqual(await continued(first.token), { token: first.token, reissued: false, reason: undefined })
  const third = await continued('eyJhIjoxfQ==.signature')
  assert.deepEqual([third.reissued, third.reason], [true, 'INVALID'])
  assert.notEqual(third.token, first.token)
})

test('[CS23] what is registered is said back', async () => {
  await using door = await openDoor(world)
  await using client = await door.connect()
  const registrations = [{ product: 'ip_messaging', type: 'ers', message_types: ['twilio.sync.event'] }]
  const { header } = await client.init(door.token(), { registrations })
  const [first, ...rest] = header.init_registrations as Record<string, unknown>[]
  assert.equal(typeof first?.notification_ctx_id, 'string')
  assert.deepEqual(
    [{ ...first, notification_ctx_id: undefined }, rest],
    [{ ...registrations[0], notification_ctx_id: undefined }, []],
  )
  await using older = await door.connect()
  assert.deepEqual((await older.init(door.token(), { registrations: null })).header.init_registrations, [])
})

test('[CS24] the first frame is init', async () => {
  await using door = await openDoor(world)
  for (const method of ['message', 'update', 'put_notification_ctx', 'anything']) {
    await using client = await door.connect()
    client.send({ method: 'reply' })
    client.send({ method: 'telemetry.v1' })
    client.send({ method })
    assert.deepEqual(await client.ended, { code: 1002, reason: `the first frame is "${method}", not init` })
  }
})

test('[CS25] init must come within ten seconds', async () => {
  await using door = await openDoor(world)
  await using late = await door.connect()
  await using early = await door.enter()
  world.clock.advance(9_999)
  assert.equal((await early.ask('GET', '/x')).status, 200)
  assert.equal(late.socket.readyState, WebSocket.OPEN)
  world.clock.advance(1)
  assert.deepEqual(await late.ended, { code: 1008, reason: 'init did not come in time' })
  assert.equal((await early.ask('GET', '/x')).status, 200)
})

test('[CS26] a second init is refused and changes nothing', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  refusedWith(await client.init(door.token('ben')), 400, 20001, /init has come before/)
  assert.equal((await client.ask('GET', '/x')).status, 200)
  assert.deepEqual(
    [...door.clients].map(({ identity }) => identity),
    ['ana'],
  )
})

test('[CS27] nothing is asked before init is answered', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  await using door = await openDoor(world, { arrive: () => promise })
  await using client = await door.connect()
  const init = client.init(door.token())
  await door.until('judge ana')
  refusedWith(
    await client.request({ method: 'message', http_request: { method: 'GET', path: '/x' } }),
    400,
    20001,
    /init has not been answered yet/,
  )
  refusedWith(
    await client.request({ method: 'update', token: door.token() }),
    400,
    20001,
    /not been answered/,
  )
  resolve()
  assert.equal(statusOf(await init)?.code, 200)
})

test('[CS28] contexts and unknown methods are confirmed; replies and telemetry are not', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  client.send({ method: 'reply', status: { code: 200, status: 'OK' } })
  client.send({ method: 'telemetry.v1' }, '{"events":[]}')
  for (const method of ['put_notification_ctx', 'delete_notification_ctx', 'ping'])
    assert.deepEqual(
      statusOf(await client.request({ method, notification_ctx_id: 'x' }, '{"message_types":[]}')),
      { code: 200, status: 'OK' },
    )
  assert.deepEqual(client.untaken, [])
})

test('[CS29] close ends the connection', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  client.send({ method: 'close' })
  assert.equal((await client.ended).code, 1000)
})

const REFUSED: Readonly<Record<string, (minted: typeof tokenFor) => string>> = {
  '401 20101 Invalid access token': () => 'x',
  '401 20102 typ is missing': (minted) =>
    minted(world.account, 'ana', SERVICE, { header: { typ: undefined } }),
  '401 20103 there is no API key': (minted) =>
    minted({ ...world.account, apiKeySid: `SK${'0'.repeat(32)}` }, 'ana', SERVICE),
  '401 20103 is not a key of account': (minted) =>
    minted({ ...world.account, sid: `AC${'0'.repeat(32)}` }, 'ana', SERVICE),
  '401 20105 it is valid in 2 hours, from': (minted) =>
    minted(world.account, 'ana', SERVICE, { claims: { nbf: Math.floor(world.clock.now() / 1000) + 7_500 } }),
  '401 20106 it has no chat grant': (minted) =>
    minted(world.account, 'ana', SERVICE, { claims: { grants: { identity: 'ana' } } }),
  '401 20107 signature': (minted) => minted({ ...world.account, apiKeySecret: 'wrong' }, 'ana', SERVICE),
  '401 20106 its account has no chat service IS': (minted) =>
    minted(world.account, 'ana', `IS${'0'.repeat(32)}`),
}

test('[CS30] a client that is not let in is told exactly why', async () => {
  for (const [expected, token] of Object.entries(REFUSED)) {
    const [, status, code, sentence] = /^(\d+) (\d+) (.*)$/.exec(expected) ?? []
    await using client = await connect(world.url)
    const reply = await client.init(token(tokenFor))
    refusedWith(reply, Number(status), Number(code), new RegExp(sentence as string))
    assert.equal(statusOf(reply)?.status, 'UNAUTHORIZED')
  }
})

test('[CS31] a token that expired says how long ago, from its last second on', async () => {
  await using door = await openDoor(world)
  const token = door.token('ana', { lives: 100 })
  for (const [passed, ago] of [
    [100_000, /expired \d seconds? ago: it was valid until \d{4}-/],
    [3_600_000, /expired 1 hour ago: it was valid until \d{4}-/],
  ] as const) {
    world.clock.advance(passed)
    await using client = await door.connect()
    refusedWith(await client.init(token), 401, 20104, ago)
  }
})

test('[CS32] the reason stands in the log', async () => {
  await using door = await openDoor(world)
  await using client = await door.connect()
  await client.init(tokenFor({ ...world.account, apiKeySecret: 'wrong' }, 'ana', SERVICE))
  const [line, ...rest] = door.logged
  assert.deepEqual(rest, [])
  assert.deepEqual(
    [line?.msg, line?.status, line?.code, line?.address],
    ['a client was not let in', 401, 20107, '127.0.0.1'],
  )
  assert.match(line?.reason as string, /Invalid access token signature: /)
})

test('[CS33] who is refused and does not leave is closed', async () => {
  await using door = await openDoor(world)
  await using client = await door.connect()
  await client.init('x')
  client.send({ method: 'init', token: door.token() })
  client.send({ method: 'message', http_request: { method: 'GET', path: '/x' } })
  world.clock.advance(2_000)
  const { code, reason } = await client.ended
  assert.equal(code, 1008)
  assert.match(reason, /^20101: Invalid access token/)
  assert.deepEqual([client.untaken, door.told], [[], []])
})

test('[CS34] who comes too early is told when to come back, and trouble of ours is 500', async () => {
  const wrong = [
    problem('too_many_requests', { limit: 1, retryAfterSeconds: 3 }),
    new Error('a bug'),
    new StoreAway('not changed', new Error('gone')),
  ]
  await using door = await openDoor(world, {
    arrive: async () => {
      throw wrong.shift()
    },
  })
  await using client = await door.connect()
  const reply = await client.init(door.token())
  refusedWith(reply, 429, 20429, /Too many requests/)
  assert.equal(statusOf(reply)?.status, 'TOO_MANY_REQUESTS')
  assert.deepEqual(reply.payload, { backoff_policy: { reconnect_min_ms: 3_000 } })
  await using second = await door.connect()
  refusedWith(await second.init(door.token()), 500, 20500, /internal server error/)
  const isFault = ({ level }: Record<string, unknown>) => level === 50
  assert.deepEqual(
    door.logged.filter(isFault).map(({ msg }) => msg),
    ['a token could not be judged'],
  )
  await using third = await door.connect()
  const away = await third.init(door.token())
  refusedWith(away, 503, 20503, /nothing was changed/)
  assert.deepEqual(away.payload, { backoff_policy: { reconnect_min_ms: 5_000 } })
  assert.equal(door.logged.filter(isFault).length, 1)
})

test('[CS40] a request is answered with its status and JSON', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const http = { host: 'aim.us1.twilio.com', method: 'GET', params: {} }
  const found = await client.request({ method: 'message', http_request: { ...http, path: '/status/404' } })
  assert.deepEqual(found.header.status, { code: 200, status: 'OK' })
  assert.deepEqual(found.header.http_status, { code: 404, status: 'NOT_FOUND' })
  assert.deepEqual(found.header.http_headers, { 'content-type': 'application/json' })
  assert.deepEqual(found.payload, { code: 20404 })
  const empty = await client.request({ method: 'message', http_request: { ...http, path: '/nothing' } })
  assert.deepEqual(empty.header.http_status, { code: 204, status: 'NO_CONTENT' })
  assert.equal(empty.payload, undefined)
})

test('[CS41] a query is percent-decoded, and of a name given twice the last counts', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const params = {
    'user%20name': 'a%40b%2Bc',
    Order: ['asc', 'desc'],
    PageSize: 30,
    bad: '100%',
    __proto__: 'x',
  }
  const { body } = await client.ask('GET', '/x%2Fy?Key=K%3D1&From', undefined, params)
  assert.deepEqual(body.query, {
    Key: 'K=1',
    From: '',
    'user name': 'a@b+c',
    Order: 'desc',
    PageSize: '30',
    bad: '100%',
  })
  assert.equal(body.path, '/x%2Fy')
})

test('[CS42] a body is read by its type', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const post = async (type: string | undefined, payload: string) => {
    const header = { method: 'message', payload_type: type, http_request: { method: 'post', path: '/x' } }
    const reply = await client.request(header, payload)
    return [reply.header.http_status?.code, (reply.payload as { body?: unknown }).body]
  }
  assert.deepEqual(await post(undefined, '{"a":1}'), [200, { a: 1 }])
  assert.deepEqual(await post('application/json', 'null'), [200, null])
  assert.deepEqual(await post('application/x-www-form-urlencoded', 'a=1&b=x+y%40z'), [
    200,
    { a: '1', b: 'x y@z' },
  ])
  assert.deepEqual(await post('application/json', ''), [200, undefined])
  assert.equal((await post('application/json', '{"a":'))[0], 400)
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  assert.equal((await post('application/json', nested(100)))[0], 200)
  for (const depth of [101, 400_000]) assert.equal((await post('application/json', nested(depth)))[0], 400)
  assert.equal((await post('image/png', 'x'))[0], 415)
})

test("[CS43] the end of Twilio's own host name before a path is passed over", async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  assert.equal(
    (await client.ask('GET', '/r.twilio.com/Client/v1/Configuration')).body.path,
    '/Client/v1/Configuration',
  )
  assert.equal((await client.ask('GET', '/Client/r.twilio.com/x')).body.path, '/Client/r.twilio.com/x')
})

test('[CS44] what is no request is answered 400', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  for (const http of [
    undefined,
    [],
    {},
    { method: 'GET' },
    { method: 'G T', path: '/x' },
    { method: 'GET', path: 'x' },
  ]) {
    const { header, payload } = await client.request({ method: 'message', http_request: http })
    assert.equal(header.http_status?.code, 400)
    assert.equal((payload as { code: number }).code, 20001)
  }
})

test('[CS45] sixteen requests run at once, and each is answered when it is ready', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const slow = client.ask('GET', '/wait/one')
  assert.equal((await client.ask('GET', '/x')).status, 200)
  const more = Array.from({ length: 15 }, (_, i) => client.ask('GET', `/wait/${i}`))
  const behind = [client.ask('GET', '/behind/1'), client.ask('GET', '/behind/2')]
  await door.until('ask /wait/14')
  assert.ok(!door.told.includes('ask /behind/1'))
  door.release('7')
  await Promise.all(behind)
  assert.deepEqual(door.told.slice(-2), ['ask /behind/1', 'ask /behind/2'])
  for (const name of ['one', ...more.keys()]) door.release(String(name))
  await Promise.all([slow, ...more])
})

test('[CS46] more than may wait end the connection', async () => {
  const wait = (i: number) => ({ method: 'message', http_request: { method: 'POST', path: `/wait/${i}` } })
  await using door = await openDoor(world)
  await using many = await door.enter()
  for (let i = 0; i < 2_017; i += 1) many.send(wait(i))
  assert.deepEqual(await many.ended, { code: 1013, reason: 'too many requests wait' })
  for (let i = 0; i < 16; i += 1) door.release(`${i}`)
  await using large = await door.enter()
  for (let i = 0; i < 16 + 9; i += 1) large.send(wait(i), JSON.stringify('x'.repeat(1_000_000)))
  assert.deepEqual(await large.ended, { code: 1013, reason: 'too many requests wait' })
})

test('[CS47] a request that meets a fault is answered 500, and the next is answered', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter()
  const { status, body } = await client.ask('GET', '/fault')
  assert.deepEqual([status, body.code], [500, 20500])
  assert.equal((await client.ask('GET', '/x')).status, 200)
})

test('[CS60] three minutes before its end a token is warned of, once', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter('ana', { lives: 3_600 })
  world.clock.advance(3_600_000 - 180_000 - 1_000)
  await client.ask('GET', '/x')
  assert.deepEqual(client.untaken, [])
  world.clock.advance(1_000)
  const { header } = await client.next(({ header }) => header.method === 'client_update')
  assert.equal(header.client_update_type, 'token_about_to_expire')
  world.clock.advance(170_000)
  await using next = await door.enter()
  await next.ask('GET', '/x')
  assert.deepEqual(client.untaken, [])
})

test('[CS61] a token with less left is warned of in the middle of it, at once with hardly any', async () => {
  await using door = await openDoor(world)
  await using short = await door.enter('ana', { lives: 100 })
  await using shortest = await door.enter('ben', { lives: 4 })
  await shortest.next(({ header }) => header.method === 'client_update')
  assert.deepEqual(short.untaken, [])
  world.clock.advance(50_000)
  await short.next(({ header }) => header.method === 'client_update')
})

test('[CS62] at its end the socket is closed, and who comes back with the same token is told', async () => {
  await using door = await openDoor(world)
  const token = door.token('ana', { lives: 100 })
  await using client = await door.connect()
  await client.init(token)
  world.clock.advance(100_000)
  assert.deepEqual(await client.ended, { code: 1008, reason: 'the access token expired' })
  assert.ok(client.untaken.every(({ header }) => header.method !== 'close'))
  await using again = await door.connect()
  refusedWith(await again.init(token), 401, 20104, /expired \d seconds? ago/)
})

test('[CS63] update brings a new token, with an end of its own', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter('ana', { lives: 100 })
  world.clock.advance(60_000)
  await client.next(({ header }) => header.method === 'client_update')
  const end = world.clock.now() + 600_000
  const renewed = door.token('ana', { lives: 600 })
  assert.deepEqual(statusOf(await client.request({ method: 'update', token: renewed })), {
    code: 200,
    status: 'OK',
  })
  const { body } = await client.ask('GET', '/until')
  assert.equal(body, Math.floor(end / 1000) * 1000)
  world.clock.advance(425_000)
  await client.next(({ header }) => header.method === 'client_update')
  assert.equal((await client.ask('GET', '/x')).status, 200)
})

test('[CS64] update keeps identity, service and account', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter('ana', { lives: 500 })
  const { body: end } = await client.ask('GET', '/until')
  const other = await world.house.store.transact('other', (tx) =>
    provisionAccount(tx, { friendlyName: 'Other' }),
  )
  const now = world.clock.now()
  for (const [token, status, why] of [
    [door.token('ben'), 403, /another identity/],
    [tokenFor(world.account, 'ana', `IS${'0'.repeat(32)}`, { now }), 403, /another service/],
    [tokenFor(other, 'ana', SERVICE, { now }), 403, /another account/],
    [door.token('ana', { claims: { grants: { identity: 'ana' } } }), 401, /no chat grant/],
  ] as const) {
    const reply = await client.request({ method: 'update', token })
    refusedWith(reply, status, status === 403 ? 20006 : 20106, why)
  }
  assert.equal((await client.ask('GET', '/until')).body, end)
  assert.deepEqual(
    [...door.clients].map(({ identity, accountSid }) => [identity, accountSid]),
    [['ana', world.account.sid]],
  )
})

test('[CS65] a token that is not believed does not renew', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter('ana', { lives: 500 })
  const { body: end } = await client.ask('GET', '/until')
  refusedWith(await client.request({ method: 'update', token: 'x' }), 401, 20101, /Invalid access token/)
  refusedWith(await client.request({ method: 'update' }), 401, 20101, /Invalid access token/)
  assert.equal((await client.ask('GET', '/until')).body, end)
})

test('[CS66] requests that take long hold up no renewal; too many renewals end the connection', async () => {
  await using door = await openDoor(world)
  await using client = await door.enter('ana', { lives: 500 })
  for (let i = 0; i < 20; i += 1)
    client.send({ method: 'message', http_request: { method: 'GET', path: `/wait/${i}` } })
  const reply = await client.request({ method: 'update', token: door.token('ana', { lives: 900 }) })
  assert.equal(statusOf(reply)?.code, 200)
  for (let i = 0; i < 500; i += 1) client.send({ method: 'update', token: door.token() })
  assert.deepEqual(await client.ended, { code: 1013, reason: 'too many tokens wait' })
})
