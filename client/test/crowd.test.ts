/** Many at once, dropped at random: in the end what each has been told is what is there. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ChatClient } from '../src/index.ts'
import { next, openStage, type Stage } from './stage.ts'

const PEOPLE = 24
const CHANNELS = 6
const ROUNDS = 60

/** What a client has been told of messages, by channel and index; and what came twice or backwards. */
const believe = (client: ChatClient) => {
  const bodies = new Map<string, Map<number, string | null>>()
  const latest = new Map<string, number>()
  const complaints: string[] = []
  const of = (sid: string) => bodies.get(sid) ?? bodies.set(sid, new Map()).get(sid)
  client.on('messageAdded', ({ channelSid, index, body }) => {
    if (index <= (latest.get(channelSid) ?? -1)) complaints.push(`${channelSid} ${index} came late`)
    latest.set(channelSid, index)
    of(channelSid)?.set(index, body)
  })
  client.on('messageUpdated', ({ channelSid, index, body }) => of(channelSid)?.set(index, body))
  client.on('messageRemoved', ({ channelSid, index }) => of(channelSid)?.delete(index))
  return { complaints, of: (sid: string) => Object.fromEntries(of(sid) ?? []) }
}

const atRest = async ({ service }: Stage, sid: string) => {
  const channel = service.channels(sid)
  const [messages, members, { friendlyName }] = await Promise.all([
    channel.messages.list(),
    channel.members.list(),
    channel.fetch(),
  ])
  return {
    messages: Object.fromEntries(messages.map((it) => [it.index, it.body])),
    members: Object.fromEntries(members.map((it) => [it.identity, JSON.parse(it.attributes)])),
    friendlyName,
  }
}

describe('a crowd', () => {
  test('dropped and revived under load ends in agreement', async () => {
    await using stage = await openStage()
    const channels = await Promise.all(
      Array.from({ length: CHANNELS }, (_, at) =>
        stage.service.channels.create({ friendlyName: `Room ${at}` }),
      ),
    )
    const identities = Array.from({ length: PEOPLE }, (_, at) => `person-${at}`)
    for (const { sid } of channels)
      for (const identity of identities) await stage.service.channels(sid).members.create({ identity })
    const clients = await Promise.all(identities.map((it) => stage.come(it)))
    const beliefs = clients.map(believe)
    const one = <T>(of: readonly T[]): T => of[Math.floor(Math.random() * of.length)] as T

    for (let round = 0; round < ROUNDS; round += 1) {
      stage.network.cut(() => Math.random() < 0.3)
      const { sid } = one(channels)
      const channel = stage.service.channels(sid)
      const made = await Promise.all(
        [1, 2, 3, 4].map((it) => channel.messages.create({ from: one(identities), body: `${round}.${it}` })),
      )
      const client = one(clients)
      // What is lost may have been done: the end tells.
      const sending = client.channels.find((it) => it.sid === sid)?.send(`${round} by ${client.identity}`)
      await sending?.catch(() => {})
      await channel.messages(one(made).sid).update({ body: `${round}, edited` })
      await channel.messages((made[0] as { sid: string }).sid).remove()
      await channel.members(one(identities)).update({ attributes: JSON.stringify({ round }) })
      await stage.service.channels(one(channels).sid).update({ friendlyName: `Renamed ${round}` })
    }
    await Promise.all(
      clients.map(async (client, at) => {
        for (const { sid } of channels) {
          const told = next(client, 'messageAdded', (it) => it.channelSid === sid && it.body === `end ${at}`)
          await stage.service.channels(sid).messages.create({ from: 'end', body: `end ${at}` })
          await told
        }
      }),
    )
    // Who is connected has been told everything.
    for (const client of clients)
      if (client.state !== 'connected') await next(client, 'stateChanged', (state) => state === 'connected')
    for (const { sid } of channels) {
      const { messages, members, friendlyName } = await atRest(stage, sid)
      await Promise.all(
        clients.map(async (client, at) => {
          const channel = await client.getChannel(sid)
          const last = Math.max(...Object.keys(messages).map(Number))
          if ((channel.lastMessage?.index ?? -1) < last)
            await next(client, 'channelUpdated', (it) => it.sid === sid && it.lastMessage?.index === last)
          const now = await client.getChannel(sid)
          assert.deepEqual(beliefs[at]?.complaints, [])
          assert.deepEqual(beliefs[at]?.of(sid), messages)
          assert.equal(now.friendlyName, friendlyName)
          const believed = now.members.map((it) => [it.identity, it.attributes])
          assert.deepEqual(Object.fromEntries(believed), members)
        }),
      )
    }
  })

  test('250 channels, and one with 150 members, are known when connect() resolves, also over a bad line', async () => {
    await using stage = await openStage()
    await stage.service.update({ 'limits.channelMembers': 200, 'limits.userChannels': 250 })
    const [big] = await Promise.all(
      Array.from({ length: 250 }, async (_, at) => {
        const it = await stage.service.channels.create({ uniqueName: `room-${at}` })
        await stage.service.channels(it.sid).members.create({ identity: 'vera' })
        return it
      }),
    )
    assert.ok(big)
    for (let at = 1; at < 150; at += 1)
      await stage.service.channels(big.sid).members.create({ identity: `guest-${at}` })
    const coming = stage.come('vera')
    for (let cut = 0; cut < 3; cut += 1) {
      await stage.service.channels(big.sid).messages.create({ from: 'guest-1', body: `${cut}` })
      stage.network.cut()
    }
    const vera = await coming
    assert.equal(vera.channels.length, 250)
    const channel = await vera.getChannel('room-0')
    assert.equal(new Set(channel.members.map((it) => it.identity)).size, 150)
    assert.equal((await channel.getMessages()).items.length, 3)
  })
})
