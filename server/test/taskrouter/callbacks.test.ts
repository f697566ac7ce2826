/** What TaskRouter tells an integrator's back end, and what it lets that decide. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import twilio from 'twilio'
import { ledger, line, replay } from '../webhooks/channel.ts'
import { openWorld, type World } from '../world/index.ts'
import type { Heard } from '../world/listener.ts'
import { type Centre, openCentre } from './centre.ts'

const json = (body: unknown, status = 200) => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

const assertSigned = (world: World, { url, headers, form }: Heard): void => {
  const signature = headers['x-twilio-signature'] as string
  assert.ok(twilio.validateRequest(world.account.authToken, signature, url, form), `the signature of ${url}`)
  assert.ok(!twilio.validateRequest('another token', signature, url, form))
}

/** A centre whose workspace calls `/events`. */
const openToldCentre = (world: World, eventsFilter?: string): Promise<Centre> =>
  openCentre(world, {
    workspace: { eventCallbackUrl: world.listener.url('/events'), ...(eventsFilter && { eventsFilter }) },
  })

describe('the event callback of a workspace', () => {
  test('tells every event of a task in order, with the names of the log, signed', async () => {
    await using world = await openWorld()
    const centre = await openToldCentre(world)
    await centre.worker('ana', { level: 3 })
    await world.settle()
    world.listener.forget()
    const task = await centre.task({ attributes: '{"name":"Vera"}' })
    assert.deepEqual(world.listener.heard, [], 'nothing is sent before the commit')
    await world.settle()
    await centre.answer(task, 'ana', 'accepted')
    await world.settle()

    const heard = world.listener.at('/events')
    for (const it of heard) assertSigned(world, it)
    const kept = (await centre.workspace.events.list({ taskSid: task })).reverse()
    assert.deepEqual(
      heard.map(({ form }) => [form.EventType, form.Sid]),
      kept.map((it) => [it.eventType, it.sid]),
    )
    const { form } = heard.at(-1) as Heard
    const { eventData: data } = kept.at(-1) as { eventData: Record<string, string> }
    assert.equal(form.EventType, 'reservation.accepted')
    for (const [name, value] of Object.entries({
      ...{ AccountSid: world.account.sid, WorkspaceName: 'Support', ResourceType: 'reservation' },
      ...{ ResourceSid: data.reservation_sid, ReservationSid: data.reservation_sid, TaskSid: task },
      ...{ TaskAttributes: '{"name":"Vera"}', TaskAssignmentStatus: 'assigned', TaskAge: '0' },
      ...{ WorkerName: 'ana', WorkerAttributes: '{"level":3}', WorkerSid: data.worker_sid },
      ...{ WorkspaceSid: data.workspace_sid, TaskQueueSid: data.task_queue_sid },
      ...{ Timestamp: String(Math.floor(world.clock.now() / 1000)), WorkflowSid: data.workflow_sid },
    }))
      assert.equal(form[name], value, name)
  })

  test('is told only of what its filter names; the others are silences with their rule', async () => {
    await using world = await openWorld()
    const centre = await openToldCentre(world, 'task.created, worker.created')
    await centre.worker('ana')
    const task = await centre.task()
    await world.settle()
    assert.deepEqual(
      world.listener
        .at('/events')
        .map((it) => it.form.EventType)
        .sort(),
      ['task.created', 'worker.created'],
    )
    const lines = await ledger(world, { TaskSid: task })
    const [told] = lines.filter((it) => it.state === 'delivered')
    assert.deepEqual(
      [told?.event_type, told?.rule, told?.webhook_type],
      ['task.created', 'events_filter', 'workspace'],
    )
    const silent = lines.filter((it) => it.state === 'silent')
    assert.deepEqual([...new Set(silent.map((it) => it.rule))], ['not_in_events_filter'])
    assert.ok(silent.some((it) => it.event_type === 'reservation.created'))
    await centre.workspace.update({ eventCallbackUrl: '' })
    world.listener.forget()
    await centre.task()
    await world.settle()
    assert.deepEqual(world.listener.heard, [])
  })

  test('is retried in order, also by the process that comes after', async () => {
    await using world = await openWorld({ engine: 'disk' })
    const centre = await openToldCentre(world)
    let up = false
    world.listener.answer('/events', () => ({ status: up ? 204 : 500 }))
    const task = await centre.task()
    await world.settle()
    const ofTask = () =>
      world.listener
        .at('/events')
        .filter((it) => it.form.TaskSid === task)
        .map((it) => it.form.EventType)
    assert.deepEqual(ofTask(), ['workflow.entered'])
    up = true
    await world.restart()
    world.clock.advance(3_000)
    await world.settle()
    assert.deepEqual(ofTask(), [
      'workflow.entered',
      'workflow.entered',
      'workflow.target-matched',
      'task-queue.entered',
      'task.created',
    ])
    const tokens = world.listener
      .at('/events')
      .filter((it) => it.form.EventType === 'workflow.entered')
      .map((it) => it.headers['i-twilio-idempotency-token'])
    assert.equal(new Set(tokens).size, 1)
  })

  test('is told of the end of its workspace', async () => {
    await using world = await openWorld()
    const centre = await openToldCentre(world, 'workspace.deleted')
    await centre.workspace.remove()
    await world.settle()
    assert.deepEqual(
      world.listener.at('/events').map((it) => it.form.EventDescription),
      ['Workspace Support deleted'],
    )
  })
})

/** A centre whose one workflow asks `/assign`, with ana, and the reservation's state. */
const openAskingCentre = async (world: World, fallback = false) => {
  const centre = await openCentre(world)
  const [workflow] = await centre.workspace.workflows.list()
  await centre.workspace.workflows(workflow?.sid as string).update({
    assignmentCallbackUrl: world.listener.url('/assign?x=a%20b'),
    ...(fallback && { fallbackAssignmentCallbackUrl: world.listener.url('/fallback') }),
  })
  const ana = await centre.worker('ana', { level: 3 })
  return {
    ...centre,
    ana,
    workflowSid: workflow?.sid as string,
    /** The latest call to the workflow's address as the ledger has it. */
    asked: async (task: string, type = 'assignment') => {
      const found = (await ledger(world, { TaskSid: task })).find((it) => it.webhook_type === type)
      return found && line(world, found.sid)
    },
  }
}

describe('the assignment callback of a workflow', () => {
  for (const engine of ['memory', 'postgres'] as const)
    test(`tells of a reservation, signed, and its answer accepts it (${engine})`, async () => {
      await using world = await openWorld({ engine })
      const centre = await openAskingCentre(world)
      world.listener.answer('/assign', () => json({ instruction: 'accept' }))
      const task = await centre.task({ attributes: '{"name":"Vera"}', priority: 3, taskChannel: 'chat' })
      await world.settle()

      const [heard, ...more] = world.listener.heard as [Heard]
      assert.deepEqual(more, [])
      assertSigned(world, heard)
      const [reservation] = await centre.workspace.tasks(task).reservations.list()
      const [queue] = await centre.workspace.taskQueues.list()
      const { taskChannelSid } = await centre.workspace.tasks(task).fetch()
      assert.deepEqual(
        { ...heard.form },
        {
          Timestamp: String(Math.floor(world.clock.now() / 1000)),
          AccountSid: world.account.sid,
          WorkspaceSid: (await centre.workspace.fetch()).sid,
          WorkflowSid: centre.workflowSid,
          TaskQueueSid: queue?.sid,
          TaskChannelSid: taskChannelSid,
          TaskChannelUniqueName: 'chat',
          WorkerSid: centre.ana,
          WorkerName: 'ana',
          WorkerAttributes: '{"level":3}',
          TaskSid: task,
          TaskAttributes: '{"name":"Vera"}',
          TaskAge: '0',
          TaskPriority: '3',
          ReservationSid: reservation?.sid,
        },
      )
      assert.deepEqual(await centre.offersOf(task), ['ana:accepted'])
      assert.equal(await centre.statusOf(task), 'assigned')
      const asked = await centre.asked(task)
      assert.deepEqual(
        [asked?.state, asked?.outcome, asked?.rule],
        ['delivered', '200', 'assignment_callback'],
      )
      assert.equal((await replay(world, asked?.sid as string)).status, 400, 'its offer is over')
      const [accepted] = await centre.workspace.events.list({ eventType: 'reservation.accepted' })
      assert.equal(accepted?.actorType, 'account')
    })

  test('rejects, and moves the worker where it says', async () => {
    await using world = await openWorld()
    const centre = await openAskingCentre(world)
    world.listener.answer('/assign', () => json({ instruction: 'reject', activity_sid: centre.away }))
    const task = await centre.task()
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:rejected'])
    assert.equal((await centre.workspace.workers(centre.ana).fetch()).activitySid, centre.away)
    assert.equal(await centre.statusOf(task), 'pending')
  })

  test('decides nothing where it answers nothing', async () => {
    await using world = await openWorld()
    const centre = await openAskingCentre(world, true)
    for (const status of [200, 204]) {
      world.listener.answer('/assign', () => ({ status }))
      const task = await centre.task()
      await world.settle()
      assert.deepEqual(await centre.offersOf(task), ['ana:pending'])
      assert.equal((await centre.asked(task))?.state, 'delivered')
      await centre.answer(task, 'ana', 'accepted')
      await centre.answer(task, 'ana', 'completed')
    }
    assert.deepEqual(world.listener.at('/fallback'), [])
  })

  const bad = [
    ['a failure', { status: 500, body: 'broken' }, '500', /500/],
    ['a refusal', { status: 404 }, '404', /404/],
    ['no Content-Type', { status: 200, body: '{"instruction":"accept"}' }, 'no-json', /40000/],
    ['no JSON', json('accept'), 'no-json', /40001/],
    ['a list', json([{ instruction: 'accept' }]), 'no-json', /40001/],
    ['no instruction', json({}), 'no-instruction', /40005/],
    ['an unknown instruction', json({ instruction: 'marry' }), 'unknown-instruction', /40151/],
    [
      'an activity that is not there',
      json({ instruction: 'reject', activity_sid: `WA${'0'.repeat(32)}` }),
      'not-carried-out',
      /activity_sid/,
    ],
    ['an activity that is none', json({ instruction: 'reject', activity_sid: 5 }), 'not-carried-out', /SID/],
    [
      'an activity with a NUL',
      json({ instruction: 'reject', activity_sid: 'WA\0' }),
      'not-carried-out',
      /SID/,
    ],
  ] as const

  test('that cannot be used is written down with why, and its fallback is asked', async () => {
    await using world = await openWorld()
    const centre = await openAskingCentre(world, true)
    world.listener.answer('/fallback', () => json({ instruction: 'accept' }))
    for (const [what, reply, outcome, reason] of bad) {
      world.listener.answer('/assign', () => reply)
      const task = await centre.task()
      await world.settle()
      const asked = await centre.asked(task)
      assert.deepEqual([asked?.state, asked?.outcome], ['failed', outcome], what)
      assert.match(asked?.attempts?.[0]?.reason ?? '', reason, what)
      const elsewhere = await centre.asked(task, 'assignment-fallback')
      assert.deepEqual([elsewhere?.state, elsewhere?.rule], ['delivered', 'fallback_callback'], what)
      assert.deepEqual(await centre.offersOf(task), ['ana:accepted'], what)
      await centre.answer(task, 'ana', 'completed')
    }
    for (const it of world.listener.heard) assertSigned(world, it)
    assert.equal(world.listener.at('/fallback').length, bad.length)
    assert.equal(world.listener.at('/assign').length, bad.length, 'each is asked once')
  })

  test('that hangs gives way to its fallback after five seconds; without one the offer stands', async () => {
    await using world = await openWorld()
    const centre = await openAskingCentre(world, true)
    world.listener.answer('/assign', () => ({ hang: true }))
    world.listener.answer('/fallback', () => ({ status: 503 }))
    const task = await centre.task()
    await world.settle()
    const asked = await centre.asked(task)
    assert.deepEqual([asked?.state, asked?.outcome], ['failed', 'timed-out'])
    // How long it took in the end is also the machine's to say.
    const [{ reason = '', duration_ms = 0 } = {}] = asked?.attempts ?? []
    assert.match(reason ?? '', /within 5000 ms/)
    assert.ok(duration_ms > 4_500, `${duration_ms} ms`)
    assert.equal((await centre.asked(task, 'assignment-fallback'))?.state, 'failed')
    assert.deepEqual(await centre.offersOf(task), ['ana:pending'])
    world.clock.advance(120_000)
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:timeout'])
  })

  test('that gives an instruction of voice is told so in the ledger, and the offer stands', async () => {
    await using world = await openWorld()
    const centre = await openAskingCentre(world, true)
    for (const instruction of ['dequeue', 'call', 'redirect', 'conference', 'supervise']) {
      world.listener.answer('/assign', () => json({ instruction, url: 'https://example.com' }))
      const task = await centre.task()
      await world.settle()
      const asked = await centre.asked(task)
      assert.deepEqual([asked?.state, asked?.outcome], ['failed', 'voice-instruction'])
      assert.match(asked?.attempts?.[0]?.reason ?? '', /40151.*about calls, which are not served/)
      assert.deepEqual(await centre.offersOf(task), ['ana:pending'])
      await centre.answer(task, 'ana', 'accepted')
      await centre.answer(task, 'ana', 'completed')
    }
    assert.deepEqual(world.listener.at('/fallback'), [])
  })

  test('whose answer comes after somebody was faster changes nothing', async () => {
    await using world = await openWorld()
    const centre = await openAskingCentre(world, true)
    world.listener.answer('/assign', async ({ form }) => {
      await centre.answer(form.TaskSid as string, 'ana', 'accepted')
      return json({ instruction: 'reject' })
    })
    const task = await centre.task()
    await world.settle()
    assert.deepEqual(await centre.offersOf(task), ['ana:accepted'])
    assert.equal((await centre.asked(task))?.outcome, 'reservation-over')
    assert.deepEqual(world.listener.at('/fallback'), [])
  })

  test('is not called for an offer that is over before its turn', async () => {
    await using world = await openWorld({ engine: 'disk' })
    const centre = await openAskingCentre(world)
    world.listener.answer('/assign', async ({ form }) => {
      // Between this call and the fallback's, the worker decides.
      await centre.answer(form.TaskSid as string, 'ana', 'accepted')
      return { status: 500 }
    })
    await centre.workspace
      .workflows(centre.workflowSid)
      .update({ fallbackAssignmentCallbackUrl: world.listener.url('/fallback') })
    const task = await centre.task()
    await world.settle()
    const elsewhere = await centre.asked(task, 'assignment-fallback')
    assert.deepEqual([elsewhere?.state, elsewhere?.rule], ['silent', 'reservation_over'])
    assert.deepEqual(world.listener.at('/fallback'), [])
  })
})

describe('an address that must not be called', () => {
  test('is refused when it is given', async () => {
    await using world = await openWorld({ webhooks: { allowPrivate: false } })
    const centre = await openCentre(world)
    const [workflow] = await centre.workspace.workflows.list()
    const url = world.listener.url('/inside')
    const refused = (parameter: string) => ({
      status: 400,
      message: new RegExp(`${parameter}.*127\\.0\\.0\\.1`),
    })
    await assert.rejects(centre.workspace.update({ eventCallbackUrl: url }), refused('EventCallbackUrl'))
    for (const name of ['assignmentCallbackUrl', 'fallbackAssignmentCallbackUrl'] as const)
      await assert.rejects(
        centre.workspace.workflows(workflow?.sid as string).update({ [name]: url }),
        refused(`${name[0]?.toUpperCase()}${name.slice(1)}`),
      )
  })
})
