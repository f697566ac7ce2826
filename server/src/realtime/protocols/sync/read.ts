/**
 * What is followed, read from rows: how it stands, its items, and what has changed since an event. Of each item only
 * its latest state is told, at the number of its last event, and what is gone by its tombstone: a client that was away
 * needs no more, and nobody has to keep a log.
 */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { InviteRow } from '@parley/contract/chat/invite.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import type { Selectable } from 'kysely'
import { isOnline } from '../../../chat/index.ts'
import { reading } from '../../../store/query.ts'
import { find } from '../../../store/rows.ts'
import type { Tables } from '../../../store/tables.ts'
import type { Reader } from '../../../store/tx.ts'
import type { Change } from './changes.ts'
import { documentData, infoData, memberData, messageData, placeData } from './data.ts'
import { type Followed, nameOf } from './followed.ts'

type User = Selectable<Tables['users']>
type Message = Selectable<Tables['messages']>

/** How many changes are told at once; whoever has missed more asks again. */
const CHANGES_MAX = 500

/** How many characters of text, about: messages may be long. */
const CHARACTERS_MAX = 256 * 1024

export interface Standing {
  /** The number of its last event. */
  readonly number: number
  /** Of a document. */
  readonly data?: object
  readonly createdAt: number
  readonly updatedAt: number
}

const channelOf = (reader: Reader, { ownerSid }: Followed): Promise<ChannelRow | undefined> =>
  find(reader, 'channels', { sid: ownerSid })

const userOf = (reader: Reader, { ownerSid }: Followed): Promise<User | undefined> =>
  find(reader, 'users', { sid: ownerSid })

/** How it stands; nothing where there is no such channel or user. */
export const standing = async (reader: Reader, followed: Followed): Promise<Standing | undefined> => {
  if (followed.kind === 'places' || followed.kind === 'info') {
    const user = await userOf(reader, followed)
    if (!user) return undefined
    return {
      number: followed.kind === 'places' ? user.places_event : user.info_event,
      createdAt: user.date_created,
      updatedAt: user.date_updated,
    }
  }
  const channel = await channelOf(reader, followed)
  if (!channel) return undefined
  const moments = { createdAt: channel.date_created, updatedAt: channel.date_updated }
  if (followed.kind === 'document')
    return { number: channel.document_event, data: documentData(channel), ...moments }
  return { number: followed.kind === 'messages' ? channel.messages_event : channel.roster_event, ...moments }
}

/** Changes in the order of their numbers, and where they lead. */
export interface Since {
  readonly after: number
  readonly changes: readonly Change[]
  /** The number of the last event, or where there is more to tell, of the last one told. */
  readonly number: number
  readonly isAll: boolean
}

/**
 * What has changed after an event; nothing where there is no such channel or user any more.
 * @param known an earlier answer: it is given again where nothing has happened since
 */
export const changesSince = async (
  reader: Reader,
  followed: Followed,
  after: number,
  known?: Since,
): Promise<Since | undefined> => {
  // The count is read first. What is committed between this and the rows has a notice of its own, and is left for that:
  // the rows are read one kind after another, and of two such changes may show the later alone.
  const now = await standing(reader, followed)
  if (!now) return undefined
  if (after >= now.number) return { after, changes: [], number: now.number, isAll: true }
  if (known?.isAll && known.after === after && known.number === now.number) return known
  const changes = (await readers[followed.kind](reader, followed, after, now))
    .filter((it) => it.number <= now.number)
    .sort((a, b) => a.number - b.number)
  const first = changes.slice(0, fitting(changes))
  if (first.length === changes.length) return { after, changes, number: now.number, isAll: true }
  return { after, changes: first, number: (first.at(-1) as Change).number, isAll: false }
}

/** How many of the changes are told at once: one at the least. */
const fitting = (changes: readonly Change[]): number => {
  let characters = 0
  for (const [place, { data }] of changes.entries()) {
    for (const value of Object.values(data ?? {})) if (typeof value === 'string') characters += value.length
    if (place === CHANGES_MAX || (place > 0 && characters > CHARACTERS_MAX)) return place
  }
  return changes.length
}

type ReadChanges = (reader: Reader, followed: Followed, after: number, now: Standing) => Promise<Change[]>

const tombstones = reading((db, at: { object: string; after: number }) =>
  db
    .selectFrom('tombstones')
    .selectAll()
    .where('object', '=', at.object)
    .where('event', '>', at.after)
    .orderBy('event')
    .limit(CHANGES_MAX + 1),
)

const removalsIn = async (
  reader: Reader,
  followed: Followed,
  after: number,
  read: (item: string) => string | number,
): Promise<Change[]> =>
  (await tombstones.all(reader, { object: nameOf(followed), after })).map(({ item, event, at }) => ({
    number: event,
    what: 'removed',
    item: read(item),
    at,
  }))

/** No more messages can have been added than events were counted. */
const messagesAdded = reading((db, at: { channelSid: string; after: number; fromIndex: number }) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('channel_sid', '=', at.channelSid)
    .where('index', '>=', at.fromIndex)
    .where('added_event', '>', at.after)
    .orderBy('index')
    .limit(CHANGES_MAX + 1),
)

const messagesChanged = reading((db, at: { channelSid: string; after: number }) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('channel_sid', '=', at.channelSid)
    .where('event', '>', at.after)
    .where((it) => it('event', '>', it.ref('added_event')))
    .orderBy('event')
    .limit(CHANGES_MAX + 1),
)

/**
 * An item that was added after an event, and perhaps changed since, is told as both, so that wherever a tale is broken
 * off, whoever heard it knows every item that was there by then.
 */
const told = (item: Item & { readonly addedNumber: number }, after: number): Change[] => {
  const { number, addedNumber, at } = item
  const it = { item: item.item, data: item.data, at }
  return [
    ...(addedNumber > after ? [{ ...it, number: addedNumber, what: 'added' as const }] : []),
    ...(number > addedNumber && number > after ? [{ ...it, number, what: 'updated' as const }] : []),
  ]
}

const readMessages: ReadChanges = async (reader, followed, after) => {
  const channelSid = followed.ownerSid
  const channel = await channelOf(reader, followed)
  if (!channel) return []
  const fromIndex = channel.last_index - (channel.messages_event - after) + 1
  const added = await messagesAdded.all(reader, { channelSid, after, fromIndex })
  const changed = await messagesChanged.all(reader, { channelSid, after })
  // One that was added and then changed is among both.
  const all = new Map([...added, ...changed].map((it) => [it.index, it]))
  return [
    ...[...all.values()].flatMap((it) => told({ ...toMessageItem(it), addedNumber: it.added_event }, after)),
    ...(await removalsIn(reader, followed, after, Number)),
  ]
}

const readRoster: ReadChanges = async (reader, followed, after) => [
  ...(await membersInOrder.all(reader, { channelSid: followed.ownerSid })).flatMap((it) =>
    told({ ...toMemberItem(it), addedNumber: it.added_event }, after),
  ),
  ...(await removalsIn(reader, followed, after, String)),
]

const readPlaces: ReadChanges = async (reader, followed, after) => [
  ...(await placesOf(reader, followed)).flatMap((it) =>
    told({ ...toPlaceItem(it), addedNumber: it.place_added_event }, after),
  ),
  ...(await removalsIn(reader, followed, after, String)),
]

const readDocument: ReadChanges = async (_, __, ___, now) => [
  { number: now.number, what: 'updated', data: now.data as object, at: now.updatedAt },
]

const readInfo: ReadChanges = async (reader, followed, after) =>
  (await itemsOfInfo(reader, followed))
    .filter(({ number }) => number > after)
    .map(({ item, number, data, at }) => ({ number, what: 'updated', item, data, at }))

const readers: Readonly<Record<Followed['kind'], ReadChanges>> = {
  document: readDocument,
  messages: readMessages,
  roster: readRoster,
  places: readPlaces,
  info: readInfo,
}

/** One item of a list or a map, as it stands. */
export interface Item {
  readonly item: string | number
  readonly number: number
  readonly data: object
  readonly createdAt: number
  readonly at: number
}

/** Which items: from one on (itself included), in an order, at the most so many. */
export interface ItemsAsked {
  readonly from?: string | undefined
  readonly order: 'asc' | 'desc'
  readonly limit: number
}

const page = (order: 'asc' | 'desc', from: boolean) =>
  reading((db, at: { channelSid: string; from?: number; limit: number }) => {
    let query = db.selectFrom('messages').selectAll().where('channel_sid', '=', at.channelSid)
    if (from) query = query.where('index', order === 'asc' ? '>=' : '<=', at.from as number)
    return query.orderBy('index', order).limit(at.limit)
  })

const pages = {
  asc: { start: page('asc', false), from: page('asc', true) },
  desc: { start: page('desc', false), from: page('desc', true) },
}

const neighbour = (order: 'asc' | 'desc') =>
  reading((db, at: { channelSid: string; index: number }) =>
    db
      .selectFrom('messages')
      .select('index')
      .where('channel_sid', '=', at.channelSid)
      .where('index', order === 'asc' ? '<' : '>', at.index)
      .orderBy('index', order === 'asc' ? 'desc' : 'asc')
      .limit(1),
  )

const before = { asc: neighbour('asc'), desc: neighbour('desc') }

/** Items and whether there are others on either side, in the order asked for. */
export interface Items {
  readonly items: readonly Item[]
  readonly hasMore: boolean
  readonly hasBefore: boolean
}

/** A page of a list's or a map's items. */
export const readItems = async (reader: Reader, followed: Followed, asked: ItemsAsked): Promise<Items> =>
  followed.kind === 'messages' ? messageItems(reader, followed, asked) : mapItems(reader, followed, asked)

const messageItems = async (
  reader: Reader,
  { ownerSid: channelSid }: Followed,
  { from, order, limit }: ItemsAsked,
): Promise<Items> => {
  const index = from === undefined ? undefined : Number(from)
  const which = pages[order]
  const rows =
    index === undefined
      ? await which.start.all(reader, { channelSid, limit: limit + 1 })
      : await which.from.all(reader, { channelSid, from: index, limit: limit + 1 })
  const first = rows[0]?.index ?? index
  const hasBefore =
    index !== undefined &&
    first !== undefined &&
    (await before[order].first(reader, { channelSid, index: first })) !== undefined
  return { items: rows.slice(0, limit).map(toMessageItem), hasMore: rows.length > limit, hasBefore }
}

const toMessageItem = (message: Message): Item => ({
  item: message.index,
  number: message.event,
  data: messageData(message),
  createdAt: message.date_created,
  at: message.date_updated,
})

const membersInOrder = reading((db, at: { channelSid: string }) =>
  db.selectFrom('members').selectAll().where('channel_sid', '=', at.channelSid).orderBy('sid'),
)

const toMemberItem = (member: MemberRow): Item => ({
  item: member.sid,
  number: member.event,
  data: memberData(member),
  createdAt: member.date_created,
  at: member.date_updated,
})

interface Whose {
  readonly serviceSid: string
  readonly identity: string
}

const joined = reading((db, at: Whose) =>
  db
    .selectFrom('members')
    .selectAll()
    .where('service_sid', '=', at.serviceSid)
    .where('identity', '=', at.identity),
)

const invited = reading((db, at: Whose) =>
  db
    .selectFrom('invites')
    .selectAll()
    .where('service_sid', '=', at.serviceSid)
    .where('identity', '=', at.identity),
)

const placesOf = async (reader: Reader, followed: Followed): Promise<(MemberRow | InviteRow)[]> => {
  const user = await userOf(reader, followed)
  if (!user) return []
  const whose = { serviceSid: user.service_sid, identity: user.identity }
  return [...(await joined.all(reader, whose)), ...(await invited.all(reader, whose))]
}

const toPlaceItem = (place: MemberRow | InviteRow): Item => ({
  item: place.channel_sid,
  number: place.place_event,
  data: placeData(place),
  createdAt: place.date_created,
  at: place.date_updated,
})

const itemsOfInfo = async (reader: Reader, followed: Followed): Promise<Item[]> => {
  const user = await userOf(reader, followed)
  if (!user) return []
  const moments = { createdAt: user.date_created, at: user.date_updated }
  return [
    { item: 'attributes', number: user.attributes_event, data: infoData.attributes(user), ...moments },
    { item: 'friendlyName', number: user.name_event, data: infoData.friendlyName(user), ...moments },
    {
      item: 'reachability',
      number: user.reachability_event,
      data: infoData.reachability(await isOnline(reader, user.sid)),
      ...moments,
    },
  ]
}

const allItems = async (reader: Reader, followed: Followed): Promise<Item[]> => {
  if (followed.kind === 'info') return itemsOfInfo(reader, followed)
  if (followed.kind === 'places') return (await placesOf(reader, followed)).map(toPlaceItem)
  return (await membersInOrder.all(reader, { channelSid: followed.ownerSid })).map(toMemberItem)
}

/** Maps are small, by the service's limits: read whole, in the order of their keys' code units. */
const mapItems = async (reader: Reader, followed: Followed, asked: ItemsAsked): Promise<Items> => {
  const { from, order, limit } = asked
  const all = await allItems(reader, followed)
  const ordered = all.sort((a, b) => compare(String(a.item), String(b.item)) * (order === 'asc' ? 1 : -1))
  const start =
    from === undefined
      ? 0
      : ordered.findIndex(({ item }) => compare(String(item), from) * (order === 'asc' ? 1 : -1) >= 0)
  const rest = start < 0 ? [] : ordered.slice(start)
  return {
    items: rest.slice(0, limit),
    hasMore: rest.length > limit,
    hasBefore: start < 0 ? ordered.length > 0 : start > 0,
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** One item, if it is there. */
export const readItem = async (
  reader: Reader,
  followed: Followed,
  item: string,
): Promise<Item | undefined> => {
  if (followed.kind === 'messages') {
    const index = Number(item)
    if (!Number.isSafeInteger(index)) return undefined
    const message = await find(reader, 'messages', { channel_sid: followed.ownerSid, index })
    return message && toMessageItem(message)
  }
  const { items } = await mapItems(reader, followed, { order: 'asc', limit: Number.MAX_SAFE_INTEGER })
  return items.find((it) => it.item === item)
}
