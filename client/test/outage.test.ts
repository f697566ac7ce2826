/** The database is away for seconds, and what everybody sees of it: REST, our clients, the published SDKs, webhooks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { reading } from '../../server/src/store/query.ts'
import { openProxy, type Proxy as Way } from '../../server/test/realtime/proxy.ts'
import type { World, WorldOptions } from '../../server/test/world/index.ts'
import { openPostgres } from '../../server/test/world/postgres.ts'
import { ChatError, WorkerError } from '../src/index.ts'
import { PATIENCE_MS } from './next.ts'
import { next, openStage } from './stage.ts'
import { nextOf, openWorkerStage } from './worker-stage.ts'

interface Behind<Stage> extends AsyncDisposable {
  readonly stage: Stage
  /** From the house to its database. */
  readonly way: Way
}

const openBehind = async <Stage extends AsyncDisposable>(
  openStageOn: (options: WorldOptions) => Promise<Stage>,
): Promise<Behind<Stage>> => {
  const open = new AsyncDisposableStack()
  const url = new URL(open.use(await openPostgres()).url)
  const way = open.use(await openProxy(Number(url.port)))
  url.port = String(way.port)
  const stage = open.use(await openStageOn({ databaseUrl: url.href }))
  return { stage, way, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

const leave = (way: Way): void => {
  way.refuse(true)
  way.cut()
}

/** The database is back when every node has tried for some seconds. */
const comeBack = async (way: Way, nodes = 1): Promise<void> => {
  const before = way.refused
  await until(() => way.refused >= before + REFUSED * nodes, 'the house tries again and again')
  way.refuse(false)
}

const until = async (isSo: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const late = performance.now() + PATIENCE_MS
  while (!(await isSo())) {
    assert.ok(performance.now() < late, `${what} did not come true in ${PATIENCE_MS} ms`)
    await wait(20)
  }
}

const claimed = reading((db) => db.selectFrom('jobs').select('sid').where('leased_until', 'is not', null))

/** On any node. */
const nothingRuns = ({ house }: World): Promise<void> =>
  until(async () => (await claimed.all(house.store.reader, {})).length === 0, 'no job runs any more')

/** How often each node tries to reach its database in some seconds: several times a second. */
const REFUSED = 12

const NOTHING_CHANGED =
  'Service is unavailable: the database cannot be used right now, and nothing was changed'

test('a database that is away for seconds is said to be, and afterwards all goes on by itself', async () => {
  await using behind = await openBehind(openStage)
  const { stage, way } = behind
  const { world, service, token } = stage
  const { listener } = world
  await using node = await world.anotherNode()
  await service.update({ postWebhookUrl: listener.url('/heard'), webhookFilters: ['onMessageSent'] })
  const ana = await stage.come('ana')
  const ben = await stage.come('ben', { url: node.url })
  const sol = await stage.comeWithSdk('sol')
  const channel = await ana.createChannel({ friendlyName: 'Room' })
  const invited = next(ben, 'channelJoined')
  for (const identity of ['ben', 'sol']) await channel.add(identity)
  const heardBy = (one: { on: typeof channel.on }): (string | null)[] => {
    const heard: (string | null)[] = []
    one.on('messageAdded', ({ body }) => heard.push(body))
    return heard
  }
  const all = [heardBy(channel), heardBy(await invited)]
  await sol.next('channelJoined')
  await sol.messages(channel.sid)
  const { messages } = service.channels(channel.sid)
  const say = (body: string) => messages.create({ body, xTwilioWebhookEnabled: 'true' })
  const isHeard = async (body: string): Promise<void> => {
    await sol.next('messageAdded', (it) => it.body === body)
    await until(() => all.every((it) => it.includes(body)), `everybody hears ${body}`)
  }
  await say('before')
  await isHeard('before')
  await listener.until('/heard', 1)
  await nothingRuns(world)

  leave(way)
  await assert.rejects(say('meanwhile'), { status: 503, code: 20503, message: NOTHING_CHANGED })
  const path = `/v2/Services/${stage.serviceSid}`
  const asked = await world.fetch(path)
  assert.deepEqual([asked.status, asked.headers.get('retry-after')], [503, '5'])
  assert.deepEqual(await asked.json(), {
    code: 20503,
    message: NOTHING_CHANGED,
    more_info: 'https://www.twilio.com/docs/errors/20503',
    status: 503,
  })
  const bridge = await fetch(`${world.url}/v1/wschannels`, {
    method: 'POST',
    body: JSON.stringify({ url: '', method: 'GET', params: {}, token: token('ana') }),
  })
  assert.equal(bridge.status, 503)
  assert.equal((await world.fetch('/healthz')).status, 200)
  assert.equal((await world.fetch('/readyz')).status, 503)
  await assert.rejects(sol.send(channel.sid, 'meanwhile'), /SERVICE_UNAVAILABLE/)
  await assert.rejects(channel.send('meanwhile'), (fault) => {
    assert.ok(fault instanceof ChatError)
    assert.deepEqual([fault.kind, fault.status, fault.code], ['server', 503, 20503])
    assert.equal(fault.message, NOTHING_CHANGED)
    return true
  })
  const read = channel.getMessages()
  const vera = stage.come('vera')
  await comeBack(way, 2)

  await say('after')
  await isHeard('after')
  const told = await listener.until('/heard', 2)
  assert.deepEqual(
    told.map(({ form }) => form.Body),
    ['before', 'after'],
  )
  assert.ok((await read).items.length > 0)
  assert.equal((await vera).state, 'connected')
  assert.equal(await sol.send(channel.sid, 'and on'), 2)
  await isHeard('and on')
  for (const heard of all) assert.deepEqual(heard, ['before', 'after', 'and on'])
  await listener.until('/heard', 3)
  await nothingRuns(world)
})

test('what was committed without anybody being told so is heard all the same', async () => {
  await using behind = await openBehind(openStage)
  const { stage, way } = behind
  const { service } = stage
  const ana = await stage.come('ana')
  const sol = await stage.comeWithSdk('sol')
  const channel = await ana.createChannel({ friendlyName: 'Room' })
  await channel.add('sol')
  await sol.next('channelJoined')
  await sol.messages(channel.sid)
  const heard = next(ana, 'messageAdded')
  way.loseCommitOf('words that are lost')
  const saying = service.channels(channel.sid).messages.create({ body: 'words that are lost' })
  await assert.rejects(saying, {
    status: 503,
    code: 20503,
    message: /the database was lost while this was written down: it may have been done$/,
  })
  assert.equal((await heard).body, 'words that are lost')
  await sol.next('messageAdded', (it) => it.body === 'words that are lost')
})

test('a worker is offered what was committed without anybody being told so', async () => {
  await using behind = await openBehind(openWorkerStage)
  const { stage, way } = behind
  const { centre } = stage
  const ana = await stage.hire('ana')
  const { workers } = centre.workspace
  await workers(ana.worker.sid).update({ activitySid: centre.away })
  const task = await centre.task({ routingTarget: ana.worker.sid, ignoreCapacity: 'false' })
  await nothingRuns(stage.world)
  const offered = nextOf(ana, 'reservationCreated')
  way.loseCommitOf(task)
  await workers(ana.worker.sid).update({ activitySid: centre.available })
  assert.equal((await offered).task.sid, task)
})

test('a worker goes on by themselves as well', async () => {
  await using behind = await openBehind(openWorkerStage)
  const { stage, way } = behind
  const { centre, world } = stage
  const ana = await stage.hire('ana')
  const inHand = await stage.give(ana)
  await nothingRuns(world)

  leave(way)
  await assert.rejects(inHand.complete(), (fault) => {
    assert.ok(fault instanceof WorkerError)
    assert.deepEqual([fault.kind, fault.status, fault.code], ['server', 503, 20503])
    assert.equal(fault.message, NOTHING_CHANGED)
    return true
  })
  const read = ana.getTaskQueues()
  await comeBack(way)

  assert.ok((await read).length > 0)
  const offered = nextOf(ana, 'reservationCreated')
  await centre.task({ routingTarget: ana.worker.sid })
  await (await offered).reject()
  await nothingRuns(world)
})
