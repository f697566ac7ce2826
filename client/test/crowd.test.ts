/** Many at once, dropped at random: in the end what each has been told is what is there. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Channel, ChatClient, ChatErrorKind } from '../src/index.ts'
import { Believer, whatIs } from './believer.ts'
import { PATIENCE_MS, untilConnected } from './next.ts'
import { openStage, type Stage } from './stage.ts'

const PEOPLE = 10
/** Some are here twice. */
const TWINS = 2
const CHANNELS = 5
const ROUNDS = 25
const DEEDS_A_ROUND = 16

/** What nobody waits for may fail so where channels go, people are put out and connections break. */
const EXPECTED: readonly ChatErrorKind[] = ['missing', 'forbidden', 'lost', 'timeout']

const chance = (part: number) => Math.random() < part
const one = <T>(of: readonly T[]): T => of[Math.floor(Math.random() * of.length)] as T

interface Crowd {
  readonly service: Stage['service']
  readonly identities: readonly string[]
  readonly clients: readonly ChatClient[]
  /** Those that there are, or were. */
  readonly channelSids: string[]
}

/** What happens at random, each as often as the others; what is refused, or lost, does not matter. */
const deedsOf = ({ service, identities, clients, channelSids }: Crowd) => {
  let count = 0
  const isJoined = ({ status }: Channel) => status === 'joined'
  const mine = (): Channel => one(one(clients).channels.filter(isJoined))
  const channel = () => service.channels(one(channelSids))
  const number = () => JSON.stringify({ number: count++ })
  const anyMessage = async () => one((await mine().getMessages({ limit: 10 })).items)
  const putOut = async () => {
    const [at, identity] = [channel(), one(identities)]
    await at.members(identity).remove()
    return { at, identity }
  }
  const deeds: Record<string, () => Promise<unknown>> = {
    send: () => mine().send({ body: `${count++}`, attributes: { count } }),
    'send much': () =>
      Promise.all(Array.from({ length: 12 }, () => channel().messages.create({ body: `${count++}` }))),
    'send by REST': () => channel().messages.create({ from: one(identities), body: `${count++}` }),
    edit: async () => (await anyMessage()).update({ body: `${count++}`, attributes: { count } }),
    'edit by REST': async () => {
      const { sid, channelSid } = await anyMessage()
      await service.channels(channelSid).messages(sid).update({ attributes: number() })
    },
    delete: async () => (await anyMessage()).remove(),
    'delete by REST': async () => {
      const { sid, channelSid } = await anyMessage()
      await service.channels(channelSid).messages(sid).remove()
    },
    'create a channel': async () => {
      const type = one(['public', 'private'] as const)
      channelSids.push((await one(clients).createChannel({ friendlyName: `${count++}`, type })).sid)
    },
    'destroy a channel': async () => {
      if (chance(0.3)) await channel().remove()
    },
    rename: () => mine().update({ friendlyName: `${count++}`, attributes: { count } }),
    'name by REST': () => channel().update({ uniqueName: chance(0.5) ? '' : `${count++}` }),
    add: () => mine().add(one(identities), { count: count++ }),
    'add by REST': () => channel().members.create({ identity: one(identities) }),
    leave: () => mine().leave(),
    'leave and join': async () => {
      const left = mine()
      await left.leave()
      await left.join()
    },
    'put out': () => mine().remove(one(identities)),
    'put out and add': async () => {
      const { at, identity } = await putOut()
      await at.members.create({ identity })
    },
    'put out and invite': async () => {
      const { at, identity } = await putOut()
      await at.invites.create({ identity })
    },
    invite: () => mine().invite(one(identities)),
    'accept an invitation': () => one(one(clients).channels.filter((it) => !isJoined(it))).join(),
    'decline an invitation': () => one(one(clients).channels.filter((it) => !isJoined(it))).decline(),
    'join a public channel': async () => {
      const { items } = await one(clients).getPublicChannels()
      await one(items.filter((it) => it.status === 'none')).join()
    },
    'member attributes': () => one(mine().members).updateAttributes({ count: count++ }),
    'member attributes by REST': () => channel().members(one(identities)).update({ attributes: number() }),
    role: async () => {
      const roles = await service.roles.list()
      const { sid: roleSid } = one(roles.filter((it) => it.type === 'channel'))
      await channel().members(one(identities)).update({ roleSid })
    },
    'read all': () => mine().setAllConsumed(),
    'read nothing': () => mine().setConsumed(null),
    'read by REST': () => channel().members(one(identities)).update({ lastConsumedMessageIndex: 1 }),
    level: () => mine().setNotificationLevel(one(['default', 'muted'])),
    type: () => mine().sayTyping(),
    user: () => one(clients).user.update({ friendlyName: `${count++}` }),
    'user by REST': () => service.users(one(identities)).update({ attributes: number() }),
    'get a user': () => one(clients).getUser(one(identities)),
    'remove a user': async () => {
      if (chance(0.2)) await service.users(one(identities)).remove()
    },
  }
  return Object.entries(deeds)
}

/** As its client shows a user, and the same by REST. */
const userShown = async ({ service }: Stage, client: ChatClient, identity: string) => {
  const { friendlyName, attributes, isOnline } = await client.getUser(identity)
  const is = await service.users(identity).fetch()
  return [
    { friendlyName, attributes, isOnline },
    { friendlyName: is.friendlyName, attributes: JSON.parse(is.attributes), isOnline: is.isOnline },
  ]
}

describe('a crowd', () => {
  test('dropped and revived under load ends in agreement', async () => {
    await using stage = await openStage()
    const { service } = stage
    const roles = await service.roles.list()
    const user = roles.find((it) => it.friendlyName === 'channel user')
    const mayMore = ['addMember', 'removeMember', 'inviteMember', 'editChannelName', 'editChannelAttributes']
    await service.roles(user?.sid ?? '').update({ permission: [...(user?.permissions ?? []), ...mayMore] })
    const identities = Array.from({ length: PEOPLE }, (_, at) => `person-${at}`)
    const channelSids: string[] = []
    for (let at = 0; at < CHANNELS; at += 1) {
      const type = at % 2 ? 'public' : 'private'
      const { sid } = await service.channels.create({
        friendlyName: `Room ${at}`,
        uniqueName: `room-${at}`,
        type,
      })
      channelSids.push(sid)
      for (const identity of identities)
        if (chance(0.7)) await service.channels(sid).members.create({ identity })
    }
    const clients = await Promise.all(
      [...identities, ...identities.slice(0, TWINS)].map((it) => stage.come(it)),
    )
    const believers = clients.map((it) => new Believer(it))
    const faults: string[] = []
    for (const client of clients)
      client.on('error', ({ kind, message }) => {
        if (!EXPECTED.includes(kind)) faults.push(message)
      })
    const deeds = deedsOf({ service, identities, clients, channelSids })
    const done = new Set<string>()
    for (let round = 0; round < ROUNDS; round += 1) {
      stage.network.cut(() => chance(0.15))
      await untilConnected(clients, clients.length / 2)
      await Promise.all(
        Array.from({ length: DEEDS_A_ROUND }, async () => {
          const [name, deed] = one(deeds)
          try {
            await deed()
            done.add(name)
          } catch {
            // What is lost may have been done, and what was done elsewhere is refused: the end tells.
          }
        }),
      )
    }
    await untilConnected(clients)
    await stage.world.settle()
    for (const believer of believers) {
      const { client, complaints } = believer
      // What was done last may still be on its way.
      const late = Date.now() + PATIENCE_MS
      let [believed, is] = [await believer.believed(), await whatIs(stage, client.identity)]
      while (!isDeepStrictEqual(believed, is) && Date.now() < late)
        [believed, is] = [await believer.believed(), await whatIs(stage, client.identity)]
      assert.deepEqual(believed, is)
      const { messages: _, ...rest } = is
      assert.deepEqual(believer.known(), rest)
      assert.deepEqual(complaints, [])
      for (const identity of [client.identity, one(identities)]) {
        let [shown, user] = await userShown(stage, client, identity)
        while (!isDeepStrictEqual(shown, user) && Date.now() < late)
          [shown, user] = await userShown(stage, client, identity)
        assert.deepEqual(shown, user)
      }
    }
    assert.deepEqual(faults, [])
    assert.ok(done.size > deeds.length / 2, `only this was done: ${[...done]}`)
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
