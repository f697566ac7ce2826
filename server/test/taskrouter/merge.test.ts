/** `Attributes.Merge`: what two programs change of a task's or a worker's attributes at once, neither undoes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld, type Twilio, type World } from '../world/index.ts'
import { openCentre } from './centre.ts'

interface Answer {
  readonly status: number
  readonly etag: string
  readonly attributes: string
  readonly code: number
  readonly message: string
}

/** The published client asks for what it has no name for. */
const askOf =
  (world: World, client: Twilio = world.twilio) =>
  async (uri: string, data: Record<string, string>, ifMatch?: string): Promise<Answer> => {
    const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch }
    const answer = await client.request({ method: 'post', uri: world.url + uri, data, headers })
    const { attributes, code, message } = answer.body as Answer
    return { status: answer.statusCode, etag: answer.headers.etag as string, attributes, code, message }
  }

const openBoth = async (world: World) => {
  const centre = await openCentre(world)
  const { sid } = await centre.workspace.fetch()
  const worker = await centre.worker('Ana', { skills: { chat: 3 }, languages: ['en'] }, centre.offline)
  const task = await centre.task({ attributes: '{"skills":{"chat":3},"languages":["en"]}' })
  return {
    ...centre,
    paths: [`/v1/Workspaces/${sid}/Workers/${worker}`, `/v1/Workspaces/${sid}/Tasks/${task}`],
  }
}

describe('Attributes.Merge', () => {
  test('replaces what it names, takes away what it says is null, and leaves the rest, as RFC 7396 has it', async () => {
    await using world = await openWorld()
    const { paths } = await openBoth(world)
    for (const client of [world.twilio, world.twilio5])
      for (const path of paths) {
        const ask = askOf(world, client)
        await ask(path, { Attributes: '{"skills":{"chat":3},"languages":["en"]}' })
        const merged = async (patch: string) =>
          JSON.parse((await ask(path, { 'Attributes.Merge': patch })).attributes)
        assert.deepEqual(await merged('{"skills":{"voice":1}}'), {
          skills: { chat: 3, voice: 1 },
          languages: ['en'],
        })
        assert.deepEqual(await merged('{"languages":["es"],"skills":{"chat":null},"gone":null}'), {
          skills: { voice: 1 },
          languages: ['es'],
        })
        assert.deepEqual(await merged('{"skills":"none","new":{"deep":{"it":1,"not":null}}}'), {
          skills: 'none',
          languages: ['es'],
          new: { deep: { it: 1 } },
        })
        assert.deepEqual(await merged('{"skills":{"chat":1},"new":null,"languages":null}'), {
          skills: { chat: 1 },
        })
        assert.deepEqual(
          await merged('{"__proto__":{"x":1}}'),
          JSON.parse('{"skills":{"chat":1},"__proto__":{"x":1}}'),
        )
      }
  })

  test('keeps to the letter what it does not change', async () => {
    await using world = await openWorld()
    const { paths } = await openBoth(world)
    const ask = askOf(world)
    for (const path of paths) {
      const before = '{ "id": 12345678901234567890, "rate": 1.0 }'
      await ask(path, { Attributes: before })
      assert.equal((await ask(path, { 'Attributes.Merge': '{}' })).attributes, before)
      assert.equal((await ask(path, { 'Attributes.Merge': '{"rate":1.0}' })).attributes, before)
      const merged = await ask(path, { 'Attributes.Merge': '{"vip":true,"big":98765432109876543210}' })
      assert.equal(
        merged.attributes,
        '{"id":12345678901234567890,"rate":1.0,"vip":true,"big":98765432109876543210}',
      )
    }
  })

  test('is refused where it is no object, too long, or given with Attributes, and nothing is changed', async () => {
    await using world = await openWorld()
    const { paths } = await openBoth(world)
    const ask = askOf(world)
    for (const path of paths) {
      const { attributes, etag } = await ask(path, {})
      const long = JSON.stringify({ long: 'x'.repeat(65_536 - 20) })
      for (const form of [
        { 'Attributes.Merge': '[1]' },
        { 'Attributes.Merge': 'null' },
        { 'Attributes.Merge': '{"a":' },
        { 'Attributes.Merge': '' },
        { 'Attributes.Merge': `{"a":${'['.repeat(600)}${']'.repeat(600)}}` },
        { 'Attributes.Merge': long },
        { 'Attributes.Merge': '{"a":1}', Attributes: '{"b":1}' },
      ]) {
        const refused = await ask(path, form)
        assert.deepEqual([refused.status, refused.code], [400, 20001], JSON.stringify(form).slice(0, 80))
        assert.match(refused.message, /Attributes\.Merge/)
      }
      const deep = await ask(path, { Attributes: `{"a":${'['.repeat(600)}${']'.repeat(600)}}` })
      assert.match(deep.message, /Attributes: it must not be nested deeper than 512 levels/)
      const stale = await ask(path, { 'Attributes.Merge': '{"a":1}' }, '"999"')
      assert.deepEqual([stale.status, stale.code], [412, 20412])
      const after = await ask(path, {})
      assert.deepEqual([after.attributes, after.etag], [attributes, etag])
    }
  })

  test('sends a pending task through its filters again, and a worker to the tasks they now fit', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const { sid } = await centre.workspace.fetch()
    const [some, vip] = [
      await centre.queue('Some'),
      await centre.queue('VIP', { targetWorkers: 'vip == true' }),
    ]
    const filters = [{ expression: 'vip == true', targets: [{ queue: vip }] }]
    await centre.workflow('W', { filters, default_filter: { queue: some } })
    const task = await centre.task({ attributes: '{"name":"Vera"}' })
    const ask = askOf(world)
    await ask(`/v1/Workspaces/${sid}/Tasks/${task}`, { 'Attributes.Merge': '{"vip":true}' })
    assert.equal((await centre.workspace.tasks(task).fetch()).taskQueueFriendlyName, 'VIP')
    const ana = await centre.worker('Ana', { level: 1 })
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), [])
    await ask(`/v1/Workspaces/${sid}/Workers/${ana}`, { 'Attributes.Merge': '{"vip":true}' })
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'])
  })
})

for (const engine of ['memory', 'postgres'] as const)
  test(`on ${engine}, of twenty merges at once none is lost`, async () => {
    await using world = await openWorld({ engine })
    const { paths } = await openBoth(world)
    const ask = askOf(world)
    for (const path of paths) {
      const keys = Array.from({ length: 20 }, (_, at) => `key${at}`)
      const asked = keys.map((key) =>
        ask(path, { 'Attributes.Merge': JSON.stringify({ [key]: key, skills: { [key]: 1 } }) }),
      )
      for (const { status } of await Promise.all(asked)) assert.equal(status, 200)
      const merged = JSON.parse((await ask(path, {})).attributes)
      for (const key of keys) assert.deepEqual([merged[key], merged.skills[key]], [key, 1])
      assert.equal(merged.skills.chat, 3)
    }
  })
