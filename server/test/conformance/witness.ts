/** The published client with a witness: each answer it gets is held against the published documents. */
import assert from 'node:assert/strict'
import twilio from 'twilio'
import type { Twilio, World } from '../world/index.ts'
import { pointAt } from '../world/index.ts'
import { operationOf } from './published.ts'

export interface Witness {
  readonly client: Twilio
  /** The operations that answered with success, each with the stories that asked. */
  readonly seen: ReadonlyMap<string, ReadonlySet<string>>
  /** From now on what is asked belongs to this story. */
  tells(story: string): void
}

type Asked = Parameters<InstanceType<typeof twilio.RequestClient>['request']>[0]

export const openWitness = (world: World): Witness => {
  const seen = new Map<string, Set<string>>()
  let story = ''
  class WitnessedClient extends twilio.RequestClient {
    override async request<T>(asked: Parameters<InstanceType<typeof twilio.RequestClient>['request']>[0]) {
      const answer = await super.request<T>(asked as never)
      if (answer.statusCode < 300) see(asked, answer.statusCode, answer.body)
      return answer
    }
  }
  const see = ({ method, uri }: Asked, status: number, body: unknown): void => {
    const { pathname } = new URL(uri)
    const operation = operationOf(String(method).toUpperCase(), pathname)
    assert.ok(operation, `${method} ${pathname} is a published operation`)
    const json = typeof body === 'string' && body !== '' ? JSON.parse(body) : body
    assert.deepEqual(
      operation.faults(status, json),
      [],
      `${operation.name} answers as published: ${JSON.stringify(json)}`,
    )
    seen.set(operation.name, (seen.get(operation.name) ?? new Set()).add(story))
  }
  const { sid, authToken } = world.account
  return {
    client: pointAt(twilio(sid, authToken, { httpClient: new WitnessedClient() }), world.url),
    seen,
    tells: (name) => {
      story = name
    },
  }
}
