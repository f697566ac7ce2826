/**
 * A crowd with the published SDK whose connections are cut at random, whose tokens end, and whose server is killed,
 * while others post, edit, remove, join, leave and rename. In the end what each SDK believes is what REST says, and
 * nobody was told anything twice or out of order.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import twilio from 'twilio'
import { type Process, startProcess } from '../durability/process.ts'
import { pointAt } from '../world/index.ts'
import { sparePort } from '../world/spare-port.ts'
import { type Believer, believe, type ChannelBelief } from './believer.ts'
import { openProxy } from './proxy.ts'

const accountSid = `AC${'d'.repeat(32)}`
const authToken = 'd'.repeat(32)
const apiKeySid = `SK${'d'.repeat(32)}`
const apiKeySecret = 'e'.repeat(32)

const MEMBERS_OF_EACH = 10
const CHANNELS_OF_EACH = 2

/** Shorter than the test, so that some come to their end in it. */
const TOKEN_SECONDS = 60

/** Some of those at work, at once. */
const HANDS = 4

const CUT_EVERY_MS = 400
/** One in so many connections is cut each time. */
const CUT_ONE_IN = 12

const AGREED_WITHIN_MS = 90_000

/** Fewer are no load; a machine that is busy with other tests does not get to many more. */
const DEEDS_PER_SECOND_LEAST = 3

/** How much longer than it was asked to a crowd goes on that is no load yet. */
const LONGER_MOST_MS = 120_000

export interface Crowd {
  readonly people: number
  readonly seconds: number
  readonly kills: number
  /** The server's own environment: where its data is. */
  readonly where: Readonly<Record<string, string>>
}

export const comeBackToAgreement = async ({ people, seconds, kills, where }: Crowd): Promise<void> => {
  await using open = new AsyncDisposableStack()
  // The SDK leaves rejections unhandled when a socket drops with requests in flight.
  const ignore = (): void => {}
  process.on('unhandledRejection', ignore)
  open.defer(() => void process.off('unhandledRejection', ignore))

  const port = await sparePort()
  const url = `http://127.0.0.1:${port}`
  const start = (): Promise<Process> =>
    startProcess(url, {
      ...where,
      PORT: String(port),
      PARLEY_ACCOUNT_SID: accountSid,
      PARLEY_AUTH_TOKEN: authToken,
      PARLEY_API_KEY_SID: apiKeySid,
      PARLEY_API_KEY_SECRET: apiKeySecret,
      PARLEY_REQUESTS_PER_SECOND: '0',
    })
  let server = await start()
  open.defer(() => server.kill())
  const proxy = open.use(await openProxy(port))
  const { v2 } = pointAt(twilio(accountSid, authToken), url).chat
  const { sid: serviceSid } = await v2.services.create({ friendlyName: 'Crowd' })
  const service = v2.services(serviceSid)

  const identities = Array.from({ length: people }, (_, at) => `person-${at}`)
  const channelsCount = (people * CHANNELS_OF_EACH) / MEMBERS_OF_EACH
  const channels: string[] = []
  for (let at = 0; at < channelsCount; at += 1) {
    const { sid } = await service.channels.create({
      type: at % 2 ? 'private' : 'public',
      friendlyName: `${at}`,
    })
    channels.push(sid)
    for (let seat = 0; seat < MEMBERS_OF_EACH; seat += 1) {
      const identity = identities[(at * MEMBERS_OF_EACH + seat) % people] as string
      await service.channels(sid).members.create({ identity })
    }
  }

  const tokenFor = (identity: string): string => {
    const { AccessToken } = twilio.jwt
    const token = new AccessToken(accountSid, apiKeySid, apiKeySecret, { identity, ttl: TOKEN_SECONDS })
    token.addGrant(new AccessToken.ChatGrant({ serviceSid }))
    return token.toJwt()
  }
  const uri = `ws://127.0.0.1:${proxy.port}/v3/wsconnect`
  const believers: Believer[] = []
  open.defer(async () => {
    await Promise.all(believers.map((it) => it.close()))
  })
  for (const some of inBites(identities, 20))
    believers.push(
      ...(await Promise.all(
        some.map(async (identity) => {
          const believer = await believe(identity, tokenFor(identity), uri, CHANNELS_OF_EACH)
          const renew = (): void => void believer.client.updateToken(tokenFor(identity)).catch(ignore)
          believer.client.on('tokenAboutToExpire', renew).on('tokenExpired', renew)
          return believer
        }),
      )),
    )

  let over = false
  let done = 0
  const work = async (): Promise<void> => {
    while (!over) {
      const channel = service.channels(one(channels))
      try {
        await (randomInt(8)
          ? one(deeds)(channel, `${done}`)
          : rename(service.users(one(identities)), `${done}`))
        done += 1
      } catch {
        await wait(randomInt(10, 100))
      }
    }
  }
  const hands = Array.from({ length: HANDS }, work)
  const deadline = performance.now() + seconds * 1000
  const killAt = Array.from(
    { length: kills },
    (_, at) => performance.now() + ((at + 1) * seconds * 1000) / (kills + 1),
  )
  // A machine that is busy with other tests takes longer to what is a load.
  const isLoad = (): boolean => done > seconds * DEEDS_PER_SECOND_LEAST
  while (performance.now() < deadline || (!isLoad() && performance.now() < deadline + LONGER_MOST_MS)) {
    await wait(CUT_EVERY_MS)
    proxy.cut(() => randomInt(CUT_ONE_IN) === 0)
    proxy.refuse(randomInt(10) === 0)
    if (performance.now() > (killAt[0] ?? Number.POSITIVE_INFINITY)) {
      killAt.shift()
      await server.kill()
      server = await start()
    }
  }
  proxy.refuse(false)
  over = true
  await Promise.all(hands)
  assert.ok(isLoad(), `${done} deeds are a load`)

  const truth = new Map<string, ChannelBelief>()
  for (const sid of channels) truth.set(sid, await readChannel(service.channels(sid)))
  const everybody = Object.fromEntries(
    (await service.users.list({ pageSize: 100 })).map((it) => [
      it.identity,
      { friendlyName: it.friendlyName, attributes: JSON.parse(it.attributes) as unknown },
    ]),
  )
  const agreedBy = performance.now() + AGREED_WITHIN_MS
  for (const believer of believers) {
    const expected = Object.fromEntries(
      [...truth].filter(([, { members }]) => Object.hasOwn(members, believer.identity)),
    )
    for (;;) {
      const believed = await believer.believed()
      try {
        assert.deepEqual(believed, expected, `what ${believer.identity} believes`)
        const people = believer.people()
        const known = Object.keys(people).map((it) => [it, everybody[it]])
        assert.deepEqual(people, Object.fromEntries(known), `whom ${believer.identity} believes in`)
        break
      } catch (fault) {
        if (performance.now() > agreedBy) throw fault
        await wait(200)
      }
    }
  }
  assert.deepEqual(
    believers.flatMap((it) => it.complaints),
    [],
  )
}

type Service = ReturnType<ReturnType<typeof twilio>['chat']['v2']['services']>
type Channel = ReturnType<Service['channels']>

const one = <T>(all: readonly T[]): T => all[randomInt(all.length)] as T

const oneOf = async <T>(all: Promise<T[]>): Promise<T | undefined> => {
  const those = await all
  return those.length > 0 ? one(those) : undefined
}

const rename = (user: ReturnType<Service['users']>, text: string) =>
  user.update({ friendlyName: `named ${text}`, attributes: JSON.stringify({ text }) })

type Deed = (channel: Channel, text: string) => Promise<unknown>

const post: Deed = (channel, text) => channel.messages.create({ body: text, from: 'crowd' })

const deeds: readonly Deed[] = [
  post,
  post,
  post,
  post,
  async (channel, text) =>
    (await oneOf(channel.messages.list({ order: 'desc', limit: 20 })))?.update({ body: `changed ${text}` }),
  async (channel, text) =>
    (await oneOf(channel.messages.list({ order: 'desc', limit: 20 })))?.update({
      attributes: JSON.stringify({ text }),
    }),
  async (channel) => (await oneOf(channel.messages.list({ order: 'desc', limit: 20 })))?.remove(),
  (channel, text) => channel.update({ friendlyName: text }),
  (channel, text) => channel.update({ attributes: JSON.stringify({ text }) }),
  async (channel, text) =>
    (await oneOf(channel.members.list({ limit: 50 })))?.update({ attributes: JSON.stringify({ text }) }),
  (channel, text) => channel.members.create({ identity: `passer-by-${text}` }),
  async (channel) => {
    const passers = (await channel.members.list({ limit: 50 })).filter((it) =>
      it.identity.startsWith('passer'),
    )
    if (passers.length > 0) await one(passers).remove()
  },
]

const readChannel = async (channel: Channel): Promise<ChannelBelief> => {
  const { friendlyName, attributes } = await channel.fetch()
  const messages = await channel.messages.list({ pageSize: 100 })
  const members = await channel.members.list({ pageSize: 100 })
  return {
    friendlyName,
    attributes: JSON.parse(attributes),
    messages: Object.fromEntries(
      messages.map((it) => [
        it.index,
        { body: it.body, attributes: JSON.stringify(JSON.parse(it.attributes)) },
      ]),
    ),
    members: Object.fromEntries(members.map((it) => [it.identity, JSON.parse(it.attributes)])),
  }
}

const inBites = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
