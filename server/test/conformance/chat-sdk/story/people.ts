/** People write, read, are called something, come and go. */
import assert from 'node:assert/strict'
import { until } from '../../../journeys/program.ts'
import { comeInNode } from '../in-node.ts'
import type { Person } from '../person.ts'
import { SDKS } from '../sdks.ts'
import type { Heard } from '../seen.ts'
import { isAt, type Step } from './step.ts'

const by = (channelSid: string, identity: string) => (it: Heard) =>
  it.member?.channelSid === channelSid && it.member.identity === identity

const isUser =
  (identity: string, reason: string, value: unknown) =>
  ({ user, reasons }: Heard): boolean =>
    user?.identity === identity &&
    (reasons?.includes(reason) ?? false) &&
    JSON.stringify(user[reason as keyof typeof user]) === JSON.stringify(value)

export const people: readonly Step[] = [
  {
    title: 'keeps how loud a channel is',
    tell: async ({ vera, ana, room, service }) => {
      const sid = await room('Noise')
      await vera.channel(sid, 'setUserNotificationLevel', 'muted')
      await vera.hears(
        'channelUpdated',
        (it) => it.channel?.sid === sid && it.channel.notificationLevel === 'muted',
      )
      for (const [who, level] of [
        [vera, 'muted'],
        [ana, 'default'],
      ] as const) {
        const standing = await service.users(who.identity).userChannels(sid).fetch()
        assert.equal(standing.notificationLevel, level)
        assert.equal((await who.client('getChannelBySid', sid)).notificationLevel, level)
      }
    },
  },
  {
    title: 'knows users, changes its own, and is told of changes',
    tell: async ({ vera, ana, service }) => {
      for (const who of [vera, ana])
        for (const { identity } of [vera, ana])
          assert.equal((await who.client('getUser', identity)).identity, identity)
      const hear = async (...change: Parameters<typeof isUser>) => {
        for (const who of [vera, ana]) await who.hears('userUpdated', isUser(...change))
      }
      await vera.user(vera.identity, 'updateFriendlyName', 'Vera V.')
      await hear(vera.identity, 'friendlyName', 'Vera V.')
      await vera.user(vera.identity, 'updateAttributes', { likes: ['tea'] })
      await hear(vera.identity, 'attributes', { likes: ['tea'] })
      const row = await service.users(vera.identity).fetch()
      assert.deepEqual([row.friendlyName, JSON.parse(row.attributes)], ['Vera V.', { likes: ['tea'] }])
      await ana.user(ana.identity, 'updateFriendlyName', 'Ana')
      await hear(ana.identity, 'friendlyName', 'Ana')
      await service.users(ana.identity).update({ attributes: '{"desk":4}' })
      await hear(ana.identity, 'attributes', { desk: 4 })
    },
  },
  {
    title: 'lists users and channels without following them',
    needs: 'descriptors',
    tell: async ({ vera, ana, room, service }) => {
      const sid = await room('Register')
      for (const who of [vera, ana]) {
        const users = await who.channel(sid, 'getUserDescriptors')
        const names = users.map(({ identity, friendlyName, online }) => [identity, friendlyName, online])
        assert.deepEqual(names.sort(), [
          [ana.identity, 'Ana', true],
          [vera.identity, 'Vera V.', true],
        ])
        assert.equal((await who.client('getUserDescriptor', 'sol')).friendlyName, 'Sol')
        const mine = await who.client('getUserChannelDescriptors')
        const rows = await service.users(who.identity).userChannels.list()
        assert.deepEqual(mine.map((it) => it.sid).sort(), rows.map((it) => it.channelSid).sort())
      }
    },
  },
]

/** These wait for most of their time, and for different things. */
export const peopleAtOnce: readonly Step[] = [
  {
    title: 'shows who types, and who has stopped',
    tell: async ({ vera, ana, room }) => {
      const sid = await room('Pen')
      const pairs: [Person, Person][] = [
        [vera, ana],
        [ana, vera],
      ]
      await Promise.all(
        pairs.map(([one, other]) =>
          until('the other sees it', async () => {
            await one.channel(sid, 'typing')
            return other.heard.find((it) => it.event === 'typingStarted' && by(sid, one.identity)(it))
          }),
        ),
      )
      await ana.channel(sid, 'sendMessage', 'Written', {})
      await vera.hears('typingEnded', by(sid, ana.identity))
      await ana.hears('typingEnded', by(sid, vera.identity))
      for (const who of [vera, ana])
        assert.ok(!who.heard.some((it) => it.event.startsWith('typing') && by(sid, who.identity)(it)))
    },
  },
  {
    title: 'keeps how far somebody has read',
    tell: async ({ vera, ana, room, service }) => {
      const sid = await room('Reading')
      for (const body of ['0', '1', '2', '3', '4']) await ana.channel(sid, 'sendMessage', body, {})
      const horizon = async (index: number | null, count: number | null) => {
        const updated = (it: Heard) =>
          by(sid, vera.identity)(it) && it.member?.lastConsumedMessageIndex === index
        await ana.hears('memberUpdated', updated)
        await until(`the horizon is ${index}`, async () =>
          (await vera.client('getChannelBySid', sid)).lastConsumedMessageIndex === index ? true : undefined,
        )
        const member = await service.channels(sid).members(vera.identity).fetch()
        assert.equal(member.lastConsumedMessageIndex, index)
        const standing = await service.users(vera.identity).userChannels(sid).fetch()
        assert.deepEqual([standing.lastConsumedMessageIndex, standing.unreadMessagesCount], [index, count])
      }
      assert.equal(await vera.channel(sid, 'advanceLastConsumedMessageIndex', 1), 3)
      await horizon(1, 3)
      assert.equal(await vera.channel(sid, 'updateLastConsumedMessageIndex', 0), 4)
      await horizon(0, 4)
      assert.equal(await vera.channel(sid, 'setAllMessagesConsumed'), 0)
      await horizon(4, 0)
      await vera.channel(sid, 'setNoMessagesConsumed')
      await horizon(null, null)
    },
  },
  {
    title: 'counts what it has not read',
    tell: async ({ vera, ana, room }) => {
      // The SDKs keep a count for some seconds: each is asked for once.
      const counts: [count: number | null, read: (sid: string) => unknown][] = [
        [null, () => undefined],
        [2, (sid) => vera.channel(sid, 'advanceLastConsumedMessageIndex', 0)],
        [0, (sid) => vera.channel(sid, 'setAllMessagesConsumed')],
      ]
      for (const [count, read] of counts) {
        const sid = await room(`${count} unread`)
        for (const body of ['0', '1', '2']) await ana.channel(sid, 'sendMessage', body, {})
        await vera.hears('messageAdded', isAt(sid, 2))
        await read(sid)
        assert.equal(await vera.channel(sid, 'getUnconsumedMessagesCount'), count)
      }
    },
  },
  {
    title: 'knows who is there, and who has gone',
    tell: async ({ vera, ana, world, service, token }) => {
      for (const who of [vera, ana]) assert.equal((await who.client('getUser', 'ben')).online, false)
      const hear = async (online: boolean, after: readonly number[]) => {
        for (const [i, who] of [vera, ana].entries())
          await who.hears('userUpdated', isUser('ben', 'online', online), after[i])
        assert.equal((await service.users('ben').fetch()).isOnline, online)
      }
      const before = [vera.heard.length, ana.heard.length]
      const arrival = { identity: 'ben', token: token('ben'), url: world.url }
      await using ben = await comeInNode(SDKS.chat6, world.url, arrival)
      await hear(true, before)
      const after = [vera.heard.length, ana.heard.length]
      await ben.client('shutdown')
      await hear(false, after)
    },
  },
]
