import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld, type World } from '../world/index.ts'
import { accept, ana, deskToken, isRefused, type Project, projectOf, taskFlow, visitor } from './stage.ts'

const chat = (world: World, { service }: Project) => world.twilio.chat.v2.services(service)

const memberTypes = async (world: World, project: Project, channelSid: string) =>
  Object.fromEntries(
    (await chat(world, project).channels(channelSid).members.list()).map((it) => [
      it.identity,
      JSON.parse(it.attributes).member_type,
    ]),
  )

const statusOf = async (world: World, project: Project, channelSid: string) =>
  JSON.parse((await chat(world, project).channels(channelSid).fetch()).attributes).status

/** Vera writes, through her middleware. */
const say = (world: World, project: Project, channelSid: string, body: string, heard = true, from = 'vera') =>
  chat(world, project)
    .channels(channelSid)
    .messages.create({ from, body, ...(heard ? { xTwilioWebhookEnabled: 'true' as const } : {}) })

describe('A conversation', () => {
  test('is greeted at the first message that is heard, handed over, wound up, and begins anew', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const worker = await ana(world, project)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project, { 'integration.creationOnMessage': true }))
    const made = await channel.create(visitor(flow.sid, { target: 'vera', taskAttributes: '{"vip":true}' }))
    await chat(world, project)
      .channels(made.sid)
      .webhooks.create({
        type: 'webhook',
        'configuration.url': world.listener.url('/update'),
        'configuration.filters': ['onChannelUpdated'],
      })
    const { tasks } = world.twilio.taskrouter.v1.workspaces(project.workspace)

    await say(world, project, made.sid, 'not heard', false)
    assert.equal((await tasks.list()).length, 0)
    await say(world, project, made.sid, 'hello')
    await say(world, project, made.sid, 'anybody there?')
    const [waiting, ...others] = await tasks.list()
    assert.equal(others.length, 0)
    assert.equal(
      waiting?.attributes,
      `{"channelSid":"${made.sid}","name":"vera","channelType":"custom","vip":true}`,
    )
    assert.equal((await channel(made.sid).fetch()).taskSid, waiting?.sid)
    assert.equal(
      (await chat(world, project).channels(made.sid).fetch()).attributes,
      `{"status":"ACTIVE","long_lived":false,"from":"vera","channel_type":"custom","task_sid":"${waiting?.sid}"}`,
    )

    const task = await accept(world, project, worker.sid)
    assert.deepEqual(await memberTypes(world, project, made.sid), { vera: 'guest', ana: 'agent' })
    assert.equal((await chat(world, project).users('ana').fetch()).friendlyName, 'Ana Agent')
    await world.settle()
    assert.equal(world.listener.at('/update').length, 0)

    await task.update({ assignmentStatus: 'wrapping', reason: 'done' })
    assert.equal(await statusOf(world, project, made.sid), 'INACTIVE')
    assert.deepEqual(await memberTypes(world, project, made.sid), { vera: 'guest', ana: 'agent' })
    await task.update({ assignmentStatus: 'completed', reason: 'done' })
    assert.deepEqual(await memberTypes(world, project, made.sid), { vera: 'guest' })
    await world.settle()
    const [update, ...more] = world.listener.at('/update')
    assert.equal(more.length, 0)
    assert.equal(update?.form.Source, 'SDK')
    assert.equal(update?.form.ClientIdentity, 'ana')
    assert.equal(JSON.parse(update?.form.Attributes ?? '').status, 'INACTIVE')

    await say(world, project, made.sid, 'one more thing')
    assert.equal((await tasks.list()).length, 1)
    const next = await channel.create(visitor(flow.sid, { target: 'vera' }))
    assert.notEqual(next.sid, made.sid)
    await say(world, project, next.sid, 'one more thing')
    assert.equal((await tasks.list({ assignmentStatus: ['pending', 'reserved'] })).length, 1)
  })

  test('is the agent’s own from the moment they accept until they end it, in the words of their desktop', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const worker = await ana(world, project)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const made = await channel.create(visitor(flow.sid, { target: 'vera' }))
    for (const [path, filter] of [
      ['/message', 'onMessageSent'],
      ['/update', 'onChannelUpdated'],
    ] as const)
      await chat(world, project)
        .channels(made.sid)
        .webhooks.create({
          type: 'webhook',
          'configuration.url': world.listener.url(path),
          'configuration.filters': [filter],
        })
    const as = deskToken(world, 'ana', { ...project, worker: worker.sid })
    const address = `/v2/Services/${project.service}/Channels/${made.sid}`
    assert.notEqual((await world.fetch(`${address}/Messages`, { form: { Body: 'early' }, as })).status, 201)
    await accept(world, project, worker.sid)
    assert.equal(
      (await world.fetch(`${address}/Messages`, { form: { Body: 'How can I help?' }, as })).status,
      201,
    )
    await world.settle()
    assert.deepEqual(
      world.listener.at('/message').map((it) => [it.form.Source, it.form.From, it.form.Body]),
      [['SDK', 'ana', 'How can I help?']],
    )
    const { attributes } = await chat(world, project).channels(made.sid).fetch()
    const over = JSON.stringify({ ...JSON.parse(attributes), status: 'INACTIVE' })
    assert.equal((await world.fetch(address, { form: { Attributes: over }, as })).status, 200)
    await world.settle()
    assert.deepEqual(
      world.listener.at('/update').map((it) => [it.form.Source, it.form.ClientIdentity, it.form.Attributes]),
      [['SDK', 'ana', over]],
    )
    assert.notEqual((await channel.create(visitor(flow.sid, { target: 'vera' }))).sid, made.sid)
  })

  test('is handed over and wound up by any task that names its channel', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const worker = await ana(world, project)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create({
      friendlyName: 'Bot',
      chatServiceSid: project.service,
      channelType: 'custom',
      integrationType: 'external',
      'integration.url': world.listener.url('/bot'),
    })
    const made = await channel.create(visitor(flow.sid))
    const other = await world.newAccount('Other')
    const { tasks } = world.twilio.taskrouter.v1.workspaces(project.workspace)
    const attributes = JSON.stringify({ channelSid: made.sid, name: 'Vera' })
    await tasks.create({ attributes, taskChannel: 'chat' })
    const task = await accept(world, project, worker.sid)
    assert.deepEqual(await memberTypes(world, project, made.sid), { vera: 'guest', ana: 'agent' })
    await task.update({ assignmentStatus: 'completed', reason: 'done' })
    assert.equal(await statusOf(world, project, made.sid), 'INACTIVE')
    assert.deepEqual(await memberTypes(world, project, made.sid), { vera: 'guest' })
    // A task of another account that names it changes nothing.
    const again = await channel.create(visitor(flow.sid))
    const [theirs] = await other.twilio.taskrouter.v1.workspaces.list()
    const foreign = other.twilio.taskrouter.v1.workspaces(theirs?.sid as string).tasks
    const { sid } = await foreign.create({ attributes: JSON.stringify({ channelSid: again.sid }) })
    await foreign(sid).remove()
    assert.equal(await statusOf(world, project, again.sid), 'ACTIVE')
  })

  test('goes on with another agent after a transfer that took the channel from the first task', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const worker = await ana(world, project)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const made = await channel.create(visitor(flow.sid))
    const first = await accept(world, project, worker.sid)
    const { tasks } = world.twilio.taskrouter.v1.workspaces(project.workspace)
    const { attributes } = await first.fetch()
    const second = await tasks.create({ attributes, taskChannel: 'chat' })
    await first.update({ attributes: '{"transferred":true}' })
    await first.update({ assignmentStatus: 'completed', reason: 'transferred' })
    assert.equal(await statusOf(world, project, made.sid), 'ACTIVE')
    await tasks(second.sid).remove()
    assert.equal(await statusOf(world, project, made.sid), 'INACTIVE')
  })

  test('keeps a message whose task cannot be made', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const { workflows, tasks } = world.twilio.taskrouter.v1.workspaces(project.workspace)
    const { configuration } = await workflows(project.workflow).fetch()
    const passing = await workflows.create({ friendlyName: 'For a while', configuration })
    const flow = await flexFlow.create(
      taskFlow(project, { 'integration.workflowSid': passing.sid, 'integration.creationOnMessage': true }),
    )
    const made = await channel.create(visitor(flow.sid))
    await workflows(passing.sid).remove()
    await say(world, project, made.sid, 'hello')
    assert.equal((await chat(world, project).channels(made.sid).messages.list()).length, 1)
    assert.equal((await tasks.list()).length, 0)
  })

  test('is over when its waiting task is canceled or deleted, and webhooks hear of it', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const { tasks } = world.twilio.taskrouter.v1.workspaces(project.workspace)
    for (const [identity, take] of [
      ['vera', (sid: string) => tasks(sid).update({ assignmentStatus: 'canceled', reason: 'closed' })],
      ['wim', (sid: string) => tasks(sid).remove()],
    ] as const) {
      const made = await channel.create(visitor(flow.sid, { identity, target: identity }))
      await chat(world, project)
        .channels(made.sid)
        .webhooks.create({
          type: 'webhook',
          'configuration.url': world.listener.url(`/${identity}`),
          'configuration.filters': ['onChannelUpdated'],
        })
      await take(made.taskSid)
      await world.settle()
      assert.equal(await statusOf(world, project, made.sid), 'INACTIVE')
      assert.equal(world.listener.at(`/${identity}`).length, 1)
      assert.deepEqual(await memberTypes(world, project, made.sid), { [identity]: 'guest' })
    }
  })

  test('goes on when an agent who wraps up late is done with what a long-lived channel was before', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const worker = await ana(world, project)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project, { longLived: true }))
    const made = await channel.create(visitor(flow.sid, { target: 'vera' }))
    const task = await accept(world, project, worker.sid)
    await task.update({ assignmentStatus: 'wrapping', reason: 'done' })
    world.clock.advance(1_000)
    const again = await channel.create(visitor(flow.sid, { target: 'vera' }))
    assert.equal(again.sid, made.sid)
    await task.update({ assignmentStatus: 'completed', reason: 'done' })
    assert.equal(await statusOf(world, project, made.sid), 'ACTIVE')
  })

  test('that an agent begins makes its task when the customer answers', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project, { 'integration.creationOnMessage': true }))
    const made = await channel.create(visitor(flow.sid))
    await world.fetch(`/v1/Channels/${made.sid}/Roles/agent/Users`, { form: { Identity: 'ana' } })
    const { tasks } = world.twilio.taskrouter.v1.workspaces(project.workspace)
    await say(world, project, made.sid, 'Your parcel is here', true, 'ana')
    assert.equal((await tasks.list()).length, 0)
    await say(world, project, made.sid, 'Thank you')
    assert.equal((await tasks.list()).length, 1)
  })

  test('loses its customer to the janitor where the flow asks for it', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project, { janitorEnabled: true }))
    const { tasks } = world.twilio.taskrouter.v1.workspaces(project.workspace)
    const made = await channel.create(visitor(flow.sid))
    await tasks(made.taskSid).remove()
    assert.deepEqual(await memberTypes(world, project, made.sid), {})
    const longLived = await channel.create(visitor(flow.sid, { longLived: true }))
    await tasks(longLived.taskSid).remove()
    assert.deepEqual(await memberTypes(world, project, longLived.sid), { vera: 'guest' })
  })
})

describe('The address by which agents join', () => {
  test('makes the agent a member once', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const worker = await ana(world, project)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const made = await channel.create(visitor(flow.sid))
    const as = deskToken(world, 'ana', { ...project, worker: worker.sid })
    const join = (role: string, identity: string, sid = made.sid, who: string | null = as) =>
      world.fetch(`/v1/Channels/${sid}/Roles/${role}/Users`, { form: { Identity: identity }, as: who })

    const joined = await join('agent', 'ana')
    assert.equal(joined.status, 201)
    const { member_sid } = (await joined.json()) as { member_sid: string }
    assert.match(member_sid, /^MB/)
    assert.deepEqual(await memberTypes(world, project, made.sid), { vera: 'guest', ana: 'agent' })
    const again = await join('agent', 'ana')
    assert.deepEqual([again.status, ((await again.json()) as { code: number }).code], [409, 45206])

    assert.equal((await join('agent', 'ben')).status, 403)
    assert.equal((await join('boss', 'ana')).status, 404)
    assert.equal((await join('agent', 'ana', `CH${'0'.repeat(32)}`)).status, 404)
    assert.equal((await join('agent', 'ana', made.sid, null)).status, 401)
  })

  test('is closed to those who only chat', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const made = await channel.create(visitor((await flexFlow.create(taskFlow(project))).sid))
    const guest = (await (
      await world.fetch(`/v1/Accounts/${world.account.sid}/Tokens`, {
        method: 'POST',
        as: null,
        headers: { 'content-type': 'application/json' },
        body: '{"products":["flex"]}',
      })
    ).json()) as { token: string; identity: string }
    const answer = await world.fetch(`/v1/Channels/${made.sid}/Roles/agent/Users`, {
      form: { Identity: guest.identity },
      as: `Basic ${Buffer.from(`token:${guest.token}`).toString('base64')}`,
    })
    assert.equal(answer.status, 403)
    const other = await world.newAccount('Other')
    await isRefused(other.twilio.flexApi.v1.channel(made.sid).fetch(), 404, 20404)
  })
})
