/** What happened in a workspace, as its log tells it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Engine, openWorld } from '../world/index.ts'
import { type Centre, openCentre } from './centre.ts'

const DAY = 24 * 60 * 60_000

interface Page {
  readonly instances: readonly { readonly sid: string }[]
  nextPage(): Promise<Page> | undefined
}

const sidOf = async ({ workspace }: Centre): Promise<string> => (await workspace.fetch()).sid

const typesOf = async (centre: Centre, filters: object = {}): Promise<string[]> =>
  (await centre.workspace.events.list(filters)).map((it) => it.eventType).reverse()

/** A task that ana is offered, accepts, wraps up and completes. */
const doOne = async (centre: Centre, taskSid: string): Promise<void> => {
  await centre.world.settle()
  await centre.answer(taskSid, 'ana', 'accepted')
  await centre.answer(taskSid, 'ana', 'wrapping')
  await centre.answer(taskSid, 'ana', 'completed')
}

const LIFE = [
  'workflow.entered',
  'workflow.target-matched',
  'task-queue.entered',
  'task.created',
  'reservation.created',
  'reservation.accepted',
  'reservation.wrapup',
  'task.wrapup',
  'reservation.completed',
  'task.completed',
]

for (const engine of ['memory', 'postgres'] as const satisfies Engine[])
  describe(`the log of events (${engine})`, () => {
    test('has each step of a task once, the latest first, found by all that it names', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const { events } = centre.workspace
      const ana = await centre.worker('ana', { level: 3 })
      const ben = await centre.worker('ben', {}, centre.away)
      const task = await centre.task({ attributes: '{"name":"Vera"}', taskChannel: 'chat' })
      const other = await centre.task({ taskChannel: 'sms' })
      await doOne(centre, task)

      assert.deepEqual(await typesOf(centre, { taskSid: task }), LIFE)
      const [reservation] = await centre.workspace.tasks(task).reservations.list()
      assert.deepEqual(
        await typesOf(centre, { reservationSid: reservation?.sid }),
        LIFE.filter((it) => it.startsWith('reservation.')),
      )
      const ofAna = await typesOf(centre, { workerSid: ana, taskSid: task })
      assert.deepEqual(ofAna, await typesOf(centre, { reservationSid: reservation?.sid }))
      assert.deepEqual(await typesOf(centre, { workerSid: ben }), ['worker.created'])
      assert.deepEqual(await typesOf(centre, { eventType: 'task.completed' }), ['task.completed'])
      assert.deepEqual(await typesOf(centre, { taskChannel: 'sms', eventType: 'task.created' }), [
        'task.created',
      ])
      const [workflow] = await centre.workspace.workflows.list()
      const [queue] = await centre.workspace.taskQueues.list()
      assert.ok(workflow && queue)
      const both = { workflowSid: workflow.sid, taskQueueSid: queue.sid, eventType: 'task.created' }
      assert.deepEqual(
        (await events.list(both)).map((it) => it.resourceSid),
        [other, task],
      )
      assert.deepEqual(await typesOf(centre, { taskChannel: 'no such channel' }), [])
    })

    test('is paged without a gap while more happens', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      for (let at = 0; at < 5; at += 1) await centre.task()
      const all = (await centre.workspace.events.list()).map((it) => it.sid)
      const seen: string[] = []
      let page: Page | undefined = await centre.workspace.events.page({ pageSize: 7 })
      while (page) {
        seen.push(...page.instances.map((it) => it.sid))
        await centre.task()
        page = await page.nextPage()
      }
      assert.deepEqual(seen, all)
    })

    test('is gone through in both directions for what many events name, however far apart they are', async () => {
      await using world = await openWorld({ engine })
      const centre = await openCentre(world)
      const queue = await centre.queue('Rare')
      const tasks: string[] = []
      for (const hours of [0, 1, 30, 200, 0]) {
        world.clock.advance(hours * 3_600_000)
        tasks.push(await centre.task({ taskQueueSid: queue }))
        for (let at = 0; at < 3; at += 1) await centre.task()
      }
      const filters = { eventType: 'task.created', taskQueueSid: queue, startDate: new Date(0) }
      const newest = tasks.toReversed()
      assert.deepEqual(
        (await centre.workspace.events.list(filters)).map((it) => it.resourceSid),
        newest,
      )
      const two = { ...filters, pageSize: 2 }
      const first = await centre.workspace.events.page(two)
      const second = await first.nextPage()
      const third = await second?.nextPage()
      const back = await third?.previousPage()
      const seen = [first, second, third, back].map((page) => page?.instances.map((it) => it.resourceSid))
      const [a, b, c] = [newest.slice(0, 2), newest.slice(2, 4), newest.slice(4)]
      assert.deepEqual(seen, [a, b, c, b])
      const { sid } = await centre.workspace.taskChannels('voice').fetch()
      assert.deepEqual(await typesOf(centre, { taskChannel: sid, startDate: new Date(0) }), [])
      // From an edge that this list never gave: after all there is, or before it.
      const from = async (way: 'A' | 'B', digit: string) => {
        const query = `EventType=task.created&TaskQueueSid=${queue}&StartDate=2000-01-01T00:00:00Z&PageSize=2`
        const path = `/v1/Workspaces/${await sidOf(centre)}/Events?${query}&PageToken=P${way}EV${digit.repeat(32)}`
        const { events } = (await (await world.fetch(path)).json()) as { events: { resource_sid: string }[] }
        return events.map((it) => it.resource_sid)
      }
      assert.deepEqual(await from('A', 'f'), a)
      assert.deepEqual(await from('B', '0'), newest.slice(-2))
    })

    test('forgets after as many days as it is told, however much there is', async () => {
      await using world = await openWorld({ engine, eventsDays: 2 })
      const centre = await openCentre(world)
      for (let at = 0; at < 30; at += 1) await Promise.all(Array.from({ length: 5 }, () => centre.task()))
      const ago = { startDate: new Date(0) }
      assert.ok((await centre.workspace.events.list(ago)).length > 600, 'more than one bite')
      world.clock.advance(1 * DAY)
      await world.settle()
      const kept = await centre.workspace.events.list({ ...ago, eventType: 'task.created' })
      assert.equal(kept.length, 150)
      world.clock.advance(1.5 * DAY)
      await world.settle()
      assert.deepEqual(await typesOf(centre, { ...ago, eventType: 'task.created' }), [])
      assert.ok((await typesOf(centre, ago)).includes('task.canceled'), 'what is younger stays')
    })
  })

describe('an event', () => {
  test("has Twilio's shape, its values as texts, and says who did it", async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const workspaceSid = await sidOf(centre)
    const ana = await centre.worker('ana', { level: 3 })
    const task = await centre.task({ attributes: '{"name":"Vera"}', priority: 4 })
    await world.settle()
    const [created] = await centre.workspace.events.list({ eventType: 'task.created' })
    assert.ok(created)
    assert.deepEqual(
      [created.actorType, created.actorSid, created.source, created.resourceType, created.resourceSid],
      ['account', world.account.sid, 'api', 'task', task],
    )
    const { url } = world
    assert.equal(created.resourceUrl, `${url}/v1/Workspaces/${workspaceSid}/Tasks/${task}`)
    assert.equal(created.url, `${url}/v1/Workspaces/${workspaceSid}/Events/${created.sid}`)
    assert.equal(String(Math.floor(created.eventDateMs / 1000)), created.eventData.task_date_created)
    assert.deepEqual(
      [created.eventData.task_priority, created.eventData.task_age, created.eventData.task_attributes],
      ['4', '0', '{"name":"Vera"}'],
    )
    assert.equal(created.eventData.workspace_name, 'Support')
    const [offered] = await centre.workspace.events.list({ eventType: 'reservation.created' })
    assert.ok(offered)
    assert.deepEqual(
      [offered.actorType, offered.actorSid, offered.source, offered.resourceType],
      ['workspace', workspaceSid, 'taskrouter', 'reservation'],
    )
    assert.deepEqual(
      [offered.eventData.worker_sid, offered.eventData.worker_name, offered.eventData.task_sid],
      [ana, 'ana', task],
    )
    const again = await centre.workspace.events(offered.sid).fetch()
    assert.deepEqual(again.eventData, offered.eventData)
  })

  test('of a worker says where they were before and for how long', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const ana = await centre.worker('ana')
    world.clock.advance(26_123)
    await centre.workspace.workers(ana).update({ activitySid: centre.away })
    const [moved] = await centre.workspace.events.list({ eventType: 'worker.activity.update' })
    assert.ok(moved)
    const { eventData: data } = moved
    assert.deepEqual(
      [data.worker_time_in_previous_activity, data.worker_time_in_previous_activity_ms],
      ['26', '26123'],
    )
    assert.equal(data.worker_previous_activity_sid, centre.available)
    assert.equal(moved.description, 'Worker ana updated to Unavailable Activity')
  })

  test('of a workflow names the filter that took the task', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world, { routed: false })
    const queue = await centre.queue('All')
    const targets = [{ queue }]
    await centre.workflow('By name', {
      filters: [{ filter_friendly_name: 'Veras', expression: "name == 'Vera'", targets }],
      default_filter: { queue },
    })
    await centre.task({ attributes: '{"name":"Vera"}' })
    const [matched] = await centre.workspace.events.list({ eventType: 'workflow.target-matched' })
    assert.ok(matched)
    assert.equal(matched.eventData.workflow_filter_name, 'Veras')
    assert.equal(matched.eventData.workflow_filter_expression, "name == 'Vera'")
  })

  test('is not there where what it tells was undone', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await assert.rejects(centre.workspace.tasks.create({ taskChannel: 'no such channel' }))
    assert.deepEqual(await typesOf(centre, { eventType: 'task.created' }), [])
  })
})

describe('a list of events', () => {
  test('is of the last fifteen minutes, of the minutes asked for, or between two dates', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    const first = await centre.task()
    const began = new Date(world.clock.now())
    world.clock.advance(20 * 60_000)
    const second = await centre.task()
    const made = async (filters: object) =>
      (await centre.workspace.events.list({ eventType: 'task.created', ...filters }))
        .map((it) => it.resourceSid)
        .reverse()
    assert.deepEqual(await made({}), [second])
    assert.deepEqual(await made({ minutes: 30 }), [first, second])
    assert.deepEqual(await made({ startDate: began }), [first, second])
    assert.deepEqual(await made({ endDate: new Date(world.clock.now() - 60_000) }), [first])
    assert.deepEqual(await made({ startDate: new Date(world.clock.now() - 60_000) }), [second])
    const [of] = await centre.workspace.events.list({ taskSid: first, minutes: 30 })
    assert.equal((await centre.workspace.events.list({ sid: of?.sid as string })).length, 1)
  })

  test('refuses what it cannot read, another workspace and another account', async () => {
    await using world = await openWorld()
    const centre = await openCentre(world)
    await centre.task()
    const workspaceSid = await sidOf(centre)
    const list = `/v1/Workspaces/${workspaceSid}/Events`
    for (const query of ['Minutes=soon', 'Minutes=-1', 'TaskSid=WT1', 'StartDate=yesterday', 'Sid=x'])
      assert.equal((await world.fetch(`${list}?${query}`)).status, 400, query)
    const [event] = await centre.workspace.events.list({ limit: 1 })
    const elsewhere = await openCentre(world)
    await assert.rejects(elsewhere.workspace.events(event?.sid as string).fetch(), { status: 404 })
    const other = await world.newAccount('Another')
    const theirs = other.twilio.taskrouter.v1.workspaces(workspaceSid)
    await assert.rejects(theirs.events.list(), { status: 404 })
    await assert.rejects(theirs.events(event?.sid as string).fetch(), { status: 404 })
  })
})
