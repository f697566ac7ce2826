/** Nobody reads another's resource: every operation that is served, with the SIDs of Ana's account, asked by Ben's. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import twilio from 'twilio'
import { everyOperation, type Furnished, furnish, goodForms, type Served } from '../http/furnished.ts'
import { asToken, openWorld, type World } from '../world/index.ts'

const THEIRS = 'anasown'
const OURS = 'bensown'

interface Walled {
  readonly world: World
  readonly ana: Furnished
  readonly ben: Furnished
  readonly bensClient: string
  readonly url: string
}

const openWalled = async (open: AsyncDisposableStack): Promise<Walled> => {
  const world = open.use(await openWorld())
  const ana = await furnish(world, await world.newAccount(THEIRS), THEIRS)
  const bens = await world.newAccount(OURS)
  const ben = await furnish(world, bens, OURS)
  const key = (await (
    await world.fetch(`/v1/Parley/Accounts/${bens.sid}/Keys`, {
      as: ben.as,
      form: { FriendlyName: 'Clients' },
    })
  ).json()) as { sid: string; secret: string }
  const { AccessToken } = twilio.jwt
  // As bold as a token can be: it names Ana's service, workspace, worker and the identity of Ana's customer.
  const token = new AccessToken(bens.sid, key.sid, key.secret, { identity: `vera ${THEIRS}` })
  token.addGrant(new AccessToken.ChatGrant({ serviceSid: ana.sids.ServiceSid }))
  token.addGrant(
    new AccessToken.TaskRouterGrant({
      workspaceSid: ana.sids.WorkspaceSid,
      workerSid: ana.sids.WorkerSid,
      role: 'worker',
    }),
  )
  return { world, ana, ben, bensClient: asToken(token.toJwt()), url: world.listener.url('/hook') }
}

const send = (
  { world, ana, url }: Walled,
  operation: Served,
  {
    as,
    values,
    form = goodForms(ana.sids, url)[operation.name] ?? {},
  }: {
    as: string
    values: readonly string[]
    form?: Readonly<Record<string, string | readonly string[]>>
  },
): Promise<Response> =>
  world.fetch(operation.path(values), {
    method: operation.method,
    as,
    ...(operation.method === 'POST' && operation.reads === 'form' ? { form } : {}),
    ...(operation.reads === 'json'
      ? {
          body: JSON.stringify({ ui_language: 'de-DE', TaskQueueSids: [ana.sids.TaskQueueSid] }),
          headers: { 'content-type': 'application/json' },
        }
      : {}),
  })

/** Every way to name what is Ana's among what is Ben's: at least one value is Ana's. */
const mixtures = ({ holes }: Served, ana: Furnished, ben: Furnished): string[][] =>
  Array.from({ length: 2 ** holes.length - 1 }, (_, mask) =>
    holes.map((hole, at) => ((mask >> at) & 1 ? ben : ana).sids[hole]),
  ).filter((values) => values.some((it, at) => it !== ben.sids[holes[at] as keyof Furnished['sids']]))

const isWall = (status: number, code: number, client: boolean): boolean =>
  status === 404 || (status === 403 && (code === 50050 || (client && (code === 50107 || code === 20006))))

/** All that an account can fetch and list, as text, the ledger's own dates aside. */
const everythingOf = async (walled: Walled, whose: Furnished): Promise<Record<string, string>> => {
  const seen: Record<string, string> = {}
  for (const operation of everyOperation.filter((it) => it.method === 'GET' && it.openTo !== 'anyone')) {
    const values = operation.holes.map((it) => whose.sids[it])
    seen[operation.name] = await (await send(walled, operation, { as: whose.as, values })).text()
  }
  return seen
}

describe('The wall between accounts', () => {
  test('every operation on what is another’s answers as if it were not there, and changes nothing', async () => {
    await using open = new AsyncDisposableStack()
    const walled = await openWalled(open)
    const { ana, ben, bensClient } = walled
    const before = await everythingOf(walled, ana)
    let asked = 0
    for (const operation of everyOperation) {
      if (operation.openTo === 'anyone') continue
      for (const values of mixtures(operation, ana, ben))
        for (const as of [ben.as, bensClient]) {
          const answer = await send(walled, operation, { as, values })
          const text = await answer.text()
          const { code } = JSON.parse(text || '{}')
          assert.ok(
            isWall(answer.status, code, as === bensClient),
            `${operation.name} ${values}: ${answer.status} ${text}`,
          )
          assert.ok(!text.includes(THEIRS), text)
          asked += 1
        }
    }
    assert.ok(asked > 400, `${asked} requests`)
    assert.deepEqual(await everythingOf(walled, ana), before)
  })

  test('lists show nothing of another’s, and filters do not find it', async () => {
    await using open = new AsyncDisposableStack()
    const walled = await openWalled(open)
    const { ana, ben } = walled
    const foreign = Object.entries(ana.sids).filter(([name]) => name !== 'Role')
    for (const operation of everyOperation.filter((it) => it.verb === 'list')) {
      const path = operation.path(operation.holes.map((it) => ben.sids[it]))
      const filters = Object.keys(operation.resource.operations.list?.form ?? {})
      const queries = [
        '',
        ...filters.flatMap((name) => [THEIRS, ...Object.values(ana.sids)].map((it) => `${name}=${it}`)),
      ]
      for (const query of queries) {
        const answer = await walled.world.fetch(`${path}?${query}`, { as: ben.as })
        const text = await answer.text()
        assert.ok(answer.status < 500, `${path}?${query}: ${text}`)
        const { meta: _, ...rows } = JSON.parse(text)
        const shown = JSON.stringify(answer.status === 200 ? rows : {})
        assert.ok(!shown.includes(THEIRS), `${path}?${query}: ${text}`)
        for (const [name, sid] of foreign)
          assert.ok(!shown.includes(sid), `${path}?${query} shows ${name}: ${text}`)
      }
    }
  })

  test('nothing of one’s own can be tied to what is another’s', async () => {
    await using open = new AsyncDisposableStack()
    const walled = await openWalled(open)
    const { ana, ben, url } = walled
    const foreign = Object.values(ana.sids).filter((it) => it !== 'agent')
    let asked = 0
    for (const operation of everyOperation) {
      if (operation.openTo === 'anyone' || operation.method !== 'POST' || operation.reads === 'json') continue
      const values = operation.holes.map((it) => ben.sids[it])
      const good = goodForms(ben.sids, url)[operation.name] ?? {}
      const fields = Object.entries(
        operation.resource.operations[operation.verb as 'create' | 'update']?.form ?? {},
      ).filter(
        ([name, { schema }]) =>
          /Sid$/.test(name) || 'pattern' in schema || name === 'Configuration' || name === 'TaskChannel',
      )
      for (const [name, { schema }] of fields) {
        const prefix = typeof schema.pattern === 'string' ? schema.pattern.slice(1, 3) : ''
        for (const sid of foreign.filter((it) => it.startsWith(prefix))) {
          const value =
            name === 'Configuration' ? String(good.Configuration ?? '').replace(/WQ\w{32}/, sid) : sid
          const answer = await send(walled, operation, {
            as: ben.as,
            values,
            form: { ...good, [name]: value },
          })
          const text = await answer.text()
          assert.ok(answer.status < 500, `${operation.name} ${name}=${value}: ${text}`)
          assert.ok(!text.includes(THEIRS), `${operation.name} ${name}=${value}: ${text}`)
          if (answer.ok && text.includes(sid)) assert.fail(`${operation.name} took ${name}=${value}: ${text}`)
          asked += 1
        }
      }
    }
    assert.ok(asked > 30, `${asked} requests`)
  })

  test('its own account succeeds with the very same requests', async () => {
    await using open = new AsyncDisposableStack()
    const walled = await openWalled(open)
    const { world, ana } = walled
    for (const operation of everyOperation.filter((it) => it.openTo !== 'anyone')) {
      // What is deleted takes much with it, so each deletion has an account of its own.
      const whose =
        operation.method === 'DELETE' ? await furnish(world, await world.newAccount(OURS), OURS) : ana
      const values = operation.holes.map((it) => whose.sids[it])
      const answer = await send(walled, operation, { as: whose.as, values })
      const text = await answer.text()
      const inUse = operation.method === 'DELETE' && (answer.status === 400 || answer.status === 409)
      assert.ok(answer.ok || inUse, `${operation.name}: ${answer.status} ${text}`)
    }
  })
})
