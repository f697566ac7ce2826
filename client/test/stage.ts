/**
 * A house, open and live, with a chat service in it, a network to it that can be cut, and people who come with our own
 * client or with the published SDK.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import twilio from 'twilio'
import { type Proxy as Network, openProxy } from '../../server/test/realtime/proxy.ts'
import { openWorld, type Twilio, type World, type WorldOptions } from '../../server/test/world/index.ts'
import { ChatClient, type ChatClientOptions, type ChatEvents } from '../src/index.ts'
import { nextAmong, PATIENCE_MS } from './next.ts'
import type { SdkAsked, SdkHeard } from './sdk-thread.ts'

export interface TokenAsked {
  readonly ttl?: number
  readonly service?: string
}

export interface Stage {
  readonly world: World
  readonly serviceSid: string
  readonly service: ReturnType<Twilio['chat']['v2']['services']>
  readonly network: Network
  /** Where clients find the house: through the network that can be cut. */
  readonly url: string
  token(identity: string, asked?: TokenAsked): string
  /** Our own client, connected. */
  come(identity: string, options?: Partial<ChatClientOptions>): Promise<ChatClient>
  /** The published one, initialised. */
  comeWithSdk(identity: string): Promise<SdkPerson>
  [Symbol.asyncDispose](): Promise<void>
}

export const openStage = async (options: WorldOptions = {}): Promise<Stage> => {
  const open = new AsyncDisposableStack()
  const world = open.use(await openWorld({ live: true, ...options }))
  const network = open.use(await openProxy(Number(new URL(world.url).port)))
  const url = `http://127.0.0.1:${network.port}`
  const { sid: serviceSid } = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
  const service = world.twilio.chat.v2.services(serviceSid)
  await service.update({ reachabilityEnabled: true })
  const token: Stage['token'] = (identity, { ttl = 3600, service: forService = serviceSid } = {}) => {
    const { AccessToken } = twilio.jwt
    const { sid, apiKeySid, apiKeySecret } = world.account
    const it = new AccessToken(sid, apiKeySid, apiKeySecret, { identity, ttl })
    it.addGrant(new AccessToken.ChatGrant({ serviceSid: forService }))
    return it.toJwt()
  }
  return {
    world,
    serviceSid,
    service,
    network,
    url,
    token,
    come: async (identity, own = {}) => {
      const client = new ChatClient({ url, getToken: () => token(identity), ...own })
      open.defer(() => client.close())
      await client.connect()
      return client
    },
    comeWithSdk: async (identity) => {
      const uri = `${url.replace('http', 'ws')}/v3/wsconnect`
      const person = open.use(openSdk(token(identity), uri))
      await person.next('initialized')
      return person
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** The next event of a chat client. */
export const next = nextAmong<ChatEvents>()

/**
 * Runs a module of its own, which must end by itself: `ChatClient` and `WorkerClient` are there, and `url`, the house's address.
 * @param args are there as `args`
 * @returns what it said, and its exit code
 */
export const runProgram = async (
  { url }: Pick<Stage, 'url'>,
  program: string,
  args: readonly string[],
): Promise<{ said: string; code: number | null }> => {
  const here = JSON.stringify(new URL('../src/index.ts', import.meta.url).href)
  const head = `const { ChatClient, WorkerClient } = await import(${here}); const [url, ...args] = process.argv.slice(1)\n`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', head + program, url, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: PATIENCE_MS,
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  return { said: said.trim(), code }
}

/** Somebody with the published SDK. */
export interface SdkPerson {
  readonly heard: readonly SdkHeard[]
  /** The first thing heard of a name, from now on or before, for which `fits` holds. */
  next(event: string, fits?: (it: SdkHeard) => boolean): Promise<SdkHeard>
  /** @returns the message's index */
  send(channelSid: string, body: string, attributes?: object): Promise<number>
  /** The bodies of the newest thirty. Once answered, it follows the channel's messages. */
  messages(channelSid: string): Promise<string[]>
  [Symbol.asyncDispose](): Promise<void>
}

const openSdk = (token: string, uri: string): SdkPerson => {
  const thread = new Worker(new URL('sdk-thread.ts', import.meta.url), { workerData: { token, uri } })
  const heard: SdkHeard[] = []
  const waiting = new Set<() => void>()
  const answers = new Map<number, (answer: never, fault?: string) => void>()
  thread.on('message', (told: SdkHeard | { id: number; answer: never; fault?: string }) => {
    if ('id' in told) answers.get(told.id)?.(told.answer, told.fault)
    else heard.push(told)
    for (const check of waiting) check()
  })
  const ask = <T>(asked: Omit<SdkAsked, 'id'>): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = answers.size
      answers.set(id, (answer, fault) => (fault === undefined ? resolve(answer) : reject(new Error(fault))))
      thread.postMessage({ ...asked, id })
    })
  return {
    heard,
    next: (event, fits = () => true) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(new Error(`the SDK's ${event} did not come in ${PATIENCE_MS} ms`))
        }, PATIENCE_MS)
        const check = () => {
          const found = heard.find((it) => it.event === event && fits(it))
          if (!found) return
          clearTimeout(late)
          waiting.delete(check)
          resolve(found)
        }
        waiting.add(check)
        check()
      }),
    send: (channelSid, body, attributes = {}) => ask({ what: 'send', channelSid, body, attributes }),
    messages: (channelSid) => ask({ what: 'messages', channelSid }),
    [Symbol.asyncDispose]: async () => void (await thread.terminate()),
  }
}
