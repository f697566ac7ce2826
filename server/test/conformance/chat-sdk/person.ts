/** Somebody with a published SDK, wherever it runs: the story asks them, waits for what they hear, reads their mind. */
import assert from 'node:assert/strict'
import type { Asked, Beside, File, Standing, Walk } from './beside.ts'
import type { Channel, Client, Member, Message, Paginator, User } from './published.ts'
import type {
  Belief,
  Heard,
  Refusal,
  SeenChannel,
  SeenMember,
  SeenMessage,
  SeenPage,
  SeenUser,
} from './seen.ts'

/** An SDK that lost its connection comes back after a second or, when it was refused, some; on a busy machine later. */
const HEARS_WITHIN_MS = 40_000

/** Longer than a machine stalls, and less than a test may take: what was asked is told. */
const ANSWERS_WITHIN_MS = 60_000

type Verb<T> = { [Name in keyof T]: T[Name] extends (...args: never[]) => unknown ? Name : never }[keyof T] &
  string

type Args<T, V extends keyof T> = T[V] extends (...args: infer A) => unknown ? A : never

type Answer<T, V extends keyof T> = T[V] extends (...args: never[]) => infer A
  ? Promise<Told<Awaited<A>>>
  : never

type Told<T> = T extends Channel
  ? SeenChannel
  : T extends Message
    ? SeenMessage
    : T extends Member
      ? SeenMember
      : T extends User
        ? SeenUser
        : T extends Paginator<infer Item>
          ? Told<Item>[]
          : T extends readonly (infer Item)[]
            ? Told<Item>[]
            : T

export interface Person {
  readonly identity: string
  /** Everything that their SDK emitted, in order. */
  readonly heard: readonly Heard[]
  client<V extends Verb<Client>>(verb: V, ...args: Args<Client, V>): Answer<Client, V>
  channel<V extends Verb<Channel>>(sid: string, verb: V, ...args: Args<Channel, V>): Answer<Channel, V>
  message<V extends Verb<Message>>(
    at: readonly [sid: string, index: number],
    verb: V,
    ...args: Args<Message, V>
  ): Answer<Message, V>
  member<V extends Verb<Member>>(
    at: readonly [sid: string, identity: string],
    verb: V,
    ...args: Args<Member, V>
  ): Answer<Member, V>
  user<V extends Verb<User>>(identity: string, verb: V, ...args: Args<User, V>): Answer<User, V>
  standing(): Promise<Standing>
  sendFile(channelSid: string, file: File, attributes: object): Promise<number>
  temporaryUrl(channelSid: string, index: number): Promise<string>
  walk(channelSid: string, how: Walk): Promise<SeenPage[]>
  believes(): Promise<Belief>
  /** Waits until they have heard it; `after` of what was heard does not count. */
  hears(event: string, fits?: (heard: Heard) => unknown, after?: number): Promise<Heard>
  /** Faults that the SDK left unhandled. */
  readonly unhandled: readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

/** How a person is reached who is in another thread, or in a page. */
export interface Line {
  ask<V extends keyof Beside>(verb: V, args: Parameters<Beside[V]>): Promise<Awaited<ReturnType<Beside[V]>>>
  readonly unhandled: readonly string[]
  hangUp(): Promise<void>
}

/** What an SDK refused with: its own message, and the status and code that it has from the server. */
export class Refused extends Error {
  readonly status: number | undefined
  readonly code: number | undefined

  constructor({ message, status, code }: Refusal) {
    super(message)
    this.status = status
    this.code = code
  }
}

export class Ears {
  readonly heard: Heard[] = []
  readonly #waiting = new Set<() => void>()

  hear(it: Heard): void {
    this.heard.push(it)
    for (const look of this.#waiting) look()
  }

  hears(who: string, event: string, fits: (heard: Heard) => unknown, after: number): Promise<Heard> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#waiting.delete(look)
        const instead = this.heard.slice(after).map((it) => JSON.stringify(it).slice(0, 300))
        reject(
          new Error(
            `${who} did not hear ${event} in ${HEARS_WITHIN_MS} ms, but:\n${instead.slice(-40).join('\n')}`,
          ),
        )
      }, HEARS_WITHIN_MS)
      const look = () => {
        const found = this.heard.slice(after).find((it) => it.event === event && fits(it))
        if (!found) return
        clearTimeout(deadline)
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }
}

export const personOn = (identity: string, line: Line, ears: Ears): Person => {
  // biome-ignore lint/suspicious/noExplicitAny: what is told is as wide as what is asked
  const ask = (of: Asked, verb: string, args: readonly unknown[]): any =>
    inTime(
      `${identity}’s ${[of, verb, args].map((it) => JSON.stringify(it)).join(' ')}`,
      line.ask('ask', [of, verb, args]),
    )
  return {
    identity,
    heard: ears.heard,
    client: (verb, ...args) => ask(['client'], verb, args),
    channel: (sid, verb, ...args) => ask(['channel', sid], verb, args),
    message: (at, verb, ...args) => ask(['message', ...at], verb, args),
    member: (at, verb, ...args) => ask(['member', ...at], verb, args),
    user: (who, verb, ...args) => ask(['user', who], verb, args),
    standing: () => line.ask('standing', []),
    sendFile: (...args) => line.ask('sendFile', args),
    temporaryUrl: async (...args) => {
      const url = await line.ask('temporaryUrl', args)
      assert.ok(url)
      return url
    },
    walk: (...args) => line.ask('walk', args),
    believes: () => line.ask('believes', []),
    hears: (event, fits = () => true, after = 0) => ears.hears(identity, event, fits, after),
    unhandled: line.unhandled,
    [Symbol.asyncDispose]: () => line.hangUp(),
  }
}

/** An SDK may never answer: whoever asks is told what it was. */
const inTime = async <T>(what: string, answer: Promise<T>): Promise<T> => {
  const late = new Error(`${what} was not answered in ${ANSWERS_WITHIN_MS} ms`)
  let timer: NodeJS.Timeout | undefined
  const never = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), ANSWERS_WITHIN_MS)
  })
  try {
    return await Promise.race([answer, never])
  } finally {
    clearTimeout(timer)
  }
}
