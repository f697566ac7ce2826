/** What is badly asked of TaskRouter gets its code, at once, and nothing is half done. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import twilio from 'twilio'
import { busyMs } from '../world/busy.ts'
import { openWorld, type World } from '../world/index.ts'
import { mustAgree } from './agreement.ts'
import { type Centre, openCentre } from './centre.ts'
import { refused } from './refused.ts'

const NOBODYS = '0'.repeat(32)

/** A hundred times the work that an answer is: only a change of shape fails. In milliseconds of a processor. */
const SLOW_MS = 5_000

const HOSTILE: Readonly<Record<string, string>> = {
  'deep in parentheses': '('.repeat(4_000),
  'deep and closed': `${'('.repeat(2_000)}1==1${')'.repeat(2_000)}`,
  'deep in NOT': `${'NOT '.repeat(1_000)}1==1`,
  'deep in lists': 'a IN '.padEnd(4_000, '['),
  'longer than is read': `a == '${'x'.repeat(5_000)}'`,
  'many and then broken': `${'a == 1 AND '.repeat(370)}`,
  'full of backslashes': `a == "${'\\'.repeat(4_000)}`,
  'a key that never ends': `a${'.a'.repeat(1_900)}.`,
  'half a pair of brackets': 'a[0',
  'no expression': 'languages',
  'another language': 'a == 1; drop table tasks',
  'half a character': `a == '${'\u{1F600}'.slice(0, 1)}`,
}

const configured = (target: object) => ({ filters: [{ expression: '1==1', targets: [target] }] })

describe('an expression that cannot be read', () => {
  test('is refused by every parameter that takes one, with its place, and nothing is kept', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const { workspace } = centre
    const [queue] = await workspace.taskQueues.list()
    const [workflow] = await workspace.workflows.list()
    assert.ok(queue && workflow)
    const routing = (target: object) =>
      JSON.stringify({ task_routing: configured({ queue: queue.sid, ...target }) })
    for (const [what, text] of Object.entries(HOSTILE)) {
      const began = busyMs()
      const asked: Readonly<Record<string, () => Promise<unknown>>> = {
        TargetWorkers: () => workspace.taskQueues.create({ friendlyName: 'Bad', targetWorkers: text }),
        'TargetWorkers:': () => workspace.taskQueues(queue.sid).update({ targetWorkers: text }),
        TargetWorkersExpression: () => workspace.workers.list({ targetWorkersExpression: text }),
        EvaluateTaskAttributes: () => workspace.tasks.list({ evaluateTaskAttributes: text }),
        'targets\\[0\\]\\.expression': () =>
          centre.workflow('Bad', configured({ queue: queue.sid, expression: text })),
        'targets\\[0\\]\\.skip_if': () =>
          workspace.workflows(workflow.sid).update({ configuration: routing({ skip_if: text }) }),
        'filters\\[0\\]\\.expression': () =>
          centre.workflow('Bad', { filters: [{ expression: text, targets: [{ queue: queue.sid }] }] }),
      }
      for (const [parameter, ask] of Object.entries(asked))
        await assert.rejects(
          ask(),
          refused(400, 20001, new RegExp(`${parameter}.* line 1, column \\d+: expected .+, found`)),
        )
      assert.ok(busyMs() - began < SLOW_MS, what)
    }
    for (const [key, text] of [
      ['order_by', 'worker.level SIDEWAYS'],
      ['order_by', ','.repeat(4_000)],
      ['known_worker_sid', 'task.a == 1'],
      ['known_worker_friendly_name', '['.repeat(4_000)],
    ] as const)
      await assert.rejects(
        centre.workflow('Bad', configured({ queue: queue.sid, [key]: text })),
        refused(400, 20001, new RegExp(`targets\\[0\\]\\.${key}: line 1, column \\d+: expected`)),
      )
    assert.deepEqual((await workspace.taskQueues(queue.sid).fetch()).toJSON(), queue.toJSON())
    assert.equal((await workspace.taskQueues.list()).length, 1)
    assert.deepEqual(
      (await workspace.workflows.list()).map((it) => it.configuration),
      [workflow.configuration],
    )
  })

  test('and one of the largest that can be route as any other, at once', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const fill = (start: string, piece: string) =>
      start + piece.repeat(Math.floor((4_096 - start.length) / piece.length))
    const deep = `${'('.repeat(64)}1==1${')'.repeat(64)}`
    const queue = await centre.queue('All', { targetWorkers: fill('1==1', ' AND level < 9') })
    const target = {
      queue,
      expression: fill(deep, ' AND worker.level < 9'),
      skip_if: fill('1==2', ' OR a == 1'),
    }
    const filters = Array.from({ length: 20 }, () => ({
      expression: fill('1==2', ' OR a == 1'),
      targets: [target],
    }))
    await centre.workflow('W', { filters, default_filter: { queue } })
    for (let at = 0; at < 20; at += 1) await centre.worker(`w${at}`, { level: at })
    const began = busyMs()
    const tasks = await Promise.all(Array.from({ length: 12 }, () => centre.task()))
    await world.settle()
    assert.ok(busyMs() - began < SLOW_MS)
    const offers = (await Promise.all(tasks.map(centre.offersOf))).flat()
    assert.equal(offers.length, 9)
  })
})

describe('an empty name', () => {
  test('is refused by all that has one, when it is made and when it is changed', async () => {
    await using world = await openWorld()
    const { workspace, worker, queue, workflow } = await openCentre(world)
    const [friendlyName, configuration] = ['', '{}']
    const chat = workspace.taskChannels('chat')
    const asked: Readonly<Record<string, () => Promise<unknown>>> = {
      'a workspace': () => world.twilio.taskrouter.v1.workspaces.create({ friendlyName }),
      'an activity': () => workspace.activities.create({ friendlyName }),
      'a worker': () => workspace.workers.create({ friendlyName }),
      'a queue': () => workspace.taskQueues.create({ friendlyName }),
      'a workflow': () => workspace.workflows.create({ friendlyName, configuration }),
      'a task channel': () => workspace.taskChannels.create({ friendlyName, uniqueName: 'fax' }),
      'the workspace': () => workspace.update({ friendlyName }),
      'its worker': async () => workspace.workers(await worker('Ana')).update({ friendlyName }),
      'its queue': async () => workspace.taskQueues(await queue('All')).update({ friendlyName }),
      'its workflow': async () =>
        workspace
          .workflows(await workflow('W', { default_filter: { queue: await queue('Most') } }))
          .update({ friendlyName }),
      'its channel': () => chat.update({ friendlyName }),
    }
    for (const [what, ask] of Object.entries(asked))
      await assert.rejects(ask(), refused(400, 20001, /Missing required parameter FriendlyName/), what)
    await assert.rejects(
      workspace.taskChannels.create({ friendlyName: 'Fax', uniqueName: '' }),
      refused(400, 20001, /Missing required parameter UniqueName/),
    )
  })
})

for (const engine of ['memory', 'postgres'] as const)
  describe(`on ${engine}, a workflow`, () => {
    test('of thousands of targets is read at once, and the one that leads elsewhere is found', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const queue = await centre.queue('All')
      const targets = Array.from({ length: 9_000 }, () => ({ queue }))
      const began = busyMs()
      await centre.workflow('Long', { filters: [{ expression: '1==1', targets }] })
      targets.push({ queue: `WQ${NOBODYS}` })
      await assert.rejects(
        centre.workflow('Longer', { filters: [{ expression: '1==1', targets }] }),
        refused(400, 20001, /task_routing\.filters\[0\]\.targets\[9000\]\.queue: there is no task queue/),
      )
      assert.ok(busyMs() - began < SLOW_MS)
    })

    test('that leads to a queue of another workspace, or to none, is refused with the place and not kept', async () => {
      await using world = await openWorld({ engine })
      const [centre, other] = [await openCentre(world), await openCentre(world)]
      const theirs = await other.queue('Theirs')
      const [workflow] = await centre.workspace.workflows.list()
      assert.ok(workflow)
      for (const queue of [
        theirs,
        `WQ${NOBODYS}`,
        'Everyone',
        'WQ\0',
        '\u{1F600}'.slice(0, 1),
        'x'.repeat(100_000),
      ])
        for (const [place, routing] of [
          ['default_filter\\.queue', { default_filter: { queue } }],
          ['filters\\[0\\]\\.targets\\[0\\]\\.queue', configured({ queue })],
          ['filters\\[0\\]\\.queue', { filters: [{ expression: '1==1', queue }] }],
        ] as const) {
          const about = refused(400, 20001, new RegExp(`task_routing\\.${place}`))
          await assert.rejects(centre.workflow('Bad', routing), about)
          const configuration = JSON.stringify({ task_routing: routing })
          const updated = centre.workspace
            .workflows(workflow.sid)
            .update({ friendlyName: 'Half', configuration })
          await assert.rejects(updated, about)
        }
      assert.deepEqual(await centre.workspace.workflows.list(), [workflow])
    })

    test('that looks for a worker by what no worker can be called finds nobody, and passes on', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world, { routed: false })
      const queue = await centre.queue('All')
      const targets = [
        { queue, known_worker_sid: 'task.agent' },
        { queue, known_worker_friendly_name: 'task.agent' },
        { queue, expression: 'worker.friendly_name != task.agent' },
      ]
      await centre.workflow('W', { filters: [{ expression: '1==1', targets }] })
      await centre.worker('Ana')
      for (const agent of ['', 'a\0b', '\u{1F600}'.slice(0, 1), 'x'.repeat(50_000), 'WK', ' or 1=1']) {
        const task = await centre.task({ attributes: JSON.stringify({ agent }) })
        await world.settle()
        assert.deepEqual(await centre.offersOf(task), ['Ana:pending'], JSON.stringify(agent).slice(0, 40))
        await centre.workspace.tasks(task).remove()
      }
    })
  })

describe('deleting what is in use', () => {
  test('is refused with 20409 and by what, and takes nothing away', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false, workspace: { multiTaskEnabled: false } })
    const { workspace } = centre
    const activity = async (friendlyName: string) => (await workspace.activities.create({ friendlyName })).sid
    const [asked, busy, lunch] = [await activity('Asked'), await activity('Busy'), await activity('Lunch')]
    const queue = await centre.queue('All', { reservationActivitySid: asked, assignmentActivitySid: busy })
    const direct = await centre.queue('Direct', { targetWorkers: '' })
    const workflow = await centre.workflow('W', configured({ queue }))
    await workspace.taskChannels.create({ friendlyName: 'Fax', uniqueName: 'fax' })
    await workspace.update({ timeoutActivitySid: centre.away })
    const ana = await centre.worker('Ana')
    await centre.worker('Ben', {}, lunch)
    const task = await centre.task()
    await centre.task({ taskQueueSid: direct, taskChannel: 'fax' })
    await world.settle()
    const remove: Readonly<Record<string, () => Promise<unknown>>> = {
      'default or the timeout': () => workspace.activities(centre.offline).remove(),
      'the timeout': () => workspace.activities(centre.away).remove(),
      'workers are in it': () => workspace.activities(lunch).remove(),
      'Activity Asked': () => workspace.activities(asked).remove(),
      'Activity Busy': () => workspace.activities(busy).remove(),
      'workflow W leads': () => workspace.taskQueues(queue).remove(),
      'TaskQueue Direct .* tasks': () => workspace.taskQueues(direct).remove(),
      'Workflow W .* tasks': () => workspace.workflows(workflow).remove(),
      'TaskChannel fax .* tasks': () => workspace.taskChannels('fax').remove(),
      'TaskChannel default': () => workspace.taskChannels('default').remove(),
      'Worker Ana .* reservations': () => workspace.workers(ana).remove(),
      'The workspace .* tasks': () => workspace.remove(),
    }
    const all = async () => [
      await workspace.activities.list(),
      await workspace.taskQueues.list(),
      await workspace.workflows.list(),
      await workspace.taskChannels.list(),
      await workspace.workers.list(),
      await workspace.tasks.list(),
      await workspace.tasks(task).reservations.list(),
    ]
    const before = await all()
    const refuseAll = async () => {
      for (const [why, ask] of Object.entries(remove))
        await assert.rejects(ask(), refused(409, 20409, new RegExp(why)))
    }
    await refuseAll()
    assert.deepEqual(await all(), before)
    await centre.answer(task, 'Ana', 'accepted')
    await refuseAll()
    await mustAgree(world.house.store.reader)
  })

  test('is done with a task that is offered or taken: its worker is free, and hears of it', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('Ana')
    const free = async () =>
      (await centre.workspace.workers(ana).workerChannels('default').fetch()).availableCapacityPercentage
    for (const taken of [false, true]) {
      const task = await centre.task()
      await world.settle()
      if (taken) await centre.answer(task, 'Ana', 'accepted')
      assert.equal(await free(), 0)
      assert.ok(await centre.workspace.tasks(task).remove())
      assert.equal(await free(), 100)
      const eventType = taken ? 'reservation.completed' : 'reservation.canceled'
      assert.equal((await centre.workspace.events.list({ taskSid: task, eventType })).length, 1)
    }
    await mustAgree(world.house.store.reader)
  })
})

describe('a capacity', () => {
  test('below what is offered and taken is refused; one that just holds it is not', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = centre.workspace.workers(await centre.worker('Ana'))
    const chat = ana.workerChannels('chat')
    await chat.update({ capacity: 5 })
    const tasks = [await centre.task({ taskChannel: 'chat' }), await centre.task({ taskChannel: 'chat' })]
    await world.settle()
    await centre.answer(tasks[0] as string, 'Ana', 'accepted')
    for (const capacity of [0, 1])
      await assert.rejects(
        chat.update({ capacity, available: false }),
        refused(400, 20001, /has 2 tasks.* offers among them/),
      )
    const { configuredCapacity, available } = await chat.fetch()
    assert.deepEqual([configuredCapacity, available], [5, true])
    assert.equal((await chat.update({ capacity: 2 })).availableCapacityPercentage, 0)
    for (const capacity of [-1, 1_001, 1.5, Number.NaN])
      await assert.rejects(chat.update({ capacity }), refused(400, 20001, /Capacity/))
    await mustAgree(world.house.store.reader)
  })
})

/** Everything of a worker, a task and its one reservation that a change could leave half done. */
const stateOf = async (centre: Centre, worker: string, task: string) => [
  await centre.workspace.workers(worker).fetch(),
  await centre.workspace.workers(worker).workerChannels.list(),
  await centre.workspace.tasks(task).fetch(),
  await centre.workspace.tasks(task).reservations.list(),
  (await centre.workspace.events.list()).length,
]

for (const engine of ['memory', 'postgres'] as const)
  describe(`on ${engine}, a stale If-Match`, () => {
    test('is refused with 412 for tasks, workers and reservations, and nothing is half done', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const { workspace } = centre
      const five = world.twilio5.taskrouter.v1.workspaces((await workspace.fetch()).sid)
      const ana = await centre.worker('Ana')
      const task = await centre.task()
      await world.settle()
      const [offer] = await workspace.tasks(task).reservations.list()
      assert.ok(offer)
      const leaving = { activitySid: centre.offline, rejectPendingReservations: true, attributes: '{"a":1}' }
      for (const ifMatch of ['"999"', 'W/"999"', '999', '"998", "999"', 'nonsense'])
        for (const within of [workspace, five]) {
          const before = await stateOf(centre, ana, task)
          for (const ask of [
            () => within.workers(ana).update({ ifMatch, ...leaving }),
            () => within.workers(ana).remove({ ifMatch }),
            () => within.tasks(task).update({ ifMatch, priority: 9 }),
            () => within.tasks(task).update({ ifMatch, assignmentStatus: 'canceled', reason: 'x' }),
            () => within.tasks(task).remove({ ifMatch }),
            () =>
              within.tasks(task).reservations(offer.sid).update({ ifMatch, reservationStatus: 'accepted' }),
            () =>
              within.workers(ana).reservations(offer.sid).update({ ifMatch, reservationStatus: 'rejected' }),
          ])
            await assert.rejects(ask(), refused(412, 20412))
          assert.deepEqual(await stateOf(centre, ana, task), before)
        }
      await mustAgree(world.house.store.reader)
    })

    test('is stale as soon as anything of the row changed, and the newest holds', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const { sid } = await centre.workspace.fetch()
      const ana = await centre.worker('Ana')
      const task = await centre.task()
      const base = `/v1/Workspaces/${sid}`
      const etagOf = async (path: string) => (await world.fetch(base + path)).headers.get('etag') as string
      const ask = (path: string, form: Record<string, string>, etag: string) =>
        world.fetch(base + path, { method: 'POST', form, headers: { 'If-Match': etag } })
      const stale = { task: await etagOf(`/Tasks/${task}`), worker: await etagOf(`/Workers/${ana}`) }
      await world.settle()
      const [offer] = await centre.workspace.tasks(task).reservations.list()
      const path = `/Tasks/${task}/Reservations/${offer?.sid}`
      const reservation = await etagOf(path)
      assert.equal(reservation, await etagOf(`/Workers/${ana}/Reservations/${offer?.sid}`))
      assert.equal((await ask(`/Tasks/${task}`, { Priority: '1' }, stale.task)).status, 412, 'it was offered')
      const priority = await ask(`/Tasks/${task}`, { Priority: '1' }, await etagOf(`/Tasks/${task}`))
      assert.equal(priority.status, 200)
      assert.equal(priority.headers.get('etag'), await etagOf(`/Tasks/${task}`))
      const accepted = await ask(path, { ReservationStatus: 'accepted' }, reservation)
      assert.equal(accepted.status, 200)
      assert.equal((await ask(path, { ReservationStatus: 'completed' }, reservation)).status, 412)
      const etag = accepted.headers.get('etag') as string
      assert.equal((await ask(path, { ReservationStatus: 'completed' }, etag)).status, 200)
      assert.equal((await ask(`/Workers/${ana}`, { ActivitySid: centre.away }, '*')).status, 200)
      assert.equal((await ask(`/Workers/${ana}`, { Attributes: '{}' }, stale.worker)).status, 412)
    })
  })

describe('a change of which one part cannot be', () => {
  test('is not made at all', async () => {
    await using world = await openWorld()
    const [centre, other] = [await openCentre(world), await openCentre(world)]
    const { workspace } = centre
    const ana = await centre.worker('Ana')
    await centre.worker('Ben', {}, centre.offline)
    const task = await centre.task()
    await world.settle()
    const [offer] = await workspace.tasks(task).reservations.list()
    const { sid = '' } = offer ?? {}
    const elsewhere = other.offline
    const leaving = { activitySid: centre.offline, rejectPendingReservations: true }
    const before = await stateOf(centre, ana, task)
    for (const ask of [
      () => workspace.workers(ana).update({ ...leaving, activitySid: elsewhere }),
      () => workspace.workers(ana).update({ ...leaving, attributes: '[]' }),
      () =>
        workspace.tasks(task).update({ attributes: '{"a":1}', assignmentStatus: 'completed', reason: 'x' }),
      () => workspace.tasks(task).update({ attributes: '{"a":1}', assignmentStatus: 'canceled' }),
      () => workspace.tasks(task).update({ priority: 3, taskChannel: 'chat' }),
      () => workspace.tasks(task).update({ priority: 3, taskChannel: 'pigeon' }),
      () =>
        workspace
          .tasks(task)
          .reservations(sid)
          .update({ reservationStatus: 'rejected', workerActivitySid: elsewhere }),
    ])
      await assert.rejects(ask(), refused(400, 20001))
    await assert.rejects(
      workspace.workers(ana).update({ ...leaving, friendlyName: 'Ben' }),
      refused(409, 20409),
    )
    assert.deepEqual(await stateOf(centre, ana, task), before)
    await mustAgree(world.house.store.reader)
  })

  test('RejectPendingReservations does nothing without an activity that is not available', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = centre.workspace.workers(await centre.worker('Ana'))
    const task = await centre.task()
    await world.settle()
    await ana.update({ rejectPendingReservations: true })
    await ana.update({ rejectPendingReservations: true, activitySid: centre.available })
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'])
    await ana.update({ activitySid: centre.away })
    assert.deepEqual(await centre.offersOf(task), ['Ana:pending'], 'the offer stands')
    await ana.update({ rejectPendingReservations: true, activitySid: centre.away })
    assert.deepEqual(await centre.offersOf(task), ['Ana:rejected'], 'though the worker was away already')
  })
})

describe("a worker's token", () => {
  const tokenOf = (world: World, identity: string) => {
    const { AccessToken } = twilio.jwt
    const { sid, apiKeySid, apiKeySecret } = world.account
    const token = new AccessToken(sid, apiKeySid, apiKeySecret, { identity })
    token.addGrant(new AccessToken.TaskRouterGrant({ role: 'worker' }))
    return `Basic ${Buffer.from(`token:${token.toJwt()}`).toString('base64')}`
  }

  test('moves nobody else’s reservation, by whichever path and in whichever state', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const { sid } = await centre.workspace.fetch()
    const [ana, ben] = [await centre.worker('Ana'), await centre.worker('Ben', {}, centre.offline)]
    const task = await centre.task()
    await world.settle()
    const [offer] = await centre.workspace.tasks(task).reservations.list()
    const base = `/v1/Workspaces/${sid}`
    const ask = async (as: string, path: string, form?: Record<string, string>) => {
      const answer = await world.fetch(`${base}${path}/Reservations/${offer?.sid}`, {
        as,
        ...(form && { method: 'POST', form }),
      })
      return [answer.status, ((await answer.json()) as { code?: number }).code]
    }
    const asBen = tokenOf(world, 'Ben')
    const refuse = async () => {
      const before = await stateOf(centre, ana, task)
      for (const path of [`/Tasks/${task}`, `/Workers/${ana}`]) {
        assert.deepEqual(await ask(asBen, path), [403, 20006])
        for (const ReservationStatus of ['accepted', 'rejected', 'wrapping', 'completed', 'canceled'])
          assert.deepEqual(await ask(asBen, path, { ReservationStatus }), [403, 20006])
        assert.deepEqual(await ask(asBen, path, { Instruction: 'accept' }), [403, 20006])
      }
      assert.deepEqual(await ask(asBen, `/Workers/${ben}`, { ReservationStatus: 'accepted' }), [404, 20404])
      assert.deepEqual(await stateOf(centre, ana, task), before)
    }
    await refuse()
    const [status] = await ask(tokenOf(world, 'Ana'), `/Workers/${ana}`, { ReservationStatus: 'accepted' })
    assert.equal(status, 200)
    await refuse()
  })
})

describe('the parameters of voice', () => {
  /** Every one that is published, under the task or under the worker. */
  const VOICE = {
    callAccept: true,
    callFrom: '+15005550006',
    callRecord: 'true',
    callStatusCallbackUrl: 'http://127.0.0.1:1/status',
    callTimeout: 5,
    callTo: '+15005550006',
    callUrl: 'http://127.0.0.1:1/call',
    beep: 'true',
    beepOnCustomerEntrance: true,
    conferenceRecord: 'true',
    conferenceRecordingStatusCallback: 'http://127.0.0.1:1/recording',
    conferenceRecordingStatusCallbackMethod: 'POST',
    conferenceStatusCallback: 'http://127.0.0.1:1/conference',
    conferenceStatusCallbackEvent: ['start', 'end'],
    conferenceStatusCallbackMethod: 'POST',
    conferenceTrim: 'trim-silence',
    dequeueFrom: '+15005550006',
    dequeuePostWorkActivitySid: `WA${NOBODYS}`,
    dequeueRecord: 'record-from-answer',
    dequeueStatusCallbackEvent: ['initiated', 'answered'],
    dequeueStatusCallbackUrl: 'http://127.0.0.1:1/dequeue',
    dequeueTimeout: 10,
    dequeueTo: '+15005550006',
    earlyMedia: true,
    endConferenceOnCustomerExit: true,
    endConferenceOnExit: true,
    from: 'client:ana',
    jitterBufferSize: 'off',
    maxParticipants: 3,
    muted: false,
    postWorkActivitySid: `WA${NOBODYS}`,
    record: true,
    recordingChannels: 'dual',
    recordingStatusCallback: 'http://127.0.0.1:1/recording',
    recordingStatusCallbackMethod: 'POST',
    redirectAccept: true,
    redirectCallSid: `CA${NOBODYS}`,
    redirectUrl: 'http://127.0.0.1:1/redirect',
    region: 'de1',
    sipAuthPassword: 'secret',
    sipAuthUsername: 'ana',
    startConferenceOnEnter: true,
    statusCallback: 'http://127.0.0.1:1/status',
    statusCallbackEvent: ['initiated', 'completed'],
    statusCallbackMethod: 'POST',
    supervisor: `WK${NOBODYS}`,
    supervisorMode: 'whisper',
    timeout: 10,
    to: '+15005550006',
    waitMethod: 'GET',
    waitUrl: 'http://127.0.0.1:1/wait',
  } as object

  test('are taken and mean nothing, all of them, with every instruction of voice', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('Ana')
    const task = await centre.task()
    await world.settle()
    const [offer] = await centre.workspace.tasks(task).reservations.list()
    const { sid = '' } = offer ?? {}
    for (const client of [world.twilio, world.twilio5]) {
      const within = client.taskrouter.v1.workspaces((await centre.workspace.fetch()).sid)
      for (const instruction of ['dequeue', 'call', 'redirect', 'conference', 'supervise', 'constructor']) {
        const asked = { ...VOICE, instruction }
        assert.equal((await within.tasks(task).reservations(sid).update(asked)).reservationStatus, 'pending')
        assert.equal((await within.workers(ana).reservations(sid).update(asked)).reservationStatus, 'pending')
      }
    }
    const accepted = { ...VOICE, reservationStatus: 'accepted' } as const
    const moved = await centre.workspace.tasks(task).reservations(sid).update(accepted)
    assert.equal(moved.reservationStatus, 'accepted')
    assert.equal((await centre.workspace.workers(ana).fetch()).activityName, 'Available')
  })
})
