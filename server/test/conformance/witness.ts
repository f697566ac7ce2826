/** The published client with a witness: each answer it gets is held against the published documents. */
import assert from 'node:assert/strict'
import twilio6 from 'twilio'
import twilio5 from 'twilio5'
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

type Asked = Parameters<InstanceType<typeof twilio6.RequestClient>['request']>[0]

/** The two majors in use; they are alike in all that is used here. */
const LIBRARIES = { '6.x': twilio6, '5.x': twilio5 as unknown as typeof twilio6 } as const

export type Library = keyof typeof LIBRARIES

export const openWitness = (world: World, library: Library): Witness => {
  const twilio = LIBRARIES[library]
  const seen = new Map<string, Set<string>>()
  let story = ''
  class WitnessedClient extends twilio.RequestClient {
    override async request<T>(asked: Asked) {
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
