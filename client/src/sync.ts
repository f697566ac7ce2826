/**
 * Following: each channel, its messages, its members, each user is an object of Sync with a count of its events. What
 * has happened to it comes as numbered events; after a break the object is followed again from the last number, and the
 * server tells what was missed, in order.
 *
 * What happens now comes in the order of its numbers, and the last one is where to resume. What was missed is told as
 * the latest state of each item, so that its numbers only count for the item; where it ends the server says.
 */
import type { Connection } from './connection.ts'
import { type ChatError, refusal } from './error.ts'

/** Objects in one request to follow them, at the most. */
const BATCH_MAX = 100

const CDS = 'https://cds.us1.twilio.com'

const SUBSCRIPTIONS = `${CDS}/v4/Subscriptions`

/** What was missed, and how a subscription stands; what happens now has other types. */
const REPLAYED = 'twilio.sync.event'

/** Items of a page, at the most. */
const ITEMS_MAX = 100

const EVENT_PROTOCOL_VERSION = 4

export type ObjectType = 'document' | 'list' | 'map'

/** An item's key or index; a document is its own only item. */
export type ItemKey = string | number | undefined

export interface Change {
  readonly what: 'added' | 'updated' | 'removed'
  /** None where a list or a map is removed with all that is in it, or is not to be seen any more. */
  readonly item: ItemKey
  /** Empty for what was removed while nobody was here. */
  readonly data: Data
}

// biome-ignore lint/suspicious/noExplicitAny: what the server says is read member by member, each with its own type
export type Data = any

export interface Following {
  readonly sid: string
  readonly type: ObjectType
  /** The number of the last event up to which everything is known. */
  number: number
  /** Items that are known beyond that, those that are gone among them. */
  readonly ahead: Map<ItemKey, number>
  readonly changed: (change: Change) => void
}

interface Item {
  readonly key?: string
  readonly index?: number
  readonly last_event_id: number
  readonly data: Data
}

/** What following needs of a connection. */
export type Asking = Pick<Connection, 'request' | 'drop'>

export class Sync {
  readonly #connection: Asking
  readonly #followed = new Map<string, Following>()
  /** Those that the server has not confirmed yet. */
  readonly #unconfirmed = new Map<string, { promise: Promise<void>; resolve: () => void }>()
  #correlation = 0

  constructor(connection: Asking) {
    this.#connection = connection
  }

  /** Reads an object and makes it ready to be followed; of a map, `changed` is told all items as added. */
  async read(type: ObjectType, name: string, changed: Following['changed']): Promise<Following> {
    const folder = { document: 'Documents', list: 'Lists', map: 'Maps' }[type]
    const query = type === 'map' ? '?Include=items' : ''
    const { body } = await this.#connection.request(
      'GET',
      `${CDS}/v3/${folder}/${encodeURIComponent(name)}${query}`,
    )
    const number: number = body.last_event_id
    const it: Following = { sid: body.sid, type, number, ahead: new Map(), changed }
    if (type === 'document') changed({ what: 'added', item: undefined, data: body.data })
    if (type === 'map') await this.#readItems(it, body.items ?? [], body.links.items)
    return it
  }

  async #readItems(it: Following, first: Item[], address: string): Promise<void> {
    const known = new Set<ItemKey>()
    let items = first
    for (;;) {
      for (const { key, last_event_id: number, data } of items) {
        if (known.has(key)) continue
        known.add(key)
        if (number > it.number) it.ahead.set(key, number)
        it.changed({ what: 'added', item: key, data })
      }
      if (items.length < ITEMS_MAX) return
      // `From` is the first of the page: the last one is read twice.
      const from = `From=${encodeURIComponent(items.at(-1)?.key ?? '')}`
      const { body } = await this.#connection.request(
        'GET',
        `${address}?PageSize=${ITEMS_MAX}&Order=asc&${from}`,
      )
      items = body.items
    }
  }

  /** A page of a list. @param query without a question mark */
  async page(sidOrName: string, query: string): Promise<{ items: Item[]; meta: Data }> {
    const address = `${CDS}/v3/Lists/${encodeURIComponent(sidOrName)}/Items?${query}`
    return (await this.#connection.request('GET', address)).body
  }

  /** Follows them from where each stands. Resolves when everything since then has been told. */
  async follow(followings: readonly Following[]): Promise<void> {
    const confirmed = followings.map((it) => {
      this.#followed.set(it.sid, it)
      return this.#confirmation(it.sid).promise
    })
    for (let at = 0; at < followings.length; at += BATCH_MAX)
      await this.#ask('establish', followings.slice(at, at + BATCH_MAX))
    await Promise.all(confirmed)
  }

  /** Follows again whatever was followed, from where each stands. */
  resume(): Promise<void> {
    return this.follow([...this.#followed.values()])
  }

  unfollow(followings: readonly Following[]): void {
    const those = followings.filter((it) => this.#followed.get(it.sid) === it)
    for (const { sid } of those) {
      this.#followed.delete(sid)
      this.#confirm(sid)
    }
    if (those.length > 0) void this.#ask('cancel', those)
  }

  hear(type: unknown, payload: Data): void {
    const { event_type: name, event } = payload
    const [kind] = /^subscription|^document|^list|^map/.exec(name) ?? []
    const it = this.#followed.get(event.object_sid ?? event[`${kind}_sid`])
    if (!it) return
    if (kind === 'subscription') this.#stands(it, name, event)
    else if (name === `${kind}_removed`) this.#gone(it)
    else take(it, name, event, type !== REPLAYED)
  }

  /** How a subscription stands. */
  #stands(it: Following, name: string, event: Data): void {
    if (name === 'subscription_established') {
      advance(it, event.last_event_id)
      if (event.replay_status === 'interrupted') void this.#ask('establish', [it])
      else this.#confirm(it.sid)
    } else if (name === 'subscription_failed') {
      const { status, code, message } = event.error
      if (status >= 500) {
        this.#connection.drop(refusal(status, code, message))
        return
      }
      this.#gone(it)
    }
  }

  /** It is no more, or not ours to see any more. */
  #gone(it: Following): void {
    this.#followed.delete(it.sid)
    this.#confirm(it.sid)
    it.changed({ what: 'removed', item: undefined, data: {} })
  }

  #confirmation(sid: string): { promise: Promise<void>; resolve: () => void } {
    const known = this.#unconfirmed.get(sid)
    if (known) return known
    let resolve = () => {}
    const promise = new Promise<void>((settle) => {
      resolve = settle
    })
    const it = { promise, resolve }
    this.#unconfirmed.set(sid, it)
    return it
  }

  #confirm(sid: string): void {
    this.#unconfirmed.get(sid)?.resolve()
    this.#unconfirmed.delete(sid)
  }

  /** A connection that breaks meanwhile is resumed, and all of this is asked again. */
  async #ask(action: 'establish' | 'cancel', followings: readonly Following[]): Promise<void> {
    const body = {
      event_protocol_version: EVENT_PROTOCOL_VERSION,
      action,
      correlation_id: ++this.#correlation,
      retried_requests: 0,
      ttl_in_s: -1,
      requests: followings.map(({ sid, type, number }) => ({
        object_sid: sid,
        object_type: type,
        ...(action === 'establish' ? { last_event_id: number } : {}),
      })),
    }
    try {
      await this.#connection.request('POST', SUBSCRIPTIONS, body)
    } catch (fault) {
      const error = fault as ChatError
      if (error.kind !== 'lost' && error.kind !== 'closed') this.#connection.drop(error)
    }
  }
}

/** An event is news where neither the object nor its item is known up to it. */
const take = (it: Following, name: string, event: Data, isLive: boolean): void => {
  const number: number = event.id
  if (number <= it.number) return
  const item: ItemKey = event.item_key ?? event.item_index
  const isNews = number > (it.ahead.get(item) ?? 0)
  const what = name.endsWith('_removed') ? 'removed' : name.endsWith('_added') ? 'added' : 'updated'
  if (isLive) advance(it, number)
  else if (isNews) it.ahead.set(item, number)
  if (isNews) it.changed({ what, item, data: event.document_data ?? event.item_data ?? {} })
}

const advance = (it: Following, number: number): void => {
  it.number = Math.max(it.number, number)
  for (const [item, known] of it.ahead) if (known <= it.number) it.ahead.delete(item)
}
