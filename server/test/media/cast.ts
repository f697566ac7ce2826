/** A chat service with a room in it, and people who upload. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import twilio from 'twilio'
import { openWorld, pointAt, type Twilio, type World, type WorldOptions } from '../world/index.ts'

/** What `fetch` sends. */
export type Sendable = Exclude<RequestInit['body'], undefined>

export interface Media {
  readonly sid: string
  readonly url: string
  readonly links: { readonly content: string; readonly content_direct_temporary: string }
  readonly [more: string]: unknown
}

export interface Studio {
  readonly world: World
  readonly serviceSid: string
  /** Where uploads go, without the house's address. */
  readonly path: string
  readonly service: ReturnType<Twilio['chat']['v2']['services']>
  token(identity: string, serviceSid?: string): string
  as(identity: string): ReturnType<Twilio['chat']['v2']['services']>
  /** Uploads as the published clients do, and expects it to succeed. */
  upload(identity: string, body: Sendable, contentType?: string, query?: string): Promise<Media>
  /** A request with this identity's token in the header of the published clients. */
  ask(identity: string, path: string, init?: RequestInit): Promise<Response>
  /** The keys of what is kept, finished or not. */
  kept(): Promise<string[]>
  [Symbol.asyncDispose](): Promise<void>
}

export const openStudio = async (options: WorldOptions = {}): Promise<Studio> => {
  const world = await openWorld(options)
  const { sid: serviceSid } = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
  const path = `/v1/Services/${serviceSid}/Media`
  const { AccessToken } = twilio.jwt
  const token: Studio['token'] = (identity, forService = serviceSid) => {
    const { sid, apiKeySid, apiKeySecret } = world.account
    const it = new AccessToken(sid, apiKeySid, apiKeySecret, { identity })
    it.addGrant(new AccessToken.ChatGrant({ serviceSid: forService }))
    return it.toJwt()
  }
  const ask: Studio['ask'] = (identity, where, init = {}) => {
    const headers = new Headers(init.headers)
    headers.set('x-twilio-token', token(identity))
    return world.fetch(where, { as: null, ...init, headers })
  }
  return {
    world,
    serviceSid,
    path,
    service: world.twilio.chat.v2.services(serviceSid),
    token,
    as: (identity) =>
      pointAt(
        twilio('token', token(identity), { accountSid: world.account.sid }),
        world.url,
      ).chat.v2.services(serviceSid),
    upload: async (identity, body, contentType, query = '') => {
      const answer = await ask(identity, path + query, {
        method: 'POST',
        body,
        ...(contentType ? { headers: { 'content-type': contentType } } : {}),
      })
      const media = await answer.json()
      assert.equal(answer.status, 201, JSON.stringify(media))
      return media as Media
    },
    ask,
    kept: async () => {
      const names = await readdir(world.mediaFolder, { recursive: true }).catch(() => [] as string[])
      return names.map((it) => it.split('/').at(-1) ?? '').filter((it) => it.length === 32)
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

/** Expects a refusal in Twilio's shape. */
export const refused = async (answer: Response, status: number, code: number): Promise<string> => {
  const body = (await answer.json()) as Record<string, unknown>
  assert.deepEqual([answer.status, body.status, body.code], [status, status, code], JSON.stringify(body))
  return String(body.message)
}
