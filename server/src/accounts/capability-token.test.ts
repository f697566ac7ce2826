import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { Problem } from '@parley/contract/problem.ts'
import fc from 'fast-check'
import twilio from 'twilio'
import twilio5 from 'twilio5'
import { busyMs } from '../../test/world/busy.ts'
import { allows, type Policy, verifyCapabilityToken } from './capability-token.ts'

const ACCOUNT = `AC${'a'.repeat(32)}`
const NOBODY = `AC${'0'.repeat(32)}`
const WORKSPACE = `WS${'b'.repeat(32)}`
const WORKER = `WK${'c'.repeat(32)}`
const QUEUE = `WQ${'d'.repeat(32)}`
const AUTH_TOKEN = 'e'.repeat(32)
const BASE = `/v1/Workspaces/${WORKSPACE}`

const verify = (jwt: string, now = Date.now()) =>
  verifyCapabilityToken(jwt, {
    now,
    findAuthToken: async (sid) => (sid === ACCOUNT ? AUTH_TOKEN : undefined),
  })

const libraries = [
  { version: '6.x', taskrouter: twilio.jwt.taskrouter },
  { version: '5.x', taskrouter: twilio5.jwt.taskrouter },
]

const minted = (taskrouter: typeof twilio.jwt.taskrouter, channelId: string) => {
  const { TaskRouterCapability, util } = taskrouter
  const capability = new TaskRouterCapability({
    accountSid: ACCOUNT,
    authToken: AUTH_TOKEN,
    workspaceSid: WORKSPACE,
    channelId,
    friendlyName: 'Ana',
    ttl: 600,
  })
  for (const policy of [
    ...util.defaultWorkerPolicies('v1', WORKSPACE, channelId),
    ...util.defaultEventBridgePolicies(ACCOUNT, channelId),
  ])
    capability.addPolicy(policy)
  return { capability, util, Policy: TaskRouterCapability.Policy }
}

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
const nowS = Date.UTC(2024, 5, 1, 12) / 1000

const forged = (claims: object = {}, header: object = {}, secret = AUTH_TOKEN) => {
  const good = {
    iss: ACCOUNT,
    account_sid: ACCOUNT,
    exp: nowS + 600,
    version: 'v1',
    channel: WORKER,
    workspace_sid: WORKSPACE,
    worker_sid: WORKER,
    policies: [],
  }
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT', ...header })}.${encoded({ ...good, ...claims })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

describe('a capability token', () => {
  for (const { version, taskrouter } of libraries)
    test(`for a worker, minted by the published library ${version}, allows what its policies say`, async () => {
      const { capability } = minted(taskrouter, WORKER)
      const before = Date.now()
      const jwt = capability.toJwt()
      const after = Date.now()
      const token = await verify(jwt)
      assert.equal(token.accountSid, ACCOUNT)
      assert.equal(token.workspaceSid, WORKSPACE)
      assert.equal(token.workerSid, WORKER)
      assert.equal(token.taskQueueSid, undefined)
      assert.equal(token.channel, WORKER)
      assert.equal(token.friendlyName, 'Ana')
      const signedAt = token.expiresAt - 600_000
      assert.ok(before - 1_000 < signedAt && signedAt <= after, `${before} ${signedAt} ${after}`)

      const may = (method: string, path: string) => allows(token.policies, method, path)
      assert.equal(may('GET', `${BASE}/Activities`), true)
      assert.equal(may('GET', `${BASE}/Tasks`), true)
      assert.equal(may('GET', `${BASE}/Tasks/WT1`), true)
      assert.equal(may('get', `${BASE}/Tasks/WT1/Reservations/WR1`), true)
      assert.equal(may('GET', `${BASE}/Workers/${WORKER}`), true)
      assert.equal(may('GET', `${BASE}/Workers/${WORKER}/Reservations/WR1`), true)
      assert.equal(may('POST', `/v1/wschannels/${ACCOUNT}/${WORKER}`), true)

      assert.equal(may('POST', `${BASE}/Workers/${WORKER}`), false)
      assert.equal(may('DELETE', `${BASE}/Tasks/WT1`), false)
      assert.equal(may('GET', `${BASE}/Activities/WA1`), false)
      assert.equal(may('GET', `${BASE}/Workers`), false)
      assert.equal(may('GET', `${BASE}/Workers/WK2`), false)
      assert.equal(may('GET', `${BASE}/Workers/${WORKER}/Channels`), false)
      assert.equal(may('GET', `${BASE}/Tasks/../Workers/WK2`), false)
      assert.equal(may('GET', `${BASE}/Tasks/%2E%2e/Workers/WK2`), false)
      assert.equal(may('GET', `/v1/Workspaces/WS2/Tasks/WT1`), false)
      assert.equal(may('GET', `/v1/wschannels/${ACCOUNT}/WK2`), false)
    })

  for (const { version, taskrouter } of libraries)
    test(`with policies of its maker's own, by the published library ${version}`, async () => {
      const { capability, util, Policy } = minted(taskrouter, WORKER)
      capability.addPolicy(new Policy({ url: util.reservationsUrl(WORKSPACE, WORKER, '**'), method: 'POST' }))
      capability.addPolicy(new Policy({ url: util.workersUrl(WORKSPACE, '*'), method: 'GET' }))
      capability.addPolicy(
        new Policy({
          url: util.workersUrl(WORKSPACE, WORKER),
          method: 'POST',
          postFilter: { ActivitySid: { required: true }, RejectPendingReservations: { required: false } },
        }),
      )
      const { policies } = await verify(capability.toJwt())
      assert.equal(allows(policies, 'POST', `${BASE}/Workers/${WORKER}/Reservations/WR1`), true)
      assert.equal(allows(policies, 'GET', `${BASE}/Workers/WK2`), true)
      assert.equal(allows(policies, 'GET', `${BASE}/Workers/WK2/Reservations`), false)

      const update = (form: string[]) => allows(policies, 'POST', `${BASE}/Workers/${WORKER}`, { form })
      assert.equal(update(['ActivitySid']), true)
      assert.equal(update(['ActivitySid', 'RejectPendingReservations']), true)
      assert.equal(update([]), false)
      assert.equal(update(['RejectPendingReservations']), false)
      assert.equal(update(['ActivitySid', 'Attributes']), false)
    })

  test('for a task queue says which', async () => {
    for (const { taskrouter } of libraries) {
      const token = await verify(minted(taskrouter, QUEUE).capability.toJwt())
      assert.equal(token.taskQueueSid, QUEUE)
      assert.equal(token.workerSid, undefined)
    }
  })

  test('that is wrong is refused, each way with its code', async () => {
    const cases: [jwt: string, code: number, sentence: RegExp][] = [
      ['nonsense', 20101, /not a JWT/],
      [forged({ exp: undefined }), 20101, /exp is missing/],
      [forged({}, { alg: 'none' }), 20102, /alg/],
      [forged({}, { alg: 'HS512' }), 20102, /HS256/],
      [forged({ iss: undefined }), 20103, /iss/],
      [forged({ iss: NOBODY, account_sid: NOBODY }), 20103, /does not exist/],
      [forged({ account_sid: 'AC0' }), 20103, /account_sid/],
      [forged({ exp: nowS - 3600 }), 20104, /expired 1 hour ago/],
      [forged({ nbf: nowS + 3600 }), 20105, /in 1 hour/],
      [forged({ version: 'v2' }), 20106, /version/],
      [forged({ workspace_sid: undefined }), 20106, /workspace_sid/],
      [forged({ worker_sid: 7 }), 20106, /worker_sid/],
      [forged({ policies: undefined }), 20106, /policies/],
      [forged({ policies: [{ url: 'x' }, 7] }), 20106, /policies\[1\] is not/],
      [forged({ policies: [{ method: 'GET' }] }), 20106, /policies\[0\]\.url/],
      [forged({ policies: [{ url: 'x', allow: 'yes' }] }), 20106, /allow/],
      [forged({ policies: [{ url: 'x', post_filter: { A: true } }] }), 20106, /filter/],
      [forged({}, {}, 'guessed'), 20107, /auth token/],
    ]
    for (const [jwt, code, sentence] of cases)
      await assert.rejects(verify(jwt, nowS * 1000), (fault) => {
        assert.ok(fault instanceof Problem, String(fault))
        assert.equal(fault.code, code, fault.message)
        assert.match(fault.message, sentence)
        return true
      })
    await verify(forged(), nowS * 1000)
  })
})

describe('policies', () => {
  const policy = (path: string, changes: Partial<Policy> = {}): Policy => ({
    method: 'GET',
    path,
    queryFilter: {},
    postFilter: {},
    allow: true,
    ...changes,
  })
  const may = (path: string, ...patterns: string[]) =>
    allows(
      patterns.map((it) => policy(it)),
      'GET',
      path,
    )

  test('wildcards stand for whole segments: one, or any number', () => {
    assert.equal(may('/a/b/c', '/a/*/c'), true)
    assert.equal(may('/a/c', '/a/*/c'), false)
    assert.equal(may('/a/b', '/a/b*'), false)
    assert.equal(may('/a', '/a/**'), true)
    assert.equal(may('/a/b/c/d', '/a/**/d'), true)
    assert.equal(may('/a/d', '/a/**/d'), true)
    assert.equal(may('/a/b/d/c', '/a/**/d'), false)
    assert.equal(may('/a/b/c/b/d', '/**/b/*'), true)
    assert.equal(may('/a', '**'), true)
    assert.equal(may('/ab', '/a/**'), false)
    assert.equal(may('/a/b/', '/a/b'), true)
    assert.equal(may('/a'), false)
  })

  test('one that forbids outweighs all that allow', () => {
    const policies = [policy('/a/**'), policy('/a/secret', { allow: false })]
    assert.equal(allows(policies, 'GET', '/a/open'), true)
    assert.equal(allows(policies, 'GET', '/a/secret'), false)
  })

  test('matching agrees with the plain definition of the wildcards', () => {
    const segment = fc.constantFrom('a', 'b', 'c')
    const pattern = fc.array(fc.oneof(segment, fc.constantFrom('*', '**')), { maxLength: 7 })
    const covered = (pattern: string[], path: string[]): boolean => {
      const [first, ...rest] = pattern
      if (first === undefined) return path.length === 0
      if (first === '**') return covered(rest, path) || (path.length > 0 && covered(pattern, path.slice(1)))
      return path.length > 0 && (first === '*' || first === path[0]) && covered(rest, path.slice(1))
    }
    fc.assert(
      fc.property(pattern, fc.array(segment, { maxLength: 7 }), (pattern, path) => {
        assert.equal(may(`/${path.join('/')}`, `/${pattern.join('/')}`), covered(pattern, path))
      }),
      { numRuns: 2_000 },
    )
  })

  test('no pattern makes it slow', () => {
    const before = busyMs()
    assert.equal(may(`/${'a/'.repeat(500)}`, `/${'**/a/'.repeat(100)}b`), false)
    const took = busyMs() - before
    assert.ok(took < 500, `${took} ms`)
  })
})
