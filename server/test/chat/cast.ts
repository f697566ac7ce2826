/** A world with one chat service in it, as back ends and as people with access tokens use it. */
import assert from 'node:assert/strict'
import twilio from 'twilio'
import { type Engine, openWorld, pointAt, type Twilio, type World } from '../world/index.ts'

type ChatService = ReturnType<Twilio['chat']['v2']['services']>

export interface Chat {
  readonly world: World
  readonly serviceSid: string
  /** The service, asked by the account's back end. */
  readonly service: ChatService
  /** The service, asked by a person with an access token. */
  as(identity: string): ChatService
  [Symbol.asyncDispose](): Promise<void>
}

export const openChat = async (engine: Engine = 'memory'): Promise<Chat> => {
  const world = await openWorld({ engine })
  const { sid: serviceSid } = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
  return {
    world,
    serviceSid,
    service: world.twilio.chat.v2.services(serviceSid),
    as: (identity) => withToken(world, identity, serviceSid).chat.v2.services(serviceSid),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

/** The published client with an access token for one chat service. */
export const withToken = ({ account, url }: World, identity: string, serviceSid: string): Twilio => {
  const { AccessToken } = twilio.jwt
  const token = new AccessToken(account.sid, account.apiKeySid, account.apiKeySecret, { identity })
  token.addGrant(new AccessToken.ChatGrant({ serviceSid }))
  return pointAt(twilio('token', token.toJwt(), { accountSid: account.sid }), url)
}

/** Expects a request to be refused with this status and code. */
export const refused = (asked: Promise<unknown>, status: number, code: number): Promise<void> =>
  assert.rejects(asked, (fault: { status?: number; code?: number; message?: string }) => {
    assert.deepEqual({ status: fault.status, code: fault.code }, { status, code }, fault.message)
    return true
  })

/** Twilio's own error for a resource that is not there. */
export const notThere = (asked: Promise<unknown>): Promise<void> => refused(asked, 404, 20404)
