/** What Sync is asked through the tunnel: how something stands, its items, and to follow it. Clients never write. */
import { problem, problemBody } from '@parley/contract/problem.ts'
import { refusalIn } from '../../../store/away.ts'
import type { Reader } from '../../../store/tx.ts'
import type { Client, TunnelledAnswer, TunnelledRequest } from '../../client.ts'
import type { Hub } from '../../hub.ts'
import { unescaped } from '../chat/decoded.ts'
import { requireReading } from './access.ts'
import { iso } from './data.ts'
import {
  addressOf,
  canceled,
  changeEvent,
  established,
  failed,
  itemAddress,
  REPLAYED,
  revision,
} from './events.ts'
import { type Followed, followedBy, nameOf, sidOf, typeOf } from './followed.ts'
import { type Item, type ItemsAsked, readItem, readItems, standing } from './read.ts'

/** Items of a page at the most, and where the client does not say. */
const PAGE_MAX = 100
const PAGE_DEFAULT = 50

/** Objects in one request to follow them; the published clients send as many. */
const BATCH_MAX = 100

/** After that many milliseconds without word of a subscription the client asks again. */
const ESTIMATED_DELIVERY_MS = 10_000

/** A client says again what it follows after that many seconds; longer overflows the timers of some. */
const SUBSCRIPTION_TTL_S = 86_400

export interface Sync {
  readonly reader: Reader
  readonly hub: Hub
  readonly encode: (messageType: string, payload: object | string) => Uint8Array
  readonly onFault: (fault: unknown) => void
  /** Follows what is kept nowhere but in memory. @returns whether it is such a thing */
  readonly establishOther: (client: Client, it: Asked, correlation: number) => Promise<boolean>
}

const ROOT = /^(Documents|Lists|Maps)\/([^/]+)$/
const ITEMS = /^(Lists|Maps)\/([^/]+)\/Items$/

/** @param path without the version and the service: `Maps/MP…/Items` */
export const answerSync = async (
  sync: Sync,
  client: Client,
  request: TunnelledRequest,
  path: string,
): Promise<TunnelledAnswer> => {
  if (path === 'Subscriptions' && request.method === 'POST') return subscribe(sync, client, request.body)
  if (request.method !== 'GET') throw problem('sync_forbidden')
  const root = ROOT.exec(path)
  if (root) return answerRoot(sync, client, request, named(root[1], root[2]))
  const items = ITEMS.exec(path)
  if (items) return answerItems(sync, client, request, named(items[1], items[2]))
  throw problem('sync_not_found')
}

const FOLDERS = { document: 'Documents', list: 'Lists', map: 'Maps' } as const

/** @throws 54100 for what is nothing of ours, or not of that type */
const named = (folder: string | undefined, encoded: string | undefined): Followed => {
  const followed = followedBy(unescaped(encoded ?? ''))
  if (!followed || FOLDERS[typeOf(followed)] !== folder) throw problem('sync_not_found')
  return followed
}

const answerRoot = async (
  { reader }: Sync,
  client: Client,
  { query }: TunnelledRequest,
  followed: Followed,
): Promise<TunnelledAnswer> => {
  await requireReading(reader, client, followed)
  const now = await standing(reader, followed)
  if (!now) throw problem('sync_not_found')
  const url = addressOf(client.serviceSid, followed)
  const withItems = query.Include === 'items' && typeOf(followed) === 'map'
  const { items } = withItems
    ? await readItems(reader, followed, { order: 'asc', limit: PAGE_MAX })
    : { items: [] }
  return {
    status: 200,
    body: {
      sid: sidOf(followed),
      unique_name: nameOf(followed),
      account_sid: client.accountSid,
      service_sid: client.serviceSid,
      url,
      revision: revision(now.number),
      last_event_id: now.number,
      date_created: iso(now.createdAt),
      date_updated: iso(now.updatedAt),
      date_expires: null,
      created_by: 'system',
      ...(now.data ? { data: now.data } : { links: { items: `${url}/Items` } }),
      ...(withItems ? { items: items.map((it) => shownItem(client, followed, it)) } : {}),
    },
  }
}

const shownItem = (client: Client, followed: Followed, it: Item) => ({
  [typeOf(followed) === 'list' ? 'index' : 'key']: it.item,
  [`${typeOf(followed)}_sid`]: sidOf(followed),
  account_sid: client.accountSid,
  service_sid: client.serviceSid,
  url: itemAddress(client.serviceSid, followed, it.item),
  revision: revision(it.number),
  last_event_id: it.number,
  data: it.data,
  date_created: iso(it.createdAt),
  date_updated: iso(it.at),
  date_expires: null,
  created_by: 'system',
})

const answerItems = async (
  { reader }: Sync,
  client: Client,
  { query }: TunnelledRequest,
  followed: Followed,
): Promise<TunnelledAnswer> => {
  await requireReading(reader, client, followed)
  const one = query.Key ?? query.Index
  if (one !== undefined) {
    const item = await readItem(reader, followed, one)
    const items = item ? [shownItem(client, followed, item)] : []
    return { status: 200, body: { items, meta: { ...NO_PAGE, page_size: items.length } } }
  }
  const asked = query.PageToken === undefined ? readPage(query) : readToken(query.PageToken)
  if (followed.kind === 'messages' && asked.from !== undefined && !/^-?\d{1,15}$/.test(asked.from))
    throw problem('invalid_parameter', { parameter: 'From', reason: 'it is not an index' })
  const page = await readItems(reader, followed, asked)
  const { order, limit } = asked
  const [first, last] = [page.items[0], page.items.at(-1)]
  return {
    status: 200,
    body: {
      items: page.items.map((it) => shownItem(client, followed, it)),
      meta: {
        ...NO_PAGE,
        next_token:
          page.hasMore && last ? writeToken({ from: beyond(followed, last, order), order, limit }) : null,
        previous_token:
          page.hasBefore && first
            ? writeToken({ from: beyond(followed, first, opposite(order)), order: opposite(order), limit })
            : null,
        page_size: page.items.length,
      },
    },
  }
}

const NO_PAGE = { previous_token: null, next_token: null, direction: 'forward', key: 'items' }

const opposite = (order: 'asc' | 'desc') => (order === 'asc' ? 'desc' : 'asc')

/** The first place behind an item, in an order: an index beside it, or what sorts right behind its key. */
const beyond = ({ kind }: Followed, { item }: Item, order: 'asc' | 'desc'): string => {
  if (kind === 'messages') return String(Number(item) + (order === 'asc' ? 1 : -1))
  const key = String(item)
  return order === 'asc' ? `${key}\u0000` : justBefore(key)
}

/** No key of ours lies between this and the key: keys are SIDs, and a few words. */
const justBefore = (key: string): string =>
  `${key.slice(0, -1)}${String.fromCharCode(key.charCodeAt(key.length - 1) - 1)}\uffff`

const readPage = (query: TunnelledRequest['query']): ItemsAsked => ({
  from: query.From,
  order: query.Order === 'desc' ? 'desc' : 'asc',
  limit: within(query.PageSize),
})

const within = (asked: string | undefined): number => {
  const size = Number(asked ?? PAGE_DEFAULT)
  return Number.isSafeInteger(size) && size >= 1 ? Math.min(size, PAGE_MAX) : PAGE_DEFAULT
}

/** Older clients ask for the next page by its token alone. */
const writeToken = (asked: ItemsAsked): string => Buffer.from(JSON.stringify(asked)).toString('base64url')

const readToken = (token: string): ItemsAsked => {
  try {
    const { from, order, limit } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<
      string,
      unknown
    >
    return readPage({
      ...(typeof from === 'string' ? { From: from } : {}),
      Order: String(order),
      PageSize: String(limit),
    })
  } catch {
    throw problem('invalid_page_token')
  }
}

export interface Asked {
  readonly object_sid: string
  readonly object_type: string
  readonly last_event_id: number | null
}

const subscribe = async (sync: Sync, client: Client, body: unknown): Promise<TunnelledAnswer> => {
  const { action, correlation_id: correlation, requests } = (body ?? {}) as Record<string, unknown>
  if (!Array.isArray(requests) || requests.length > BATCH_MAX)
    throw problem('invalid_parameter', {
      parameter: 'requests',
      reason: `it must be a list of at most ${BATCH_MAX}`,
    })
  const asked = requests.map(readAsked)
  const number = typeof correlation === 'number' ? correlation : 0
  // The answer goes first: a client may not know yet what the events are about.
  setImmediate(() => {
    if (action === 'cancel') for (const it of asked) cancel(sync, client, it, number)
    else void establishAll(sync, client, asked, number).catch(sync.onFault)
  })
  return {
    status: 200,
    body: {
      estimated_delivery_in_ms: ESTIMATED_DELIVERY_MS,
      max_batch_size: BATCH_MAX,
      ttl_in_s: SUBSCRIPTION_TTL_S,
    },
  }
}

const readAsked = (it: unknown): Asked => {
  const { object_sid, object_type, last_event_id } = (it ?? {}) as Record<string, unknown>
  return {
    object_sid: String(object_sid),
    object_type: String(object_type),
    last_event_id: typeof last_event_id === 'number' && last_event_id >= 0 ? last_event_id : null,
  }
}

const cancel = ({ hub, encode }: Sync, client: Client, it: Asked, correlation: number): void => {
  const followed = followedBy(it.object_sid)
  if (followed) hub.unfollow(client, followed)
  client.send(encode(REPLAYED, canceled(subscriptionOf(it), correlation)))
}

const subscriptionOf = ({ object_sid, object_type }: Asked) => ({ object_sid, object_type })

/** One after the other, so that a client with much to follow takes turns with the rest. */
const establishAll = async (
  sync: Sync,
  client: Client,
  asked: readonly Asked[],
  correlation: number,
): Promise<void> => {
  for (const it of asked) {
    try {
      await establish(sync, client, it, correlation)
    } catch (fault) {
      const why = refusalIn(fault)
      if (!why) sync.onFault(fault)
      const { status, code, message } = problemBody(why ?? problem('internal'))
      client.send(sync.encode(REPLAYED, failed(subscriptionOf(it), correlation, { status, code, message })))
    }
  }
}

const establish = async (
  { reader, hub, encode, establishOther }: Sync,
  client: Client,
  it: Asked,
  correlation: number,
): Promise<void> => {
  if (await establishOther(client, it, correlation)) return
  const followed = followedBy(it.object_sid)
  if (!followed) throw problem('sync_not_found')
  let given: Promise<void> | undefined
  const exists = await hub.follow(client, followed, {
    after: it.last_event_id,
    admit: () => requireReading(reader, client, followed),
    tell: ({ changes, number, isAll }) => {
      for (const change of changes)
        void client.give(encode(REPLAYED, changeEvent(client.serviceSid, followed, change, correlation)))
      given = client.give(encode(REPLAYED, established(subscriptionOf(it), correlation, number, isAll)))
    },
  })
  // Whoever reads slowly gets the next part when they have this one.
  await given
  if (!exists) throw problem('sync_not_found')
}
