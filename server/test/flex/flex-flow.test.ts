import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld } from '../world/index.ts'
import { isRefused, projectOf, taskFlow } from './stage.ts'

const STUDIO_FLOW = `FW${'a'.repeat(32)}`

describe('Flex Flows', () => {
  test('a new account has one for the web, enabled, that makes a task of the first message', async () => {
    await using world = await openWorld()
    const { service, workspace, workflow } = await projectOf(world)
    const [flow, ...others] = await world.twilio.flexApi.v1.flexFlow.list()
    assert.equal(others.length, 0)
    assert.equal(flow?.friendlyName, 'Flex Web Channel Flow')
    assert.equal(flow?.channelType, 'web')
    assert.equal(flow?.enabled, true)
    assert.equal(flow?.chatServiceSid, service)
    assert.deepEqual(flow?.integration, {
      workspace_sid: workspace,
      workflow_sid: workflow,
      channel: 'chat',
      timeout: 86_400,
      priority: 0,
      creation_on_message: true,
    })
  })

  test('one is made with what is given and with defaults for the rest', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const { 'integration.channel': _, ...bare } = taskFlow(project)
    const made = await flexFlow.create(bare)
    assert.match(made.sid, /^FO[0-9a-f]{32}$/)
    assert.equal(made.enabled, false)
    assert.equal(made.longLived, false)
    assert.equal(made.janitorEnabled, false)
    assert.equal(made.contactIdentity, null)
    assert.deepEqual(made.integration, {
      workspace_sid: project.workspace,
      workflow_sid: project.workflow,
      channel: 'default',
      timeout: 86_400,
      priority: 0,
      creation_on_message: false,
    })
    assert.equal(made.url, `${world.url}/v1/FlexFlows/${made.sid}`)
    const fetched = await world.twilio.flexApi.v1.flexFlow(made.sid).fetch()
    assert.deepEqual(fetched.toJSON(), made.toJSON())
  })

  test('the external type needs a URL and is tried again three times unless told otherwise', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const external = {
      friendlyName: 'Bot',
      chatServiceSid: service,
      channelType: 'custom' as const,
      integrationType: 'external' as const,
    }
    await isRefused(flexFlow.create(external), 400, 45004)
    const made = await flexFlow.create({ ...external, 'integration.url': 'https://bot.example/hear' })
    assert.deepEqual(made.integration, { url: 'https://bot.example/hear', retry_count: 3 })
    await isRefused(
      flexFlow.create({ ...external, 'integration.url': 'https://bot.example', 'integration.retryCount': 4 }),
      400,
      20001,
    )
  })

  test('a studio flow can be declared and listed, not enabled', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const studio = { friendlyName: 'Bot first', chatServiceSid: service, channelType: 'custom' as const }
    await isRefused(flexFlow.create(studio), 400, 45004)
    await isRefused(
      flexFlow.create({ ...studio, 'integration.flowSid': STUDIO_FLOW, enabled: true }),
      400,
      45004,
    )
    const made = await flexFlow.create({
      ...studio,
      'integration.flowSid': STUDIO_FLOW,
      'integration.retryCount': 1,
    })
    assert.equal(made.integrationType, 'studio')
    assert.deepEqual(made.integration, { flow_sid: STUDIO_FLOW, retry_count: 1 })
    await isRefused(flexFlow(made.sid).update({ enabled: true }), 400, 45004)
    assert.equal((await flexFlow(made.sid).fetch()).enabled, false)
    assert.ok((await flexFlow.list()).some((it) => it.sid === made.sid))
  })

  test('what a task flow names must exist', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const nobodys = '0'.repeat(32)
    for (const wrong of [
      { chatServiceSid: `IS${nobodys}` },
      { 'integration.workspaceSid': `WS${nobodys}` },
      { 'integration.workflowSid': `WW${nobodys}` },
      { 'integration.channel': 'carrier-pigeon' },
    ])
      await isRefused(flexFlow.create(taskFlow(project, wrong)), 400, 45004)
    const { 'integration.workflowSid': _, ...without } = taskFlow(project)
    await isRefused(flexFlow.create(without), 400, 45004)
    await isRefused(flexFlow.create(taskFlow(project, { chatServiceSid: 'IS1' })), 400, 20423)
  })

  test('only one flow of a channel type and contact identity is enabled', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const first = await flexFlow.create(taskFlow(project, { enabled: true, contactIdentity: 'shop' }))
    await isRefused(
      flexFlow.create(taskFlow(project, { enabled: true, contactIdentity: 'shop' })),
      409,
      45210,
    )
    const other = await flexFlow.create(taskFlow(project, { enabled: true, contactIdentity: 'forum' }))
    const spare = await flexFlow.create(taskFlow(project, { contactIdentity: 'shop' }))
    await isRefused(flexFlow(spare.sid).update({ enabled: true }), 409, 45210)
    await isRefused(flexFlow(other.sid).update({ contactIdentity: 'shop' }), 409, 45210)
    await isRefused(flexFlow.create(taskFlow(project, { channelType: 'web', enabled: true })), 409, 45210)
    await flexFlow(first.sid).update({ enabled: false })
    assert.equal((await flexFlow(spare.sid).update({ enabled: true })).enabled, true)
    assert.equal((await flexFlow(spare.sid).update({ friendlyName: 'Shop' })).enabled, true)
  })

  test('of twenty that are enabled at the same time, made or changed, one is (postgres)', async () => {
    await using world = await openWorld({ engine: 'postgres' })
    const project = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const spare = await Promise.all(Array.from({ length: 10 }, () => flexFlow.create(taskFlow(project))))
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 10 }, () => flexFlow.create(taskFlow(project, { enabled: true }))),
      ...spare.map((it) => flexFlow(it.sid).update({ enabled: true })),
    ])
    const refusals = outcomes.filter((it) => it.status === 'rejected').map((it) => it.reason.code)
    assert.deepEqual(refusals, Array(19).fill(45210))
    assert.equal((await flexFlow.list({ friendlyName: 'Custom chat' })).filter((it) => it.enabled).length, 1)
  })

  test('an update changes what is given, keeps the rest, and may give nothing', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    const made = await flexFlow.create(
      taskFlow(project, { 'integration.priority': 5, contactIdentity: 'shop' }),
    )
    assert.deepEqual((await flexFlow(made.sid).update()).toJSON(), made.toJSON())
    const changed = await flexFlow(made.sid).update({
      'integration.timeout': 60,
      longLived: true,
      contactIdentity: '',
    })
    assert.deepEqual(changed.integration, { ...made.integration, timeout: 60 })
    assert.equal(changed.longLived, true)
    assert.equal(changed.contactIdentity, null)
    await isRefused(flexFlow(made.sid).update({ integrationType: 'external' }), 400, 45004)
    const moved = await flexFlow(made.sid).update({
      integrationType: 'external',
      'integration.url': 'https://bot.example',
      'integration.retryCount': 0,
    })
    assert.deepEqual(moved.integration, { url: 'https://bot.example', retry_count: 0 })
    await isRefused(flexFlow(`FO${'0'.repeat(32)}`).update({ enabled: true }), 404, 20404)
  })

  test('they are listed in pages and by name, and deleted', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const { flexFlow } = world.twilio.flexApi.v1
    for (const name of ['A', 'B', 'B']) await flexFlow.create(taskFlow(project, { friendlyName: name }))
    assert.equal((await flexFlow.list({ friendlyName: 'B' })).length, 2)
    assert.equal((await flexFlow.list({ pageSize: 1 })).length, 4)
    const [a] = await flexFlow.list({ friendlyName: 'A' })
    assert.equal(await flexFlow(a?.sid as string).remove(), true)
    await isRefused(flexFlow(a?.sid as string).remove(), 404, 20404)
    await isRefused(flexFlow(a?.sid as string).fetch(), 404, 20404)
  })

  test('another account sees none of them', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    const mine = await world.twilio.flexApi.v1.flexFlow.create(taskFlow(project))
    const other = await world.newAccount('Other')
    const { flexFlow } = other.twilio.flexApi.v1
    await isRefused(flexFlow(mine.sid).fetch(), 404, 20404)
    await isRefused(flexFlow(mine.sid).update({ friendlyName: 'Mine' }), 404, 20404)
    await isRefused(flexFlow(mine.sid).remove(), 404, 20404)
    await isRefused(flexFlow.create(taskFlow(project)), 400, 45004)
    assert.equal((await flexFlow.list()).length, 1)
  })

  test('the preview address shows them without an integration', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const made = await world.twilio.flexApi.v1.flexFlow.create({
      friendlyName: 'Bot first',
      chatServiceSid: service,
      channelType: 'custom',
      'integration.flowSid': STUDIO_FLOW,
    })
    const list = (await (await world.fetch('/Flex/FlexFlows')).json()) as {
      flex_flows: Record<string, unknown>[]
    }
    assert.equal(list.flex_flows.length, 2)
    const one = (await (await world.fetch(`/Flex/FlexFlows/${made.sid}`)).json()) as Record<string, unknown>
    assert.deepEqual(one, list.flex_flows[1])
    assert.deepEqual(Object.keys(one).sort(), [
      'account_sid',
      'channel_type',
      'chat_service_sid',
      'contact_identity',
      'date_created',
      'date_updated',
      'enabled',
      'friendly_name',
      'sid',
      'studio_flow_sid',
      'url',
    ])
    assert.equal(one.studio_flow_sid, STUDIO_FLOW)
    assert.equal(one.url, `${world.url}/Flex/FlexFlows/${made.sid}`)
    assert.equal((await world.fetch('/Flex/FlexFlows', { as: null })).status, 401)
  })
})
