/** The Flex stories: each served operation of flex v1. */
import assert from 'node:assert/strict'
import type { Story } from './story.ts'
import type { Witness } from './witness.ts'

const customFlow = async ({ client }: Witness, contactIdentity: string) => {
  const configuration = await client.flexApi.v1.configuration().fetch()
  return client.flexApi.v1.flexFlow.create({
    friendlyName: 'Custom chat',
    chatServiceSid: configuration.chatServiceInstanceSid,
    channelType: 'custom',
    contactIdentity,
    enabled: true,
    integrationType: 'task',
    'integration.workspaceSid': configuration.taskrouterWorkspaceSid,
    'integration.workflowSid': configuration.taskrouterTargetWorkflowSid,
    'integration.channel': 'chat',
    'integration.timeout': 3600,
    'integration.priority': 1,
    'integration.creationOnMessage': false,
    longLived: false,
    janitorEnabled: true,
  })
}

export const flexStories: readonly Story[] = [
  {
    name: 'flex: an admin keeps Flex Flows of each integration',
    tell: async (witness) => {
      const { flexFlow } = witness.client.flexApi.v1
      const flow = await customFlow(witness, 'flows')
      await flexFlow(flow.sid).fetch()
      await flexFlow(flow.sid).update({
        friendlyName: 'Custom chat 2',
        enabled: false,
        'integration.priority': 3,
      })
      const chatServiceSid = flow.chatServiceSid
      await flexFlow.create({
        friendlyName: 'To our program',
        chatServiceSid,
        channelType: 'custom',
        integrationType: 'external',
        'integration.url': 'https://example.com/flow',
        'integration.retryCount': 2,
      })
      await flexFlow.create({
        friendlyName: 'To a flow',
        chatServiceSid,
        channelType: 'sms',
        integrationType: 'studio',
        'integration.flowSid': `FW${'a'.repeat(32)}`,
      })
      assert.equal((await flexFlow.list({ friendlyName: 'Custom chat 2' })).length, 1)
      await flexFlow(flow.sid).remove()
    },
  },
  {
    name: 'flex: an integrator begins a chat and takes it away',
    tell: async (witness) => {
      const { channel } = witness.client.flexApi.v1
      const flow = await customFlow(witness, 'channels')
      const made = await channel.create({
        flexFlowSid: flow.sid,
        identity: 'vera',
        chatUserFriendlyName: 'Vera',
        chatFriendlyName: 'Chat with Vera',
        target: 'vera',
        chatUniqueName: 'chat-with-vera',
        preEngagementData: '{"question":"parcel"}',
        taskAttributes: '{"vip":true}',
        longLived: false,
      })
      assert.ok(made.taskSid)
      await channel(made.sid).fetch()
      await channel.list()
      await channel(made.sid).remove()
    },
  },
  {
    name: 'flex: the widget begins a chat and ends it',
    tell: async (witness) => {
      const { webChannel, flexFlow } = witness.client.flexApi.v1
      const flow = (await flexFlow.list()).find((it) => it.channelType === 'web')
      assert.ok(flow)
      const made = await webChannel.create({
        flexFlowSid: flow.sid,
        identity: 'guest-1',
        customerFriendlyName: 'Vera',
        chatFriendlyName: 'Flex WebChat',
        preEngagementData: '{"location":"https://example.com"}',
      })
      await webChannel(made.sid).fetch()
      await webChannel(made.sid).update({ chatStatus: 'inactive', postEngagementData: '{"stars":5}' })
      await webChannel.list()
      await webChannel(made.sid).remove()
    },
  },
  {
    name: 'flex: an admin keeps the configuration',
    tell: async (witness) => {
      const configuration = witness.client.flexApi.v1.configuration()
      await configuration.fetch()
      await configuration.update({
        body: { account_sid: witness.client.accountSid, attributes: { theme: 'dark' } },
      })
      await witness.client.flexApi.v1.provisioningStatus().fetch()
    },
  },
]
