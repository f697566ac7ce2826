/** The chat stories: each served operation of chat v2 is asked with every parameter it has. */
import assert from 'node:assert/strict'
import type { World } from '../world/index.ts'
import type { Story } from './story.ts'

const restored = {
  dateCreated: new Date('2020-01-02T03:04:05Z'),
  dateUpdated: new Date('2020-02-03T04:05:06Z'),
}

export const chatStories: readonly Story[] = [
  {
    name: 'chat: an admin keeps services',
    tell: async ({ client }) => {
      const { services } = client.chat.v2
      const service = await services.create({ friendlyName: 'Support' })
      await services(service.sid).fetch()
      const { roles } = services(service.sid)
      const [role] = await roles.list()
      assert.ok(role)
      const updated = await services(service.sid).update({
        friendlyName: 'Support desk',
        readStatusEnabled: true,
        reachabilityEnabled: true,
        typingIndicatorTimeout: 6,
        consumptionReportInterval: 20,
        'notifications.newMessage.enabled': true,
        'notifications.newMessage.template': 'A message came',
        'notifications.newMessage.sound': 'ding',
        'notifications.newMessage.badgeCountEnabled': true,
        'notifications.addedToChannel.enabled': false,
        'notifications.removedFromChannel.enabled': false,
        'notifications.invitedToChannel.enabled': false,
        'notifications.logEnabled': true,
        preWebhookUrl: 'https://example.com/pre',
        postWebhookUrl: 'https://example.com/post',
        webhookMethod: 'POST',
        webhookFilters: ['onMessageSent', 'onChannelAdded'],
        'limits.channelMembers': 50,
        'limits.userChannels': 200,
        'media.compatibilityMessage': 'A file was sent',
        preWebhookRetryCount: 1,
        postWebhookRetryCount: 2,
      })
      assert.equal(updated.friendlyName, 'Support desk')
      assert.ok((await services.list({ limit: 5 })).length > 0)
      await services(service.sid).remove()
    },
  },
  {
    name: 'chat: an admin keeps roles',
    tell: async ({ client }, world) => {
      const { roles } = client.chat.v2.services(await serviceOf(world))
      const role = await roles.create({
        friendlyName: 'reader',
        type: 'channel',
        permission: ['leaveChannel'],
      })
      await roles(role.sid).fetch()
      await roles(role.sid).update({ permission: ['leaveChannel', 'sendMessage'] })
      await roles.list()
      await roles(role.sid).remove()
    },
  },
  {
    name: 'chat: a back end keeps users',
    tell: async ({ client }, world) => {
      const { users, roles } = client.chat.v2.services(await serviceOf(world))
      const role = (await roles.list()).find((it) => it.type === 'deployment')
      const user = await users.create({
        identity: 'sol',
        friendlyName: 'Sol',
        attributes: '{"team":"north"}',
        roleSid: role?.sid ?? '',
        xTwilioWebhookEnabled: 'true',
      })
      await users('sol').fetch()
      await users(user.sid).update({ friendlyName: 'Sol B.', attributes: '{}' })
      await users.list()
      await users('sol').remove()
    },
  },
  {
    name: 'chat: a back end keeps channels',
    tell: async ({ client }, world) => {
      const { channels } = client.chat.v2.services(await serviceOf(world))
      const channel = await channels.create({
        friendlyName: 'Orders',
        uniqueName: 'orders',
        attributes: '{"a":1}',
        type: 'private',
        createdBy: 'sol',
        ...restored,
        xTwilioWebhookEnabled: 'true',
      })
      await channels('orders').fetch()
      await channels(channel.sid).update({ friendlyName: 'All orders', attributes: '{"a":2}' })
      await channels.list({ type: ['private'] })
      await channels('orders').remove()
    },
  },
  {
    name: 'chat: members come and go',
    tell: async ({ client }, world) => {
      const service = client.chat.v2.services(await serviceOf(world))
      const channel = await service.channels.create({ type: 'private' })
      const { members, messages } = service.channels(channel.sid)
      await messages.create({ body: 'one' })
      const member = await members.create({
        identity: 'vera',
        attributes: '{"member_type":"guest"}',
        lastConsumedMessageIndex: 0,
        lastConsumptionTimestamp: new Date('2020-01-02T03:04:05Z'),
        ...restored,
      })
      await members('vera').fetch()
      await members(member.sid).update({ lastConsumedMessageIndex: 0, attributes: '{}' })
      await members.list({ identity: ['vera'] })
      await members('vera').remove()
    },
  },
  {
    name: 'chat: messages are sent, read, changed and removed',
    tell: async ({ client }, world) => {
      const service = client.chat.v2.services(await serviceOf(world))
      const channel = await service.channels.create({})
      const { messages } = service.channels(channel.sid)
      const message = await messages.create({
        body: 'Where is my parcel?',
        from: 'vera',
        attributes: '{"mood":"worried"}',
        xTwilioWebhookEnabled: 'true',
      })
      await messages.create({ body: 'old', from: 'vera', lastUpdatedBy: 'ana', ...restored })
      await messages(message.sid).fetch()
      await messages(message.sid).update({
        body: 'Where are my parcels?',
        attributes: '{}',
        lastUpdatedBy: 'vera',
      })
      const listed = await messages.list({ order: 'desc', limit: 10 })
      assert.deepEqual(
        listed.map((it) => it.index),
        [1, 0],
      )
      await messages(message.sid).remove()
    },
  },
  {
    name: 'chat: invites are given and taken back',
    tell: async ({ client }, world) => {
      const service = client.chat.v2.services(await serviceOf(world))
      const channel = await service.channels.create({ type: 'private' })
      const { invites } = service.channels(channel.sid)
      const invite = await invites.create({ identity: 'ben' })
      await invites(invite.sid).fetch()
      await invites.list({ identity: ['ben'] })
      await invites(invite.sid).remove()
    },
  },
  {
    name: 'chat: channel webhooks of each type',
    tell: async ({ client }, world) => {
      const service = client.chat.v2.services(await serviceOf(world))
      const channel = await service.channels.create({})
      const { webhooks } = service.channels(channel.sid)
      const hook = await webhooks.create({
        type: 'webhook',
        'configuration.url': 'https://example.com/hook?channel=1',
        'configuration.method': 'POST',
        'configuration.filters': ['onMessageSent', 'onChannelUpdated'],
        'configuration.retryCount': 2,
      })
      await webhooks.create({
        type: 'trigger',
        'configuration.url': 'https://example.com/word',
        'configuration.method': 'GET',
        'configuration.triggers': ['help', 'agent'],
      })
      await webhooks.create({ type: 'studio', 'configuration.flowSid': `FW${'a'.repeat(32)}` })
      await webhooks(hook.sid).fetch()
      await webhooks(hook.sid).update({ 'configuration.url': 'https://example.com/other' })
      assert.equal((await webhooks.list()).length, 3)
      await webhooks(hook.sid).remove()
    },
  },
  {
    name: 'chat: a user looks at its channels',
    tell: async ({ client }, world) => {
      const service = client.chat.v2.services(await serviceOf(world))
      const channel = await service.channels.create({})
      await service.channels(channel.sid).messages.create({ body: 'one' })
      await service.channels(channel.sid).members.create({ identity: 'rosa' })
      const { userChannels } = service.users('rosa')
      assert.equal((await userChannels.list()).length, 1)
      await userChannels(channel.sid).fetch()
      const read = await userChannels(channel.sid).update({
        lastConsumedMessageIndex: 0,
        notificationLevel: 'muted',
        lastConsumptionTimestamp: new Date('2021-01-02T03:04:05Z'),
      })
      assert.equal(read.unreadMessagesCount, 0)
      await userChannels(channel.sid).remove()
    },
  },
]

export const serviceOf = async (world: World): Promise<string> =>
  (await world.twilio.flexApi.v1.configuration().fetch()).chatServiceInstanceSid
