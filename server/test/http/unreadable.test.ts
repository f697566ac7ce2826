/** What comes over the bare socket and is no whole request: answered or dropped, never waited for, nothing kept. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { ask } from '../store/given.ts'
import { openWorld, type World } from '../world/index.ts'

const TIMEOUT_MS = 400
/** The house looks for late requests as often as their time is long; then the answer must get through. */
const PATIENCE_MS = 30_000

/** Sends the text and hears until the house hangs up. */
const say = async (world: World, ...parts: string[]): Promise<string> => {
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('the house does not hang up')))
  let heard = ''
  socket.on('data', (it: string) => {
    heard += it
  })
  // A house that hangs up on what is still being sent is within its rights.
  socket.on('error', (fault: NodeJS.ErrnoException) => {
    if (!['ECONNRESET', 'EPIPE'].includes(fault.code ?? '')) heard += `[${fault.message}]`
  })
  await once(socket, 'connect')
  for (const part of parts) socket.write(part)
  if (!socket.closed) await once(socket, 'close')
  return heard
}

/** Expects one answer with a refusal in our shape. */
const isRefusal = (heard: string, status: number, code: number): void => {
  assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `), heard)
  const body = JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4))
  assert.deepEqual(Object.keys(body), ['code', 'message', 'more_info', 'status'])
  assert.deepEqual([body.status, body.code], [status, code])
}

const basicOf = ({ account }: World): string =>
  `Authorization: Basic ${Buffer.from(`${account.sid}:${account.authToken}`).toString('base64')}\r\n`

const openQuick = () => openWorld({ limits: { requestTimeoutMs: TIMEOUT_MS } })

const post = (world: World, more: string): string =>
  `POST /v2/Services HTTP/1.1\r\nHost: x\r\n${basicOf(world)}Content-Type: application/x-www-form-urlencoded\r\n${more}\r\n`

describe('What is not HTTP', () => {
  test('is told so in our shape, and the line is cut', async () => {
    await using world = await openWorld()
    for (const text of [
      'hello\r\n\r\n',
      '\0\0\0\0\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /v2/Serv ices HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /v2/Services HTTP/1.1\r\nHost : x\r\n\r\n',
      'GET /v2/Services HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n',
      'POST /v2/Services HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
      'POST /v2/Services HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST /v2/Services HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
      `${'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.repeat(3)}\r\n\r\n`,
    ])
      isRefusal(await say(world, text), 400, 20001)
    assert.equal((await world.fetch('/healthz')).status, 200)
  })

  test('nor is a request without its host, or with an address that is another’s', async () => {
    await using world = await openWorld()
    assert.match(
      await say(world, 'GET /v2/Services HTTP/1.1\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1.1 400 /,
    )
    isRefusal(
      await say(
        world,
        `GET http://elsewhere.example/v2/Nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      ),
      404,
      20404,
    )
  })

  test('headers and addresses that never end are cut off', async () => {
    await using world = await openWorld()
    isRefusal(
      await say(world, `GET /v2/Services HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(100_000)}`),
      431,
      20001,
    )
    isRefusal(await say(world, `GET /${'x'.repeat(100_000)}`), 431, 20001)
    isRefusal(
      await say(
        world,
        `GET / HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 5_000 }, (_, at) => `A${at}: b\r\n`).join('')}\r\n`,
      ),
      431,
      20001,
    )
  })
})

describe('A request that never arrives whole', () => {
  test('is given up after its time: silent, half its headers, half its body, a chunk that does not end', async () => {
    await using world = await openQuick()
    const halves: [what: string, parts: string[]][] = [
      ['nothing', []],
      ['half a line', ['GET /v2/Serv']],
      ['half its headers', ['GET /v2/Services HTTP/1.1\r\nHost: x\r\nAccept']],
      ['half its body', [post(world, 'Content-Length: 100\r\n'), 'FriendlyName=Half']],
      ['none of its body', [post(world, 'Content-Length: 100\r\n')]],
      ['half a chunk', [post(world, 'Transfer-Encoding: chunked\r\n'), '20\r\nFriendlyName=Half']],
      [
        'chunks without an end',
        [post(world, 'Transfer-Encoding: chunked\r\n'), '11\r\nFriendlyName=Half\r\n'],
      ],
    ]
    const answers = await Promise.all(
      halves.map(async ([what, parts]) => [what, await say(world, ...parts)] as const),
    )
    for (const [what, heard] of answers) {
      assert.match(heard, /^HTTP\/1.1 408 /, `${what}: ${heard}`)
      isRefusal(heard, 408, 20001)
    }
    // Not asked over HTTP: where the machine stalls, a whole request is late for this house as well.
    assert.deepEqual(
      await ask(world.house.store.reader, 'select friendly_name from services'),
      [{ friendly_name: 'Flex Chat Service' }],
      'and changes nothing',
    )
  })

  test('is dropped when its sender leaves, and nothing of it stays', async () => {
    await using world = await openWorld()
    const { hostname, port } = new URL(world.url)
    const leave = async (text: string, how: 'end' | 'reset') => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      socket.resume()
      await once(socket, 'connect')
      socket.write(text)
      if (how === 'reset') socket.resetAndDestroy()
      else socket.end()
      if (!socket.closed) await once(socket, 'close')
    }
    for (const how of ['end', 'reset'] as const)
      await Promise.all(
        Array.from({ length: 30 }, (_, at) =>
          leave(
            [
              'GET /v2/Serv',
              `${post(world, 'Content-Length: 100\r\n')}FriendlyName=Half`,
              `${post(world, 'Transfer-Encoding: chunked\r\n')}11\r\nFriendlyName=Half\r\n`,
            ][at % 3] as string,
            how,
          ),
        ),
      )
    const services = await world.twilio.chat.v2.services.list()
    assert.deepEqual(
      services.map((it) => it.friendlyName),
      ['Flex Chat Service'],
    )
  })

  test('holds up nobody else, and not the closing of the house', async () => {
    const world = await openWorld({ limits: { requestTimeoutMs: 60_000 } })
    const { hostname, port } = new URL(world.url)
    const sockets = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = connect(Number(port), hostname)
        socket.on('error', () => {})
        await once(socket, 'connect')
        return socket
      }),
    )
    assert.equal((await world.fetch('/v2/Services')).status, 200)
    const before = performance.now()
    for (const socket of sockets) socket.destroy()
    await world[Symbol.asyncDispose]()
    assert.ok(performance.now() - before < PATIENCE_MS)
  })
})

describe('More than one request on a line', () => {
  test('are each answered, in order, and one that is refused does not stop those behind it', async () => {
    await using world = await openWorld()
    const heard = await say(
      world,
      `GET /v2/Nothing HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET /v2/Services HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET /v2/Services?a=%zz HTTP/1.1\r\nHost: x\r\n${basicOf(world)}\r\n`,
      `GET /v2/Services HTTP/1.1\r\nHost: x\r\n${basicOf(world)}Connection: close\r\n\r\n`,
    )
    assert.deepEqual(
      [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map((it) => it[1]),
      ['404', '401', '400', '200'],
    )
  })
})
