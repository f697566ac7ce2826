/** Who is asking: the three ways to say it, with the published client, and every way to get it wrong. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import twilio from 'twilio'
import twilio5 from 'twilio5'
import { asToken, openWorld, pointAt, type Twilio, type World } from '../world/index.ts'

const libraries = [
  { version: '6.x', make: twilio, AccessToken: twilio.jwt.AccessToken },
  { version: '5.x', make: twilio5 as unknown as typeof twilio, AccessToken: twilio5.jwt.AccessToken },
] as const

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const HOUR_S = 3_600

interface TokenWanted {
  readonly account?: string
  readonly key?: string
  readonly secret?: string
  readonly identity?: string
  readonly ttl?: number
  readonly nbf?: number
  readonly service?: string | undefined
}

/** A token minted by a published library. */
const minted = (world: World, { AccessToken }: (typeof libraries)[number], it: TokenWanted = {}): string => {
  const { sid, apiKeySid, apiKeySecret } = world.account
  const token = new AccessToken(it.account ?? sid, it.key ?? apiKeySid, it.secret ?? apiKeySecret, {
    identity: it.identity ?? 'vera',
    ttl: it.ttl ?? HOUR_S,
    ...(it.nbf === undefined ? {} : { nbf: it.nbf }),
  })
  if (it.service !== undefined) token.addGrant(new AccessToken.ChatGrant({ serviceSid: it.service }))
  return token.toJwt()
}

/** The token with its header or claims changed, signed again. */
const changed = async (world: World, jwt: string, header: object, claims: object): Promise<string> => {
  const { createHmac } = await import('node:crypto')
  const [head = '', body = ''] = jwt.split('.').map((it) => Buffer.from(it, 'base64url').toString())
  const write = (json: string, changes: object) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(json), ...changes })).toString('base64url')
  const content = `${write(head, header)}.${write(body, claims)}`
  return `${content}.${createHmac('sha256', world.account.apiKeySecret).update(content).digest('base64url')}`
}

const serviceOf = async ({ twilio }: World): Promise<string> =>
  (await twilio.flexApi.v1.configuration.get().fetch()).chatServiceInstanceSid

const isRefused = async (answer: Response, status: number, code: number, sentence: RegExp): Promise<void> => {
  const body = (await answer.json()) as { code: number; message: string; status: number }
  assert.deepEqual([answer.status, body.status, body.code], [status, status, code], body.message)
  assert.match(body.message, sentence)
}

describe('Someone who signs in', () => {
  for (const library of libraries)
    test(`does so with auth token, API key and access token through the client ${library.version}`, async () => {
      await using world = await openWorld()
      const { sid, authToken, apiKeySid, apiKeySecret } = world.account
      const service = await serviceOf(world)
      const options = { accountSid: sid }
      const jwt = minted(world, library, { service })
      const ways: Twilio[] = [
        library.make(sid, authToken),
        library.make(apiKeySid, apiKeySecret, options),
        library.make('token', jwt, options),
      ]
      for (const client of ways) {
        const channels = pointAt(client, world.url).chat.v2.services(service).channels
        assert.deepEqual(await channels.list(), [])
      }
    })

  test('does so however the scheme is spelled, and with a colon in the password', async () => {
    await using world = await openWorld()
    const { sid, authToken } = world.account
    const [, encoded] = basic(sid, authToken).split(' ')
    for (const scheme of ['basic', 'BASIC', 'Basic  '])
      assert.equal((await world.fetch('/v2/Services', { as: `${scheme} ${encoded}` })).status, 200, scheme)
    await isRefused(await world.fetch('/v2/Services', { as: basic(sid, `a:${authToken}`) }), 401, 20003, /./)
  })
})

describe('Someone who is not believed', () => {
  test('hears "Authenticate" (20003), whatever is wrong with name or password', async () => {
    await using world = await openWorld()
    const other = await world.newAccount('Other')
    const { sid, authToken, apiKeySid, apiKeySecret } = world.account
    const wrong: (string | null)[] = [
      null,
      'Basic',
      'Basic ',
      'Basic !!!',
      `Bearer ${authToken}`,
      authToken,
      `Basic ${Buffer.from(sid + authToken).toString('base64')}`,
      basic(sid, ''),
      basic(sid, 'wrong'),
      basic(sid, authToken.slice(0, -1)),
      basic(sid, `${authToken} `),
      basic(sid, authToken.toUpperCase()),
      basic(sid, other.authToken),
      basic(other.sid, authToken),
      basic(sid, apiKeySecret),
      basic(apiKeySid, authToken),
      basic(apiKeySid, ''),
      basic(`AC${'0'.repeat(32)}`, authToken),
      basic(`SK${'0'.repeat(32)}`, apiKeySecret),
      basic(`${sid}\0`, authToken),
      basic('AC\0', '\0'),
      basic('__proto__', 'x'),
      basic('', ''),
      basic('x'.repeat(5_000), 'x'),
    ]
    for (const as of wrong) {
      const answer = await world.fetch('/v2/Services', { as })
      assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="Twilio API"')
      await isRefused(answer, 401, 20003, /^Authenticate$/)
    }
  })

  for (const library of libraries)
    test(`hears what is wrong with an access token of the library ${library.version}`, async () => {
      await using world = await openWorld()
      const other = await world.newAccount('Other')
      const service = await serviceOf(world)
      const { sid, apiKeySid } = world.account
      const good = minted(world, library, { service })
      const wrong: [jwt: string, code: number, sentence: RegExp][] = [
        ['hello', 20101, /^Invalid access token: it is not a JWT/],
        ['', 20101, /not a JWT/],
        [`${good}.x`, 20101, /three parts/],
        [
          await changed(world, good, { cty: 'other' }, {}),
          20102,
          /^Invalid access token header: cty is "other"/,
        ],
        [await changed(world, good, { alg: 'none' }, {}), 20102, /alg must be/],
        [
          minted(world, library, { key: `SK${'0'.repeat(32)}` }),
          20103,
          /issuer or subject: there is no API key/,
        ],
        [minted(world, library, { key: 'SK\0' }), 20103, /not the SID of an API key/],
        [
          minted(world, library, { account: other.sid }),
          20103,
          new RegExp(`${apiKeySid} is not a key of account`),
        ],
        [
          minted(world, library, { secret: 'another secret' }),
          20107,
          /^Invalid access token signature: it was not signed/,
        ],
        [good.slice(0, -4), 20107, /signature/],
        [
          await changed(world, good, {}, { grants: {} }),
          20106,
          /^Invalid access token grants: grants.identity/,
        ],
        [await changed(world, good, {}, { grants: { identity: 'a\0b' } }), 20106, /NUL/],
        [
          minted(world, library, { ttl: 24 * HOUR_S + 60 }),
          20157,
          /^Access token lives too long: it lives 864\d\d seconds/,
        ],
        [
          minted(world, library, { nbf: Math.floor(Date.now() / 1000) + HOUR_S }),
          20105,
          /^Access token is not valid yet: .* from 20/,
        ],
      ]
      for (const [jwt, code, sentence] of wrong)
        await isRefused(
          await world.fetch(`/v2/Services/${service}/Channels`, { as: asToken(jwt) }),
          401,
          code,
          sentence,
        )

      world.clock.advance((HOUR_S + 330) * 1000)
      await isRefused(
        await world.fetch(`/v2/Services/${service}/Channels`, { as: asToken(good) }),
        401,
        20104,
        /^Access token expired 5 minutes ago: it was valid until 20/,
      )
      assert.equal(
        (await world.fetch('/v2/Services', { as: basic(sid, world.account.authToken) })).status,
        200,
      )
    })

  test('has a token without the grant (20106), or with one for another service (50107)', async () => {
    await using world = await openWorld()
    const service = await serviceOf(world)
    const second = await world.twilio.chat.v2.services.create({ friendlyName: 'Second' })
    for (const library of libraries) {
      const ask = (wanted: TokenWanted) =>
        world.fetch(`/v2/Services/${service}/Channels`, { as: asToken(minted(world, library, wanted)) })
      await isRefused(await ask({}), 401, 20106, /it has no chat grant/)
      await isRefused(await ask({ service: second.sid }), 403, 50107, /unauthorized/)
      assert.equal((await ask({ service })).status, 200)
    }
  })

  test('has a token where only the account itself may ask (20006)', async () => {
    await using world = await openWorld()
    const service = await serviceOf(world)
    const as = asToken(minted(world, libraries[0], { service }))
    for (const path of [
      '/v2/Services',
      '/v1/Workspaces',
      '/v1/FlexFlows',
      '/v1/Parley/Accounts',
      '/v1/Parley/Deliveries',
    ])
      await isRefused(await world.fetch(path, { as }), 403, 20006, /an access token does not open this/)
  })

  test('has a key that was deleted, or an account that was suspended, until it is revived', async () => {
    await using world = await openWorld()
    const post = async (path: string, form: Record<string, string>, as?: string) => {
      const answer = await world.fetch(path, { form, ...(as ? { as } : {}) })
      assert.ok(answer.ok, await answer.clone().text())
      return (await answer.json()) as Record<string, string>
    }
    const child = await post('/v1/Parley/Accounts', { FriendlyName: 'Child' })
    const account = basic(child.sid as string, child.auth_token as string)
    const keys = `/v1/Parley/Accounts/${child.sid}/Keys`
    const made = await post(keys, { FriendlyName: 'Second' }, account)
    const key = basic(made.sid as string, made.secret as string)
    const { chat_service_instance_sid: service } = (await (
      await world.fetch('/v1/Configuration', { as: account })
    ).json()) as { chat_service_instance_sid: string }
    const token = asToken(
      minted(world, libraries[0], {
        account: child.sid as string,
        key: made.sid as string,
        secret: made.secret as string,
        service,
      }),
    )
    const ask = (as: string) => world.fetch(`/v2/Services/${service}/Channels`, { as })
    const statuses = async () => (await Promise.all([account, key, token].map(ask))).map((it) => it.status)
    assert.deepEqual(await statuses(), [200, 200, 200])

    const tokens = `/v1/Accounts/${child.sid}/Tokens`
    const guest = () =>
      world.fetch(tokens, {
        method: 'POST',
        as: null,
        headers: { 'content-type': 'application/json' },
        body: '{"products":["flex"]}',
      })
    assert.equal((await guest()).status, 200)
    await post(`/v1/Parley/Accounts/${child.sid}`, { Status: 'suspended' })
    await isRefused(await ask(account), 401, 20003, /^Authenticate$/)
    await isRefused(await ask(key), 401, 20003, /^Authenticate$/)
    await isRefused(
      await world.fetch('/v1/Configuration', { as: token }),
      401,
      20103,
      /its account is suspended/,
    )
    await isRefused(await guest(), 404, 20404, /./)
    await post(`/v1/Parley/Accounts/${child.sid}`, { Status: 'active' })
    assert.deepEqual(await statuses(), [200, 200, 200])

    assert.equal((await world.fetch(`${keys}/${made.sid}`, { method: 'DELETE', as: account })).status, 204)
    await isRefused(await ask(key), 401, 20003, /^Authenticate$/)
    await isRefused(await ask(token), 401, 20103, /there is no API key/)
  })
})
