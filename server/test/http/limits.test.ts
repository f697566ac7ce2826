/** How much one account, and one address of those who need no credentials, may ask; and which pages they may be on. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test } from 'node:test'
import { openWorld, type World } from '../world/index.ts'

/** What is refused now is allowed again within this time. */
const PATIENCE_MS = 30_000

/** As many requests at once. @returns their answers, those that were let through first */
const many = async (count: number, ask: () => Promise<Response>): Promise<Response[]> =>
  (await Promise.all(Array.from({ length: count }, ask))).sort((a, b) => a.status - b.status)

const isTooMany = async (answer: Response | undefined): Promise<void> => {
  assert.ok(answer)
  const body = (await answer.json()) as Record<string, unknown>
  assert.deepEqual([answer.status, body.status, body.code], [429, 429, 20429])
  assert.match(String(body.message), /^Too many requests: \d+ a second are allowed$/)
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
}

const until = async (question: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await question())) {
    assert.ok(performance.now() < deadline, 'it was never allowed again')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('An account that asks too much', () => {
  test('is told so (20429) and when to come back, and others are not held up', async () => {
    await using world = await openWorld({ limits: { perSecond: 2, burst: 0 } })
    const other = await world.newAccount('Other')
    const answers = await many(20, () => world.fetch('/v2/Services'))
    assert.equal(answers[0]?.status, 200)
    assert.equal(answers.at(-1)?.status, 429)
    for (const answer of answers.filter((it) => it.status !== 200)) await isTooMany(answer)
    assert.equal((await other.twilio.chat.v2.services.list()).length, 1)
    await until(async () => (await world.fetch('/v2/Services')).ok)
  })

  test('is told before how much is left of the second, as TaskRouter tells its clients', async () => {
    await using world = await openWorld({ limits: { perSecond: 2, burst: 0 } })
    const left = ({ headers }: Response) =>
      ['x-rate-limit-limit', 'x-rate-limit-remaining'].map((name) => headers.get(name))
    const answers = await many(20, () => world.fetch('/v1/Workspaces'))
    const said = new Set(answers.map((it) => [it.status, ...left(it)].join(' ')))
    assert.deepEqual([...said].sort(), ['200 2 0', '200 2 1', '429 2 0'])
    await using unlimited = await openWorld({ limits: { perSecond: 0, burst: 0 } })
    assert.deepEqual(left(await unlimited.fetch('/v1/Workspaces')), [null, null])
  })

  test('is the account, whether it signs in with its auth token, a key or a token', async () => {
    await using world = await openWorld({ limits: { perSecond: 2, burst: 0 } })
    const { sid, authToken, apiKeySid, apiKeySecret } = world.account
    const basic = (user: string, password: string) =>
      `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    let turn = 0
    const ways = [basic(sid, authToken), basic(apiKeySid, apiKeySecret)]
    const answers = await many(20, () => world.fetch('/v2/Services', { as: ways[turn++ % 2] as string }))
    assert.ok(answers.filter((it) => it.status === 429).length >= 10)
  })

  test('may ask more at once where a burst is allowed', async () => {
    await using world = await openWorld({ limits: { perSecond: 1, burst: 10 } })
    const answers = await many(30, () => world.fetch('/v2/Services'))
    const through = answers.filter((it) => it.status === 200).length
    assert.ok(through >= 11 && through < 20, `${through} of 30`)
    await isTooMany(answers.at(-1))
  })

  test('is not held up by those who guess its password', async () => {
    await using world = await openWorld({ limits: { perSecond: 2, burst: 0 } })
    const guess = `Basic ${Buffer.from(`${world.account.sid}:guess`).toString('base64')}`
    const answers = await many(20, () => world.fetch('/v2/Services', { as: guess }))
    assert.ok(answers.every((it) => it.status === 401))
    assert.equal((await world.fetch('/v2/Services')).status, 200)
  })

  test('may ask as much as it likes where the limit is nought', async () => {
    await using world = await openWorld({ limits: { perSecond: 0 } })
    const answers = await many(100, () => world.fetch('/v2/Services'))
    assert.ok(answers.every((it) => it.status === 200))
  })
})

/** A guest's question from one of this machine's addresses. @returns the status */
const guestAt = (world: World, localAddress: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request(
      `${world.url}/v1/Accounts/${world.account.sid}/Tokens`,
      { method: 'POST', localAddress, headers: { 'content-type': 'application/json' }, agent: false },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    asked.on('error', reject)
    asked.end('{"products":["flex"]}')
  })

describe('Guests', () => {
  test('that ask too much are told so by their address, and nobody else is held up', async () => {
    await using world = await openWorld({ limits: { guestsPerSecond: 3 } })
    const askFor = () =>
      world.fetch(`/v1/Accounts/${world.account.sid}/Tokens`, {
        method: 'POST',
        as: null,
        headers: { 'content-type': 'application/json' },
        body: '{"products":["flex"]}',
      })
    const answers = await many(20, askFor)
    assert.equal(answers[0]?.status, 200)
    await isTooMany(answers.at(-1))
    assert.equal(await guestAt(world, '127.0.0.2'), 200)
    assert.equal((await world.fetch('/v2/Services')).status, 200)
    await until(async () => (await askFor()).ok)
  })

  test('are on the pages that the house allows, or on none', async () => {
    await using world = await openWorld({ webchatOrigins: ['https://shop.example', 'http://localhost:3000'] })
    const ask = (path: string, origin?: string) =>
      world.fetch(path, {
        method: path.includes('Public') ? 'GET' : 'POST',
        as: null,
        headers: { 'content-type': 'application/json', ...(origin ? { origin } : {}) },
        ...(path.includes('Public') ? {} : { body: '{"products":["flex"]}' }),
      })
    const { sid } = world.account
    for (const path of [
      `/v1/Accounts/${sid}/Tokens`,
      `/iam/Accounts/${sid}/Tokens`,
      `/iam/v1/Accounts/${sid}/Tokens`,
      `/v1/Configuration/Public?AccountSid=${sid}`,
    ]) {
      for (const origin of ['https://shop.example', 'http://localhost:3000', undefined])
        assert.equal((await ask(path, origin)).status, 200, `${path} ${origin}`)
      for (const origin of [
        'https://evil.example',
        'http://shop.example',
        'https://shop.example.evil.example',
        'https://shop.example:444',
        'null',
      ]) {
        const answer = await ask(path, origin)
        const body = (await answer.json()) as { code: number; message: string }
        assert.deepEqual([answer.status, body.code], [403, 20006], `${path} ${origin}`)
        assert.match(body.message, /PARLEY_WEBCHAT_ORIGINS/)
      }
    }
    const signedIn = await world.fetch('/v2/Services', { headers: { origin: 'https://desk.example' } })
    assert.equal(signedIn.status, 200, 'who signs in may be on any page')
  })
})
