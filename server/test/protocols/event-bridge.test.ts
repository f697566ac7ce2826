import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import pino from 'pino'
import { mintAccessToken } from '../../src/accounts/index.ts'
import {
  type BridgeBounds,
  type BridgeLine,
  openBridgeSockets,
} from '../../src/realtime/event-bridge-socket.ts'
import { hangDoors } from '../../src/realtime/upgrades.ts'
import { reading } from '../../src/store/query.ts'
import { find } from '../../src/store/rows.ts'
import { lockToChange } from '../../src/taskrouter/held.ts'
import { tokenOf } from '../conformance/worker-sdk/agent.ts'
import { ask } from '../store/given.ts'
import { type Bridge, type Json, openBridge, RawBridge } from './bridge.ts'

/** The sockets alone, with bounds of a test's own. */
const openSockets = async (bounds: Partial<BridgeBounds>, expiresAt = Number.MAX_SAFE_INTEGER) => {
  const lines: BridgeLine[] = []
  const door = openBridgeSockets({
    arrive: async () => ({
      expiresAt,
      isBeginning: () => false,
      opened: (line) => void lines.push(line),
      closed: () => {},
    }),
    log: pino({ level: 'silent' }),
    now: () => 1_000_000,
    bounds,
  })
  const server = createServer()
  hangDoors(server, [door])
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connect = async () => {
    const raw = new RawBridge(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/wschannels`)
    await once(raw.socket, 'open')
    return raw
  }
  return {
    lines,
    connect,
    [Symbol.asyncDispose]: async () => {
      await door[Symbol.asyncDispose]()
      server.close()
    },
  }
}

const accepted = async (
  bridge: Bridge,
  worker: string,
  raw: RawBridge,
): Promise<{ task: string; reservation: string }> => {
  const task = await bridge.centre.task({ routingTarget: worker })
  await bridge.world.settle()
  const { sid } = await raw.hears('reservation.created')
  const { status } = await bridge.ask('POST', `Workers/${worker}/Reservations/${sid}`, bridge.token(worker), {
    ReservationStatus: 'accepted',
  })
  assert.equal(status, 200)
  await raw.hears('reservation.accepted')
  return { task, reservation: sid }
}

describe('the socket', () => {
  test('[EB1] says at once whose it is and how long the token lives', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.open(bridge.token(ana, { ttlSeconds: 600 }))
    const { channel_id, account_sid, workspace_sid, token_lifetime } = raw.told[0]?.payload ?? {}
    assert.deepEqual(
      { channel_id, account_sid, workspace_sid },
      { channel_id: ana, account_sid: bridge.world.account.sid, workspace_sid: bridge.workspaceSid },
    )
    assert.ok(token_lifetime > 598_000 && token_lifetime <= 600_000, String(token_lifetime))
    await using below = new RawBridge(
      `${bridge.world.url.replace('http', 'ws')}/eu/v1/wschannels?token=${bridge.token(ana)}`,
    )
    await below.hears('init')
    await using byName = await bridge.open(bridge.token(undefined, { identity: 'ana' }))
    assert.equal(byName.told[0]?.payload.channel_id, ana)
  })

  test('[EB2] lets in nobody whose token is not good for it', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const good = bridge.token(ana)
    assert.equal(await bridge.refusal(''), 401)
    assert.equal(await bridge.refusal('token=nonsense'), 401)
    assert.equal(await bridge.refusal(`token=${good.slice(0, -3)}`), 401)
    assert.equal(await bridge.refusal(`token=${bridge.token(ana, { role: 'king' })}`), 401)
    assert.equal(await bridge.refusal(`token=${bridge.token(undefined, { identity: 'nobody' })}`), 401)
    assert.equal(
      await bridge.refusal(`token=${tokenOf(bridge.world, { workspaceSid: 'WS1', workerSid: ana })}`),
      401,
    )
    const stranger = `WK${'0'.repeat(32)}`
    await using raw = await bridge.open(bridge.token(stranger))
    assert.equal(raw.told[0]?.payload.channel_id, stranger)
    assert.equal((await bridge.ask('GET', `Workers/${stranger}`, bridge.token(stranger))).status, 404)
    bridge.world.clock.advance(3_700_000)
    assert.equal(await bridge.refusal(`token=${good}`), 401)
  })

  test('[EB3] beats, and cuts whoever does not answer', async (t) => {
    const heartbeatMs = 15_000
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using sockets = await openSockets({ heartbeatMs })
    await using alive = await sockets.connect()
    const dead = await sockets.connect()
    dead.socket.pause()
    for (let beats = 1; beats <= 4; beats += 1) {
      t.mock.timers.tick(heartbeatMs)
      await alive.until((it) => it.blanks >= beats)
      // By the time that somebody else is let in, the answer to the beat has come.
      await using _ = await sockets.connect()
    }
    dead.socket.resume()
    assert.equal((await dead.ended).code, 1006)
    assert.equal(alive.socket.readyState, alive.socket.OPEN)
  })

  test('[EB4] outlives its token by half a minute, and then ends', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const token = bridge.token(ana, { ttlSeconds: 60 })
    await using raw = await bridge.open(token)
    await bridge.ask('GET', `Workers/${ana}/Reservations`, token, { Active: 'true' })
    bridge.world.clock.advance(89_000)
    await bridge.begin(ana)
    assert.equal(raw.socket.readyState, raw.socket.OPEN)
    bridge.world.clock.advance(2_000)
    assert.deepEqual(await raw.ended, { code: 1008, reason: 'the token has expired' })
  })

  test('[EB95] is closed where it did not begin within half a minute', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using begun = await bridge.begin(ana)
    await using raw = await bridge.open(bridge.token(ana))
    bridge.world.clock.advance(31_000)
    assert.deepEqual(await raw.ended, { code: 1013, reason: 'it did not begin' })
    assert.equal(begun.socket.readyState, begun.socket.OPEN)
  })

  test('[EB5] hears nothing, and ends with who says much or takes nothing', async () => {
    await using sockets = await openSockets({ messages: 3, unsentBytes: 1_000_000 })
    const talks = await sockets.connect()
    for (let at = 0; at < 5; at += 1) talks.socket.send('hello')
    assert.deepEqual(await talks.ended, { code: 1013, reason: 'too much was said' })
    const shouts = await sockets.connect()
    shouts.socket.send('x'.repeat(5_000))
    assert.equal((await shouts.ended).code, 1009)
    const slow = await sockets.connect()
    slow.socket.pause()
    const line = sockets.lines.at(-1)
    for (let at = 0; at < 40; at += 1) line?.send(`"${'x'.repeat(1_000_000)}"`)
    slow.socket.resume()
    assert.notEqual((await slow.ended).code, 1000)
  })

  test('[EB6] closes other sessions where that is asked for, and not for ever', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const [first, second] = [bridge.token(ana), bridge.token(ana, { ttlSeconds: 3000 })]
    const one = await bridge.open(first)
    await using two = await bridge.open(second, '&closeExistingSessions=true')
    assert.equal((await one.ended).code, 1000)
    await using again = await bridge.open(first, '&closeExistingSessions=true')
    await bridge.centre.workspace.workers(ana).update({ activitySid: bridge.centre.away })
    await bridge.ask('GET', `Workers/${ana}/Reservations`, first, { Active: 'true' })
    await again.hears('init')
    assert.equal(two.socket.readyState, two.socket.OPEN)
  })

  test('[EB7] leaves a worker offline a minute after the last is gone', async () => {
    await using bridge = await openBridge()
    const { centre, world } = bridge
    const activity = async (sid: string) => (await centre.workspace.workers(sid).fetch()).activityName
    const [ana, ben] = [await centre.worker('ana'), await centre.worker('ben')]
    const leave = async (raw: RawBridge) => {
      raw.socket.close()
      await raw.ended
    }
    await leave(await bridge.begin(ana))
    await leave(await bridge.begin(ben, '&setWorkerOfflineIfDisconnected=false'))
    // A request of theirs is answered after the socket's end was written down.
    await bridge.ask('POST', `Workers/${ana}`, bridge.token(ana), { Attributes: { a: 1 } })
    world.clock.advance(59_000)
    await world.settle()
    assert.equal(await activity(ana), 'Available')
    await using back = await bridge.begin(ana)
    await bridge.ask('POST', `Workers/${ana}`, bridge.token(ana), { Attributes: { a: 2 } })
    world.clock.advance(61_000)
    await world.settle()
    assert.equal(await activity(ana), 'Available')
    await leave(back)
    await bridge.ask('POST', `Workers/${ana}`, bridge.token(ana), { Attributes: { a: 3 } })
    world.clock.advance(61_000)
    await world.settle()
    assert.equal(await activity(ana), 'Offline')
    assert.equal(await activity(ben), 'Available')
  })

  test('[EB7] lets whoever comes back stay while they are being put offline', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    const { centre, world, workspaceSid } = bridge
    const { store } = world.house
    const ana = await centre.worker('ana')
    const lease = async () => (await find(store.reader, 'jobs', { key: ana }))?.due_at ?? 0
    const raw = await bridge.begin(ana)
    raw.socket.close()
    await raw.ended
    const grace = world.clock.now() + 60_000
    while ((await lease()) !== grace);
    world.clock.advance(60_000)
    let putOffline: Promise<void> | undefined
    await store.transact('change where they would go', async (tx) => {
      await lockToChange(tx, 'activities', { sid: centre.offline, workspaceSid })
      putOffline = world.settle()
      while (!(await waiting.first(store.reader, {})));
      await bridge.begin(ana)
      while ((await lease()) === grace);
    })
    await putOffline
    assert.equal((await centre.workspace.workers(ana).fetch()).activityName, 'Available')
  })

  test('[EB8] leaves them offline though the node has died', async () => {
    await using bridge = await openBridge({ engine: 'disk' })
    const { centre, world } = bridge
    const ana = await centre.worker('ana')
    const raw = await bridge.begin(ana)
    // A house that closes gives no lease back, as one that dies cannot.
    await world.restart()
    await raw.ended
    world.clock.advance(151_000)
    await world.settle()
    assert.equal((await centre.workspace.workers(ana).fetch()).activityName, 'Offline')
  })

  test('[EB9] ends with the house, and with the worker', async () => {
    await using bridge = await openBridge({ engine: 'disk' })
    const [ana, ben] = [await bridge.centre.worker('ana'), await bridge.centre.worker('ben')]
    const one = await bridge.begin(ana)
    await bridge.centre.workspace.workers(ana).remove()
    assert.deepEqual(await one.ended, { code: 1013, reason: 'the worker was removed' })
    const two = await bridge.begin(ben)
    await bridge.world.restart()
    assert.equal((await two.ended).code, 1012)
    const three = await bridge.begin(ben)
    await bridge.centre.workspace.remove()
    assert.deepEqual(await three.ended, { code: 1013, reason: 'the workspace was removed' })
  })
})

describe('who may what', () => {
  test('[EB10] nobody reaches beyond their workspace', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const other = await bridge.world.twilio.taskrouter.v1.workspaces.create({ friendlyName: 'Other' })
    const admin = tokenOf(bridge.world, { workspaceSid: other.sid, role: 'admin' })
    const { status, body } = await bridge.ask('GET', `Workers/${ana}`, admin)
    assert.deepEqual([status, body.code], [403, 20006])
    const stranger = await bridge.world.newAccount('Stranger')
    const theirs = await stranger.twilio.taskrouter.v1.workspaces.create({ friendlyName: 'Theirs' })
    const beyond = tokenOf(bridge.world, { workspaceSid: theirs.sid, role: 'admin' })
    const answer = await fetch(`${bridge.world.url}/v1/wschannels`, {
      method: 'POST',
      body: JSON.stringify({
        url: `Workspaces/${theirs.sid}/Workers`,
        method: 'GET',
        params: {},
        token: beyond,
      }),
    })
    assert.equal(answer.status, 404)
  })

  test('[EB10] nobody is told of a worker of another account', async () => {
    await using bridge = await openBridge()
    const { world, centre, workspaceSid } = bridge
    const ana = await centre.worker('ana')
    const stranger = await world.newAccount('Stranger')
    const made = await world.fetch(`/v1/Parley/Accounts/${stranger.sid}/Keys`, {
      form: { FriendlyName: 'Key' },
      as: `Basic ${Buffer.from(`${stranger.sid}:${stranger.authToken}`).toString('base64')}`,
    })
    const key = (await made.json()) as Json
    const { jwt } = mintAccessToken({
      accountSid: stranger.sid,
      keySid: key.sid,
      secret: key.secret,
      identity: 'ana',
      now: world.clock.now(),
      grants: { task_router: { workspace_sid: workspaceSid, worker_sid: ana, role: 'admin' } },
    })
    await using spy = await bridge.open(jwt)
    await using own = await bridge.begin(ana)
    for (const path of [
      'Workers',
      `Workers/${ana}`,
      'Activities',
      'TaskQueues',
      `Workers/${ana}/WorkerChannels`,
      `Workers/${ana}/Reservations`,
    ])
      assert.equal((await bridge.ask('GET', path, jwt)).status, 404, path)
    assert.equal((await bridge.ask('POST', `Workers/${ana}`, jwt, { Attributes: { a: 1 } })).status, 404)
    await centre.workspace.workers(ana).update({ attributes: '{"secret":1}' })
    await own.hears('worker.attributes.update')
    assert.deepEqual(spy.types, ['init'])
  })

  test('[EB11] a worker sees the workspace, and acts for themselves', async () => {
    await using bridge = await openBridge()
    const [ana, ben] = [await bridge.centre.worker('ana'), await bridge.centre.worker('ben')]
    await using raw = await bridge.begin(ana)
    const { task } = await accepted(bridge, ana, raw)
    const bens = bridge.token(ben)
    const may = async (method: string, path: string, params: object = {}) =>
      (await bridge.ask(method, path, bens, params)).status
    for (const path of [
      'Activities',
      'Workers',
      'TaskQueues',
      `Workers/${ana}`,
      `Workers/${ben}/WorkerChannels`,
    ])
      assert.equal(await may('GET', path), 200, path)
    for (const path of [`Workers/${ana}/WorkerChannels`, `Workers/${ana}/Reservations`, `Tasks/${task}`])
      assert.equal(await may('GET', path), 403, path)
    assert.equal(await may('POST', `Workers/${ana}`, { ActivitySid: bridge.centre.away }), 403)
    assert.equal(await may('POST', `Tasks/${task}`, { Attributes: {} }), 403)
    assert.equal(await may('POST', 'Tasks', { RoutingTarget: ana }), 403)
  })

  test('[EB12] a supervisor sets others as well', async () => {
    await using bridge = await openBridge()
    const [ana, sol] = [await bridge.centre.worker('ana'), await bridge.centre.worker('sol')]
    await using raw = await bridge.begin(ana)
    const { task } = await accepted(bridge, ana, raw)
    const sols = bridge.token(sol, { role: 'supervisor' })
    const { status, body } = await bridge.ask('POST', `Workers/${ana}`, sols, {
      ActivitySid: bridge.centre.away,
    })
    assert.deepEqual([status, body.activity_name], [200, 'Unavailable'])
    assert.equal((await bridge.ask('GET', `Tasks/${task}`, sols)).status, 200)
    assert.equal((await bridge.ask('POST', `Tasks/${task}`, sols, { Attributes: {} })).status, 403)
  })

  test('[EB13] an admin does it for everybody, and opens no socket where they are nobody', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const admin = bridge.token(undefined, { identity: 'root', role: 'admin' })
    assert.equal((await bridge.ask('GET', `Workers/${ana}/Reservations`, admin)).status, 200)
    assert.equal((await bridge.ask('POST', `Workers/${ana}`, admin, { Attributes: { a: 1 } })).status, 200)
    assert.equal(await bridge.refusal(`token=${admin}`), 401)
  })
})

/** The first that is refused of many; those that are not asked within one second may all be let through. */
const refusedOf = async <T extends { readonly status: number }>(ask: () => Promise<T>): Promise<T> => {
  const deadline = performance.now() + 20_000
  for (;;) {
    const all = await Promise.all(Array.from({ length: 40 }, ask))
    const refused = all.find((it) => it.status === 429)
    if (refused) return refused
    assert.ok(performance.now() < deadline, 'nobody was ever refused')
  }
}

describe('requests', () => {
  test('[EB20] are JSON whatever they are called, and pages may make them', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const body = JSON.stringify({
      url: `Workspaces/${bridge.workspaceSid}/Workers/${ana}`,
      method: 'GET',
      params: {},
      token: bridge.token(ana),
    })
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain;charset=UTF-8',
      'application/json',
    ]) {
      const answer = await fetch(`${bridge.world.url}/v1/wschannels`, {
        method: 'POST',
        headers: { 'content-type': type, apiVersion: 'v1', clientVersion: '2.1.1' },
        body,
      })
      const { event_type, payload } = (await answer.json()) as Json
      assert.deepEqual([answer.status, event_type, payload.sid], [200, null, ana])
    }
    const asked = await fetch(`${bridge.world.url}/v1/wschannels`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://desk.example.org',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'apiversion,clientversion,if-match',
      },
    })
    assert.equal(asked.status, 204)
    const allowed = asked.headers.get('access-control-allow-headers') ?? ''
    for (const name of ['apiversion', 'clientversion', 'if-match']) assert.ok(allowed.includes(name), allowed)
  })

  test('[EB21] are refused with code, message and status', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const refused = async (method: string, path: string, token = bridge.token(ana)) => {
      const { status, body } = await bridge.ask(method, path, token)
      assert.equal(body.status, status)
      assert.equal(typeof body.message, 'string')
      return [status, body.code]
    }
    assert.deepEqual(await refused('GET', 'Activities', 'nonsense'), [401, 20101])
    assert.deepEqual(await refused('GET', 'Nothing'), [404, 20404])
    assert.deepEqual(await refused('GET', 'Activities/../..'), [404, 20404])
    assert.deepEqual(await refused('POST', 'Activities'), [405, 20004])
    for (const body of ['', '[', '[]', '{}', '{"url":1}', '{"url":"x","method":"PUT"}']) {
      const answer = await fetch(`${bridge.world.url}/v1/wschannels`, { method: 'POST', body })
      assert.equal(answer.status, 400, body)
    }
    const deep = `{"url":"x","method":"GET","token":"x","params":${'['.repeat(500)}${']'.repeat(500)}}`
    assert.equal(
      (await fetch(`${bridge.world.url}/v1/wschannels`, { method: 'POST', body: deep })).status,
      400,
    )
    const long = JSON.stringify({ url: 'x', method: 'GET', token: 'x', session: 'x'.repeat(65) })
    assert.equal(
      (await fetch(`${bridge.world.url}/v1/wschannels`, { method: 'POST', body: long })).status,
      400,
    )
    assert.equal((await fetch(`${bridge.world.url}/v1/wschannels`)).status, 405)
  })

  test('[EB21] are answered whatever they hold', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    const ana = await bridge.centre.worker('ana')
    const token = bridge.token(ana, { role: 'admin' })
    const values = [
      '',
      '\0',
      'x\0',
      0,
      -1,
      1e308,
      true,
      null,
      [],
      [[]],
      {},
      { a: '\0' },
      '[]',
      '{',
      'WK',
      ana,
    ]
    const asked = [
      ['GET', 'Workers', 'PageSize AfterSid NextToken FriendlyName ActivitySid ActivityName Ordering'],
      ['GET', 'Workers', 'TargetWorkersExpression TaskQueueSid TaskQueueName Available'],
      ['GET', 'TaskQueues', 'PageSize AfterSid NextToken FriendlyName Ordering WorkerSid'],
      ['GET', 'Activities', 'PageSize AfterSid FriendlyName Available'],
      ['GET', `Workers/${ana}/Reservations`, 'PageSize AfterSid Active'],
      ['POST', `Workers/${ana}`, 'ActivitySid Attributes RejectPendingReservations'],
      ['POST', 'Tasks', 'RoutingTarget WorkflowSid TaskQueueSid TaskChannelSid VirtualStartTime Attributes'],
      ['POST', `Tasks/WT${'0'.repeat(32)}`, 'Attributes AssignmentStatus VirtualStartTime Priority'],
      ['POST', `Workers/${ana}/Transfers`, 'TaskSid ReservationSid To Mode Priority Attributes'],
      ['POST', `Workers/${ana}/Transfers/TT${'0'.repeat(32)}`, 'TaskSid TransferStatus'],
    ] as const
    const statuses = new Set<number>()
    const good = {
      TaskSid: `WT${'0'.repeat(32)}`,
      ReservationSid: `WR${'0'.repeat(32)}`,
      To: ana,
      TransferStatus: 'canceled',
    }
    for (const [method, path, names] of asked)
      for (const name of names.split(' '))
        for (const value of values)
          statuses.add((await bridge.ask(method, path, token, { ...good, [name]: value })).status)
    assert.deepEqual(
      [...statuses].toSorted(),
      [200, 400, 403, 404].filter((it) => statuses.has(it)),
    )
  })

  test('[EB22] name the version of what is their own', async () => {
    await using bridge = await openBridge()
    const [ana, sol] = [await bridge.centre.worker('ana'), await bridge.centre.worker('sol')]
    const stale = { headers: { 'if-match': '"99"' } }
    const form = { Attributes: { a: 1 } }
    const own = await bridge.ask('POST', `Workers/${ana}`, bridge.token(ana), form, stale)
    assert.equal(own.status, 412)
    const sols = bridge.token(sol, { role: 'supervisor' })
    assert.equal((await bridge.ask('POST', `Workers/${ana}`, sols, form, stale)).status, 200)
    const good = { headers: { 'if-match': '"1"' } }
    assert.equal(
      (await bridge.ask('POST', `Workers/${ana}`, bridge.token(ana), { Attributes: {} }, good)).status,
      200,
    )
  })

  test("[EB23] count among the account's", async () => {
    await using bridge = await openBridge({ limits: { perSecond: 30, burst: 0 } })
    const ana = await bridge.centre.worker('ana')
    const token = bridge.token(ana)
    const { body } = await refusedOf(() => bridge.ask('GET', 'Activities', token))
    assert.equal(body.code, 20429)
  })

  test('[EB23] and wait for their turn where somebody begins', async () => {
    await using bridge = await openBridge({ limits: { perSecond: 30, burst: 0 } })
    const ana = await bridge.centre.worker('ana')
    const token = bridge.token(ana)
    await using raw = await bridge.open(token)
    const ask = () => bridge.ask('GET', 'Activities', token)
    const all = await Promise.all(Array.from({ length: 40 }, ask))
    assert.deepEqual([...new Set(all.map((it) => it.status))], [200])
    await bridge.ask('GET', `Workers/${ana}/Reservations`, token, { Active: 'true' })
    await refusedOf(ask)
    assert.deepEqual(raw.types, ['init'])
  })
})

const MEMBERS: Readonly<Record<string, string>> = {
  Workers:
    'account_sid activity_name activity_sid attributes available date_created date_status_changed date_updated friendly_name sid workspace_sid version',
  Activities: 'account_sid available date_created date_updated friendly_name sid workspace_sid',
  TaskQueues:
    'friendly_name reservation_activity_name assignment_activity_name target_workers max_reserved_workers task_order reservation_activity_sid assignment_activity_sid workspace_sid account_sid sid date_created date_updated lifo_queue',
  WorkerChannels:
    'account_sid assigned_tasks available available_capacity_percentage configured_capacity date_created date_updated last_reserved_time sid task_channel_sid task_channel_unique_name worker_sid workspace_sid',
  Reservations:
    'account_sid date_created date_updated reservation_status sid reservation_timeout worker_sid workspace_sid version task',
  task: 'addons age attributes date_created date_updated priority queue_name queue_sid reason routing_target sid assignment_status task_channel_unique_name task_channel_sid timeout workflow_name workflow_sid version virtual_start_time account_sid workspace_sid',
  transfer:
    'date_created date_updated initiating_reservation_sid initiating_worker_sid initiating_queue_sid initiating_workflow_sid sid transfer_mode transfer_to transfer_type transfer_status task_sid',
}

const mustHave = (it: Json, what: string): void => {
  for (const name of MEMBERS[what]?.split(' ') ?? [])
    assert.ok(Object.hasOwn(it, name), `${what} has no ${name}`)
}

describe('what is shown', () => {
  test('[EB30] has every member', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana', { languages: ['de'] })
    await using raw = await bridge.begin(ana)
    await accepted(bridge, ana, raw)
    const token = bridge.token(ana)
    const first = async (path: string) => (await bridge.ask('GET', path, token)).body.contents[0]
    for (const [what, path] of [
      ['Workers', 'Workers'],
      ['Activities', 'Activities'],
      ['TaskQueues', 'TaskQueues'],
      ['WorkerChannels', `Workers/${ana}/WorkerChannels`],
      ['Reservations', `Workers/${ana}/Reservations`],
    ] as const)
      mustHave(await first(path), what)
    const reservation = await first(`Workers/${ana}/Reservations`)
    mustHave(reservation.task, 'task')
    assert.ok(Math.abs(reservation.date_created - bridge.world.clock.now() / 1000) < 10)
    assert.equal(reservation.task.attributes, '{}')
    const channels = (await bridge.ask('GET', `Workers/${ana}/WorkerChannels`, token)).body.contents
    const used = channels.find((it: Json) => it.task_channel_unique_name === 'default')
    assert.ok(Math.abs(used.last_reserved_time - bridge.world.clock.now()) < 10_000)
    assert.equal(channels.find((it: Json) => it.task_channel_unique_name === 'chat').last_reserved_time, null)
    assert.equal((await first('Workers')).attributes, '{"languages":["de"]}')
  })

  test('[EB31] of a reservation that was moved is without its task', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    const task = await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    const { sid } = await raw.hears('reservation.created')
    const path = `Workers/${ana}/Reservations/${sid}`
    const { body } = await bridge.ask('POST', path, bridge.token(ana), { ReservationStatus: 'accepted' })
    assert.deepEqual([body.reservation_status, body.task_sid, body.task], ['accepted', task, undefined])
    assert.equal((await bridge.ask('GET', path, bridge.token(ana))).body.task.assignment_status, 'assigned')
  })

  test('[EB32] of a transfer stands with both reservations', async () => {
    await using bridge = await openBridge()
    const [ana, ben] = [await bridge.centre.worker('ana'), await bridge.centre.worker('ben')]
    await using one = await bridge.begin(ana)
    await using two = await bridge.begin(ben)
    const { task, reservation } = await accepted(bridge, ana, one)
    const form = { TaskSid: task, ReservationSid: reservation, To: ben, Priority: 7, Attributes: { a: 1 } }
    const made = await bridge.ask('POST', `Workers/${ana}/Transfers`, bridge.token(ana), form)
    assert.equal(made.status, 200)
    mustHave(made.body, 'transfer')
    const offer = await two.hears('reservation.created')
    assert.deepEqual(offer.task_transfer, made.body)
    assert.deepEqual([offer.task.priority, offer.task.attributes], [7, '{"a":1}'])
    const mine = await bridge.ask('GET', `Workers/${ana}/Reservations/${reservation}`, bridge.token(ana))
    assert.deepEqual(mine.body.active_outgoing_task_transfer, made.body)
  })

  test('[EB33] has versions that grow by one', async () => {
    await using bridge = await openBridge()
    const { centre } = bridge
    const ana = await centre.worker('ana', {}, centre.offline)
    await using raw = await bridge.begin(ana)
    const version = async () => (await bridge.ask('GET', `Workers/${ana}`, bridge.token(ana))).body.version
    const before = await version()
    await centre.workspace.workers(ana).update({ activitySid: centre.available })
    assert.equal(await version(), before + 1)
    await centre.workspace.workers(ana).workerChannels('chat').update({ capacity: 4 })
    assert.equal(await version(), before + 2)
    await centre.workspace.workers(ana).workerChannels('chat').update({ available: false })
    assert.equal(await version(), before + 3)
    await centre.task({ routingTarget: ana })
    await bridge.world.settle()
    const offer = await raw.hears('reservation.created')
    assert.equal(await version(), before + 4)
    await bridge.ask('POST', `Workers/${ana}/Reservations/${offer.sid}`, bridge.token(ana), {
      ReservationStatus: 'accepted',
    })
    const now = await raw.hears('reservation.accepted')
    assert.deepEqual([now.version, now.task.version], [offer.version + 1, offer.task.version + 1])
    assert.equal(await version(), before + 4)
  })
})

describe('lists', () => {
  test('[EB40] go on after a SID', async () => {
    await using bridge = await openBridge()
    const made = []
    for (const name of ['a', 'b', 'c']) made.push(await bridge.centre.worker(name))
    const token = bridge.token(made[0])
    const first = (await bridge.ask('GET', 'Workers', token, { PageSize: 2 })).body
    assert.deepEqual([first.contents.length, first.after_sid, first.meta.list_key], [2, made[1], 'contents'])
    const last = (await bridge.ask('GET', 'Workers', token, { PageSize: 2, AfterSid: first.after_sid })).body
    assert.deepEqual([last.contents.map((it: Json) => it.sid), last.after_sid], [[made[2]], null])
    for (const PageSize of [0, 1001, 'many'])
      assert.equal((await bridge.ask('GET', 'Workers', token, { PageSize })).status, 400)
  })

  test('[EB41] in an order go on after a token', async () => {
    await using bridge = await openBridge()
    const made: string[] = []
    for (const name of ['a', 'b', 'c']) {
      made.push(await bridge.centre.worker(name))
      bridge.world.clock.advance(1_000)
    }
    const token = bridge.token(made[0])
    const params = { Ordering: 'DateStatusChanged:desc', PageSize: 2 }
    const first = (await bridge.ask('GET', 'Workers', token, params)).body
    assert.equal(first.after_sid, null)
    const NextToken = first.meta.next_token
    const last = (await bridge.ask('GET', 'Workers', token, { ...params, NextToken })).body
    const sids = [...first.contents, ...last.contents].map((it: Json) => it.sid)
    assert.deepEqual(sids, made.toReversed())
    assert.equal(last.meta.next_token, undefined)
    const wrong = { ...params, NextToken: 'nonsense' }
    assert.equal((await bridge.ask('GET', 'Workers', token, wrong)).status, 400)
  })

  test('[EB42] know what they end with', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    for (const AfterSid of [`WK${'0'.repeat(32)}`, 'nonsense'])
      assert.equal((await bridge.ask('GET', 'Workers', bridge.token(ana), { AfterSid })).status, 400)
  })
})

describe('what is asked', () => {
  test('[EB50] to begin', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    const { task } = await accepted(bridge, ana, raw)
    const read = async (params: object) =>
      (await bridge.ask('GET', `Workers/${ana}/Reservations`, bridge.token(ana), params)).body.contents
    assert.deepEqual(
      (await read({ Active: 'true' })).map((it: Json) => it.task.sid),
      [task],
    )
    await bridge.ask('POST', `Tasks/${task}`, bridge.token(ana), {
      AssignmentStatus: 'completed',
      Reason: 'done',
    })
    assert.deepEqual(await read({ Active: 'true', PageSize: 1000 }), [])
    assert.equal((await read({})).length, 1)
  })

  test('[EB51] to find workers and queues', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana', { languages: ['de'] })
    const ben = await bridge.centre.worker('ben', {}, bridge.centre.offline)
    await bridge.centre.queue('German', { targetWorkers: 'languages HAS "de"' })
    const names = async (path: string, params: object) =>
      (await bridge.ask('GET', path, bridge.token(ana), params)).body.contents.map(
        (it: Json) => it.friendly_name,
      )
    assert.deepEqual(await names('Workers', { FriendlyName: 'ben' }), ['ben'])
    assert.deepEqual(await names('Workers', { ActivityName: 'Offline' }), ['ben'])
    assert.deepEqual(await names('Workers', { ActivitySid: bridge.centre.available }), ['ana'])
    assert.deepEqual(await names('Workers', { TargetWorkersExpression: 'languages HAS "de"' }), ['ana'])
    assert.deepEqual(await names('TaskQueues', { FriendlyName: 'German' }), ['German'])
    assert.equal((await names('TaskQueues', { WorkerSid: ana })).includes('German'), true)
    assert.equal((await names('TaskQueues', { WorkerSid: ben })).includes('German'), false)
    const [queue] = (await bridge.ask('GET', 'TaskQueues', bridge.token(ana))).body.contents
    assert.deepEqual((await bridge.ask('GET', `TaskQueues/${queue.sid}`, bridge.token(ana))).body, queue)
  })

  test('[EB60] of a worker: to leave, with what was offered rejected first', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    await raw.hears('reservation.created')
    const { body } = await bridge.ask('POST', `Workers/${ana}`, bridge.token(ana), {
      ActivitySid: bridge.centre.offline,
      RejectPendingReservations: true,
    })
    assert.equal(body.available, false)
    await raw.hears('worker.activity.update')
    assert.deepEqual(raw.types.slice(-2), ['reservation.rejected', 'worker.activity.update'])
  })

  test('[EB61] of a reservation: to move, and nothing about calls', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    const { sid } = await raw.hears('reservation.created')
    const post = async (path: string, params: object) =>
      (await bridge.ask('POST', path, bridge.token(ana), params)).status
    const own = `Workers/${ana}/Reservations/${sid}`
    for (const Instruction of ['call', 'dequeue', 'conference', 'redirect'])
      assert.equal(await post(own, { Instruction }), 400)
    for (const it of [
      'WorkerParticipant',
      'CustomerParticipant',
      'HoldWorkerParticipant',
      'KickWorkerParticipant',
    ])
      assert.equal(await post(`Workers/${ana}/${it}`, {}), 400)
    assert.equal(await post(own, { ReservationStatus: 'completed' }), 400)
    assert.equal(
      await post(own, { ReservationStatus: 'rejected', WorkerActivitySid: bridge.centre.away }),
      200,
    )
    assert.equal((await raw.hears('worker.activity.update')).activity_name, 'Unavailable')
  })

  test('[EB62] of a task: not to begin in the future', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    const { task } = await accepted(bridge, ana, raw)
    const post = (params: object) => bridge.ask('POST', `Tasks/${task}`, bridge.token(ana), params)
    const late = await post({ VirtualStartTime: '2100-01-01T00:00:00Z' })
    assert.equal(late.status, 400)
    assert.match(late.body.message, /future/)
    assert.equal((await post({ VirtualStartTime: '2026-01-01T00:00:00Z' })).status, 200)
    assert.equal((await post({ Attributes: '{"as":"text"}' })).body.attributes, '{"as":"text"}')
    assert.equal((await post({ AssignmentStatus: 'wrapping' })).body.assignment_status, 'wrapping')
    await raw.hears('reservation.wrapup')
  })

  test('[EB63] for a task of their own', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana', {}, bridge.centre.offline)
    await using raw = await bridge.begin(ana)
    const { status, body } = await bridge.ask('POST', 'Tasks', bridge.token(ana), {
      RoutingTarget: ana,
      TaskChannelUniqueName: 'chat',
      Attributes: { outbound_to: '+4930', from: '+4940' },
    })
    assert.equal(status, 200)
    await bridge.world.settle()
    const offer = await raw.hears('reservation.created')
    assert.deepEqual([offer.task.sid, offer.task.task_channel_unique_name], [body.sid, 'chat'])
  })

  test('[EB64] to supervise, which grants nothing', async () => {
    await using bridge = await openBridge()
    const [ana, sol] = [await bridge.centre.worker('ana'), await bridge.centre.worker('sol')]
    await using raw = await bridge.begin(ana)
    const { task, reservation } = await accepted(bridge, ana, raw)
    const params = { Instruction: 'supervise', Supervisor: sol, SupervisorMode: 'monitor' }
    const path = `Tasks/${task}/Reservations/${reservation}`
    const sols = bridge.token(sol, { role: 'supervisor' })
    assert.equal((await bridge.ask('POST', path, sols, params)).body.sid, reservation)
    assert.equal((await bridge.ask('POST', path, bridge.token(ana), params)).status, 403)
  })

  test('[EB75] of a task that is being transferred: to wait', async () => {
    await using bridge = await openBridge()
    const [ana, ben] = [await bridge.centre.worker('ana'), await bridge.centre.worker('ben')]
    const away = await bridge.centre.worker('cleo', {}, bridge.centre.away)
    await using one = await bridge.begin(ana)
    await using two = await bridge.begin(ben)
    const { task, reservation } = await accepted(bridge, ana, one)
    const give = (To: string) =>
      bridge.ask('POST', `Workers/${ana}/Transfers`, bridge.token(ana), {
        TaskSid: task,
        ReservationSid: reservation,
        To,
      })
    for (const to of [ana, away, `WK${'0'.repeat(32)}`, 'nonsense'])
      assert.equal((await give(to)).status, 400, to)
    assert.equal((await give(ben)).status, 200)
    assert.equal((await give(ben)).status, 400)
    await two.hears('reservation.created')
    for (const assignmentStatus of ['completed', 'canceled', 'wrapping'] as const)
      await assert.rejects(
        bridge.centre.workspace.tasks(task).update({ assignmentStatus, reason: 'now' }),
        (fault: { status?: number }) => fault.status === 400,
      )
    await bridge.centre.workspace.tasks(task).remove()
    assert.equal((await one.hears('task.transfer-canceled')).transfer_status, 'canceled')
    await one.hears('reservation.completed')
    await two.hears('reservation.canceled')
  })
})

describe('what is told', () => {
  test('[EB80] is told to whom it concerns, on every connection', async () => {
    await using bridge = await openBridge()
    const [ana, ben] = [await bridge.centre.worker('ana'), await bridge.centre.worker('ben')]
    await using one = await bridge.begin(ana)
    await using two = await bridge.begin(ana)
    await using other = await bridge.begin(ben)
    const { task } = await accepted(bridge, ana, one)
    await bridge.centre.workspace.tasks(task).update({ attributes: '{"crm":42}' })
    await bridge.centre.workspace.workers(ben).update({ attributes: '{"b":1}' })
    assert.equal((await one.hears('task.updated')).attributes, '{"crm":42}')
    await two.hears('task.updated')
    await other.hears('worker.attributes.update')
    assert.deepEqual(one.types, two.types)
    assert.deepEqual(other.types, ['init', 'worker.attributes.update'])
  })

  test('[EB81] of a task comes before its reservations', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    const { task } = await accepted(bridge, ana, raw)
    await bridge.centre.workspace.tasks(task).update({ assignmentStatus: 'wrapping' })
    await bridge.centre.workspace.tasks(task).update({ assignmentStatus: 'completed', reason: 'done' })
    await raw.hears('reservation.completed')
    assert.deepEqual(raw.types.slice(-4), [
      'task.wrapup',
      'reservation.wrapup',
      'task.completed',
      'reservation.completed',
    ])
    const next = await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    await raw.hears('reservation.created', 2)
    await bridge.centre.workspace.tasks(next).update({ assignmentStatus: 'canceled', reason: 'left' })
    await raw.hears('reservation.canceled')
    assert.deepEqual(raw.types.slice(-2), ['task.canceled', 'reservation.canceled'])
    assert.equal(raw.told.at(-2)?.payload.reason, 'left')
  })

  test('[EB82] of a deleted task are its reservations', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    const { task } = await accepted(bridge, ana, raw)
    await bridge.centre.workspace.tasks(task).remove()
    await raw.hears('reservation.completed')
    const next = await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    await raw.hears('reservation.created', 2)
    await bridge.centre.workspace.tasks(next).remove()
    await raw.hears('reservation.canceled')
  })

  test('[EB91] begins, whichever node answers what it asks', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    await using node = await bridge.world.anotherNode()
    const ana = await bridge.centre.worker('ana')
    await bridge.centre.workspace.workers(ana).workerChannels('default').update({ capacity: 50 })
    for (let at = 0; at < 50; at += 1) await bridge.centre.task()
    await bridge.world.settle()
    await using raw = await bridge.open(bridge.token(ana), '', node.url)
    const first = (await bridge.centre.workspace.workers(ana).reservations.list())[0]?.sid ?? ''
    const given = await bridge.ask('GET', `Workers/${ana}/Reservations`, bridge.token(ana), {
      Active: 'true',
    })
    assert.equal(given.body.contents.length, 50)
    await bridge.centre.workspace.workers(ana).reservations(first).update({ reservationStatus: 'accepted' })
    assert.equal((await raw.hears('reservation.accepted')).sid, first)
    await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    await raw.hears('reservation.created')
    assert.deepEqual(raw.types, ['init', 'reservation.accepted', 'reservation.created'])
  })

  test('[EB83] is told by every node', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    await using node = await bridge.world.anotherNode()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana, '', node.url)
    const { task } = await accepted(bridge, ana, raw)
    const long = JSON.stringify({ long: 'ä'.repeat(20_000) })
    await bridge.centre.workspace.tasks(task).update({ attributes: long })
    assert.equal((await raw.hears('task.updated')).attributes, long)
    await bridge.centre.workspace.workers(ana).update({ attributes: long })
    assert.equal((await raw.hears('worker.attributes.update')).attributes, long)
    await using second = await bridge.open(
      bridge.token(ana, { ttlSeconds: 500 }),
      '&closeExistingSessions=true',
    )
    assert.equal((await raw.ended).code, 1000)
    assert.equal(second.socket.readyState, second.socket.OPEN)
  })

  test('[EB85] of a worker is their new name', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    await bridge.centre.workspace.workers(ana).update({ friendlyName: 'anabel' })
    const { friendly_name, version } = await raw.hears('worker.attributes.update')
    assert.deepEqual(
      { friendly_name, version },
      {
        friendly_name: 'anabel',
        version: (await bridge.ask('GET', `Workers/${ana}`, bridge.token(ana))).body.version,
      },
    )
  })

  test('[EB84] of a task that is being transferred is how it stands, to the others who have it', async () => {
    await using bridge = await openBridge()
    const [ana, ben] = [await bridge.centre.worker('ana'), await bridge.centre.worker('ben')]
    await using one = await bridge.begin(ana)
    await using two = await bridge.begin(ben)
    const { task, reservation: ReservationSid } = await accepted(bridge, ana, one)
    const give = (more: object) =>
      bridge.ask('POST', `Workers/${ana}/Transfers`, bridge.token(ana), {
        TaskSid: task,
        ReservationSid,
        To: ben,
        ...more,
      })
    const answer = async (from: RawBridge, reservationStatus: 'accepted' | 'rejected') => {
      const { sid, worker_sid } = await from.hears('reservation.created')
      await bridge.centre.workspace.workers(worker_sid).reservations(sid).update({ reservationStatus })
    }
    await give({ Attributes: '{"note":"angry"}', Priority: 3 })
    const { assignment_status, attributes, priority } = await one.hears('task.updated')
    assert.deepEqual([assignment_status, attributes, priority], ['reserved', '{"note":"angry"}', 3])
    await answer(two, 'rejected')
    assert.equal((await one.hears('task.updated', 2)).assignment_status, 'assigned')
    const [queue] = (await bridge.ask('GET', 'TaskQueues', bridge.token(ana))).body.contents
    await using three = await bridge.begin(await bridge.centre.worker('cleo'))
    await give({ To: queue.sid })
    await bridge.world.settle()
    await answer(three, 'accepted')
    await one.hears('task.transfer-completed')
    const told = one.told.filter((it) => it.event_type === 'task.updated')
    assert.deepEqual(
      told.map(({ payload }) => payload.assignment_status),
      ['reserved', 'assigned', 'pending', 'reserved', 'assigned'],
    )
    assert.equal([...two.types, ...three.types].includes('task.updated'), false)
  })
})

/** How long after an answer what it caused is told, and after its reservations what an SDK is told at all. */
const AFTER_ANSWER_MS = 50
const AFTER_RESERVATIONS_MS = 120

describe('its order', () => {
  test('[EB90] the answer, then what it caused', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    let judged = 0
    for (let round = 1; judged < 5; round += 1) {
      assert.ok(round <= 200, 'no answer came soon enough to be judged by')
      const began = performance.now()
      const { status } = await bridge.ask('POST', `Workers/${ana}`, bridge.token(ana), {
        Attributes: { round },
      })
      assert.equal(status, 200)
      const told = raw.types.filter((it) => it === 'worker.attributes.update').length
      // Later, what follows the answer may rightly be here when that is read.
      if (performance.now() - began < AFTER_ANSWER_MS) {
        assert.equal(told, round - 1)
        judged += 1
      }
      await raw.hears('worker.attributes.update', round)
    }
  })

  test('[EB91] nothing before the SDK has its reservations, and nothing is lost', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const token = bridge.token(ana)
    await using raw = await bridge.open(token)
    const first = await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    await bridge.ask('GET', `Workers/${ana}`, token)
    await bridge.centre.workspace.workers(ana).update({ attributes: '{"meanwhile":1}' })
    assert.deepEqual(raw.types, ['init'])
    const began = performance.now()
    const given = await bridge.ask('GET', `Workers/${ana}/Reservations`, token, { Active: 'true' })
    const types = [...raw.types]
    if (performance.now() - began < AFTER_RESERVATIONS_MS) assert.deepEqual(types, ['init'])
    assert.deepEqual(
      given.body.contents.map((it: Json) => it.task.sid),
      [first],
    )
    const second = await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    assert.equal((await raw.hears('reservation.created')).task.sid, second)
    assert.deepEqual(raw.types, ['init', 'worker.attributes.update', 'reservation.created'])
  })

  test('[EB92] nothing twice, and nothing of what the SDK does not know', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const token = bridge.token(ana)
    await using raw = await bridge.open(token)
    const task = await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    await bridge.centre.answer(task, 'ana', 'accepted')
    await bridge.centre.workspace.tasks(task).update({ assignmentStatus: 'completed', reason: 'done' })
    await bridge.ask('GET', `Workers/${ana}/Reservations`, token, { Active: 'true' })
    await bridge.centre.workspace.workers(ana).update({ attributes: '{"after":1}' })
    await raw.hears('worker.attributes.update')
    const about = raw.told.filter((it) => it.payload.task?.sid === task).map((it) => it.event_type)
    assert.deepEqual(about, ['reservation.created', 'reservation.accepted', 'reservation.completed'])
  })

  test('[EB96] a task is told of as it is, though it was changed before its reservation was heard of', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    const { centre, workspaceSid } = bridge
    const ana = await centre.worker('ana')
    const task = await centre.task({ routingTarget: ana })
    await centre.workspace.tasks(task).update({ attributes: '{"late":1}' })
    await using raw = await bridge.begin(ana)
    await sayAsAnother(bridge, offerTold(workspaceSid, ana, task))
    assert.equal((await raw.hears('task.updated')).attributes, '{"late":1}')
    assert.deepEqual(raw.types, ['init', 'reservation.created', 'task.updated'])
  })

  test('[EB96] the end of a task is told as that, though it came before its reservation was heard of', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    const { centre, workspaceSid } = bridge
    const ana = await centre.worker('ana')
    const task = await centre.task({ routingTarget: ana })
    await centre.workspace.tasks(task).update({ assignmentStatus: 'canceled', reason: 'gone' })
    await using raw = await bridge.begin(ana)
    await sayAsAnother(bridge, offerTold(workspaceSid, ana, task), {
      type: 'task.canceled',
      workspaceSid,
      about: { kind: 'task', sid: task, version: 1 },
      payload: { sid: task, assignment_status: 'canceled' },
      isAsked: false,
    })
    await raw.hears('task.canceled')
    assert.deepEqual(raw.types, ['init', 'reservation.created', 'task.canceled'])
  })

  test('[EB93] of what could not be read nobody is told in part', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    const { centre, world, workspaceSid } = bridge
    const { store } = world.house
    const ana = await centre.worker('ana')
    const task = await centre.task({ routingTarget: ana })
    await using raw = await bridge.begin(ana)
    await store.transact('nobody reads', async (tx) => {
      await ask(tx, 'lock table tasks in access exclusive mode')
      await sayAsAnother(bridge, offerTold(workspaceSid, ana, task))
      let reads: { pid: number } | undefined
      while (!reads) reads = await waiting.first(store.reader, {})
      await ask(store.reader, `select pg_terminate_backend(${reads.pid})`)
      assert.equal((await raw.ended).reason, 'events may have been missed')
    })
  })

  test('[EB93] nothing of before', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await bridge.centre.workspace.workers(ana).update({ attributes: '{"before":1}' })
    await using raw = await bridge.begin(ana)
    await bridge.centre.workspace.workers(ana).update({ attributes: '{"after":1}' })
    assert.equal((await raw.hears('worker.attributes.update')).attributes, '{"after":1}')
    assert.deepEqual(raw.types, ['init', 'worker.attributes.update'])
  })

  test('[EB93] nor goes on as if nothing had been missed', async () => {
    await using bridge = await openBridge({ engine: 'postgres' })
    const raw = await bridge.begin(await bridge.centre.worker('ana'))
    await cutBus.all(bridge.world.house.store.reader, {})
    assert.deepEqual(await raw.ended, { code: 1013, reason: 'events may have been missed' })
  })
})

/** A task as it was made is offered to a worker. */
const offerTold = (workspaceSid: string, workerSid: string, taskSid: string) => {
  const sid = `WR${'0'.repeat(32)}`
  return {
    type: 'reservation.created',
    workspaceSid,
    workerSid,
    about: { kind: 'reservation', sid, version: 0, taskSid, taskVersion: 0, now: 'begins' },
    payload: { sid, task: { sid: taskSid, attributes: '{}' } },
    isAsked: false,
  }
}

const sayAsAnother = async ({ world }: Bridge, ...those: object[]): Promise<void> => {
  const notices = those.map((told) => ['event-bridge.told', { from: 'another', told, isCut: false }])
  const said = JSON.stringify({ from: 'another', notices })
  await say.all(world.house.store.reader, { said })
}

/** Says something as another node does. */
const say = reading((db, at: { said: string }) =>
  db.selectNoFrom(sql<string>`pg_notify('parley', ${at.said})`.as('said')),
)

/** Whoever waits for a lock. */
const waiting = reading((db) =>
  db
    .selectFrom(sql<{ pid: number }>`pg_stat_activity`.as('a'))
    .select('a.pid')
    .where(sql<boolean>`a.datname = current_database() and a.wait_event_type = 'Lock'`),
)

/** The connection over which a node hears the others. */
const cutBus = reading((db) =>
  db
    .selectFrom(sql<{ pid: number }>`pg_stat_activity`.as('a'))
    .select(sql<boolean>`pg_terminate_backend(a.pid)`.as('is_cut'))
    .where(sql<boolean>`a.query like 'listen %' and a.datname = current_database()`),
)
