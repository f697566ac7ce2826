/** Media over HTTP, as the published clients ask for it: the rules CS400 and on of `docs/protocols/chat-socket.md`. */
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { type IncomingMessage, type RequestOptions, request as requestOf } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Media, openStudio, refused, type Sendable, type Studio } from '../media/cast.ts'
import { asToken } from '../world/index.ts'

const MB = 1024 * 1024

const text = (answer: Response): Promise<string> => answer.text()

const form = (...files: [content: string, type: string, name: string][]): FormData => {
  const it = new FormData()
  it.set('note', 'no file')
  for (const [content, type, name] of files) it.append('file', new Blob([content], { type }), name)
  return it
}

/** A request written by hand; `send` writes its body as it likes. */
const raw = (
  { world, path, token }: Studio,
  options: RequestOptions,
  send: (write: (chunk: string | Buffer) => Promise<void>, end: () => void) => Promise<void>,
): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(world.url)
    const asked = requestOf({
      ...{ hostname, port, path, method: 'POST', agent: false },
      ...options,
      headers: { 'x-twilio-token': token('vera'), ...options.headers },
    })
    asked.on('error', reject)
    asked.on('response', async (answer: IncomingMessage) => {
      let body = ''
      for await (const chunk of answer.setEncoding('utf8')) body += chunk
      resolve({ status: answer.statusCode ?? 0, body })
      asked.destroy()
    })
    const write = (chunk: string | Buffer): Promise<void> =>
      new Promise((done) => (asked.write(chunk) ? done() : asked.once('drain', done)))
    void send(write, () => asked.end())
  })

const until = async (question: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 60_000
  while (!(await question())) {
    assert.ok(performance.now() < deadline, 'it never came to be')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const fetchLink = (media: Media, init?: RequestInit): Promise<Response> =>
  fetch(media.links.content_direct_temporary, init)

/** Its answer, once the whole of it has come. */
const read = async (media: Media, init?: RequestInit): Promise<Response> => {
  const answer = await fetchLink(media, init)
  await answer.arrayBuffer()
  return answer
}

describe('media: uploads', () => {
  test('[CS400] the body is the file, and the answer what is known of it', async () => {
    await using studio = await openStudio()
    const media = await studio.upload('vera', 'hello world', 'text/plain', '?Category=media&Filename=a.txt')
    const { sid, url, links, date_created, date_updated, date_upload_updated, ...rest } = media
    assert.match(sid, /^ME[0-9a-f]{32}$/)
    assert.deepEqual(rest, {
      service_sid: studio.serviceSid,
      channel_sid: null,
      message_sid: null,
      size: 11,
      content_type: 'text/plain',
      filename: 'a.txt',
      author: 'vera',
      category: 'media',
      is_multipart_upstream: false,
    })
    for (const it of [date_created, date_updated, date_upload_updated])
      assert.equal(new Date(String(it)).toISOString(), it)
    assert.equal(url, `${studio.world.url}${studio.path}/${sid}`)
    assert.equal(links.content, `${studio.path}/${sid}/Content`)
    assert.equal(await text(await fetchLink(media)), 'hello world')
    const untold = await studio.upload('vera', Buffer.from([0, 255]))
    assert.deepEqual([untold.content_type, untold.filename], ['application/octet-stream', null])
    assert.equal((await studio.upload('vera', 'x', 'text/html', '?Category=body')).category, 'body')
    assert.equal((await studio.upload('vera', 'x', 'text/html', '?Category=%00a')).category, 'media')
  })

  test('[CS401] of a form the first file counts, with its own name and type', async () => {
    await using studio = await openStudio()
    const media = await studio.upload(
      'vera',
      form(['first', 'image/png', 'katze.png'], ['second', 'text/plain', 'b.txt']),
    )
    assert.deepEqual(
      [media.size, media.content_type, media.filename, await text(await fetchLink(media))],
      [5, 'image/png', 'katze.png', 'first'],
    )
    const named = await studio.upload(
      'vera',
      form(['x', 'image/png', 'blob']),
      undefined,
      '?Filename=cat.png',
    )
    assert.equal(named.filename, 'cat.png')
    assert.equal((await studio.kept()).length, 2)
  })

  test('[CS402] a user of the service may upload, and an account’s back end; nobody else', async () => {
    await using studio = await openStudio()
    const { world, path, serviceSid, token } = studio
    const post = (as: string | null, headers: Record<string, string> = {}, where = path) =>
      world.fetch(where, { method: 'POST', as, headers, body: 'hi' })
    assert.equal(((await (await post(asToken(token('vera')))).json()) as Media).author, 'vera')
    const { sid, authToken, apiKeySid, apiKeySecret } = world.account
    for (const [user, password] of [
      [sid, authToken],
      [apiKeySid, apiKeySecret],
    ]) {
      const answer = await post(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
      assert.equal(((await answer.json()) as Media).author, 'system')
    }
    await refused(await post(null), 401, 20003)
    await refused(await post(null, { 'x-twilio-token': 'x' }), 401, 20101)
    await refused(await post(null, { 'x-twilio-token': `${token('vera').slice(0, -8)}AAAAAAAA` }), 401, 20107)
    const other = await world.twilio.chat.v2.services.create({ friendlyName: 'Other' })
    await refused(await post(null, { 'x-twilio-token': token('vera', other.sid) }), 403, 50107)
    const stranger = await world.newAccount('Stranger')
    const theirs = `Basic ${Buffer.from(`${stranger.sid}:${stranger.authToken}`).toString('base64')}`
    await refused(await post(theirs), 403, 50050)
    await refused(
      await post(null, { 'x-twilio-token': token('vera') }, path.replace(serviceSid, '%00')),
      403,
      50050,
    )
    assert.equal((await studio.kept()).length, 3)
    world.clock.advance(3_700_000)
    await refused(await post(null, { 'x-twilio-token': token('vera') }), 401, 20104)
  })

  test('[CS403] pages of any origin may ask, with the header of the published clients', async () => {
    await using studio = await openStudio()
    for (const [where, method, headers] of [
      [studio.path, 'POST', 'x-twilio-token'],
      [studio.path, 'POST', 'content-type,x-twilio-token'],
      [`${studio.path}/ME${'0'.repeat(32)}`, 'GET', 'x-twilio-token'],
      [`${studio.path}Set`, 'POST', 'content-type,x-twilio-token'],
    ] as const) {
      const answer = await studio.world.fetch(where, {
        method: 'OPTIONS',
        as: null,
        headers: {
          origin: 'https://shop.example',
          'access-control-request-method': method,
          'access-control-request-headers': headers,
        },
      })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers.get('access-control-allow-origin'), '*')
      assert.match(answer.headers.get('access-control-allow-methods') ?? '', new RegExp(method))
      assert.equal(answer.headers.get('access-control-allow-headers'), headers)
    }
    const media = await studio.upload('vera', 'x')
    const content = await read(media, { headers: { origin: 'https://shop.example' } })
    assert.equal(content.headers.get('access-control-allow-origin'), '*')
  })

  test('[CS404] more than the service allows is refused, told or not, and leaves nothing', async () => {
    await using studio = await openStudio()
    const changed = await studio.world.fetch(`/v2/Services/${studio.serviceSid}`, {
      form: { 'Media.SizeLimitMb': '1' },
    })
    assert.equal(((await changed.json()) as { media: { size_limit_mb: number } }).media.size_limit_mb, 1)
    const upload = (body: Sendable, init: RequestInit = {}) =>
      studio.ask('vera', studio.path, { method: 'POST', body, ...init })
    const largest = await upload(Buffer.alloc(MB))
    assert.equal(((await largest.json()) as Media).size, MB)
    await refused(await upload(Buffer.alloc(MB + 1)), 413, 20413)
    await refused(await upload(form(['x'.repeat(MB + 1), 'text/plain', 'a'])), 413, 20413)
    await refused(await upload(form(['x'.repeat(3 * MB), 'text/plain', 'a'])), 413, 20413)
    const untold = await raw(studio, {}, async (write, end) => {
      for (let it = 0; it < 48; it += 1) await write(Buffer.alloc(MB / 16))
      end()
    })
    assert.deepEqual([untold.status, JSON.parse(untold.body).code], [413, 20413])
    assert.match(JSON.parse(untold.body).message, /larger than 1048576 bytes/)
    assert.equal((await studio.kept()).length, 1)
  })

  test('[CS405] only what the house takes is taken, by what it is said to be', async () => {
    await using studio = await openStudio({ media: { types: ['image/*', 'application/pdf'] } })
    const upload = (body: Sendable, type?: string) =>
      studio.ask('vera', studio.path, {
        method: 'POST',
        body,
        ...(type ? { headers: { 'content-type': type } } : {}),
      })
    for (const type of ['image/png', 'IMAGE/GIF', 'application/pdf; version=1'])
      assert.equal((await upload('x', type)).status, 201, type)
    for (const type of ['text/html', 'imagex/png', 'application/pdfx', 'application/octet-stream'])
      assert.match(await refused(await upload('x', type), 415, 20001), /image\/\*, application\/pdf/)
    await refused(await upload(form(['x', 'text/html', 'a.png'])), 415, 20001)
    assert.equal((await upload(form(['x', 'image/png', 'a.html']))).status, 201)
    assert.equal((await studio.kept()).length, 4)
    const service = `/v2/Services/${studio.serviceSid}`
    const narrowed = await studio.world.fetch(service, { form: { 'Media.Types': ['image/png', 'TEXT/*'] } })
    const { media } = (await narrowed.json()) as { media: { types: string[] } }
    assert.deepEqual(media.types, ['image/png', 'text/*'])
    assert.equal((await upload('x', 'image/png')).status, 201)
    for (const type of ['image/gif', 'text/plain']) await refused(await upload('x', type), 415, 20001)
    await refused(await studio.world.fetch(service, { form: { 'Media.Types': 'pictures' } }), 400, 20001)
    await studio.world.fetch(service, { form: { 'Media.Types': '' } })
    assert.equal((await upload('x', 'image/gif')).status, 201)
  })

  test('[CS406] what is empty, no form, cut off or broken off leaves nothing', async () => {
    await using studio = await openStudio()
    const upload = async (body: string, type: string): Promise<string> =>
      refused(
        await studio.ask('vera', studio.path, { method: 'POST', body, headers: { 'content-type': type } }),
        400,
        20001,
      )
    const part = '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    const multipart = 'multipart/form-data; boundary=b'
    assert.match(await upload('', 'text/plain'), /empty/)
    assert.match(await upload('', multipart), /./)
    assert.match(await upload('x', 'multipart/form-data'), /[Bb]oundary/)
    assert.match(await upload('no parts at all', multipart), /./)
    assert.match(await upload(`${part}\r\n--b--\r\n`, multipart), /empty/)
    assert.match(await upload(`${part}half of it`, multipart), /whole/)
    assert.match(await upload(`${part}all of it\r\n--b`, multipart), /whole/)
    assert.match(await upload(`${part}all of it\r\n--b\r\n${'x'.repeat(99)}`, multipart), /whole/)
    const field = '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--\r\n'
    assert.match(await upload(field, multipart), /no file/)
    assert.deepEqual(await studio.kept(), [])

    for (const headers of [{ 'content-length': '100000' }, { 'content-type': multipart }]) {
      const { hostname, port } = new URL(studio.world.url)
      const asked = requestOf({
        ...{ hostname, port, path: studio.path, method: 'POST', agent: false },
        headers: { 'x-twilio-token': studio.token('vera'), ...headers },
      })
      asked.on('error', () => {})
      asked.write(`${part}${'x'.repeat(20_000)}`)
      await until(async () => (await studio.kept()).length === 1)
      asked.destroy()
      await until(async () => (await studio.kept()).length === 0)
    }
  })

  test('[CS407] slow is well, as long as something comes; what stalls is refused', async (t) => {
    const stallMs = 60_000
    await using studio = await openStudio({ limits: { requestTimeoutMs: stallMs } })
    t.mock.timers.enable({ apis: ['setInterval'] })
    // Before the house closes, which began while they were real.
    using _ = { [Symbol.dispose]: () => t.mock.timers.reset() }
    const hasCome = (bytes: number): Promise<void> =>
      until(async () => {
        const files = (await studio.kept()).map((key) =>
          stat(join(studio.world.mediaFolder, 'incoming', key)),
        )
        return (await Promise.allSettled(files)).some(
          (it) => it.status === 'fulfilled' && it.value.size === bytes,
        )
      })
    const slowly = await raw(studio, {}, async (write, end) => {
      for (let sent = 8 * 1024; sent <= 32 * 1024; sent += 8 * 1024) {
        await write(Buffer.alloc(8 * 1024))
        await hasCome(sent)
        t.mock.timers.tick(stallMs)
      }
      end()
    })
    assert.equal(slowly.status, 201, slowly.body)
    assert.equal(JSON.parse(slowly.body).size, 32 * 1024)
    for (const trickle of [1, 10]) {
      const stalled = await raw(studio, {}, async (write) => {
        for (let sent = 1; sent <= trickle; sent += 1) {
          await write('x')
          await hasCome(sent)
        }
        t.mock.timers.tick(stallMs)
      })
      assert.deepEqual([stalled.status, JSON.parse(stalled.body).code], [408, 20001])
    }
    assert.equal((await studio.kept()).length, 1)
  })

  test('[CS408] one person uploads ten files at once, and others are not held up', async () => {
    await using studio = await openStudio()
    const go: (() => void)[] = []
    const hold = (): Promise<{ status: number }> =>
      raw(studio, {}, async (write, end) => {
        await write('x')
        go.push(end)
      })
    const ten = Array.from({ length: 10 }, hold)
    await until(async () => (await studio.kept()).length === 10)
    const eleventh = await studio.ask('vera', studio.path, { method: 'POST', body: 'x' })
    assert.equal(eleventh.headers.get('retry-after'), '1')
    await refused(eleventh, 429, 20429)
    await studio.upload('ana', 'x')
    for (const end of go) end()
    assert.deepEqual(
      (await Promise.all(ten)).map((it) => it.status),
      Array(10).fill(201),
    )
    await studio.upload('vera', 'x')
  })

  test('[CS409] names and types are kept as far as they can stand in a header, and never as a path', async () => {
    await using studio = await openStudio()
    const named = async (name: string): Promise<unknown> =>
      (await studio.upload('vera', 'x', 'text/plain', `?Filename=${encodeURIComponent(name)}`)).filename
    for (const [said, kept] of [
      ['../../etc/passwd', 'passwd'],
      ['C:\\temp\\a.txt', 'a.txt'],
      ['..', null],
      ['   ', null],
      ['a/', null],
      ['a"\r\nSet-Cookie: x=1\r\n.txt', 'a"Set-Cookie: x=1.txt'],
      ['cod\u202Egnp.exe', 'codgnp.exe'],
      ['über %22 “x”.txt', 'über %22 “x”.txt'],
      ['x'.repeat(300), 'x'.repeat(255)],
      ['\0', null],
    ] as const)
      assert.equal(await named(said), kept, said)

    const media = await studio.upload(
      'vera',
      'x',
      'text/plain',
      `?Filename=${encodeURIComponent('ü";\r\nX: 1.txt')}`,
    )
    const { headers } = await read(media)
    assert.equal(
      headers.get('content-disposition'),
      `attachment; filename="__;X: 1.txt"; filename*=UTF-8''%C3%BC%22%3BX%3A%201.txt`,
    )
    assert.equal(headers.get('x'), null)
    for (const [said, kept] of [
      ['text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
      ['text/plain; x="a;b"', 'text/plain; x="a;b"'],
      ['image/svg+xml', 'image/svg+xml'],
    ] as const)
      assert.equal((await studio.upload('vera', 'x', said)).content_type, kept)
    for (const said of ['text', 'text/', 'text/<b>', `a/${'b'.repeat(300)}`]) {
      const answer = await studio.ask('vera', studio.path, {
        method: 'POST',
        body: 'x',
        headers: { 'content-type': said },
      })
      if (answer.status === 201)
        assert.equal(((await answer.json()) as Media).content_type, 'application/octet-stream')
      else await refused(answer, 415, 20001)
    }
  })
})

describe('media: what is known', () => {
  test('[CS410] an upload is its uploader’s until a message claims it, then the channel’s members’', async () => {
    await using studio = await openStudio()
    const { service, ask, path } = studio
    await service.channels.create({ uniqueName: 'room', type: 'private' })
    const room = service.channels('room')
    for (const identity of ['vera', 'ana']) await room.members.create({ identity })
    const media = await studio.upload('vera', 'x')
    const at = `${path}/${media.sid}`
    const seen = async (identity: string): Promise<number> => (await ask(identity, at)).status
    assert.deepEqual([await seen('vera'), await seen('ana'), await seen('ben')], [200, 404, 404])
    const message = await studio.as('vera').channels('room').messages.create({ mediaSid: media.sid })
    assert.deepEqual([await seen('vera'), await seen('ana'), await seen('ben')], [200, 200, 404])
    const record = (await (await ask('ana', at)).json()) as Media
    assert.deepEqual([record.message_sid, record.channel_sid], [message.sid, message.channelSid])
    assert.equal(await text(await fetchLink(record)), 'x')
    await room.members('vera').remove()
    assert.deepEqual([await seen('vera'), await seen('ana')], [404, 200])
    assert.equal((await studio.world.fetch(at)).status, 200)
    const stranger = await studio.world.newAccount('Stranger')
    const theirs = `Basic ${Buffer.from(`${stranger.sid}:${stranger.authToken}`).toString('base64')}`
    await refused(await studio.world.fetch(at, { as: theirs }), 403, 50050)
    for (const sid of [
      'ME1',
      `ME${'0'.repeat(32)}`,
      '..%2f..%2fetc',
      '%00',
      `${media.sid}%00`,
      `CH${media.sid.slice(2)}`,
    ])
      await refused(await studio.world.fetch(`${path}/${sid}`), 404, 20404)
    await room.messages(message.sid).remove()
    assert.deepEqual([await seen('ana'), (await studio.world.fetch(at)).status], [404, 404])
    assert.equal((await read(record)).status, 404)
    for (const method of ['PUT', 'DELETE', 'POST'])
      await refused(await studio.world.fetch(at, { method }), 405, 20004)
    await refused(await studio.world.fetch(path), 405, 20004)
  })

  test('[CS411] several are asked for at once, each with its own code', async () => {
    await using studio = await openStudio()
    const [mine, other] = [await studio.upload('vera', 'x'), await studio.upload('ana', 'y')]
    const set = (body: unknown) =>
      studio.ask('vera', `${studio.path}Set`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      })
    const list = [mine.sid, other.sid, 'nothing'].map((media_sid) => ({ media_sid }))
    const answer = (await (await set({ command: 'get', list })).json()) as {
      code: number
      media_record: Media
    }[]
    assert.deepEqual(
      answer.map((it) => [it.code, it.media_record.sid]),
      [
        [200, mine.sid],
        [404, other.sid],
        [404, 'nothing'],
      ],
    )
    assert.equal(answer[1]?.media_record.links, undefined)
    assert.equal(await text(await fetchLink(answer[0]?.media_record as Media)), 'x')
    for (const wrong of [
      {},
      null,
      [],
      { command: 'put', list },
      { command: 'get' },
      { command: 'get', list: [1] },
    ])
      await refused(await set(wrong), 400, 20001)
    await refused(await set({ command: 'get', list: Array(101).fill(list[0]) }), 400, 20001)
  })

  test('[CS412] `links.content` leads whoever may see the file to where it is', async () => {
    await using studio = await openStudio()
    const media = await studio.upload('vera', 'x')
    assert.equal(await text(await studio.ask('vera', media.links.content)), 'x')
    await refused(await studio.ask('ana', media.links.content), 404, 20404)
  })

  test('[CS413] what a region puts before the path of a file is passed over', async () => {
    await using studio = await openStudio()
    const path = `/r.twilio.com${studio.path}`
    const answer = await studio.ask('vera', path, { method: 'POST', body: 'x' })
    assert.equal(answer.status, 201)
    const media = (await answer.json()) as Media
    const again = await studio.ask('vera', `${path}/${media.sid}`)
    assert.equal(await text(await fetchLink((await again.json()) as Media)), 'x')
    await refused(await studio.ask('ana', `${path}/${media.sid}`), 404, 20404)
    await refused(await studio.ask('vera', `/r.example.com${studio.path}/${media.sid}`), 404, 20404)
  })
})

describe('media: content', () => {
  test('[CS420] a link needs no credentials, is good for its time, and outlives a restart', async () => {
    await using studio = await openStudio({ engine: 'disk', media: { urlSeconds: 60 } })
    const media = await studio.upload('vera', 'hello')
    await studio.world.restart()
    assert.equal(await text(await fetchLink(media)), 'hello')
    const head = await fetchLink(media, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length'), await text(head)], [200, '5', ''])
    studio.world.clock.advance(59_000)
    assert.equal((await read(media)).headers.get('cache-control'), 'private, max-age=1')
    studio.world.clock.advance(1_000)
    const late = await fetchLink(media)
    assert.deepEqual([late.status, await text(late)], [403, 'This link has expired: ask for a new one.\n'])
  })

  test('[CS421] what a stranger sent is saved, not shown as a page of ours', async () => {
    await using studio = await openStudio()
    const media = await studio.upload('vera', '<script>alert(1)</script>', 'text/html')
    const { headers } = await read(media)
    assert.equal(headers.get('content-type'), 'text/html')
    assert.match(headers.get('content-disposition') ?? '', new RegExp(`^attachment; filename="${media.sid}"`))
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'")
    assert.equal(headers.get('access-control-allow-origin'), '*')
    assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin')
    assert.equal(headers.get('set-cookie'), null)
  })

  test('[CS422] one stretch of bytes may be asked for', async () => {
    await using studio = await openStudio()
    const media = await studio.upload('vera', '0123456789')
    const ask = async (range: string, more: Record<string, string> = {}) => {
      const answer = await fetchLink(media, { headers: { range, ...more } })
      return [
        answer.status,
        answer.headers.get('content-range'),
        answer.headers.get('content-length'),
        await text(answer),
      ]
    }
    assert.deepEqual(await ask('bytes=2-4'), [206, 'bytes 2-4/10', '3', '234'])
    assert.deepEqual(await ask('bytes=7-'), [206, 'bytes 7-9/10', '3', '789'])
    assert.deepEqual(await ask('bytes=-2'), [206, 'bytes 8-9/10', '2', '89'])
    assert.deepEqual(await ask('bytes=-99'), [206, 'bytes 0-9/10', '10', '0123456789'])
    assert.deepEqual(await ask('bytes=9-99'), [206, 'bytes 9-9/10', '1', '9'])
    for (const beyond of ['bytes=10-', 'bytes=99-100', 'bytes=-0'])
      assert.deepEqual((await ask(beyond)).slice(0, 2), [416, 'bytes */10'], beyond)
    for (const other of [
      'bytes=0-1,3-4',
      'bytes=4-2',
      'bytes=-',
      'bytes=a-b',
      'lines=0-1',
      'bytes=1',
      `bytes=0-${'9'.repeat(40)}`,
    ])
      assert.deepEqual((await ask(other))[3], '0123456789', other)
    const etag = (await read(media)).headers.get('etag') ?? ''
    assert.equal((await ask('bytes=0-0', { 'if-range': etag }))[0], 206)
    assert.equal((await ask('bytes=0-0', { 'if-range': '"other"' }))[0], 200)
  })

  test('[CS423] a link that was made up or changed opens nothing', async () => {
    await using studio = await openStudio()
    const [media, other] = [await studio.upload('vera', 'x'), await studio.upload('vera', 'y')]
    const link = new URL(media.links.content_direct_temporary)
    const tried = async (change: (url: URL) => unknown): Promise<number> => {
      const it = new URL(link)
      change(it)
      const answer = await fetch(it)
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
      return answer.status
    }
    assert.equal(await tried((it) => it.searchParams.delete('signature')), 403)
    assert.equal(await tried((it) => it.searchParams.set('expires', '99999999999999')), 403)
    assert.equal(await tried((it) => it.searchParams.set('signature', 'A'.repeat(43))), 403)
    assert.equal(await tried((it) => Object.assign(it, { search: '' })), 403)
    assert.equal(await tried((it) => Object.assign(it, { search: '?%ff=%zz&&=' })), 403)
    assert.equal(await tried((it) => Object.assign(it, { pathname: `/content/${other.sid}` })), 403)
    for (const sid of ['ME1', '..%2f..%2fetc%2fpasswd', '%00', `${media.sid}%2f`])
      assert.equal(await tried((it) => Object.assign(it, { pathname: `/content/${sid}` })), 404, sid)
  })
})

describe('media: messages', () => {
  test('[CS430] a message claims its file in the transaction that sends it', async () => {
    for (const engine of ['memory', 'postgres'] as const) {
      await using studio = await openStudio({ engine })
      const { sid: channelSid } = await studio.service.channels.create({ uniqueName: 'room' })
      const { messages } = studio.service.channels(channelSid)
      const media = await studio.upload('vera', 'x', 'image/png', '?Filename=cat.png')
      const sending = Array.from({ length: 8 }, () => messages.create({ mediaSid: media.sid, from: 'vera' }))
      const sent = (await Promise.allSettled(sending)).filter((it) => it.status === 'fulfilled')
      assert.equal(sent.length, 1)
      const [message] = await messages.list()
      assert.deepEqual(
        [message?.type, message?.body, message?.media, message?.index, message?.from],
        [
          'media',
          null,
          { sid: media.sid, size: 1, content_type: 'image/png', filename: 'cat.png' },
          0,
          'vera',
        ],
      )
      assert.equal((await messages.list()).length, 1)
      const second = await studio.upload('vera', 'y')
      const captioned = await messages.create({ mediaSid: second.sid, body: 'look' })
      assert.deepEqual([captioned.type, captioned.body, captioned.index], ['media', 'look', 1])
    }
  })

  test('[CS431] a file of another service, another person or another message is no file', async () => {
    await using studio = await openStudio()
    await studio.service.channels.create({ uniqueName: 'room' })
    for (const identity of ['vera', 'ana']) await studio.service.channels('room').members.create({ identity })
    const send = async (identity: string, mediaSid: string): Promise<unknown> =>
      studio
        .as(identity)
        .channels('room')
        .messages.create({ mediaSid })
        .catch((it) => it.code)
    const media = await studio.upload('vera', 'x')
    assert.equal(await send('ana', media.sid), 50507)
    const other = await studio.world.twilio.chat.v2.services.create({ friendlyName: 'Other' })
    const inOther = studio.world.twilio.chat.v2.services(other.sid).channels
    await inOther.create({ uniqueName: 'room' })
    await assert.rejects(inOther('room').messages.create({ mediaSid: media.sid }), { code: 50507 })
    const stranger = await studio.world.newAccount('Stranger')
    const theirs = await stranger.twilio.chat.v2.services.create({ friendlyName: 'Theirs' })
    const inTheirs = stranger.twilio.chat.v2.services(theirs.sid).channels
    await inTheirs.create({ uniqueName: 'room' })
    await assert.rejects(inTheirs('room').messages.create({ mediaSid: media.sid }), { code: 50507 })
    const house = (await (
      await studio.world.fetch(studio.path, { method: 'POST', body: 'x' })
    ).json()) as Media
    assert.equal(await send('ana', house.sid), 50507)
    assert.equal((await studio.service.channels('room').messages.list()).length, 0)
    assert.equal(((await send('vera', media.sid)) as { index: number }).index, 0)
    assert.equal(await send('vera', media.sid), 50507)
  })

  test('[CS432] files and words have a permission each', async () => {
    await using studio = await openStudio()
    await studio.service.channels.create({ uniqueName: 'room' })
    for (const permission of ['sendMessage', 'sendMediaMessage']) {
      const role = await studio.service.roles.create({
        friendlyName: permission,
        type: 'channel',
        permission: [permission],
      })
      await studio.service.channels('room').members.create({ identity: permission, roleSid: role.sid })
    }
    const send = async (identity: string, what: { body?: string; mediaSid?: string }): Promise<unknown> =>
      studio
        .as(identity)
        .channels('room')
        .messages.create(what)
        .then((it) => it.type)
        .catch((it) => it.code)
    const words = await studio.upload('sendMessage', 'x')
    const files = await studio.upload('sendMediaMessage', 'x')
    assert.equal(await send('sendMessage', { mediaSid: words.sid }), 50107)
    assert.equal(await send('sendMessage', { body: 'hi' }), 'text')
    assert.equal(await send('sendMediaMessage', { body: 'hi' }), 50107)
    assert.equal(await send('sendMediaMessage', { body: 'look', mediaSid: files.sid }), 50107)
    assert.equal(await send('sendMediaMessage', { mediaSid: files.sid }), 'media')
  })
})
