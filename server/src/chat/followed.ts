/**
 * What sockets follow: a channel's document, messages and roster, a user's places (the channels they are in or invited
 * to) and a user's info. Each is a projection of rows and counts its own events: the count stands in the row of the
 * channel or the user, and each item's row carries the number of its last event. So whoever was away asks for what has
 * a higher number than the last one they saw. What is gone leaves a tombstone with the number of its removal.
 *
 * The names are those of Programmable Chat; `CH….channel` is written into its published clients.
 */
import type { UserRow } from '@parley/contract/chat/user.ts'
import type { Selectable } from 'kysely'
import { changing } from '../store/query.ts'
import { remove } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Tx } from '../store/tx.ts'

export const FOLLOWED = {
  document: (channelSid: string) => `${channelSid}.channel`,
  messages: (channelSid: string) => `${channelSid}.messages`,
  roster: (channelSid: string) => `${channelSid}.roster`,
  places: (userSid: string) => `${userSid}.my_channels`,
  info: (userSid: string) => `${userSid}.info`,
} as const

interface Buried {
  readonly object: string
  readonly item: string
  readonly event: number
  readonly serviceSid: string
  readonly at: number
}

const burying = changing((db, at: Buried) =>
  db
    .insertInto('tombstones')
    .values({ object: at.object, item: at.item, event: at.event, service_sid: at.serviceSid, at: at.at })
    .onConflict((on) => on.columns(['object', 'item']).doUpdateSet({ event: at.event, at: at.at })),
)

/** Leaves a tombstone. */
export const bury = async (tx: Tx, it: Omit<Buried, 'at'>): Promise<void> => {
  await burying.run(tx, { ...it, at: tx.now() })
}

/** Takes away the tombstones of what is gone itself. */
export const forgetTombstones = async (tx: Tx, ...objects: readonly string[]): Promise<void> => {
  for (const object of objects) await remove(tx, 'tombstones', { object })
}

const numbering = (counter: 'document_event' | 'messages_event' | 'roster_event') =>
  changing((db, at: { channelSid: string }) =>
    db
      .updateTable('channels')
      .set((it) => ({ [counter]: it(counter, '+', 1) }))
      .where('sid', '=', at.channelSid)
      .returningAll(),
  )

/** Counts one more event of a channel itself, and gives the channel. */
export const numberDocument = numbering('document_event')

/** Counts one more event of a channel's messages, and gives the channel. */
export const numberMessages = numbering('messages_event')

/** Counts one more event of a channel's roster, and gives the channel. */
export const numberRoster = numbering('roster_event')

/** Counts one more event of a user's places, and gives the user. */
export const numberPlaces = changing((db, at: { userSid: string }) =>
  db
    .updateTable('users')
    .set((it) => ({ places_event: it('places_event', '+', 1) }))
    .where('sid', '=', at.userSid)
    .returningAll(),
)

/** The numbers that a new user begins with: name, attributes and presence were told once each. */
export const FIRST_INFO_EVENTS = {
  places_event: 0,
  name_event: 1,
  attributes_event: 2,
  reachability_event: 3,
  info_event: 3,
} satisfies Partial<UserRow>

type Info = 'name_event' | 'attributes_event' | 'reachability_event'

/** The columns that count a change of each of these. */
export const numberedInfo = (
  user: Pick<Selectable<Tables['users']>, 'info_event'>,
  ...changed: readonly Info[]
): Partial<Record<Info | 'info_event', number>> => ({
  ...Object.fromEntries(changed.map((it, at) => [it, user.info_event + 1 + at])),
  info_event: user.info_event + changed.length,
})
