import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld, type World } from '../world/index.ts'
import { ana, deskToken, projectOf } from './stage.ts'

const post = (world: World, body: unknown) =>
  world.fetch('/v1/Configuration', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('The configuration of Flex', () => {
  test('names what a new project has', async () => {
    await using world = await openWorld()
    const { twilio } = world
    const it = await twilio.flexApi.v1.configuration.get().fetch()
    assert.equal(it.accountSid, world.account.sid)
    assert.equal(it.status, 'ok')
    const service = await twilio.chat.v2.services(it.chatServiceInstanceSid).fetch()
    assert.equal(service.friendlyName, 'Flex Chat Service')
    const workspace = twilio.taskrouter.v1.workspaces(it.taskrouterWorkspaceSid)
    assert.equal((await workspace.fetch()).friendlyName, 'Flex Task Assignment')
    assert.equal(
      (await workspace.workflows(it.taskrouterTargetWorkflowSid).fetch()).friendlyName,
      'Assign to Anyone',
    )
    assert.equal(
      (await workspace.taskQueues(it.taskrouterTargetTaskqueueSid).fetch()).friendlyName,
      'Everyone',
    )
    assert.equal(
      (await workspace.activities(it.taskrouterOfflineActivitySid).fetch()).friendlyName,
      'Offline',
    )
    assert.equal(it.uiAttributes.version_compatibility, 'yes')
    assert.equal(it.url, `${world.url}/v1/Configuration`)
    assert.equal((await twilio.flexApi.v1.provisioningStatus().fetch()).status, 'active')
  })

  test('takes the members that are given, of their kinds, and keeps the rest', async () => {
    await using world = await openWorld()
    const { service } = await projectOf(world)
    const answer = await post(world, {
      account_sid: world.account.sid,
      attributes: { shop: { open: true } },
      ui_version: '1.34.6',
      crm_enabled: true,
      taskrouter_skills: [{ name: 'sales' }],
      markdown: null,
      chat_service_instance_sid: `IS${'0'.repeat(32)}`,
      never_heard_of: 1,
    })
    assert.equal(answer.status, 200)
    const it = (await answer.json()) as Record<string, unknown>
    assert.deepEqual(it.attributes, { shop: { open: true } })
    assert.equal(it.ui_version, '1.34.6')
    assert.equal(it.crm_enabled, true)
    assert.deepEqual(it.taskrouter_skills, [{ name: 'sales' }])
    assert.equal(it.markdown, null)
    assert.equal(it.chat_service_instance_sid, service)
    assert.equal('never_heard_of' in it, false)
    assert.equal(it.ui_language, 'en-US')
    for (const wrong of [
      { crm_enabled: 'yes' },
      { attributes: [] },
      { integrations: {} },
      { ui_version: 1 },
      { taskrouter_target_workflow_sid: 'WW1' },
      { account_sid: `AC${'0'.repeat(32)}` },
      [],
      `{"attributes":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      { attributes: { long: 'x'.repeat(300_000) } },
    ]) {
      const refusal = await post(world, wrong)
      assert.deepEqual([refusal.status, ((await refusal.json()) as { code: number }).code], [400, 45004])
    }
    assert.deepEqual(await (await world.fetch('/v1/Configuration')).json(), it)
  })

  test('is read by an agent’s desktop, and what is public by anybody', async () => {
    await using world = await openWorld()
    const project = await projectOf(world)
    await post(world, { public_attributes: { greeting: 'hi' } })
    const worker = await ana(world, project)
    const as = deskToken(world, 'ana', { ...project, worker: worker.sid })
    assert.equal((await world.fetch('/v1/Configuration?UiVersion=1.34.6', { as })).status, 200)
    assert.equal((await world.fetch('/v1/Configuration', { method: 'POST', as })).status, 403)
    assert.equal((await world.fetch('/v1/Configuration', { as: null })).status, 401)
    const open = await world.fetch(`/v1/Configuration/Public?AccountSid=${world.account.sid}`, { as: null })
    assert.deepEqual(await open.json(), {
      configurations: [
        { account_sid: world.account.sid, runtime_domain: null, public_attributes: { greeting: 'hi' } },
      ],
    })
    const nobody = await world.fetch(`/v1/Configuration/Public?AccountSid=AC${'0'.repeat(32)}`, { as: null })
    assert.deepEqual(await nobody.json(), { configurations: [] })
  })
})
