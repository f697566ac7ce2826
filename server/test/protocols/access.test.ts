/** Whoever is connected when their API key is deleted, or their account suspended, is connected no more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenOf } from '../conformance/worker-sdk/agent.ts'
import { openWorld, type World } from '../world/index.ts'
import { openBridge } from './bridge.ts'
import { connect, tokenFor } from './raw.ts'

interface Key {
  readonly sid: string
  readonly apiKeySid: string
  readonly apiKeySecret: string
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const post = async (
  world: World,
  path: string,
  form: Record<string, string>,
  as?: string,
): Promise<Record<string, string>> => {
  const answer = await world.fetch(path, { form, ...(as && { as }) })
  assert.ok(answer.ok, await answer.clone().text())
  return (await answer.json()) as Record<string, string>
}

const newKey = async (world: World, sid = world.account.sid, as?: string): Promise<Key> => {
  const { sid: apiKeySid = '', secret: apiKeySecret = '' } = await post(
    world,
    `/v1/Parley/Accounts/${sid}/Keys`,
    { FriendlyName: 'Phones' },
    as,
  )
  return { sid, apiKeySid, apiKeySecret }
}

const deleteKey = async (world: World, { sid, apiKeySid }: Key): Promise<void> => {
  const { status } = await world.fetch(`/v1/Parley/Accounts/${sid}/Keys/${apiKeySid}`, { method: 'DELETE' })
  assert.equal(status, 204)
}

const enter = async (url: string, token: string) => {
  const client = await connect(url)
  const { header } = await client.init(token)
  return { client, status: header.status }
}

test('[CS67] a key that is deleted ends the connections of who came in by it, on every node, and no other', async () => {
  await using world = await openWorld({ live: true, engine: 'postgres' })
  await using node = await world.anotherNode()
  const { sid: service } = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
  const key = await newKey(world)
  const ana = await enter(node.url, tokenFor(world.account, 'ana', service))
  const jwt = tokenFor(key, 'vera', service)
  const veras = [await enter(world.url, jwt), await enter(node.url, jwt)]
  await deleteKey(world, key)
  for (const { client, status } of veras) {
    assert.equal(status?.code, 200)
    assert.deepEqual(await client.ended, { code: 1013, reason: 'its API key was deleted' })
  }
  const again = await enter(node.url, jwt)
  assert.deepEqual([again.status?.code, again.status?.errorCode], [401, 20103])
  assert.equal((await ana.client.ask('GET', '/Client/v1/Configuration')).status, 200)
  for (const it of [ana, again]) await it.client.close()
})

test('[CS67] so does an account that is suspended', async () => {
  await using world = await openWorld()
  const { sid = '', auth_token: authToken = '' } = await post(world, '/v1/Parley/Accounts', {
    FriendlyName: 'North',
  })
  const as = basic(sid, authToken)
  const key = await newKey(world, sid, as)
  const { sid: service = '' } = await post(world, '/v2/Services', { FriendlyName: 'Support' }, as)
  const jwt = tokenFor(key, 'vera', service)
  const vera = await enter(world.url, jwt)
  assert.equal(vera.status?.code, 200)
  await post(world, `/v1/Parley/Accounts/${sid}`, { Status: 'suspended' })
  assert.deepEqual(await vera.client.ended, { code: 1013, reason: 'its account is suspended' })
  const again = await enter(world.url, jwt)
  assert.deepEqual([again.status?.code, again.status?.errorCode], [401, 20103])
  await again.client.close()
})

test('[EB9] a worker whose key is deleted is connected no more, and is not let in again', async () => {
  await using bridge = await openBridge()
  const { world, centre, workspaceSid, open, refusal } = bridge
  const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
  const key = await newKey(world)
  const account = { ...world.account, ...key }
  const jwt = tokenOf({ account, clock: world.clock }, { workspaceSid, workerSid: ana })
  const raw = await open(jwt)
  const other = await bridge.begin(ben)
  await deleteKey(world, key)
  assert.deepEqual(await raw.ended, { code: 1013, reason: 'its API key was deleted' })
  assert.equal(await refusal(`token=${jwt}`), 401)
  await centre.workspace.workers(ben).update({ attributes: '{"still":"here"}' })
  await other.hears('worker.attributes.update')
})
