import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { Problem } from '@parley/contract/problem.ts'
import fc from 'fast-check'
import twilio from 'twilio'
import twilio5 from 'twilio5'
import { mintAccessToken, requireGrant, type SigningKey, verifyAccessToken } from './access-token.ts'
import { readJwt } from './jwt.ts'

const ACCOUNT = `AC${'a'.repeat(32)}`
const OTHER_ACCOUNT = `AC${'b'.repeat(32)}`
const KEY = `SK${'1'.repeat(32)}`
const OTHER_KEY = `SK${'2'.repeat(32)}`
const SECRET = 'not-so-secret-but-long-enough-00'
const HOUR_S = 3_600

const keys: Record<string, SigningKey> = {
  [KEY]: { accountSid: ACCOUNT, secret: SECRET },
  [OTHER_KEY]: { accountSid: OTHER_ACCOUNT, secret: 'another secret' },
}

const verify = (jwt: string, now = Date.now()) =>
  verifyAccessToken(jwt, { now, findKey: async (sid) => keys[sid] })

const libraries = [
  { version: '6.x', AccessToken: twilio.jwt.AccessToken },
  { version: '5.x', AccessToken: twilio5.jwt.AccessToken },
]

interface Changes {
  readonly header?: object
  readonly claims?: object
  readonly secret?: string
}

const now = Date.UTC(2024, 5, 1, 12)
const nowS = now / 1000

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A good token but for the changes, signed by hand. */
const forged = ({ header = {}, claims = {}, secret = SECRET }: Changes = {}) => {
  const good = {
    jti: `${KEY}-${nowS}`,
    iss: KEY,
    sub: ACCOUNT,
    iat: nowS,
    exp: nowS + HOUR_S,
    grants: { identity: 'vera', chat: { service_sid: 'IS1' } },
  }
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1', ...header })}.${encoded({ ...good, ...claims })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** Refused with the code, and a sentence that says why. */
const refused = async (jwt: string, code: number, sentence: RegExp, at = now) => {
  await assert.rejects(verify(jwt, at), (fault) => {
    assert.ok(fault instanceof Problem, String(fault))
    assert.equal(fault.code, code, fault.message)
    assert.equal(fault.status, 401)
    assert.match(fault.message, sentence)
    return true
  })
}

describe('an access token that is believed', () => {
  for (const { version, AccessToken } of libraries)
    for (const algorithm of ['HS256', 'HS384', 'HS512'] as const)
      test(`one minted by the published library ${version} with ${algorithm}`, async () => {
        const token = new AccessToken(ACCOUNT, KEY, SECRET, { identity: 'vera', ttl: HOUR_S, region: 'ie1' })
        token.addGrant(new AccessToken.ChatGrant({ serviceSid: 'IS1', endpointId: 'browser' }))
        token.addGrant(
          new AccessToken.TaskRouterGrant({ workspaceSid: 'WS1', workerSid: 'WK1', role: 'worker' }),
        )
        token.addGrant(new AccessToken.SyncGrant({ serviceSid: 'IS2' }))
        const raw = token.toJwt(algorithm)

        const believed = await verify(raw)
        assert.equal(believed.accountSid, ACCOUNT)
        assert.equal(believed.keySid, KEY)
        assert.equal(believed.identity, 'vera')
        assert.equal(believed.expiresAt, Number(readJwt(raw).claims.exp) * 1000)
        assert.deepEqual(requireGrant(believed, 'chat'), { service_sid: 'IS1', endpoint_id: 'browser' })
        assert.deepEqual(requireGrant(believed, 'task_router'), {
          workspace_sid: 'WS1',
          worker_sid: 'WK1',
          role: 'worker',
        })
        assert.deepEqual(requireGrant(believed, 'data_sync'), { service_sid: 'IS2' })
      })

  for (const { version, AccessToken } of libraries)
    test(`one minted by the published library ${version} for a whole day, without grants`, async () => {
      const token = new AccessToken(ACCOUNT, KEY, SECRET, { identity: 'vera', ttl: 24 * HOUR_S })
      const believed = await verify(token.toJwt())
      assert.deepEqual(believed.grants, { identity: 'vera' })
    })

  test('clocks may differ by a minute either way', async () => {
    await verify(forged(), now + (HOUR_S + 59) * 1000)
    await verify(forged({ claims: { nbf: nowS + 60 } }), now)
    await verify(forged({ claims: { iat: nowS + 60, exp: nowS + 60 + 24 * HOUR_S } }), now)
  })

  test('iat and nbf may be left out', async () => {
    await verify(forged({ claims: { iat: undefined } }), now)
  })
})

describe('an access token that is refused', () => {
  test('20101: what is no JWT', async () => {
    for (const jwt of ['', 'hello', 'a.b', 'a.b.c', 'a.b.c.d', `${encoded({})}.${encoded([])}.x`, 'ä.ö.ü'])
      await refused(jwt, 20101, /JWT|JSON/)
    await refused(`${encoded({})}.${'x'.repeat(20_000)}.x`, 20101, /longer than 16384/)
    for (const claims of [{ exp: 'soon' }, { exp: null }, { nbf: 'now' }, { iat: {} }, { exp: 1e300 }])
      await refused(forged({ claims }), 20101, /not a time/)
    await refused(forged({ claims: { exp: undefined } }), 20101, /exp is missing/)
  })

  test('20102: a header that is not that of an access token', async () => {
    await refused(forged({ header: { typ: 'JWS' } }), 20102, /typ is "JWS"/)
    await refused(forged({ header: { typ: undefined } }), 20102, /typ is missing/)
    await refused(forged({ header: { cty: undefined } }), 20102, /cty is missing/)
    await refused(forged({ header: { cty: 'twilio-fpa;v=2' } }), 20102, /cty is "twilio-fpa;v=2"/)
    await refused(forged({ header: { alg: 'none' } }), 20102, /alg/)
    await refused(forged({ header: { alg: 'RS256' } }), 20102, /alg/)
    await refused(forged({ header: { alg: undefined } }), 20102, /alg/)
    await refused(forged({ header: { crit: ['exp'], exp: 1 } }), 20102, /extension/)
  })

  test('20103: an issuer or subject that is not, or not together', async () => {
    await refused(forged({ claims: { iss: undefined } }), 20103, /iss is missing/)
    await refused(forged({ claims: { iss: ACCOUNT } }), 20103, /not the SID of an API key/)
    await refused(forged({ claims: { sub: 7 } }), 20103, /sub is 7/)
    await refused(forged({ claims: { iss: `SK${'9'.repeat(32)}` } }), 20103, /no API key/)
    await refused(forged({ claims: { sub: OTHER_ACCOUNT } }), 20103, /not a key of account/)
    await refused(forged({ claims: { iss: OTHER_KEY } }), 20103, /not a key of account/)
  })

  test('20104: one that has expired, and by how long', async () => {
    const end = now + HOUR_S * 1000
    await refused(forged(), 20104, /expired 1 minute ago.*2024-06-01T13:00:00/, end + 60_000)
    await refused(forged(), 20104, /expired 5 minutes ago/, end + 5 * 60_000 + 999)
    await refused(forged(), 20104, /expired 2 hours ago/, end + 2.9 * HOUR_S * 1000)
    await refused(forged(), 20104, /expired 30 days ago/, end + 30 * 24 * HOUR_S * 1000)
  })

  test('20105: one that is not valid yet', async () => {
    await refused(
      forged({ claims: { nbf: nowS + 600 } }),
      20105,
      /valid in 10 minutes, from 2024-06-01T12:10/,
    )
  })

  test('20106: grants that say nothing', async () => {
    await refused(forged({ claims: { grants: undefined } }), 20106, /grants is missing/)
    await refused(forged({ claims: { grants: [] } }), 20106, /not an object/)
    await refused(forged({ claims: { grants: { chat: {} } } }), 20106, /identity/)
    await refused(forged({ claims: { grants: { identity: '' } } }), 20106, /identity/)
    await refused(forged({ claims: { grants: { identity: 7 } } }), 20106, /identity/)
    await refused(forged({ claims: { grants: { identity: 'vera', chat: 'IS1' } } }), 20106, /grants\.chat/)
  })

  test('20106: a grant that is asked for and is not there', async () => {
    const token = await verify(forged(), now)
    assert.throws(() => requireGrant(token, 'task_router'), { code: 20106, message: /no task_router grant/ })
  })

  test('20107: a signature with another secret, or over something else', async () => {
    await refused(forged({ secret: 'guessed' }), 20107, /secret of API key SK1/)
    const [header, , signature] = forged().split('.')
    const claims = forged({ claims: { grants: { identity: 'sol' } } }).split('.')[1]
    await refused([header, claims, signature].join('.'), 20107, /not signed/)
    await refused(`${header}.${claims}.`, 20107, /signed/)
    await refused(`${header}.${claims}.!!`, 20107, /sign/)
  })

  test('20157: one made to live longer than a day', async () => {
    await refused(forged({ claims: { exp: nowS + 24 * HOUR_S + 1 } }), 20157, /86401 seconds/)
    await refused(
      forged({ claims: { iat: undefined, exp: nowS + 25 * HOUR_S } }),
      20157,
      /86400 are the most/,
    )
    await refused(forged({ claims: { iat: nowS + 1e6, exp: nowS + 1e6 + 60 } }), 20157, /lives/)
  })

  test('the signature is judged before the times: a forger learns nothing', async () => {
    await refused(forged({ secret: 'guessed', claims: { exp: 1 } }), 20107, /not signed/)
  })

  test('whatever comes, it is a problem with a code and never a fault', async () => {
    const part = fc.oneof(
      fc.json(),
      fc.jsonValue().map((it) => JSON.stringify(it)),
      fc.string(),
    )
    const claims = fc.record(
      {
        iss: fc.constantFrom(KEY, OTHER_KEY, 'SK', 1),
        sub: fc.constantFrom(ACCOUNT, 'AC', null),
        exp: fc.oneof(fc.double(), fc.jsonValue()),
        nbf: fc.oneof(fc.double(), fc.jsonValue()),
        iat: fc.oneof(fc.double(), fc.jsonValue()),
        grants: fc.jsonValue(),
      },
      { requiredKeys: ['iss', 'sub'] },
    )
    const jwt = fc.oneof(
      fc.string(),
      fc
        .tuple(part, part, fc.string())
        .map(([header, body, signature]) =>
          [header, body, signature].map((it) => Buffer.from(it).toString('base64url')).join('.'),
        ),
      claims.map((claims) => forged({ claims })),
    )
    await fc.assert(
      fc.asyncProperty(jwt, async (jwt) => {
        const outcome = await verify(jwt, now).catch((fault) => fault)
        assert.ok(outcome instanceof Problem || outcome.accountSid === ACCOUNT, String(outcome))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a token of our own making', () => {
  const wanted = {
    accountSid: ACCOUNT,
    keySid: KEY,
    secret: SECRET,
    identity: 'guest-1',
    grants: { chat: { service_sid: 'IS1' } },
    now: now + 321,
  }

  test('is believed by ourselves for the hour of a guest', async () => {
    const { jwt, expiresAt } = mintAccessToken(wanted)
    assert.equal(expiresAt, now + HOUR_S * 1000)
    const believed = await verify(jwt, now)
    assert.equal(believed.identity, 'guest-1')
    assert.equal(believed.expiresAt, expiresAt)
    assert.deepEqual(believed.grants, { identity: 'guest-1', chat: { service_sid: 'IS1' } })
    await refused(jwt, 20104, /expired 1 minute ago/, expiresAt + 60_000)
  })

  test('says what one of the published library says', async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: wanted.now })
    const { jwt } = mintAccessToken(wanted)
    for (const { AccessToken } of libraries) {
      const theirs = new AccessToken(ACCOUNT, KEY, SECRET, { identity: 'guest-1', ttl: HOUR_S })
      theirs.addGrant(new AccessToken.ChatGrant({ serviceSid: 'IS1' }))
      assert.deepEqual(readJwt(jwt), readJwt(theirs.toJwt()))
    }
  })

  test('cannot be made to live longer than a day, nor not at all', async () => {
    for (const ttlSeconds of [0, -1, 24 * HOUR_S + 1, Number.NaN])
      assert.throws(() => mintAccessToken({ ...wanted, ttlSeconds }), RangeError)
    await verify(mintAccessToken({ ...wanted, ttlSeconds: 24 * HOUR_S }).jwt, now)
  })
})
