/**
 * The scene: a house with a chat service, Vera with the SDK that is judged, over a wire that can be cut, Ana with
 * twilio-chat 6.0.0, and the account's back end with the published REST client.
 */
import twilio from 'twilio'
import { type Engine, openWorld, type World } from '../../world/index.ts'
import { type Arrival, comeInNode } from './in-node.ts'
import type { Person } from './person.ts'
import { SDKS, type Sdk } from './sdks.ts'
import { openWire, type Wire } from './wire.ts'

/** An identity that SDKs write into paths, at times percent-encoded and at times not. */
const ANA = 'ana+1@example.org'
const VERA = 'vera'

type Service = ReturnType<World['twilio']['chat']['v2']['services']>

export interface Scene {
  readonly sdk: Sdk
  readonly world: World
  /** As the back end asks. */
  readonly service: Service
  readonly serviceSid: string
  readonly vera: Person
  readonly ana: Person
  /** Vera's. */
  readonly wire: Wire
  /** The channels that were there before they came. */
  readonly before: { readonly lobby: string; readonly den: string; readonly invited: string }
  token(identity: string, seconds?: number): string
  /** A private channel of Vera's that both are in and both have opened. */
  room(friendlyName: string): Promise<string>
  [Symbol.asyncDispose](): Promise<void>
}

/** Puts somebody with the SDK somewhere. */
export type Come = (sdk: Sdk, houseUrl: string, arrival: Arrival) => Promise<Person>

export interface SceneOptions {
  readonly engine?: Engine
  readonly come?: Come
}

export const openScene = async (
  sdk: Sdk,
  { engine = 'memory', come = comeInNode }: SceneOptions = {},
): Promise<Scene> => {
  const open = new AsyncDisposableStack()
  try {
    const world = open.use(await openWorld({ live: true, engine }))
    const { sid: serviceSid } = await world.twilio.chat.v2.services.create({ friendlyName: 'Story' })
    const service = world.twilio.chat.v2.services(serviceSid)
    await service.update({
      reachabilityEnabled: true,
      typingIndicatorTimeout: 1,
      consumptionReportInterval: 1,
    })
    const before = await furnish(service)
    const { sid, apiKeySid, apiKeySecret } = world.account
    const token = (identity: string, ttl = 3_600): string => {
      const it = new twilio.jwt.AccessToken(sid, apiKeySid, apiKeySecret, { identity, ttl })
      it.addGrant(new twilio.jwt.AccessToken.ChatGrant({ serviceSid }))
      return it.toJwt()
    }
    const wire = open.use(await openWire(world.url))
    const ana = open.use(
      await comeInNode(SDKS.chat6, world.url, { identity: ANA, token: token(ANA), url: world.url }),
    )
    const vera = open.use(await come(sdk, world.url, { identity: VERA, token: token(VERA), url: wire.url }))
    const room = async (friendlyName: string): Promise<string> => {
      const { sid } = await vera.client('createChannel', { friendlyName, isPrivate: true })
      await vera.channel(sid, 'join')
      await isIn(vera, sid)
      await vera.channel(sid, 'add', ANA)
      await isIn(ana, sid)
      return sid
    }
    return {
      ...{ sdk, world, service, serviceSid, vera, ana, wire, before, token, room },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    }
  } catch (fault) {
    await open.disposeAsync().catch(() => undefined)
    throw fault
  }
}

/** Waits until somebody's SDK has joined a channel and follows it: members and messages it reads only then. */
export const isIn = async (who: Person, channelSid: string, after = 0): Promise<void> => {
  await who.hears('channelJoined', (it) => it.channel?.sid === channelSid, after)
  await who.channel(channelSid, 'getMembers')
  await who.channel(channelSid, 'getMessages')
}

/** Channels that Vera is in, or invited to, before she has ever come, and two users who are there only by REST. */
const furnish = async (service: Service): Promise<Scene['before']> => {
  for (const friendlyName of ['Ben', 'Sol'])
    await service.users.create({ identity: friendlyName.toLowerCase(), friendlyName })
  const [lobby, den, invited] = await Promise.all([
    service.channels.create({ uniqueName: 'lobby', type: 'public', attributes: '{"floor":0}' }),
    service.channels.create({ uniqueName: 'den', type: 'private' }),
    service.channels.create({ uniqueName: 'invited', type: 'private' }),
  ])
  await Promise.all([
    ...[lobby, den].flatMap(({ sid }) =>
      [VERA, ANA].map((identity) => service.channels(sid).members.create({ identity })),
    ),
    service.channels(invited.sid).invites.create({ identity: VERA }),
  ])
  await service.channels(lobby.sid).messages.create({ from: 'system', body: 'Welcome' })
  return { lobby: lobby.sid, den: den.sid, invited: invited.sid }
}
