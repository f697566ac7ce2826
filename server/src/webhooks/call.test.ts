import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import twilio from 'twilio'
import { type Callable, type CallerOptions, type Outcome, openCaller } from './call.ts'
import { DIAL_TIMEOUT_MS, publicOnly, refusedRange } from './guard.ts'
import { sign } from './signature.ts'

const TOKEN = '12345'

interface Heard {
  readonly method: string | undefined
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A listener on a spare port that remembers what it heard; gone, with its connections, when disposed of. */
const listen = async (server: Server, host = '127.0.0.1') => {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    connections: sockets,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

type Answer = (request: Heard, response: ServerResponse) => void

const endpoint = async (answer: Answer, host?: string) => {
  const heard: Heard[] = []
  const on: RequestListener = async (request, response) => {
    const { method, url = '', headers } = request
    const it = { method, url, headers, body: await text(request) }
    heard.push(it)
    answer(it, response)
  }
  const listener = await listen(createServer(on), host)
  return {
    ...listener,
    heard,
    last: () => heard.at(-1) ?? assert.fail('nothing was heard'),
    url: `http://127.0.0.1:${listener.port}`,
  }
}

const ok: Answer = (_, response) => response.end('{}')

/** One call of a caller of its own. */
const call = async (wanted: Partial<Callable> & { url: string }, options: Partial<CallerOptions> = {}) => {
  await using caller = openCaller({ allowPrivate: true, ...options })
  return await caller.call({ method: 'POST', params: [], timeoutMs: 5_000, ...wanted })
}

const failed = (outcome: Outcome, kind: Outcome['kind'], detail = /./) => {
  assert.equal(outcome.kind, kind, JSON.stringify(outcome))
  assert.ok(outcome.kind !== 'answered')
  assert.match(outcome.detail, detail)
}

const answered = (outcome: Outcome) => {
  assert.ok(outcome.kind === 'answered', JSON.stringify(outcome))
  return outcome
}

const signs = (url: string, form: Callable['params']) => sign(TOKEN, url, form)

/** As a middleware does: from what it heard and the address it was configured with. */
const isAuthentic = ({ url, headers, body }: Heard, origin: string) =>
  twilio.validateRequest(
    TOKEN,
    String(headers['x-twilio-signature']),
    origin + url,
    Object.fromEntries(new URLSearchParams(body)),
  )

describe('a webhook call that is answered', () => {
  test('a POST brings its form, signed, and the answer comes back whole', async () => {
    await using hook = await endpoint((_, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] })
      response.end('{"body":"Grüße 👋"}')
    })
    const params = [
      ['EventType', 'onMessageSent'],
      ['Body', 'Grüße & more\r\n+1'],
    ] as const
    const outcome = await call({
      url: `${hook.url}/new-message?channel=CH1`,
      params,
      headers: { 'I-Twilio-Idempotency-Token': 'abc' },
      sign: signs,
    })

    const { status, headers, body, durationMs } = answered(outcome)
    assert.equal(status, 201)
    assert.equal(body, '{"body":"Grüße 👋"}')
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['set-cookie'], 'a=1, b=2')
    assert.ok(durationMs >= 0 && Number.isInteger(durationMs))

    const heard = hook.last()
    assert.equal(heard.method, 'POST')
    assert.equal(heard.url, '/new-message?channel=CH1')
    assert.equal(heard.headers['content-type'], 'application/x-www-form-urlencoded; charset=UTF-8')
    assert.equal(heard.headers['i-twilio-idempotency-token'], 'abc')
    assert.deepEqual([...new URLSearchParams(heard.body)], params)
    assert.equal(isAuthentic(heard, hook.url), true)
  })

  test("a GET has its parameters after the URL's own, and all of it is signed", async () => {
    await using hook = await endpoint(ok)
    const params = [['Body', "it's 100% & more ½"]] as const
    for (const url of [`${hook.url}/hook?a=1&b=%20`, `${hook.url}/hook`]) {
      answered(await call({ url, method: 'GET', params, sign: signs }))
      const heard = hook.last()
      assert.equal(heard.method, 'GET')
      assert.equal(heard.body, '')
      assert.equal(new URL(heard.url, url).searchParams.get('Body'), params[0][1])
      assert.equal(isAuthentic(heard, hook.url), true)
    }
    assert.match(hook.heard[0]?.url ?? '', /^\/hook\?a=1&b=%20&Body=/)
  })

  test('every status is an answer, an error of the endpoint included', async () => {
    await using hook = await endpoint(({ url }, response) => {
      response.writeHead(Number(url.slice(1))).end('said')
    })
    for (const status of [200, 304, 400, 403, 404, 429, 500, 503]) {
      const outcome = answered(await call({ url: `${hook.url}/${status}` }))
      assert.equal(outcome.status, status)
    }
  })

  test('user and password in the URL are sent as Basic authorization, and signed as part of it', async () => {
    await using hook = await endpoint(ok)
    const url = `http://vera:p%40ss@127.0.0.1:${hook.port}/hook`
    answered(await call({ url, sign: signs }))
    const { headers } = hook.last()
    assert.equal(headers.authorization, `Basic ${Buffer.from('vera:p@ss').toString('base64')}`)
    assert.equal(headers.host, `127.0.0.1:${hook.port}`)
    assert.equal(twilio.validateRequest(TOKEN, String(headers['x-twilio-signature']), url, {}), true)
  })

  test('one connection serves many calls in turn', async () => {
    await using hook = await endpoint(ok)
    await using caller = openCaller({ allowPrivate: true })
    for (let n = 0; n < 5; n++)
      answered(await caller.call({ url: hook.url, method: 'POST', params: [], timeoutMs: 5_000 }))
    // The next call may come before the connection has noticed that the answer is complete.
    assert.ok(hook.connections.size <= 2)
  })

  test('where the endpoint closes a connection just as it is used again, the call takes another', async () => {
    const asked = new WeakMap<object, number>()
    await using it = await endpoint((request, response) => {
      const times = (asked.get(response.socket as object) ?? 0) + 1
      asked.set(response.socket as object, times)
      if (times > 1 || request.url === '/never') response.socket?.destroy()
      else response.end('{}')
    })
    await using caller = openCaller({ allowPrivate: true })
    const ask = (path: string) =>
      caller.call({ url: `${it.url}${path}`, method: 'POST', params: [], timeoutMs: 5_000 })
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await ask('/')).kind, 'answered')
    const before = it.heard.length
    failed(await ask('/never'), 'unreachable')
    assert.ok(it.heard.length - before <= 2, 'it is asked again once')
  })

  test('over TLS, with a certificate that is trusted', async () => {
    await using hook = await listen(
      createTlsServer({ key: KEY, cert: CERTIFICATE }, (_, it) => it.end('safe')),
    )
    const trusted = getCACertificates('default')
    setDefaultCACertificates([...trusted, CERTIFICATE])
    try {
      for (const host of ['127.0.0.1', 'localhost'])
        assert.equal(answered(await call({ url: `https://${host}:${hook.port}/` })).body, 'safe')
    } finally {
      setDefaultCACertificates(trusted)
    }
  })
})

describe('a webhook call that fails', () => {
  test('an endpoint that never answers is given up after the time it has', async () => {
    await using hook = await endpoint(() => {})
    const outcome = await call({ url: hook.url, timeoutMs: 150 })
    failed(outcome, 'timed-out', /150 ms/)
    assert.ok(outcome.durationMs >= 145, String(outcome.durationMs))
  })

  test('the time in which we stood still ourselves is not counted against it', async () => {
    await using hook = await endpoint((_, response) => {
      // The answer has come when we go on, and so has the end of its time.
      response.end('{}', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700))
    })
    answered(await call({ url: hook.url, timeoutMs: 300 }))
  })

  test('so is one that takes the connection and says nothing', async () => {
    await using hook = await listen(createTcpServer())
    failed(await call({ url: `https://127.0.0.1:${hook.port}/`, timeoutMs: 150 }), 'timed-out')
  })

  test('a dial that was given up does not keep the caller from closing', async () => {
    await using hook = await listen(createTcpServer())
    const caller = openCaller({ allowPrivate: true })
    const url = `https://127.0.0.1:${hook.port}/`
    failed(await caller.call({ url, method: 'GET', params: [], timeoutMs: 50 }), 'timed-out')
    const began = performance.now()
    await caller[Symbol.asyncDispose]()
    assert.ok(performance.now() - began < DIAL_TIMEOUT_MS / 2)
  })

  test('so is one whose body trickles', async () => {
    await using hook = await endpoint((_, response) => {
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
    })
    failed(await call({ url: hook.url, timeoutMs: 200 }), 'timed-out')
  })

  test('the time it has covers all redirects together', async () => {
    await using hook = await endpoint((_, response) => {
      setTimeout(() => response.writeHead(307, { location: '/again' }).end(), 150)
    })
    failed(await call({ url: hook.url, timeoutMs: 200 }), 'timed-out')
  })

  test('one endpoint that hangs does not delay another', async () => {
    await using sick = await endpoint(() => {})
    await using well = await endpoint(ok)
    await using caller = openCaller({ allowPrivate: true, connectionsPerOrigin: 2 })
    const at = (url: string, timeoutMs: number) => caller.call({ url, method: 'POST', params: [], timeoutMs })
    const hanging = Array.from({ length: 20 }, () => at(sick.url, 60_000))
    for (const outcome of await Promise.all(Array.from({ length: 20 }, () => at(well.url, 5_000))))
      answered(outcome)
    // Those that wait for a connection are given up in their time as well.
    failed(await at(sick.url, 100), 'timed-out')
    assert.equal(sick.connections.size, 2)
    await caller[Symbol.asyncDispose]()
    for (const outcome of await Promise.all(hanging)) failed(outcome, 'unreachable')
  })

  test('an answer that is too large is refused, announced or not, and read no further', async () => {
    let written = 0
    await using hook = await endpoint(({ url }, response) => {
      const size = url === '/announced' ? 64 * 1024 + 1 : undefined
      if (size) response.setHeader('content-length', size)
      const chunk = Buffer.alloc(16 * 1024, '.')
      const flood = () => {
        while (!response.destroyed && (size === undefined || written < size)) {
          written += chunk.length
          if (!response.write(chunk)) return
        }
      }
      response.on('drain', flood)
      response.on('error', () => {})
      flood()
    })
    for (const path of ['/announced', '/endless']) {
      written = 0
      failed(await call({ url: hook.url + path }), 'answer-too-large', /65536 bytes/)
      assert.ok(written < 16 * 1024 * 1024, `${written} bytes were written`)
    }
  })

  test('an answer of just the largest size is read', async () => {
    await using hook = await endpoint((_, response) => response.end('.'.repeat(64 * 1024)))
    assert.equal(answered(await call({ url: hook.url })).body.length, 64 * 1024)
  })

  test('headers without end are too large as well', async () => {
    await using hook = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => {})
        socket.write(`HTTP/1.1 200 OK\r\n${`X-A: ${'.'.repeat(1000)}\r\n`.repeat(100)}\r\n`)
      }),
    )
    failed(await call({ url: `http://127.0.0.1:${hook.port}/` }), 'answer-too-large')
  })

  test('a port where nobody listens is unreachable', async () => {
    failed(await call({ url: 'http://127.0.0.1:1/' }), 'unreachable', /ECONNREFUSED/)
    failed(await call({ url: 'http://localhost:1/' }), 'unreachable', /ECONNREFUSED/)
  })

  test('so is an endpoint that hangs up, or speaks something else', async () => {
    await using rude = await listen(createTcpServer((socket) => socket.destroy()))
    failed(await call({ url: `http://127.0.0.1:${rude.port}/` }), 'unreachable')
    await using mail = await listen(createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n')))
    failed(await call({ url: `http://127.0.0.1:${mail.port}/` }), 'unreachable')
    await using torn = await endpoint((_, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half', () => response.destroy())
    })
    failed(await call({ url: torn.url }), 'unreachable')
  })

  test('a certificate of its own making is bad TLS, and so is no TLS at all', async () => {
    await using own = await listen(createTlsServer({ key: KEY, cert: CERTIFICATE }, (_, it) => it.end()))
    failed(await call({ url: `https://127.0.0.1:${own.port}/` }), 'bad-tls', /self-signed/)
    await using plain = await endpoint(ok)
    failed(await call({ url: `https://127.0.0.1:${plain.port}/` }), 'bad-tls')
  })

  test('a name that does not exist is unresolvable', async () => {
    // A resolver that reaches nobody takes its time to say so.
    const timeoutMs = 60_000
    failed(
      await call({ url: 'http://no-such-name.invalid/', timeoutMs }),
      'unresolvable',
      /no-such-name\.invalid/,
    )
    failed(
      await call({ url: 'http://empty.example/' }, { resolve: (_, __, answer) => answer(null, []) }),
      'unresolvable',
    )
  })

  test('what is no http URL is not called', async () => {
    for (const url of [
      '',
      'hook',
      '/hook',
      'http://',
      'ftp://x/',
      'file:///etc/passwd',
      'http://a b/',
      'http://x:99999/',
    ])
      failed(await call({ url }), 'bad-url')
  })

  test('a caller that is closed breaks off what is under way', async () => {
    await using hook = await endpoint(() => {})
    const caller = openCaller({ allowPrivate: true })
    const under = caller.call({ url: hook.url, method: 'POST', params: [], timeoutMs: 60_000 })
    await caller[Symbol.asyncDispose]()
    failed(await under, 'unreachable')
  })
})

describe('a webhook that is redirected', () => {
  const redirecting =
    (status: number, to: string): Answer =>
    (request, response) => {
      if (request.url.startsWith('/to')) response.end('arrived')
      else response.writeHead(status, { location: to }).end('elsewhere')
    }
  const params = [['Body', 'hello']] as const

  for (const status of [301, 302, 303])
    test(`${status} turns a POST into a GET without the form, signed for the URL it goes to`, async () => {
      await using hook = await endpoint(redirecting(status, '/to?a=1#part'))
      assert.equal(answered(await call({ url: `${hook.url}/from`, params, sign: signs })).body, 'arrived')
      const heard = hook.last()
      assert.deepEqual([heard.method, heard.url, heard.body], ['GET', '/to?a=1', ''])
      assert.equal(heard.headers['content-type'], undefined)
      assert.equal(isAuthentic(heard, hook.url), true)
    })

  for (const status of [307, 308])
    test(`${status} keeps the POST and its form, signed for the URL it goes to`, async () => {
      await using hook = await endpoint(redirecting(status, '/to?a=1'))
      answered(await call({ url: `${hook.url}/from`, params, sign: signs }))
      const heard = hook.last()
      assert.deepEqual([heard.method, heard.url, heard.body], ['POST', '/to?a=1', 'Body=hello'])
      assert.equal(isAuthentic(heard, hook.url), true)
    })

  test('user and password stay with the host', async () => {
    await using hook = await endpoint(redirecting(307, '/to'))
    answered(await call({ url: `http://vera:secret@127.0.0.1:${hook.port}/from` }))
    assert.equal(hook.heard[1]?.headers.authorization, hook.heard[0]?.headers.authorization)
  })

  test('three times are followed, a fourth is not', async () => {
    await using hook = await endpoint(({ url }, response) => {
      const left = Number(url.slice(1))
      if (left === 0) response.end('arrived')
      else response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    answered(await call({ url: `${hook.url}/3`, method: 'GET' }))
    failed(await call({ url: `${hook.url}/4`, method: 'GET' }), 'redirected', /more than 3/)
  })

  test('another host, port or scheme is not followed, and hears nothing', async () => {
    await using other = await endpoint(ok)
    for (const location of [
      other.url,
      `//127.0.0.1:${other.port}/`,
      `http://localhost:${other.port}/`,
      `https://127.0.0.1:${other.port}/`,
      'ftp://127.0.0.1/',
      'http://[',
    ]) {
      await using hook = await endpoint(redirecting(307, location))
      failed(await call({ url: `${hook.url}/from` }), 'redirected')
    }
    assert.equal(other.connections.size, 0)
  })

  test('a redirect that says not where is an answer', async () => {
    await using hook = await endpoint((_, response) => response.writeHead(302).end('where?'))
    assert.equal(answered(await call({ url: hook.url })).status, 302)
  })
})

describe('the guard', () => {
  const spellings = (port: number) =>
    [
      '127.0.0.1',
      '127.1',
      '127.0.1',
      '2130706433',
      '0x7f000001',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '017700000001',
      '0.0.0.0',
      '0',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::]',
      '[::1]',
      'localhost',
      'LOCALHOST',
      '１２７.０.０.１',
    ].map((host) => `http://${host}:${port}/`)

  test('no spelling of this machine reaches a listener on it', async () => {
    await using hook = await endpoint(ok, '::')
    for (const url of spellings(hook.port)) {
      failed(await call({ url }, { allowPrivate: false }), 'refused-address', /not a public address/)
      failed(await call({ url, method: 'GET' }, { allowPrivate: false }), 'refused-address')
    }
    assert.equal(hook.connections.size, 0)
  })

  test('each of them does where private addresses are allowed', async () => {
    await using hook = await endpoint(ok, '::')
    for (const url of spellings(hook.port)) answered(await call({ url }))
  })

  test('a name is judged by every address that would be dialled', async () => {
    await using hook = await endpoint(ok)
    const asked: string[] = []
    const at = (addresses: string[]) =>
      call(
        { url: `http://shop.example:${hook.port}/` },
        {
          allowPrivate: false,
          resolve: (host, _, answer) => {
            asked.push(host)
            answer(
              null,
              addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
            )
          },
        },
      )
    failed(await at(['127.0.0.1']), 'refused-address', /shop\.example resolves to 127\.0\.0\.1.*loopback/)
    failed(await at(['10.0.0.1', '::1', '169.254.169.254']), 'refused-address')
    assert.deepEqual(asked, ['shop.example', 'shop.example'])
    assert.equal(hook.connections.size, 0)
  })

  test('of a name with public and other addresses only the public ones are dialled', () => {
    const all = [
      { address: '127.0.0.1', family: 4 },
      { address: '1.1.1.1', family: 4 },
      { address: '::1', family: 6 },
      { address: '2606:4700:4700::1111', family: 6 },
    ]
    assert.deepEqual(publicOnly(all, 'shop.example'), [all[1], all[3]])
  })

  test('a name that is harmless at first is judged again when it is dialled again', async () => {
    await using hook = await endpoint(ok)
    let times = 0
    await using caller = openCaller({
      allowPrivate: false,
      resolve: (_, __, answer) => {
        times++
        const fault = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' })
        if (times === 1) answer(fault, [])
        else answer(null, [{ address: '127.0.0.1', family: 4 }])
      },
    })
    const again = () =>
      caller.call({ url: `http://turn.example:${hook.port}/`, method: 'POST', params: [], timeoutMs: 2_000 })
    failed(await again(), 'unresolvable')
    failed(await again(), 'refused-address')
    assert.equal(hook.connections.size, 0)
  })

  test('only what the whole internet can reach is public', () => {
    for (const address of [
      '1.1.1.1',
      '93.184.216.34',
      '172.32.0.1',
      '2606:4700:4700::1111',
      '2a00:1450:4001:81b::200e',
    ])
      assert.equal(refusedRange(address), undefined, address)
    for (const address of [
      '0.1.2.3',
      '10.1.2.3',
      '100.64.0.1',
      '127.8.8.8',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.8',
      '192.0.2.1',
      '192.168.1.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
      '4000::1',
      'fc00::1',
      'fd12:3456::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      'shop.example',
      '',
    ])
      assert.notEqual(refusedRange(address), undefined, address)
  })
})

/** For localhost and 127.0.0.1, its own issuer, until 2120; good for nothing but these tests. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPsyYJyFyaoa96sH
syXhgCXaLOjBVaJSf51hjzArToHPehbR68UdseCmc7FMzHwwbqUv64pXH7vi5URN
bMAIkaWjTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
BTADAQH/MB0GA1UdDgQWBBSE4VQpchNczpz9kiAXZMjiTVRVlDAKBggqhkjOPQQD
AgNIADBFAiB3vKxkljOrI9+KS9o4U9/2q/3iog5SkYTZE9ZygRuy3QIhAJrxAoq0
tGMoaBPiK6p1mnAyAbwfnxLe6ytbYX21sa/R
-----END CERTIFICATE-----
`

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVrqB1wILI2TjcPOs
x5vBkaRSbHi/GMoskI1vpZ3L/dihRANCAAT7MmCchcmqGverB7Ml4YAl2izowVWi
Un+dYY8wK06Bz3oW0evFHbHgpnOxTMx8MG6lL+uKVx+74uVETWzACJGl
-----END PRIVATE KEY-----
`
