/** People of the service, followed once asked for. */
import { type Core, readAttributes, sameData, writeChange } from './core.ts'
import type { Following } from './sync.ts'

/** How many are followed at once, besides this user; the one asked for longest ago goes first. */
const FOLLOWED_MAX = 100

/** Somebody of the service, as they were when this was made. */
export class User {
  readonly identity: string
  readonly friendlyName: string | null
  readonly attributes: unknown
  /** Whether they are connected; null where the service does not tell. */
  readonly isOnline: boolean | null
  readonly #core: Core

  constructor(core: Core, identity: string, info: Info) {
    this.#core = core
    this.identity = identity
    this.friendlyName = info.friendlyName?.value ?? null
    this.attributes = readAttributes(info.attributes?.value)
    this.isOnline = info.reachability?.online ?? null
    Object.freeze(this)
  }

  /** One's own, unless the role allows more; what is not given stays. */
  async update(change: { readonly friendlyName?: string; readonly attributes?: unknown }): Promise<void> {
    const address = `${this.#core.links.users}/${encodeURIComponent(this.identity)}`
    await this.#core.connection.request('POST', address, writeChange(change))
  }
}

/** The items of a user's map. */
interface Info {
  friendlyName?: { readonly value: string | null }
  attributes?: { readonly value: string }
  reachability?: { readonly online: boolean }
}

interface Followed {
  readonly following: Following
  user: User
}

export class Users {
  readonly #core: Core
  readonly #tellsPresence: () => boolean
  readonly #followed = new Map<string, Promise<Followed>>()
  #me: Followed | undefined

  constructor(core: Core, tellsPresence: () => boolean) {
    this.#core = core
    this.#tellsPresence = tellsPresence
  }

  /** @throws ChatError `missing` where the service has no such user */
  async get(identity: string): Promise<User> {
    let it = this.#followed.get(identity)
    this.#followed.delete(identity)
    it ??= this.#find(identity)
    this.#followed.set(identity, it)
    const found = it
    found.catch(() => {
      if (this.#followed.get(identity) === found) this.#followed.delete(identity)
    })
    const [oldest] = [...this.#followed.keys()].filter((other) => other !== this.#core.identity)
    if (oldest !== undefined && this.#followed.size > FOLLOWED_MAX + 1) this.#forget(oldest)
    return (await it).user
  }

  async #find(identity: string): Promise<Followed> {
    const { connection, links } = this.#core
    const { body } = await connection.request('GET', `${links.users}/${encodeURIComponent(identity)}`)
    return this.#follow(identity, body.sync_objects.user_info_map)
  }

  /** @param map the name of their object */
  async #follow(identity: string, map: string): Promise<Followed> {
    const { sync, events } = this.#core
    const info: Info = {}
    let it: Followed | undefined
    const following: Following = await sync.read('map', map, ({ item, data }) => {
      if (item === undefined) {
        this.#removed(identity, following)
        return
      }
      if (item === 'reachability' && !this.#tellsPresence()) return
      info[item as keyof Info] = data
      if (!it) return
      const before = it.user
      it.user = new User(this.#core, identity, info)
      if (!sameData(before, it.user)) events.emit('userUpdated', it.user, before)
    })
    it = { following, user: new User(this.#core, identity, info) }
    if (identity === this.#core.identity) this.#become(it)
    await sync.follow([following])
    return it
  }

  /** This user, once they are known. */
  get me(): User | undefined {
    return this.#me?.user
  }

  /** Follows this user, from the start and for good. Resolves when they are known. */
  async followMe(identity: string, map: string): Promise<void> {
    const it = this.#follow(identity, map)
    this.#followed.set(identity, it)
    await it
  }

  /** Before anything is told of who they are now. */
  #become(it: Followed): void {
    const before = this.me
    this.#me = it
    if (before && !sameData(before, it.user)) this.#core.events.emit('userUpdated', it.user, before)
  }

  /** They are no user any more. Somebody may be of that name again, and is found anew; this user is kept anew. */
  #removed(identity: string, following: Following): void {
    if (identity === this.#core.identity) return
    const it = this.#followed.get(identity)
    const forget = (found: Followed): void => {
      if (found.following === following && this.#followed.get(identity) === it)
        this.#followed.delete(identity)
    }
    it?.then(forget, () => {})
  }

  #forget(identity: string): void {
    const it = this.#followed.get(identity)
    this.#followed.delete(identity)
    void it?.then(({ following }) => this.#core.sync.unfollow([following])).catch(() => {})
  }
}
