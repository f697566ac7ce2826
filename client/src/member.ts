import { type Core, dateOf, readAttributes, writeChange } from './core.ts'
import type { Data } from './sync.ts'
import type { User } from './users.ts'

/** Somebody in a channel, as they were when this was made. */
export class Member {
  readonly sid: string
  readonly channelSid: string
  readonly identity: string
  readonly roleSid: string
  readonly attributes: unknown
  /** The index of the last message they have read; null for none. */
  readonly lastConsumedMessageIndex: number | null
  readonly lastConsumptionTimestamp: Date | null
  readonly dateCreated: Date | null
  readonly #core: Core

  constructor(core: Core, channelSid: string, sid: string, data: Data) {
    this.#core = core
    this.sid = sid
    this.channelSid = channelSid
    this.identity = data.identity
    this.roleSid = data.roleSid
    this.attributes = readAttributes(data.attributes)
    this.lastConsumedMessageIndex = data.lastConsumedMessageIndex ?? null
    this.lastConsumptionTimestamp = dateOf(data.lastConsumptionTimestamp)
    this.dateCreated = dateOf(data.dateCreated)
    Object.freeze(this)
  }

  /** Who they are, followed from now on: `userUpdated` tells when they come and go. */
  getUser(): Promise<User> {
    return this.#core.users.get(this.identity)
  }

  /** Any JSON; it comes as `memberUpdated`. */
  async updateAttributes(attributes: unknown): Promise<void> {
    await this.#core.connection.request('POST', this.#address, writeChange({ attributes }))
  }

  /** Puts them out of the channel. */
  async remove(): Promise<void> {
    await this.#core.connection.request('DELETE', this.#address)
  }

  get #address(): string {
    return `${this.#core.links.conversations}/${this.channelSid}/Participants/${this.sid}`
  }
}
