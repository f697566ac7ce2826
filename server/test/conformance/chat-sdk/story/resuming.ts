/** The connection breaks, everything that was missed comes, and in the end everybody holds the same to be so. */
import assert from 'node:assert/strict'
import { until } from '../../../journeys/program.ts'
import type { Person } from '../person.ts'
import type { Scene } from '../scene.ts'
import type { Belief, Heard, SeenMessage } from '../seen.ts'
import { agreed, inTurns, isAt, type Step, shownByRest, toldOf } from './step.ts'

/** Somebody who came back may still be hearing of much, on a machine that is busy with other things. */
const AGREES_WITHIN_MS = 30_000

/** More than a follower is told at once. */
const MISSED = 510

const is = (channelSid: string) => (it: Heard) => it.channel?.sid === channelSid

export const resuming: readonly Step[] = [
  {
    title: 'is told everything that it missed while its socket was cut, in order, once',
    tell: async (scene) => {
      const { vera, ana, wire, service, room } = scene
      const [sid, left] = [await room('Tunnel'), await room('Farewell')]
      for (const body of ['0', '1', '2']) await ana.channel(sid, 'sendMessage', body, {})
      for (const who of [vera, ana]) await who.hears('messageAdded', isAt(sid, 2))
      await vera.client('getUser', ana.identity)

      const after = vera.heard.length
      wire.cut()
      const sent = ['3', '4', '5', '6', '7']
      for (const body of sent) await ana.channel(sid, 'sendMessage', body, { n: Number(body) })
      await ana.message([sid, 1], 'updateBody', '1, corrected')
      await ana.message([sid, 2], 'remove')
      await ana.message([sid, 7], 'updateBody', '7, corrected')
      await ana.message([sid, 6], 'remove')
      await service.channels(sid).members.create({ identity: 'ben' })
      await service.channels(sid).update({ friendlyName: 'Light', attributes: '{"end":true}' })
      await service.channels(left).members(vera.identity).remove()
      await ana.user(ana.identity, 'updateFriendlyName', 'Ana A.')
      const { sid: fresh } = await service.channels.create({ type: 'private', friendlyName: 'Fresh' })
      await service.channels(fresh).members.create({ identity: vera.identity })
      await until('she knocks in vain', () => (wire.refused > 0 ? true : undefined))
      wire.mend()

      const since = (event: string, fits: (heard: Heard) => unknown) => vera.hears(event, fits, after)
      const message = (index: number, body?: string) => (it: Heard) =>
        isAt(sid, index)(it) && (!body || it.message?.body === body)
      await since('messageAdded', message(7, '7, corrected'))
      await since('messageUpdated', message(1, '1, corrected'))
      await since('messageRemoved', message(2))
      await since('memberJoined', (it) => it.member?.channelSid === sid && it.member.identity === 'ben')
      await since('channelUpdated', (it) => is(sid)(it) && it.channel?.friendlyName === 'Light')
      await since('channelRemoved', is(left))
      await since('channelJoined', is(fresh))
      await since('userUpdated', (it) => it.user?.friendlyName === 'Ana A.')
      await vera.channel(sid, 'sendMessage', '8', {})
      for (const who of [vera, ana]) {
        await who.hears('messageAdded', message(8))
        const told = toldOf(who, sid).filter((it) => it.index !== 6)
        assert.deepEqual(
          told.map((it) => it.index),
          [0, 1, 2, 3, 4, 5, 7, 8],
        )
      }
    },
  },
  {
    title: 'is told of each message once, however often the socket is cut',
    tell: async ({ vera, ana, wire, room }) => {
      const sid = await room('Storm')
      const bodies = Array.from({ length: 40 }, (_, i) => `${i}`)
      for (const body of bodies) {
        if (Number(body) % 20 === 10) wire.cut()
        if (Number(body) % 20 === 12) wire.mend()
        await ana.channel(sid, 'sendMessage', body, {})
        if (body === '19') await vera.hears('messageAdded', isAt(sid, 15))
      }
      await vera.hears('messageAdded', isAt(sid, 39))
      for (const who of [vera, ana])
        assert.deepEqual(
          toldOf(who, sid).map((it) => it.body),
          bodies,
        )
    },
  },
  {
    title: 'is told of more than comes in one answer, in order, once',
    tell: async ({ vera, ana, wire, service, room }) => {
      const sid = await room('Flood')
      const { messages } = service.channels(sid)
      wire.cut()
      await inTurns(MISSED, (number) => messages.create({ from: 'system', body: `${number}` }))
      wire.mend()
      const rows = (await messages.list({ order: 'asc', pageSize: 100 })).map((it) => [it.index, it.body])
      for (const who of [vera, ana]) {
        await who.hears('messageAdded', isAt(sid, MISSED - 1))
        assert.deepEqual(
          toldOf(who, sid).map((it) => [it.index, it.body]),
          rows,
        )
      }
    },
  },
  {
    title: 'holds in the end what a fresh read by REST holds',
    tell: async (scene) => {
      for (const who of [scene.vera, scene.ana]) await agreesWithRest(scene, who)
    },
  },
  {
    title: 'was told of messages what adds up to that',
    tell: async ({ vera, ana, service }) => {
      for (const who of [vera, ana])
        for (const { sid } of await who.client('getSubscribedChannels')) {
          const told = heardIn(who, sid)
          if (told.length === 0) continue
          const rows = await service.channels(sid).messages.list({ order: 'asc', pageSize: 100 })
          assert.deepEqual(told.map(agreed), rows.map(shownByRest))
        }
    },
  },
  {
    title: 'was told of nothing twice',
    tell: async ({ vera, ana }) => {
      for (const { heard } of [vera, ana])
        for (const event of ['messageAdded', 'messageRemoved']) {
          const sids = heard.flatMap((it) => (it.event === event && it.message ? [it.message.sid] : []))
          assert.deepEqual(sids, [...new Set(sids)], event)
        }
    },
  },
]

export const leaving: readonly Step[] = [
  {
    title: 'shuts down, and is gone',
    tell: async ({ vera, ana, service, wire, before }) => {
      await ana.client('getUser', vera.identity)
      const [after, anasAfter] = [vera.heard.length, ana.heard.length]
      await vera.client('shutdown')
      const gone = ({ user, reasons }: Heard) =>
        user?.identity === vera.identity && reasons?.includes('online') && user.online === false
      await ana.hears('userUpdated', gone, anasAfter)
      await until('the connection is closed', () => (wire.carried === 0 ? true : undefined))
      assert.equal((await service.users(vera.identity).fetch()).isOnline, false)
      await ana.channel(before.den, 'sendMessage', 'Nobody hears', {})
      await ana.hears('messageAdded', (it) => it.message?.body === 'Nobody hears')
      const { connectionState } = await vera.standing()
      assert.equal(connectionState, 'disconnected')
      assert.ok(!vera.heard.slice(after).some((it) => it.event.startsWith('message')))
      assert.deepEqual(vera.unhandled.filter(isFault), [])
    },
  },
]

/** The messages of a channel as somebody was told of them, one event after the other. */
const heardIn = ({ heard }: Person, channelSid: string): SeenMessage[] => {
  const messages = new Map<string, SeenMessage>()
  for (const { event, message } of heard) {
    if (message?.channelSid !== channelSid) continue
    if (event === 'messageRemoved') messages.delete(message.sid)
    else messages.set(message.sid, message)
  }
  return [...messages.values()].sort((a, b) => a.index - b.index)
}

/**
 * The SDKs leave requests unhandled that were under way when a connection dropped, that were asked when a token had
 * expired, and those that open a channel which is gone by then. Anything else is a fault.
 */
const isFault = (unhandled: string): boolean =>
  !/disconnect|token|expired|Twilsock|Not found/i.test(unhandled)

/** Waits until what somebody's SDK holds to be so is what a fresh read by REST holds. */
export const agreesWithRest = async (scene: Scene, who: Person): Promise<void> => {
  const rest = await restBelief(scene, who)
  const agrees = async () => (isSame(shorn(await who.believes()), rest) ? true : undefined)
  // Somebody who was offline a moment ago may still be hearing of it. What differs in the end is told in full.
  await until(`${who.identity} agrees`, agrees, AGREES_WITHIN_MS).catch(async () =>
    assert.deepEqual(shorn(await who.believes()), rest),
  )
}

const isSame = (a: unknown, b: unknown): boolean => {
  try {
    assert.deepEqual(a, b)
    return true
  } catch {
    return false
  }
}

const byIdentity = <T extends { identity: string }>(those: readonly T[]): T[] =>
  those.toSorted((a, b) => (a.identity < b.identity ? -1 : 1))

/** What of a belief REST can say as well. */
const shorn = ({ channels, users }: Belief) => ({
  channels: channels
    .toSorted((a, b) => (a.sid < b.sid ? -1 : 1))
    // What the last message was stays where it was when that is removed.
    .map(({ type: _, lastMessageIndex: __, members, messages, ...channel }) => ({
      ...channel,
      members: byIdentity(members),
      messages: messages.map(agreed),
    })),
  users: byIdentity(users),
})

const restBelief = async ({ service }: Scene, who: Person): Promise<ReturnType<typeof shorn>> => {
  const standings = await service.users(who.identity).userChannels.list()
  const channels = await Promise.all(
    standings.map(async (standing) => {
      const channel = await service.channels(standing.channelSid).fetch()
      const isJoined = standing.status === 'joined'
      const members = isJoined ? await service.channels(channel.sid).members.list() : []
      const messages = await service.channels(channel.sid).messages.list({ order: 'asc', pageSize: 100 })
      return {
        sid: channel.sid,
        friendlyName: channel.friendlyName ?? null,
        uniqueName: channel.uniqueName ?? null,
        attributes: JSON.parse(channel.attributes) as unknown,
        createdBy: channel.createdBy,
        status: standing.status as string,
        lastConsumedMessageIndex: standing.lastConsumedMessageIndex ?? null,
        notificationLevel: standing.notificationLevel as string,
        members: byIdentity(
          members.map((it) => ({
            ...{ sid: it.sid, channelSid: it.channelSid, identity: it.identity, roleSid: it.roleSid },
            attributes: JSON.parse(it.attributes) as unknown,
            lastConsumedMessageIndex: it.lastConsumedMessageIndex ?? null,
          })),
        ),
        messages: isJoined ? messages.map(shownByRest) : [],
      }
    }),
  )
  const { users } = await who.believes()
  return {
    channels: channels.toSorted((a, b) => (a.sid < b.sid ? -1 : 1)),
    users: byIdentity(
      await Promise.all(
        users.map(async ({ identity }) => {
          const it = await service.users(identity).fetch()
          return {
            identity,
            friendlyName: it.friendlyName ?? null,
            attributes: JSON.parse(it.attributes) as unknown,
            online: it.isOnline,
          }
        }),
      ),
    ),
  }
}
