/**
 * The chat socket's door over a world's accounts and tokens, before an upstream that says back what it is asked. What
 * it does with a request is in the request's path, so that the rules of the transport can be told one by one.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { problem } from '@parley/contract/problem.ts'
import pino from 'pino'
import { requireGrant } from '../../src/accounts/access-token.ts'
import { believeToken } from '../../src/accounts/authenticate.ts'
import type { AccessToken } from '../../src/http/binding.ts'
import type { Client, TunnelledAnswer, TunnelledRequest } from '../../src/realtime/client.ts'
import { type Bounds, openSockets, type Sockets } from '../../src/realtime/socket.ts'
import { hangDoors } from '../../src/realtime/upgrades.ts'
import type { World } from '../world/index.ts'
import { connect, type RawClient, tokenFor } from './raw.ts'

export const SERVICE = `IS${'5'.repeat(32)}`

export interface Door {
  readonly url: string
  readonly sockets: Sockets
  /** Who is in. */
  readonly clients: Set<Client>
  /** Everything that happened behind the door, such as `join ana` and `leave ana`. */
  readonly told: string[]
  /** The lines of the log. */
  readonly logged: Record<string, unknown>[]
  /** Resolves when something behind the door is told. */
  until(what: string): Promise<void>
  /** Answers the request that waits under this name. */
  release(name: string): void
  token(identity?: string, how?: Parameters<typeof tokenFor>[3]): string
  connect(path?: string): Promise<RawClient>
  /** Connected and let in. */
  enter(identity?: string, how?: Parameters<typeof tokenFor>[3]): Promise<RawClient>
  [Symbol.asyncDispose](): Promise<void>
}

export const openDoor = async (
  world: World,
  { bounds = {}, arrive }: { bounds?: Partial<Bounds>; arrive?: (token: AccessToken) => Promise<void> } = {},
): Promise<Door> => {
  const clients = new Set<Client>()
  const told: string[] = []
  const logged: Record<string, unknown>[] = []
  const waiting = new Map<string, () => void>()
  const heard = new Set<() => void>()
  const tell = (what: string) => {
    told.push(what)
    for (const hear of heard) hear()
  }
  const until = (what: string): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (!told.includes(what)) return
        heard.delete(look)
        resolve()
      }
      heard.add(look)
      look()
    })

  const answer = async (client: Client, request: TunnelledRequest): Promise<TunnelledAnswer> => {
    const [, verb, word = ''] = request.path.split('/')
    tell(`ask ${request.path}`)
    if (verb === 'wait') await new Promise<void>((resolve) => waiting.set(word, resolve))
    if (verb === 'fault') throw new Error('a bug')
    if (verb === 'status') return { status: Number(word), body: { code: 20404 } }
    if (verb === 'nothing') return { status: 204 }
    if (verb === 'big') return { status: 200, body: 'x'.repeat(Number(word)) }
    if (verb === 'until') return { status: 200, body: client.token.expiresAt }
    return { status: 200, body: request }
  }

  const sockets = openSockets({
    believe: async (jwt) => {
      const { token } = await believeToken(world.house.store.reader, jwt)
      return token as AccessToken
    },
    upstream: {
      arrive: async (token) => {
        if (requireGrant(token, 'chat').service_sid !== SERVICE) throw problem('service_not_found')
        tell(`judge ${token.identity}`)
        await arrive?.(token)
        return { serviceSid: SERVICE, userSid: `US${'6'.repeat(32)}` }
      },
      join: (client) => {
        clients.add(client)
        tell(`join ${client.identity}`)
      },
      answer,
      leave: (client) => {
        clients.delete(client)
        tell(`leave ${client.identity}`)
      },
    },
    log: pino({ level: 'info', base: null }, { write: (line) => void logged.push(JSON.parse(line)) }),
    now: world.clock.now,
    newId: () => `TM${world.clock.nature.randomHex(32)}`,
    bounds: { sweepMs: 10, ...bounds },
  })
  const http = createServer((request, response) => {
    response.statusCode = request.url === '/here' ? 200 : 404
    response.end()
  })
  hangDoors(http, [sockets])
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const token: Door['token'] = (identity = 'ana', how = {}) =>
    tokenFor(world.account, identity, SERVICE, { now: world.clock.now(), ...how })
  const enter: Door['enter'] = async (identity, how) => {
    const client = await connect(url)
    await client.init(token(identity, how))
    return client
  }
  return {
    url,
    sockets,
    clients,
    told,
    logged,
    until,
    release: (name) => waiting.get(name)?.(),
    token,
    connect: (path = '') => connect(url + path),
    enter,
    [Symbol.asyncDispose]: async () => {
      for (const end of waiting.values()) end()
      await sockets[Symbol.asyncDispose]()
      http.close()
      http.closeAllConnections()
    },
  }
}
