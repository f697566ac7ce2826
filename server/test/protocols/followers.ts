/** People who follow things over raw frames, in a world with one chat service. */
import type { Twilio, World } from '../world/index.ts'
import { connect, type RawAnswer, type RawClient, type RawFrame, tokenFor } from './raw.ts'

type Service = ReturnType<Twilio['chat']['v2']['services']>

export interface Stage {
  readonly serviceSid: string
  readonly service: Service
  /** Connected and let in. */
  enter(identity: string, url?: string): Promise<Follower>
}

export const setStage = async ({ twilio, account, url }: World): Promise<Stage> => {
  const { sid: serviceSid } = await twilio.chat.v2.services.create({ friendlyName: 'Followed' })
  await twilio.chat.v2.services(serviceSid).update({ reachabilityEnabled: true })
  return {
    serviceSid,
    service: twilio.chat.v2.services(serviceSid),
    enter: async (identity, at = url) => {
      const client = await connect(at)
      const { header } = await client.init(tokenFor(account, identity, serviceSid))
      if (header.status?.code !== 200) throw new Error(header.status?.description)
      const { body } = await client.ask('GET', '/Client/v1/Configuration')
      return new Follower(client, new URL(body.links.my_conversations).pathname)
    },
  }
}

export interface Told {
  readonly event_type: string
  readonly correlation_id?: number
  // biome-ignore lint/suspicious/noExplicitAny: events of many shapes, which the assertions look into
  readonly event: any
  /** The notification's own kind. */
  readonly messageType: string
}

let correlation = 1_795_226_911_678

export class Follower {
  readonly client: RawClient

  /** Where the configuration says that the client's own channels are. */
  readonly myConversations: string

  constructor(client: RawClient, myConversations: string) {
    this.client = client
    this.myConversations = myConversations
  }

  /** The address of a channel among the client's own. */
  mine(channelSid: string): string {
    return `${this.myConversations}/${channelSid}`
  }

  get(path: string, params: object = {}): Promise<RawAnswer> {
    return this.client.ask('GET', path, undefined, params)
  }

  root(name: string): Promise<RawAnswer> {
    const folder = name.endsWith('.channel') ? 'Documents' : name.endsWith('.messages') ? 'Lists' : 'Maps'
    return this.get(`/v3/${folder}/${name}`)
  }

  /**
   * Follows an object.
   * @param after an event's number; left out, from now on
   * @returns everything that was told of the subscription, how it stands last
   */
  async follow(name: string, after: number | null = null): Promise<Told[]> {
    const { body } = await this.root(name)
    return this.establish(body.sid, name, after)
  }

  async establish(sid: string, name: string, after: number | null): Promise<Told[]> {
    correlation += 1
    const type = name.endsWith('.channel') ? 'document' : name.endsWith('.messages') ? 'list' : 'map'
    await this.subscribe('establish', [{ object_sid: sid, object_type: type, last_event_id: after }])
    const told: Told[] = []
    for (;;) {
      const one = await this.told((it) => it.correlation_id === correlation)
      told.push(one)
      if (one.event_type.startsWith('subscription_')) return told
    }
  }

  subscribe(action: string, requests: object[], id = correlation): Promise<RawAnswer> {
    const about = { event_protocol_version: 4, action, correlation_id: id, requests, retried_requests: 0 }
    return this.client.ask('POST', '/v4/Subscriptions', { ...about, ttl_in_s: -1 })
  }

  /** The first notification that fits, whether it has come or is still to come. */
  async told(fits: (it: Told) => boolean): Promise<Told> {
    const read = ({ header, payload }: RawFrame): Told => ({
      ...(payload as Told),
      messageType: header.message_type as string,
    })
    return read(
      await this.client.next((frame) => frame.header.method === 'notification' && fits(read(frame))),
    )
  }

  /** The next change of what is now happening. */
  change(type: string): Promise<Told> {
    return this.told((it) => it.event_type === type && it.messageType !== 'twilio.sync.event')
  }

  /** Everything that was on its way has come: answers and notifications keep their order. */
  async settled(): Promise<readonly Told[]> {
    await this.get('/Client/v1/Configuration')
    return this.client.untaken
      .filter(({ header }) => header.method === 'notification')
      .map(({ header, payload }) => ({ ...(payload as Told), messageType: header.message_type as string }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]()
  }
}
