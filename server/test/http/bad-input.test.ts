/** What is badly asked is refused in Twilio's shape, with its code, and changes nothing. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld, type World } from '../world/index.ts'
import { everyOperation, type Furnished, furnish, goodForms } from './furnished.ts'

const FORM = 'application/x-www-form-urlencoded'
const MEGABYTE = 1024 * 1024
const NOBODYS = '0'.repeat(32)

interface Refusal {
  readonly status: number
  readonly code: number
  readonly message: string
}

/** Expects the answer to be a refusal, whole in its shape. */
const refusal = async (answer: Response): Promise<Refusal> => {
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
  const body = (await answer.json()) as Refusal & { more_info: string }
  assert.deepEqual(Object.keys(body), ['code', 'message', 'more_info', 'status'])
  assert.equal(body.more_info, `https://www.twilio.com/docs/errors/${body.code}`)
  assert.equal(body.status, answer.status)
  return body
}

const isRefused = async (
  asked: Promise<Response>,
  status: number,
  code: number,
  sentence: RegExp = /./,
): Promise<void> => {
  const it = await refusal(await asked)
  assert.deepEqual([it.status, it.code], [status, code], it.message)
  assert.match(it.message, sentence)
}

interface Furnisheds extends Furnished {
  readonly world: World
  readonly service: string
  readonly channel: string
  readonly workspace: string
}

const openFurnished = async (open: AsyncDisposableStack): Promise<Furnisheds> => {
  const world = open.use(await openWorld())
  const { sid, authToken } = world.account
  const furnished = await furnish(world, { sid, authToken, twilio: world.twilio }, 'vera')
  const service = `/v2/Services/${furnished.sids.ServiceSid}`
  const workspace = `/v1/Workspaces/${furnished.sids.WorkspaceSid}`
  return {
    ...furnished,
    world,
    service,
    workspace,
    channel: `${service}/Channels/${furnished.sids.ChannelSid}`,
  }
}

describe('Parameters', () => {
  test('that are unknown are passed over, whatever they are called', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service } = await openFurnished(open)
    const body =
      'FriendlyName=Support&Colour=green&__proto__=x&constructor=x&__proto__.polluted=x&toString=x&hasOwnProperty=x&friendly_name=no&=x&a[b]=c'
    const answer = await world.fetch(`${service}/Channels`, {
      method: 'POST',
      body,
      headers: { 'content-type': FORM },
    })
    assert.equal(answer.status, 201)
    const channel = (await answer.json()) as Record<string, unknown>
    assert.equal(channel.friendly_name, 'Support')
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    for (const query of ['__proto__=x', 'constructor=x&toString=x', 'Colour=green&', '&&&', '=', '?'])
      assert.equal((await world.fetch(`${service}/Channels?${query}`)).status, 200, query)
  })

  test('that are given twice count as they were given last', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service } = await openFurnished(open)
    const answer = await world.fetch(`${service}/Channels`, { form: { FriendlyName: ['first', 'last'] } })
    assert.equal(((await answer.json()) as { friendly_name: string }).friendly_name, 'last')
    const page = await world.fetch(`${service}/Roles?PageSize=7&PageSize=2`)
    assert.equal(((await page.json()) as { meta: { page_size: number } }).meta.page_size, 2)
  })

  test('that are needed and missing are named, at every operation', async () => {
    await using open = new AsyncDisposableStack()
    const { world, sids } = await openFurnished(open)
    let asked = 0
    for (const operation of everyOperation) {
      const { resource, verb, name } = operation
      const needed = Object.entries(resource.operations[verb]?.form ?? {}).filter(([, it]) => it.needed)
      const good = goodForms(sids, world.listener.url('/hook'))[name] ?? {}
      for (const [missing, field] of needed) {
        const { [missing]: _, ...form } = good
        const answer = await refusal(
          await world.fetch(operation.path(operation.holes.map((it) => sids[it])), { form }),
        )
        assert.equal(answer.status, 400, `${name} without ${missing}`)
        if (field.missing === 'missing_parameter')
          assert.equal(answer.message, `Missing required parameter ${missing}`, name)
        asked += 1
      }
    }
    assert.ok(asked > 25, `${asked} parameters`)
  })

  test('that are no numbers, flags, choices, dates, SIDs or JSON are named, with what would do', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service, channel, workspace, sids } = await openFurnished(open)
    const post = (path: string, form: Record<string, string>) => world.fetch(path, { form })
    const wrong: [path: string, form: Record<string, string>, code: number, sentence: RegExp][] = [
      [`${workspace}/Tasks/${sids.TaskSid}`, { Priority: 'high' }, 20001, /Priority.*whole number/],
      [`${workspace}/Tasks/${sids.TaskSid}`, { Priority: '1.5' }, 20001, /Priority/],
      [`${workspace}/Tasks/${sids.TaskSid}`, { Priority: '2147483648' }, 20001, /Priority/],
      [`${workspace}/Tasks/${sids.TaskSid}`, { Priority: '9'.repeat(400) }, 20001, /Priority/],
      [`${workspace}/Tasks/${sids.TaskSid}`, { AssignmentStatus: 'done' }, 20001, /AssignmentStatus/],
      [workspace, { MultiTaskEnabled: 'yes' }, 20001, /MultiTaskEnabled.*true or false/],
      [workspace, { DefaultActivitySid: 'WA1' }, 20423, /DefaultActivitySid.*WA1 is not a SID beginning WA/],
      [workspace, { DefaultActivitySid: sids.WorkerSid }, 20423, /beginning WA/],
      [`${service}/Channels`, { DateCreated: 'yesterday' }, 50308, /./],
      [`${service}/Channels`, { DateCreated: '2026-13-01T00:00:00Z' }, 50308, /./],
      [`${service}/Channels`, { Attributes: '{"a":' }, 50304, /JSON/],
      [`${service}/Channels`, { Attributes: '['.repeat(100_000) }, 50303, /./],
      [`${service}/Channels`, { Attributes: `${'['.repeat(6_000)}${']'.repeat(6_000)}` }, 50304, /./],
      [`${service}/Channels`, { Type: 'secret' }, 20001, /Type.*public, private/],
      [`${service}/Channels`, { UniqueName: 'a\0b' }, 20001, /UniqueName.*NUL/],
      [`${service}/Users`, { Identity: 'a\0b' }, 20001, /Identity.*NUL/],
      [`${channel}/Messages`, { Body: '\0' }, 20001, /Body.*NUL/],
      [`${channel}/Messages`, { Body: 'x'.repeat(40_000) }, 50504, /./],
      [`${channel}/Members/${sids.MemberSid}`, { LastConsumedMessageIndex: '-7' }, 50405, /./],
    ]
    for (const [path, form, code, sentence] of wrong) await isRefused(post(path, form), 400, code, sentence)
    const after = (await (await world.fetch(`${service}/Channels?Type=public&Type=private`)).json()) as {
      channels: unknown[]
    }
    assert.equal(after.channels.length, 3, 'nothing was made: the furniture has three channels')
  })

  test('of an Ordering that names what every object has are refused as any other', async () => {
    await using open = new AsyncDisposableStack()
    const { world, workspace } = await openFurnished(open)
    for (const ordering of [
      'constructor',
      'toString:asc',
      '__proto__:desc',
      'Sid; drop table tasks',
      'Priority:up',
    ])
      for (const list of ['Tasks', 'Workers', 'TaskQueues'])
        await isRefused(
          world.fetch(`${workspace}/${list}?Ordering=${encodeURIComponent(ordering)}`),
          400,
          20001,
          /Ordering/,
        )
  })

  test('more than two thousand are no form', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service } = await openFurnished(open)
    const body = 'a=b&'.repeat(5_000)
    await isRefused(
      world.fetch(`${service}/Channels`, { method: 'POST', body, headers: { 'content-type': FORM } }),
      400,
      20001,
      /more than 2000 parameters/,
    )
  })
})

describe('Pages', () => {
  test('of a size or with a token that is none are refused, and too large ones are cut', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service, channel, workspace } = await openFurnished(open)
    for (const list of [`${service}/Channels`, `${workspace}/Tasks`, `${channel}/Messages`]) {
      for (const size of ['0', '-1', '1.5', 'all', '1e3', '99999999999999999999', '%00'])
        await isRefused(world.fetch(`${list}?PageSize=${size}`), 400, 20007, /between 1 and/)
      for (const size of ['', '100000'])
        assert.equal((await world.fetch(`${list}?PageSize=${size}`)).status, 200, size)
      for (const token of [
        'next',
        '%00',
        'PA',
        'PB',
        'PA%00',
        "' or 1=1",
        '-1',
        'PAIS',
        `PA${'x'.repeat(5_000)}`,
      ])
        await isRefused(
          world.fetch(`${list}?PageToken=${token}`),
          400,
          list.endsWith('Messages') ? 19038 : 20001,
          /PageToken/,
        )
      for (const page of ['x', '-1', '%00', '99999999999999999999'])
        assert.equal((await world.fetch(`${list}?Page=${page}`)).status, 200, page)
    }
    await isRefused(world.fetch(`${channel}/Messages?PageToken=${'9'.repeat(16)}`), 400, 19038)
    const beyond = await world.fetch(`${channel}/Messages?PageToken=999999999999999`)
    assert.deepEqual(((await beyond.json()) as { messages: unknown[] }).messages, [])
  })
})

describe('Addresses', () => {
  test('that nothing has are told by their path, without the version', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service, sids } = await openFurnished(open)
    const missing = [
      '/',
      '/v1',
      '/v2/Nothing',
      '/v2/services',
      `/v1/Services/${sids.ServiceSid}`,
      '/v9/Services',
      '//v2/Services',
      `${service}/Channels/${`CH${NOBODYS}`}`,
      `${service}/Channels/nope`,
      `${service}/Channels/%00`,
      `${service}/Channels/${'x'.repeat(5_000)}`,
      `${service}/Users/%F0%9F%98%80`,
      `/v1/Workspaces/WS${NOBODYS}`,
      `/v1/Workspaces/${sids.ServiceSid}`,
      '/v1/Workspaces/__proto__',
      '/v1/Workspaces/constructor',
      '/v1/Channels/CH1',
    ]
    for (const path of missing)
      await isRefused(
        world.fetch(path),
        404,
        20404,
        new RegExp(
          `^The requested resource ${path.replace(/^\/v\d(?=\/)/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')} was not found$`,
        ),
      )
    await isRefused(
      world.fetch(`/v2/Services/IS${NOBODYS}/Channels`),
      403,
      50050,
      /^Service instance not found$/,
    )
  })

  test('that nothing has are not found whatever is sent there, and by whom', async () => {
    await using open = new AsyncDisposableStack()
    const { world } = await openFurnished(open)
    for (const type of ['text/plain', 'application/json', FORM, 'nonsense'])
      await isRefused(
        world.fetch('/v2/Nothing?a=%zz', {
          method: 'POST',
          body: '{%zz',
          headers: { 'content-type': type },
          as: null,
        }),
        404,
        20404,
      )
  })

  test('with broken percent-encoding are not well written, and the house stands', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service, as } = await openFurnished(open)
    const post = (path: string, body: string) =>
      world.fetch(path, { method: 'POST', body, headers: { 'content-type': FORM } })
    for (const broken of ['%', '%z', '%zz', '%c3%28', '%ff', '%u0041', 'a%e0%a4%a'])
      for (const asked of [
        () => world.fetch(`${service}/Channels/${broken}`),
        () => world.fetch(`${service}/Channels?Type=${broken}`),
        () => world.fetch(`${service}/Channels?${broken}`),
        () => post(`${service}/Channels?${broken}`, 'FriendlyName=x'),
        () => post(`${service}/Channels`, `FriendlyName=${broken}`),
        () => post(`${service}/Channels`, `${broken}=x`),
      ])
        await isRefused(asked(), 400, 20001, /not well written|percent-encoding/)
    assert.equal((await world.fetch(`${service}/Channels`, { as })).status, 200)
  })

  test('of ours that are no operation do not mind their query', async () => {
    await using world = await openWorld()
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs/'])
      assert.equal((await world.fetch(`${path}?a=%zz&b[c]=d`, { as: null })).status, 200, path)
  })
})

describe('Methods', () => {
  test('that an address does not take are refused, with those that it takes', async () => {
    await using open = new AsyncDisposableStack()
    const { world, sids } = await openFurnished(open)
    const taken = new Map<string, Set<string>>()
    for (const operation of everyOperation) {
      const path = operation.path(operation.holes.map((it) => sids[it]))
      taken.set(path, (taken.get(path) ?? new Set()).add(operation.method))
    }
    for (const [path, methods] of taken)
      for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'GET'].filter((it) => !methods.has(it))) {
        const body = ['GET', 'HEAD'].includes(method)
          ? {}
          : { body: '{', headers: { 'content-type': 'text/plain' } }
        const answer = await world.fetch(path, { method, ...body })
        // Some addresses are known and not served: they say so.
        if (answer.status === 501) continue
        assert.ok(
          [...methods].every((it) => answer.headers.get('allow')?.includes(it)),
          `${method} ${path}`,
        )
        const it = await refusal(answer)
        assert.deepEqual([it.status, it.code], [405, 20004], `${method} ${path}`)
        assert.equal(it.message, `Method ${method} is not allowed on ${path.replace(/^\/v\d/, '')}`)
      }
    await isRefused(world.fetch('/v2/Services', { method: 'PROPFIND' }), 405, 20004)
    await isRefused(world.fetch('/v2/Nothing', { method: 'PATCH' }), 404, 20404)
  })

  test('HEAD answers as GET does, without the body', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service } = await openFurnished(open)
    const get = await world.fetch(service)
    const head = await world.fetch(service, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.headers.get('content-length'), get.headers.get('content-length'))
    assert.equal(await head.text(), '')
    assert.equal((await world.fetch(service, { method: 'HEAD', as: null })).status, 401)
    assert.equal((await world.fetch('/v2/Services/IS1', { method: 'HEAD' })).status, 404)
  })

  test('OPTIONS tells a browser what a page of any origin may ask', async () => {
    await using open = new AsyncDisposableStack()
    const { world, sids } = await openFurnished(open)
    for (const path of [
      '/v1/WebChannels',
      '/Flex/WebChannels',
      `/v1/Accounts/${sids.AccountSid}/Tokens`,
      '/v2/Services',
    ]) {
      const answer = await world.fetch(path, {
        method: 'OPTIONS',
        as: null,
        headers: {
          origin: 'https://shop.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers.get('access-control-allow-origin'), '*')
      assert.match(answer.headers.get('access-control-allow-methods') ?? '', /POST/)
      assert.match(answer.headers.get('access-control-allow-headers') ?? '', /authorization/i)
    }
    assert.equal((await world.fetch('/v2/Services', { method: 'OPTIONS', as: null })).status, 204)
  })

  test('a page of any origin may read the answer, a refusal too', async () => {
    await using open = new AsyncDisposableStack()
    const { world } = await openFurnished(open)
    for (const [path, as] of [
      ['/v2/Services', undefined],
      ['/v2/Services', null],
      ['/v2/Nothing', undefined],
    ] as const) {
      const answer = await world.fetch(path, {
        ...(as === null ? { as } : {}),
        headers: { origin: 'https://shop.example' },
      })
      assert.equal(answer.headers.get('access-control-allow-origin'), '*')
      assert.match(answer.headers.get('access-control-expose-headers') ?? '', /ETag.*Retry-After/)
    }
  })
})

describe('Bodies', () => {
  test('of another content type are not read', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service, sids } = await openFurnished(open)
    for (const type of [
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      'nonsense',
      'a/b; c',
    ])
      await isRefused(
        world.fetch(`${service}/Channels`, { method: 'POST', body: '{}', headers: { 'content-type': type } }),
        415,
        20001,
        /send application\/x-www-form-urlencoded/,
      )
    await isRefused(
      world.fetch(`${service}/Channels`, { method: 'POST', body: Buffer.from('a=b') }),
      415,
      20001,
      /\(none\)/,
    )
    for (const path of ['/v1/Configuration', `/v1/Accounts/${sids.AccountSid}/Tokens`])
      await isRefused(world.fetch(path, { form: { products: 'flex' } }), 415, 20001, /send application\/json/)
    const charset = await world.fetch(`${service}/Channels`, {
      method: 'POST',
      body: 'FriendlyName=%C3%A9',
      headers: { 'content-type': `${FORM.toUpperCase()}; charset=utf-8` },
    })
    assert.equal(charset.status, 201)
  })

  test('that are none are an empty form', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service } = await openFurnished(open)
    assert.equal((await world.fetch(`${service}/Channels`, { method: 'POST' })).status, 201)
    await isRefused(world.fetch('/v2/Services', { method: 'POST' }), 400, 50000)
  })

  test('that are no JSON where JSON is asked for are refused', async () => {
    await using open = new AsyncDisposableStack()
    const { world, sids } = await openFurnished(open)
    const before = await (await world.fetch('/v1/Configuration')).text()
    const bodies = [
      '',
      '{',
      'null',
      '[]',
      '"x"',
      '7',
      '{"attributes":"text"}',
      '{"ui_language":7}',
      '[[',
      '\0',
      '{"a":1}}',
    ]
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
    for (const body of [...bodies, `{"attributes":${deep}}`, deep])
      for (const path of ['/v1/Configuration', `/v1/Accounts/${sids.AccountSid}/Tokens`]) {
        const answer = await world.fetch(path, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
        })
        if (path === '/v1/Configuration' && answer.status === 200) continue
        assert.equal((await refusal(answer)).status, 400, `${path} ${body.slice(0, 40)}`)
      }
    assert.equal(await (await world.fetch('/v1/Configuration')).text(), before)
  })

  test('over a megabyte are refused, whole or in chunks', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service } = await openFurnished(open)
    const path = `${service}/Channels`
    const headers = { 'content-type': FORM }
    await isRefused(
      world.fetch(path, { method: 'POST', headers, body: `Attributes=${'x'.repeat(MEGABYTE)}` }),
      413,
      20413,
      /larger than 1048576 bytes/,
    )
    const chunk = Buffer.alloc(64 * 1024, 'x')
    let left = 40
    const stream = new ReadableStream({
      pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
    })
    const streamed = world.fetch(path, {
      method: 'POST',
      headers,
      body: stream,
      duplex: 'half',
    } as RequestInit)
    await isRefused(streamed, 413, 20413)
    const whole = `Colour=${'x'.repeat(MEGABYTE - 7)}`
    assert.equal((await world.fetch(path, { method: 'POST', headers, body: whole })).status, 201)
  })

  test('that are no UTF-8 are refused or read with a mark in place of what is wrong', async () => {
    await using open = new AsyncDisposableStack()
    const { world, service } = await openFurnished(open)
    const answer = await world.fetch(`${service}/Channels`, {
      method: 'POST',
      headers: { 'content-type': FORM },
      body: Buffer.from([...Buffer.from('FriendlyName=a'), 0xff, 0xfe, 0xc3]),
    })
    assert.ok(answer.status === 400 || answer.status === 201, `${answer.status}`)
  })
})
