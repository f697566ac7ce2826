/** Vera comes in, and finds what was there before her. */
import assert from 'node:assert/strict'
import { until } from '../../../journeys/program.ts'
import type { Step } from './step.ts'

export const arriving: readonly Step[] = [
  {
    title: 'connects and initialises',
    tell: async ({ sdk, vera, ana, service }) => {
      const { connectionState: _, ...standing } = await until('the connection is known', async () => {
        const it = await vera.standing()
        return it.connectionState === 'connected' ? it : undefined
      })
      const { identity } = vera
      assert.deepEqual(standing, { version: sdk.version, identity, reachabilityEnabled: true })
      await until('everybody sees her', async () => {
        const [seen, row] = [await ana.client('getUser', identity), await service.users(identity).fetch()]
        return (seen.online && row.isOnline) || undefined
      })
    },
  },
  {
    title: 'finds the channels that it is in, or is invited to',
    tell: async ({ vera, ana, service, before }) => {
      const channels = await vera.client('getSubscribedChannels')
      const standing = await service.users(vera.identity).userChannels.list()
      const sids = channels.map((it) => it.sid).sort()
      assert.deepEqual(sids, Object.values(before).sort())
      assert.deepEqual(sids, standing.map((it) => it.channelSid).sort())
      const lobby = channels.find((it) => it.sid === before.lobby)
      assert.ok(lobby)
      const { uniqueName, attributes, status, lastMessageIndex } = lobby
      assert.deepEqual(
        { uniqueName, attributes, status, lastMessageIndex },
        { uniqueName: 'lobby', attributes: { floor: 0 }, status: 'joined', lastMessageIndex: 0 },
      )
      const messages = await vera.channel(before.lobby, 'getMessages')
      assert.deepEqual(
        messages.map(({ index, author, body }) => ({ index, author, body })),
        [{ index: 0, author: 'system', body: 'Welcome' }],
      )
      const members = await service.channels(before.lobby).members.list()
      for (const who of [vera, ana])
        assert.deepEqual(
          (await who.channel(before.lobby, 'getMembers')).map((it) => it.identity).sort(),
          members.map((it) => it.identity).sort(),
        )
    },
  },
  {
    title: 'knows the channel that it is invited to as such',
    needs: 'invites',
    tell: async ({ vera, before }) => {
      const channel = await until('the channel is known', async () => {
        const seen = await vera.client('getSubscribedChannels')
        return seen.find((it) => it.sid === before.invited)
      })
      assert.equal(channel.status, 'invited')
    },
  },
]
