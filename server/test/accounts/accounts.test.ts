/** Accounts, made over REST and from a terminal; and their secrets, which nobody finds in the database. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import twilio from 'twilio'
import { startProcess } from '../durability/process.ts'
import { openWorld, pointAt, type World } from '../world/index.ts'
import { sparePort } from '../world/spare-port.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Ended {
  readonly code: number
  readonly said: string
  readonly complained: string
}

/** `parley …` as its own process, in an environment that holds nothing else. */
const parley = (env: Readonly<Record<string, string>>, ...words: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ['cli/src/main.ts', ...words],
      { cwd: ROOT, env: { PATH: process.env.PATH, ...env } },
      (fault, said, complained) => resolve({ code: Number(fault?.code ?? 0), said, complained }),
    )
  })

const asFirst = ({ url, account }: World) => ({
  PARLEY_PUBLIC_URL: url,
  PARLEY_ACCOUNT_SID: account.sid,
  PARLEY_AUTH_TOKEN: account.authToken,
})

/** `Account SID      AC…` → `AC…` */
const said = (text: string, label: string): string => {
  const [, value] = new RegExp(`^${label} +(\\S+)$`, 'm').exec(text) ?? []
  assert.ok(value, `${label} in ${text}`)
  return value
}

type Json = Readonly<Record<string, unknown>>

const basic = (user: unknown, password: unknown): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const post = async (world: World, path: string, form: Record<string, string>, as?: string) => {
  const answer = await world.fetch(path, { form, ...(as ? { as } : {}) })
  return { status: answer.status, body: (await answer.json()) as Json }
}

const get = async (world: World, path: string, as?: string) => {
  const answer = await world.fetch(path, as ? { as } : {})
  return { status: answer.status, body: (await answer.json()) as Json }
}

const ACCOUNTS = '/v1/Parley/Accounts'

describe('An account that is made over REST', () => {
  test('has all that a new Flex project has, and shows its token once', async () => {
    await using world = await openWorld()
    const { status, body: made } = await post(world, ACCOUNTS, { FriendlyName: 'Branch' })
    assert.equal(status, 201)
    assert.deepEqual(Object.keys(made), [
      'sid',
      'owner_sid',
      'friendly_name',
      'status',
      'auth_token',
      'date_created',
      'date_updated',
      'url',
      'links',
    ])
    assert.deepEqual(
      [made.friendly_name, made.status, made.owner_sid],
      ['Branch', 'active', world.account.sid],
    )
    const client = pointAt(twilio(made.sid as string, made.auth_token as string), world.url)
    const [service] = await client.chat.v2.services.list()
    const [workspace] = await client.taskrouter.v1.workspaces.list()
    const [flow] = await client.flexApi.v1.flexFlow.list()
    assert.deepEqual(
      [service?.friendlyName, workspace?.friendlyName, flow?.friendlyName],
      ['Flex Chat Service', 'Flex Task Assignment', 'Flex Web Channel Flow'],
    )
    const own = basic(made.sid, made.auth_token)
    assert.equal((await get(world, `${ACCOUNTS}/${made.sid}`, own)).body.auth_token, null)
    assert.equal((await get(world, `${ACCOUNTS}/${made.sid}`)).body.auth_token, null)
  })

  test('sees itself and nothing of the one that made it, and makes no others', async () => {
    await using world = await openWorld()
    const { body: made } = await post(world, ACCOUNTS, { FriendlyName: 'Branch' })
    const { body: sister } = await post(world, ACCOUNTS, { FriendlyName: 'Sister' })
    const own = basic(made.sid, made.auth_token)
    const sids = async (as?: string) =>
      ((await get(world, ACCOUNTS, as)).body.accounts as { sid: string }[]).map((it) => it.sid)
    assert.deepEqual(await sids(own), [made.sid])
    assert.deepEqual(await sids(), [world.account.sid, made.sid, sister.sid])
    for (const hidden of [world.account.sid, sister.sid])
      for (const path of [`${ACCOUNTS}/${hidden}`, `${ACCOUNTS}/${hidden}/Keys`]) {
        assert.equal((await get(world, path, own)).status, 404, path)
        assert.equal((await post(world, path, { FriendlyName: 'Mine' }, own)).status, 404, path)
      }
    const more = await post(world, ACCOUNTS, { FriendlyName: 'Grandchild' }, own)
    assert.deepEqual([more.status, more.body.code], [403, 20006])
    assert.deepEqual(await sids(), [world.account.sid, made.sid, sister.sid])
  })

  test('is renamed, and cannot suspend itself nor lose its name', async () => {
    await using world = await openWorld()
    const { body: made } = await post(world, ACCOUNTS, { FriendlyName: 'Branch' })
    const path = `${ACCOUNTS}/${made.sid}`
    const own = basic(made.sid, made.auth_token)
    assert.equal((await post(world, path, { FriendlyName: 'Twig' })).body.friendly_name, 'Twig')
    const itself = await post(world, path, { Status: 'suspended' }, own)
    assert.deepEqual([itself.status, itself.body.code], [403, 20006])
    for (const form of [{ FriendlyName: '' }, { FriendlyName: 'x'.repeat(257) }, { Status: 'closed' }])
      assert.equal((await post(world, path, form)).status, 400)
    for (const form of [{ FriendlyName: '' }, {}] as Record<string, string>[])
      assert.equal((await post(world, ACCOUNTS, form)).status, 400)
    const { body: after } = await get(world, path)
    assert.deepEqual([after.friendly_name, after.status], ['Twig', 'active'])
  })

  test('has keys that show their secret once and open it until they are deleted', async () => {
    await using world = await openWorld()
    const keys = `${ACCOUNTS}/${world.account.sid}/Keys`
    const { status, body: key } = await post(world, keys, { FriendlyName: 'Middleware' })
    assert.equal(status, 201)
    assert.match(String(key.secret), /^\w{32}$/)
    const { body: fetched } = await get(world, `${keys}/${key.sid}`)
    assert.deepEqual([fetched.friendly_name, fetched.secret], ['Middleware', null])
    const { body: list } = await get(world, keys)
    assert.ok(!JSON.stringify(list).includes(String(key.secret)))
    const asKey = basic(key.sid, key.secret)
    assert.equal((await get(world, '/v2/Services', asKey)).status, 200)
    assert.equal((await world.fetch(`${keys}/${key.sid}`, { method: 'DELETE' })).status, 204)
    assert.equal((await get(world, '/v2/Services', asKey)).status, 401)
    assert.equal((await get(world, `${keys}/${key.sid}`)).status, 404)
  })

  test('is one of a list that is paged while others are made', async () => {
    await using world = await openWorld()
    const names = ['Ash', 'Beech', 'Cedar', 'Elm', 'Fir']
    for (const name of names) await post(world, ACCOUNTS, { FriendlyName: name })
    const found: unknown[] = []
    let next: string | null = `${world.url}${ACCOUNTS}?PageSize=2`
    while (next !== null) {
      const { body } = await get(world, next.slice(world.url.length))
      found.push(...(body.accounts as Json[]).map((it) => it.friendly_name))
      next = (body.meta as { next_page_url: string | null }).next_page_url
    }
    assert.deepEqual(found, ['First account', ...names])
  })
})

describe('An account that is made from a terminal', () => {
  test('is told with its token and key, each of which opens it', async () => {
    await using world = await openWorld()
    const {
      code,
      said: text,
      complained,
    } = await parley(asFirst(world), 'account', 'create', 'Branch office')
    assert.deepEqual([code, complained], [0, ''])
    const sid = said(text, 'Account SID')
    for (const as of [
      basic(sid, said(text, 'Auth token')),
      basic(said(text, 'API key SID'), said(text, 'API key secret')),
    ]) {
      const { body } = await get(world, `${ACCOUNTS}/${sid}`, as)
      assert.equal(body.friendly_name, 'Branch office')
    }
    const { said: list } = await parley(asFirst(world), 'account', 'list')
    assert.match(list, new RegExp(`^${sid} +Branch office +active`, 'm'))

    assert.equal((await parley(asFirst(world), 'account', 'suspend', sid)).said, `${sid} is suspended\n`)
    const own = basic(sid, said(text, 'Auth token'))
    assert.equal((await get(world, `${ACCOUNTS}/${sid}`, own)).status, 401)
    assert.equal((await parley(asFirst(world), 'account', 'revive', sid)).said, `${sid} is active\n`)
    assert.equal((await get(world, `${ACCOUNTS}/${sid}`, own)).status, 200)
  })

  test('is not made where the server is not there, does not believe, or is told no name', async () => {
    await using world = await openWorld()
    const nowhere = `http://127.0.0.1:${await sparePort()}`
    const cases: [env: Record<string, string>, words: string[], complaint: RegExp][] = [
      [
        { ...asFirst(world), PARLEY_PUBLIC_URL: nowhere },
        ['account', 'create', 'X'],
        /^Nobody answers at http/,
      ],
      [
        { ...asFirst(world), PARLEY_AUTH_TOKEN: 'wrong' },
        ['account', 'create', 'X'],
        /^Authenticate \(20003\)$/m,
      ],
      [{ PARLEY_PUBLIC_URL: world.url }, ['account', 'create', 'X'], /^Say who asks: --account-sid/],
      [asFirst(world), ['account', 'create'], /missing required argument/],
      [asFirst(world), ['account', 'create', ''], /FriendlyName \(20001\)/],
      [asFirst(world), ['account', 'suspend', 'ACnope'], /not found \(20404\)/],
    ]
    for (const [env, words, complaint] of cases) {
      const { code, said, complained } = await parley(env, ...words)
      assert.deepEqual([code, said], [1, ''], words.join(' '))
      assert.match(complained, complaint)
      assert.ok(!complained.includes('    at '), 'without a stack')
    }
    const { body } = await get(world, ACCOUNTS)
    assert.equal((body.accounts as unknown[]).length, 1)
  })
})

describe('Secrets', () => {
  test('are nowhere in the data folder: neither those that were given nor those that were made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-secrets-'))
    try {
      const port = await sparePort()
      const url = `http://127.0.0.1:${port}`
      const given = {
        PARLEY_ACCOUNT_SID: `AC${'a1'.repeat(16)}`,
        PARLEY_AUTH_TOKEN: 'given-auth-token-5f2c81',
        PARLEY_API_KEY_SID: `SK${'b2'.repeat(16)}`,
        PARLEY_API_KEY_SECRET: 'given-api-secret-9d07e4',
      }
      const house = await startProcess(url, { PORT: String(port), PARLEY_DATA: folder, ...given })
      const { said: text } = await parley({ PARLEY_PUBLIC_URL: url, ...given }, 'account', 'create', 'Branch')
      const secrets = {
        'the first auth token': given.PARLEY_AUTH_TOKEN,
        'the first API key secret': given.PARLEY_API_KEY_SECRET,
        'the auth token that was made': said(text, 'Auth token'),
        'the API key secret that was made': said(text, 'API key secret'),
      }
      const hold = async (when: string): Promise<void> => {
        const files = await readdir(folder, { recursive: true, withFileTypes: true })
        const all = await Promise.all(
          files.filter((it) => it.isFile()).map(async (it) => readFile(join(it.parentPath, it.name))),
        )
        const bytes = Buffer.concat(all)
        assert.ok(bytes.includes(given.PARLEY_ACCOUNT_SID), `${when}: the accounts themselves are there`)
        assert.ok(bytes.includes(said(text, 'API key SID')), `${when}: the keys themselves are there`)
        for (const [what, secret] of Object.entries(secrets)) {
          assert.ok(!bytes.includes(secret), `${when}: ${what} in the clear`)
          for (const encoding of ['base64', 'hex'] as const) {
            const encoded = Buffer.from(secret).toString(encoding).replace(/=+$/, '')
            assert.ok(!bytes.includes(encoded), `${when}: ${what} in ${encoding}`)
          }
        }
      }
      await hold('while it runs')
      assert.equal(await house.close(), 0)
      await hold('after it ended')

      const again = await startProcess(url, { PORT: String(port), PARLEY_DATA: folder })
      const { code, said: list } = await parley({ PARLEY_PUBLIC_URL: url, ...given }, 'account', 'list')
      assert.equal(code, 0, 'the kept token still opens it')
      assert.match(list, /Branch/)
      await again.close()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
