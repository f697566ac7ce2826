/** Channels are made, found, entered, left, changed and deleted. */
import assert from 'node:assert/strict'
import { until } from '../../../journeys/program.ts'
import { isIn, type Scene } from '../scene.ts'
import type { SeenChannel } from '../seen.ts'
import { isRefused, type Step } from './step.ts'

const is =
  (channelSid: string) =>
  ({ channel, member }: { channel?: SeenChannel; member?: { channelSid: string } }) =>
    (channel?.sid ?? member?.channelSid) === channelSid

const isMember =
  (channelSid: string, identity: string) =>
  ({ member }: { member?: { channelSid: string; identity: string } }) =>
    member?.channelSid === channelSid && member.identity === identity

const identities = async ({ service }: Scene, channelSid: string): Promise<string[]> =>
  (await service.channels(channelSid).members.list()).map((it) => it.identity).sort()

/**
 * Vera's SDK follows the members of a channel some moments after it has joined. Where she leaves before that, it goes on
 * to take her for a member.
 */
const followsMembers = async ({ vera, service }: Scene, channelSid: string): Promise<void> => {
  let tries = 0
  await until('she hears of a change', async () => {
    await service
      .channels(channelSid)
      .members(vera.identity)
      .update({ attributes: `{"try":${tries++}}` })
    return vera.heard.find((it) => it.event === 'memberUpdated' && isMember(channelSid, vera.identity)(it))
  })
}

export const channels: readonly Step[] = [
  {
    title: 'creates a private channel, and gets it by SID and by unique name',
    tell: async ({ vera, ana, service }) => {
      const options = {
        friendlyName: 'Cell',
        uniqueName: 'cell',
        attributes: { bars: true },
        isPrivate: true,
      }
      const made = await vera.client('createChannel', options)
      assert.notEqual(made.status, 'joined', 'who creates a channel is not in it')
      assert.deepEqual(
        [made.friendlyName, made.uniqueName, made.attributes, made.createdBy],
        ['Cell', 'cell', { bars: true }, vera.identity],
      )
      const row = await service.channels(made.sid).fetch()
      assert.deepEqual(
        [row.friendlyName, row.uniqueName, JSON.parse(row.attributes), row.createdBy, row.type],
        ['Cell', 'cell', { bars: true }, vera.identity, 'private'],
      )
      assert.deepEqual(await service.channels(made.sid).members.list(), [])
      await vera.channel(made.sid, 'join')
      await vera.hears('channelJoined', is(made.sid))
      assert.equal((await vera.client('getChannelBySid', made.sid)).sid, made.sid)
      assert.equal((await vera.client('getChannelByUniqueName', 'cell')).sid, made.sid)
      await assert.rejects(ana.client('getChannelBySid', made.sid), 'who is not in it does not see it')
      await isRefused(vera.client('createChannel', options), 50307)
    },
  },
  {
    title: 'creates a public channel, which everybody finds',
    needs: 'public channels',
    tell: async ({ vera, ana, service, before }) => {
      const made = await vera.client('createChannel', { friendlyName: 'Hall', uniqueName: 'hall' })
      assert.equal(made.type, 'public')
      assert.equal((await service.channels(made.sid).fetch()).type, 'public')
      for (const who of [vera, ana]) {
        assert.equal((await who.client('getChannelByUniqueName', 'hall')).sid, made.sid)
        assert.equal((await who.client('getChannelBySid', made.sid)).friendlyName, 'Hall')
        const found = await who.client('getPublicChannelDescriptors')
        assert.deepEqual(found.map((it) => it.sid).sort(), [before.lobby, made.sid].sort())
        assert.deepEqual(found.map((it) => it.uniqueName).sort(), ['hall', 'lobby'])
      }
    },
  },
  {
    title: 'joins and leaves a public channel',
    needs: 'public channels',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const { sid } = await service.channels.create({ uniqueName: 'square', type: 'public' })
      await ana.client('getChannelBySid', sid)
      await ana.channel(sid, 'join')
      await isIn(ana, sid)
      await vera.client('getChannelByUniqueName', 'square')
      await vera.channel(sid, 'join')
      await isIn(vera, sid)
      await ana.hears('memberJoined', isMember(sid, vera.identity))
      assert.deepEqual(await identities(scene, sid), [ana.identity, vera.identity])
      await followsMembers(scene, sid)
      await vera.channel(sid, 'leave')
      await vera.hears('channelLeft', is(sid))
      await ana.hears('memberLeft', isMember(sid, vera.identity))
      assert.deepEqual(await identities(scene, sid), [ana.identity])
      assert.notEqual((await vera.client('getChannelBySid', sid)).status, 'joined')
      const after = vera.heard.length
      await vera.channel(sid, 'join')
      await isIn(vera, sid, after)
      await ana.channel(sid, 'leave')
      await vera.hears('memberLeft', isMember(sid, ana.identity))
      await ana.hears('channelLeft', is(sid))
      assert.deepEqual(await identities(scene, sid), [vera.identity])
    },
  },
  {
    title: 'invites, is declined, and is accepted',
    needs: 'invites',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const { sid } = await vera.client('createChannel', { friendlyName: 'Party', isPrivate: true })
      await vera.channel(sid, 'join')
      await isIn(vera, sid)
      const { invites } = service.channels(sid)
      const invited = async () => (await invites.list()).map((it) => it.identity)

      await vera.channel(sid, 'invite', ana.identity)
      const { channel } = await ana.hears('channelInvited', is(sid))
      assert.deepEqual([channel?.status, channel?.friendlyName], ['invited', 'Party'])
      assert.deepEqual(await invited(), [ana.identity])
      await ana.channel(sid, 'decline')
      await ana.hears('channelLeft', is(sid))
      assert.deepEqual(await invited(), [])

      const after = ana.heard.length
      await vera.channel(sid, 'invite', ana.identity)
      await ana.hears('channelInvited', is(sid), after)
      await ana.channel(sid, 'join')
      await ana.hears('channelJoined', is(sid))
      await vera.hears('memberJoined', isMember(sid, ana.identity))
      assert.deepEqual(await invited(), [])
      assert.deepEqual(await identities(scene, sid), [ana.identity, vera.identity])
    },
  },
  {
    title: 'is invited, declines, and accepts',
    needs: 'invites',
    tell: async (scene) => {
      const { vera, ana, service, before } = scene
      await vera.channel(before.invited, 'decline')
      await vera.hears('channelLeft', is(before.invited))
      assert.deepEqual(await service.channels(before.invited).invites.list(), [])

      const { sid } = await ana.client('createChannel', { friendlyName: 'Dinner', isPrivate: true })
      await ana.channel(sid, 'join')
      await isIn(ana, sid)
      await ana.channel(sid, 'invite', vera.identity)
      const { channel } = await vera.hears('channelInvited', is(sid))
      assert.equal(channel?.friendlyName, 'Dinner')
      await vera.channel(sid, 'join')
      await vera.hears('channelJoined', is(sid))
      await ana.hears('memberJoined', isMember(sid, vera.identity))
      assert.deepEqual(await identities(scene, sid), [ana.identity, vera.identity])
    },
  },
  {
    title: 'adds and removes members, and is added and removed',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const sid = await scene.room('Team')
      await vera.hears('memberJoined', isMember(sid, ana.identity))
      for (const identity of ['ben', 'sol']) {
        await vera.channel(sid, 'add', identity)
        for (const who of [vera, ana]) await who.hears('memberJoined', isMember(sid, identity))
      }
      assert.deepEqual(await identities(scene, sid), [ana.identity, 'ben', 'sol', vera.identity])
      await vera.channel(sid, 'removeMember', 'ben')
      await vera.member([sid, 'sol'], 'remove')
      for (const who of [vera, ana])
        for (const identity of ['ben', 'sol']) await who.hears('memberLeft', isMember(sid, identity))
      await vera.channel(sid, 'removeMember', ana.identity)
      await vera.hears('memberLeft', isMember(sid, ana.identity))
      for (const event of ['channelLeft', 'channelRemoved']) await ana.hears(event, is(sid))
      assert.deepEqual(await identities(scene, sid), [vera.identity])

      const theirs = await ana.client('createChannel', { isPrivate: true })
      await ana.channel(theirs.sid, 'join')
      await isIn(ana, theirs.sid)
      await ana.channel(theirs.sid, 'add', vera.identity)
      await vera.hears('channelJoined', is(theirs.sid))
      await ana.hears('memberJoined', isMember(theirs.sid, vera.identity))
      await service.channels(theirs.sid).members(vera.identity).remove()
      for (const event of ['channelLeft', 'channelRemoved']) await vera.hears(event, is(theirs.sid))
      await ana.hears('memberLeft', isMember(theirs.sid, vera.identity))
      assert.deepEqual(await identities(scene, theirs.sid), [ana.identity])
    },
  },
  {
    title: 'is told of a member’s attributes',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const sid = await scene.room('Badges')
      await vera.member([sid, vera.identity], 'updateAttributes', { badge: 7 })
      for (const who of [vera, ana]) {
        const { member } = await who.hears(
          'memberUpdated',
          (it) => isMember(sid, vera.identity)(it) && it.reasons?.includes('attributes'),
        )
        assert.deepEqual(member?.attributes, { badge: 7 })
      }
      assert.equal((await service.channels(sid).members(vera.identity).fetch()).attributes, '{"badge":7}')
    },
  },
  {
    title: 'changes a channel’s names and attributes, and is told of changes',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const sid = await scene.room('Draft')
      const hear = async (reason: string, name: keyof SeenChannel, value: unknown) => {
        for (const who of [vera, ana]) {
          const fits = (it: { channel?: SeenChannel; reasons?: readonly string[] }) =>
            is(sid)(it) &&
            it.reasons?.includes(reason) &&
            JSON.stringify(it.channel?.[name]) === JSON.stringify(value)
          await who.hears('channelUpdated', fits)
        }
      }
      await vera.channel(sid, 'updateFriendlyName', 'Final')
      await hear('friendlyName', 'friendlyName', 'Final')
      await vera.channel(sid, 'updateUniqueName', 'final')
      await hear('uniqueName', 'uniqueName', 'final')
      await vera.channel(sid, 'updateAttributes', { of: ['the', { deep: null }] })
      await hear('attributes', 'attributes', { of: ['the', { deep: null }] })
      const row = await service.channels(sid).fetch()
      assert.deepEqual(
        [row.friendlyName, row.uniqueName, JSON.parse(row.attributes)],
        ['Final', 'final', { of: ['the', { deep: null }] }],
      )
      await service.channels(sid).update({ friendlyName: 'Printed', attributes: '{"copies":3}' })
      await hear('friendlyName', 'friendlyName', 'Printed')
      await hear('attributes', 'attributes', { copies: 3 })
      await vera.channel(sid, 'updateUniqueName', '')
      await until('the unique name is gone', async () =>
        (await service.channels(sid).fetch()).uniqueName ? undefined : true,
      )
      await hear('uniqueName', 'uniqueName', null)
      await isRefused(ana.channel(sid, 'updateFriendlyName', 'Mine'), 50107)
    },
  },
  {
    title: 'deletes a channel, and is told of one that is deleted',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const gone = async (sid: string) => {
        for (const who of [vera, ana]) await who.hears('channelRemoved', is(sid))
        await assert.rejects(service.channels(sid).fetch(), { status: 404 })
      }
      const sid = await scene.room('Short')
      await isRefused(ana.channel(sid, 'delete'), 50107)
      await vera.channel(sid, 'delete')
      await gone(sid)
      const { sid: theirs } = await ana.client('createChannel', { isPrivate: true })
      await ana.channel(theirs, 'join')
      await ana.channel(theirs, 'add', vera.identity)
      await vera.hears('channelJoined', is(theirs))
      await ana.channel(theirs, 'delete')
      await gone(theirs)
      const other = await scene.room('Swept')
      await service.channels(other).remove()
      await gone(other)
    },
  },
]
