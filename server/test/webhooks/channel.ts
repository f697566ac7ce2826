/** A chat channel with what webhook tests need around it. */
import twilio from 'twilio'
import type { World } from '../world/index.ts'

/** What makes the API tell webhooks of what it does. */
export const HEARD = { xTwilioWebhookEnabled: 'true' } as const

export interface Room {
  readonly serviceSid: string
  readonly channelSid: string
  /** Posts as the back end does, with webhooks on. */
  post(body: string, from?: string): Promise<{ sid: string; index: number }>
  /** Has the channel call a path of the listener, or a whole URL; either may carry a query. */
  hook(
    where: string,
    more?: { filters?: string[]; triggers?: string[]; method?: string; retryCount?: number },
  ): Promise<string>
}

export const openRoom = async (world: World): Promise<Room> => {
  const service = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
  const channel = await world.twilio.chat.v2
    .services(service.sid)
    .channels.create({ friendlyName: 'Vera', uniqueName: 'vera-1', attributes: '{"status":"ACTIVE"}' })
  const here = world.twilio.chat.v2.services(service.sid).channels(channel.sid)
  return {
    serviceSid: service.sid,
    channelSid: channel.sid,
    post: (body, from = 'vera') => here.messages.create({ body, from, ...HEARD }),
    hook: async (where, { filters = ['onMessageSent'], triggers, method, retryCount } = {}) => {
      const { sid } = await here.webhooks.create({
        type: triggers ? 'trigger' : 'webhook',
        'configuration.url': where.startsWith('/') ? world.listener.url(where) : where,
        ...(method ? { 'configuration.method': method as 'GET' } : {}),
        ...(triggers ? { 'configuration.triggers': triggers } : { 'configuration.filters': filters }),
        ...(retryCount === undefined ? {} : { 'configuration.retryCount': retryCount }),
      })
      return sid
    },
  }
}

/** What a visitor's or an agent's client carries. */
export const tokenOf = (world: World, identity: string, serviceSid: string): string => {
  const { AccessToken } = twilio.jwt
  const { sid, apiKeySid, apiKeySecret } = world.account
  const token = new AccessToken(sid, apiKeySid, apiKeySecret, { identity, ttl: 3600 })
  token.addGrant(new AccessToken.ChatGrant({ serviceSid }))
  return token.toJwt()
}

/** One line of the ledger, as REST shows it. */
export interface Line {
  readonly sid: string
  readonly event_type: string
  readonly channel_sid: string | null
  readonly message_sid: string | null
  readonly webhook_sid: string | null
  readonly webhook_type: string
  readonly webhook_url: string
  readonly state: string
  readonly rule: string
  readonly why: string
  readonly outcome: string | null
  readonly attempts_count: number
  readonly idempotency_token: string | null
  readonly next_attempt_at: string | null
  readonly params: Record<string, string>
  readonly attempts:
    | null
    | {
        readonly number: number
        readonly outcome: string
        readonly reason: string | null
        readonly duration_ms: number
        readonly request: {
          method: string
          url: string
          headers: Record<string, string>
          body: string | null
        }
        readonly answer: { status: number; headers: Record<string, string>; body: string } | null
      }[]
}

/** The ledger, the latest first. */
export const ledger = async (world: World, filters: Record<string, string> = {}): Promise<Line[]> => {
  const answer = await world.fetch(`/v1/Parley/Deliveries?${new URLSearchParams(filters)}`)
  return ((await answer.json()) as { deliveries: Line[] }).deliveries
}

export const line = async (world: World, sid: string): Promise<Line> =>
  (await (await world.fetch(`/v1/Parley/Deliveries/${sid}`)).json()) as Line

export const replay = (world: World, sid: string): Promise<Response> =>
  world.fetch(`/v1/Parley/Deliveries/${sid}`, { form: {} })
