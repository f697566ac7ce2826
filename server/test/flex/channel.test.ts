import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld, type World } from '../world/index.ts'
import { ana, isRefused, type Project, projectOf, taskFlow, visitor } from './stage.ts'

const chat = (world: World, { service }: Project) => world.twilio.chat.v2.services(service)
const tasks = (world: World, { workspace }: Project) => world.twilio.taskrouter.v1.workspaces(workspace).tasks

/** How many of everything that one POST makes there are. */
const counts = async (world: World, project: Project) => ({
  flexChannels: (await world.twilio.flexApi.v1.channel.list()).length,
  channels: (await chat(world, project).channels.list({ type: ['private', 'public'] })).length,
  users: (await chat(world, project).users.list()).length,
  tasks: (await tasks(world, project).list()).length,
})

describe('Flex Channels', () => {
  test('one POST makes the user, the channel, the membership and the task', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(
      taskFlow(project, { 'integration.priority': 7, 'integration.timeout': 600 }),
    )
    const made = await channel.create(
      visitor(flow.sid, {
        target: '+3725550100',
        preEngagementData: '{"topic":"sales","cart":[1,2]}',
        taskAttributes: '{"customers":{"external_id":"c-42"},"channelSid":"elsewhere"}',
      }),
    )
    assert.equal(made.flexFlowSid, flow.sid)
    assert.equal(made.url, `${world.url}/v1/Channels/${made.sid}`)

    const chatChannel = await chat(world, project).channels(made.sid).fetch()
    assert.equal(chatChannel.friendlyName, 'Chat with Vera')
    assert.equal(chatChannel.type, 'private')
    assert.equal(chatChannel.createdBy, 'system')
    assert.equal(
      chatChannel.attributes,
      '{"status":"ACTIVE","long_lived":false,"pre_engagement_data":{"topic":"sales","cart":[1,2]},' +
        `"from":"+3725550100","channel_type":"custom","task_sid":"${made.taskSid}"}`,
    )
    const [member, ...others] = await chat(world, project).channels(made.sid).members.list()
    assert.equal(others.length, 0)
    assert.equal(member?.identity, 'vera')
    assert.equal(member?.attributes, '{"member_type":"guest"}')
    const user = await chat(world, project).users('vera').fetch()
    assert.equal(user.sid, made.userSid)
    assert.equal(user.friendlyName, 'Vera')

    const task = await tasks(world, project)(made.taskSid).fetch()
    assert.equal(
      task.attributes,
      `{"channelSid":"${made.sid}","name":"+3725550100","channelType":"custom","customers":{"external_id":"c-42"}}`,
    )
    assert.equal(task.taskChannelUniqueName, 'chat')
    assert.equal(task.priority, 7)
    assert.equal(task.timeout, 600)
    assert.equal(task.workflowSid, project.workflow)
    assert.deepEqual((await channel(made.sid).fetch()).toJSON(), made.toJSON())
  })

  test('without a target the channel is from whom it is with, and every POST makes another', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project, { 'integration.creationOnMessage': true }))
    const first = await channel.create(visitor(flow.sid))
    const second = await channel.create(visitor(flow.sid))
    assert.notEqual(first.sid, second.sid)
    assert.equal(first.userSid, second.userSid)
    assert.equal(first.taskSid, null)
    assert.equal(
      (await chat(world, project).channels(first.sid).fetch()).attributes,
      '{"status":"ACTIVE","long_lived":false,"from":"Vera","channel_type":"custom"}',
    )
    assert.deepEqual(
      (await channel.list({ pageSize: 1 })).map((it) => it.sid),
      [first.sid, second.sid].sort(),
    )
  })

  test('a target finds the channel of the same flow that goes on, and the header tells', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const other = await flexFlow.create(taskFlow(project))
    const post = async (flexFlowSid: string, target: string) => {
      const answer = await world.fetch('/v1/Channels', {
        form: {
          FlexFlowSid: flexFlowSid,
          Identity: 'vera',
          ChatUserFriendlyName: 'Vera',
          ChatFriendlyName: 'Chat',
          Target: target,
        },
      })
      assert.equal(answer.status, 201)
      return {
        how: answer.headers.get('parley-channel'),
        ...((await answer.json()) as { sid: string; task_sid: string }),
      }
    }
    const made = await post(flow.sid, 'vera@example')
    assert.equal(made.how, 'made')
    assert.deepEqual(await post(flow.sid, 'vera@example'), { ...made, how: 'found' })
    assert.equal((await post(flow.sid, 'someone else')).how, 'made')
    assert.equal((await post(other.sid, 'vera@example')).how, 'made')
    assert.deepEqual(await counts(world, project), { flexChannels: 3, channels: 3, users: 1, tasks: 3 })
  })

  for (const engine of ['memory', 'postgres'] as const)
    test(`a hundred simultaneous POSTs with one target make one channel, one user, one task (${engine})`, async () => {
      await using world = await openWorld({ engine })
      const project = await projectOf(world)
      const { flexFlow, channel } = world.twilio.flexApi.v1
      const flow = await flexFlow.create(taskFlow(project))
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => channel.create(visitor(flow.sid, { target: 'vera' }))),
      )
      const [first] = answers
      for (const it of answers) assert.deepEqual(it.toJSON(), first?.toJSON())
      assert.match(first?.userSid ?? '', /^US/)
      assert.match(first?.taskSid ?? '', /^WT/)
      assert.deepEqual(await counts(world, project), { flexChannels: 1, channels: 1, users: 1, tasks: 1 })
    })

  for (const engine of ['memory', 'postgres'] as const)
    test(`fifty simultaneous POSTs begin a long-lived conversation that was over anew once (${engine})`, async () => {
      await using world = await openWorld({ engine })
      const project = await projectOf(world)
      const { flexFlow, channel } = world.twilio.flexApi.v1
      const flow = await flexFlow.create(taskFlow(project, { longLived: true }))
      const made = await channel.create(visitor(flow.sid, { target: 'vera' }))
      const chatChannel = chat(world, project).channels(made.sid)
      const over = { ...JSON.parse((await chatChannel.fetch()).attributes), status: 'INACTIVE' }
      await chatChannel.update({ attributes: JSON.stringify(over) })
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => channel.create(visitor(flow.sid, { target: 'vera' }))),
      )
      for (const it of answers) assert.equal(it.sid, made.sid)
      const again = await channel(made.sid).fetch()
      assert.notEqual(again.taskSid, made.taskSid)
      assert.deepEqual(new Set(answers.map((it) => it.taskSid)), new Set([again.taskSid]))
      assert.deepEqual(JSON.parse((await chatChannel.fetch()).attributes), {
        ...over,
        status: 'ACTIVE',
        task_sid: again.taskSid,
      })
      assert.deepEqual(await counts(world, project), { flexChannels: 1, channels: 1, users: 1, tasks: 2 })
    })

  test('a conversation that is over is not found again unless it is long-lived', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const first = await channel.create(visitor(flow.sid, { target: 'vera' }))
    await chat(world, project).channels(first.sid).update({ attributes: '{"status":"INACTIVE"}' })
    const second = await channel.create(visitor(flow.sid, { target: 'vera' }))
    assert.notEqual(second.sid, first.sid)
    // Back to ACTIVE, but its target is another's by now.
    await chat(world, project).channels(first.sid).update({ attributes: '{"status":"ACTIVE"}' })
    assert.equal((await channel.create(visitor(flow.sid, { target: 'vera' }))).sid, second.sid)
    await chat(world, project).channels(second.sid).update({ attributes: '{"status":"inactive"}' })
    // Back to ACTIVE while the target is nobody's: it is found again.
    await chat(world, project).channels(first.sid).update({ attributes: '{"status":"INACTIVE"}' })
    await chat(world, project).channels(first.sid).update({ attributes: '{"status":"ACTIVE"}' })
    assert.equal((await channel.create(visitor(flow.sid, { target: 'vera' }))).sid, first.sid)
    const longLived = await channel.create(visitor(flow.sid, { target: 'wim', longLived: true }))
    await chat(world, project).channels(longLived.sid).update({ attributes: '{"status":"INACTIVE"}' })
    assert.equal((await channel.create(visitor(flow.sid, { target: 'wim' }))).sid, longLived.sid)
  })

  test('attributes that are no object say nothing, and are no fault', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const made = await channel.create(visitor(flow.sid, { target: 'vera' }))
    for (const attributes of ['[1]', 'null', '"INACTIVE"', '7', '{"status":7}']) {
      await chat(world, project).channels(made.sid).update({ attributes })
      await world.settle()
      assert.equal((await channel.create(visitor(flow.sid, { target: 'vera' }))).sid, made.sid, attributes)
    }
  })

  test('what fails late leaves nothing behind', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    // The channel exists by then: it is the membership that is one too many.
    await chat(world, project).update({ 'limits.userChannels': 1 })
    await channel.create(visitor(flow.sid))
    const before = await counts(world, project)
    await isRefused(channel.create(visitor(flow.sid, { target: 'vera' })), 403, 45207)
    assert.deepEqual(await counts(world, project), before)
    await chat(world, project).update({ 'limits.userChannels': 2 })
    assert.ok((await channel.create(visitor(flow.sid, { target: 'vera' }))).sid)
    // Now it is the task, the very last: its workflow is gone.
    const { workflows } = world.twilio.taskrouter.v1.workspaces(project.workspace)
    const { configuration } = await workflows(project.workflow).fetch()
    const passing = await workflows.create({ friendlyName: 'For a while', configuration })
    const other = await flexFlow.create(taskFlow(project, { 'integration.workflowSid': passing.sid }))
    await workflows(passing.sid).remove()
    const then = await counts(world, project)
    await isRefused(channel.create(visitor(other.sid, { identity: 'wim', target: 'wim' })), 400, 20001)
    assert.deepEqual(await counts(world, project), then)
  })

  test('a unique name is one conversation’s until it is over', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const first = await channel.create(visitor(flow.sid, { chatUniqueName: 'order 42' }))
    assert.equal((await chat(world, project).channels('order 42').fetch()).sid, first.sid)
    const before = await counts(world, project)
    await isRefused(
      channel.create(visitor(flow.sid, { chatUniqueName: 'order 42', identity: 'wim' })),
      409,
      45208,
    )
    assert.deepEqual(await counts(world, project), before)
    await chat(world, project).channels(first.sid).update({ attributes: '{"status":"INACTIVE"}' })
    const second = await channel.create(visitor(flow.sid, { chatUniqueName: 'order 42' }))
    assert.equal((await chat(world, project).channels('order 42').fetch()).sid, second.sid)
    assert.ok((await chat(world, project).channels(first.sid).fetch()).uniqueName)
  })

  test('what is wrong is said with its own code, and changes nothing', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const studio = await flexFlow.create({
      friendlyName: 'Bot first',
      chatServiceSid: project.service,
      channelType: 'custom',
      'integration.flowSid': `FW${'a'.repeat(32)}`,
    })
    const before = await counts(world, project)
    await isRefused(channel.create(visitor(`FO${'0'.repeat(32)}`)), 404, 45205)
    await isRefused(channel.create(visitor(studio.sid)), 400, 45004)
    await isRefused(channel.create(visitor(flow.sid, { identity: 'system' })), 400, 45211)
    await isRefused(channel.create(visitor(flow.sid, { identity: '' })), 400, 20001)
    await isRefused(channel.create(visitor('FO1')), 400, 20423)
    await isRefused(channel.create(visitor(flow.sid, { preEngagementData: '{"a":' })), 400, 20001)
    await isRefused(channel.create(visitor(flow.sid, { taskAttributes: '[]' })), 400, 20001)
    await isRefused(channel.create(visitor(flow.sid, { taskSid: `WT${'0'.repeat(32)}` })), 400, 45004)
    await isRefused(
      channel.create(visitor(flow.sid, { preEngagementData: JSON.stringify('x'.repeat(33_000)) })),
      400,
      50303,
    )
    const missing = await world.fetch('/v1/Channels', { form: { FlexFlowSid: flow.sid, Identity: 'vera' } })
    assert.equal(missing.status, 400)
    const other = await world.newAccount('Other')
    await isRefused(other.twilio.flexApi.v1.channel.create(visitor(flow.sid)), 404, 45205)
    assert.deepEqual(await counts(world, project), before)
  })

  test('an agent’s own task is attached, and learns its channel', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const task = await tasks(world, project).create({
      workflowSid: project.workflow,
      attributes: '{"to":"vera","name":"V"}',
    })
    const made = await channel.create(visitor(flow.sid, { taskSid: task.sid }))
    assert.equal(made.taskSid, task.sid)
    assert.deepEqual(JSON.parse((await tasks(world, project)(task.sid).fetch()).attributes), {
      to: 'vera',
      name: 'Vera',
      channelSid: made.sid,
      channelType: 'custom',
    })
    assert.equal((await tasks(world, project).list()).length, 1)
  })

  test('an agent who has the task that is attached is in the channel from the beginning', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const agent = await ana(world, project)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project, { longLived: true }))
    const workspace = world.twilio.taskrouter.v1.workspaces(project.workspace)
    const ownTask = async () => {
      const task = await workspace.tasks.create({ workflowSid: project.workflow, taskChannel: 'chat' })
      await world.settle()
      const [offered] = await workspace.tasks(task.sid).reservations.list()
      await workspace
        .workers(agent.sid)
        .reservations(offered?.sid as string)
        .update({ reservationStatus: 'accepted' })
      return task.sid
    }
    const begin = async () => channel.create(visitor(flow.sid, { target: 'vera', taskSid: await ownTask() }))
    const members = async (sid: string) =>
      (await chat(world, project).channels(sid).members.list()).map((it) => it.identity).sort()
    const made = await begin()
    assert.deepEqual(await members(made.sid), ['ana', 'vera'])
    await workspace.tasks(made.taskSid).update({ assignmentStatus: 'completed', reason: 'done' })
    assert.deepEqual(await members(made.sid), ['vera'])
    const again = await begin()
    assert.equal(again.sid, made.sid, 'long-lived')
    assert.deepEqual(await members(made.sid), ['ana', 'vera'])
  })

  test('whose chat service is deleted are gone with it', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const { services } = world.twilio.chat.v2
    const service = (await services.create({ friendlyName: 'Second' })).sid
    const kept = await channel.create(visitor((await flexFlow.create(taskFlow(project))).sid))
    const flow = await flexFlow.create(taskFlow({ ...project, service }))
    const gone = await channel.create(visitor(flow.sid, { target: 'vera' }))
    await services(service).remove()
    assert.deepEqual(
      (await channel.list()).map((it) => it.sid),
      [kept.sid],
    )
    await isRefused(channel(gone.sid).fetch(), 404, 20404)
    await isRefused(channel.create(visitor(flow.sid, { target: 'vera' })), 400, 45004)
  })

  test('an external flow has a hook on each channel, called for messages that are heard', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create({
      friendlyName: 'Bot',
      chatServiceSid: project.service,
      channelType: 'custom',
      integrationType: 'external',
      'integration.url': world.listener.url('/bot?v=1'),
      'integration.retryCount': 2,
      longLived: true,
    })
    const made = await channel.create(visitor(flow.sid, { target: 'vera' }))
    assert.equal(made.taskSid, null)
    const hooks = chat(world, project).channels(made.sid).webhooks
    const [hook, ...others] = await hooks.list()
    assert.equal(others.length, 0)
    assert.equal(hook?.type, 'webhook')
    assert.deepEqual(hook?.configuration, {
      url: world.listener.url('/bot?v=1'),
      method: 'POST',
      filters: ['onMessageSent'],
      retry_count: 2,
    })
    await chat(world, project).channels(made.sid).messages.create({ from: 'vera', body: 'unheard' })
    await chat(world, project)
      .channels(made.sid)
      .messages.create({ from: 'vera', body: 'hello', xTwilioWebhookEnabled: 'true' })
    await world.settle()
    const heard = world.listener.at('/bot')
    assert.deepEqual(
      heard.map((it) => [it.path, it.form.EventType, it.form.Body, it.form.ChannelSid]),
      [['/bot?v=1', 'onMessageSent', 'hello', made.sid]],
    )
    // It is over, and somebody has taken the hook away: beginning anew puts it back.
    await hooks(hook?.sid as string).remove()
    await chat(world, project).channels(made.sid).update({ attributes: '{"status":"INACTIVE"}' })
    await channel.create(visitor(flow.sid, { target: 'vera' }))
    assert.equal((await hooks.list()).length, 1)
  })

  test('a deleted one is gone with its chat channel, and its target is free', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow, channel } = world.twilio.flexApi.v1
    const flow = await flexFlow.create(taskFlow(project))
    const made = await channel.create(visitor(flow.sid, { target: 'vera' }))
    const other = await world.newAccount('Other')
    await isRefused(other.twilio.flexApi.v1.channel(made.sid).remove(), 404, 20404)
    assert.equal(await channel(made.sid).remove(), true)
    await isRefused(channel(made.sid).fetch(), 404, 20404)
    await isRefused(channel(made.sid).remove(), 404, 20404)
    await isRefused(chat(world, project).channels(made.sid).fetch(), 404, 20404)
    const again = await channel.create(visitor(flow.sid, { target: 'vera' }))
    // Destroyed by way of chat: Flex forgets it as well.
    await chat(world, project).channels(again.sid).remove()
    await isRefused(channel(again.sid).fetch(), 404, 20404)
    assert.notEqual((await channel.create(visitor(flow.sid, { target: 'vera' }))).sid, again.sid)
  })
})
