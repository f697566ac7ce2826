/**
 * What an event of chat means to those who follow something. Each change has its object's next number; an event whose
 * row carries a number that was told before says nothing new. An answer for every event, so that a new one does not
 * compile until this has been decided.
 */
import type { ChatEvents } from '@parley/contract/chat/events.ts'
import type { Event, EventOf } from '@parley/contract/event.ts'
import { documentData, infoData, memberData, messageData, placeData } from './data.ts'
import type { Followed } from './followed.ts'

/** One change of one followed object. */
export interface Change {
  readonly number: number
  /** `gone` is the whole object. */
  readonly what: 'added' | 'updated' | 'removed' | 'gone'
  /** A map's key or a list's index; a document has none. */
  readonly item?: string | number
  readonly data?: object
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What an event says of one object. `change` is asked for only where somebody follows. */
export interface Happening {
  readonly followed: Followed
  readonly number: number
  /** Nothing where the event does not carry the state: then it has to be read. */
  readonly change: () => Change | undefined
}

type Meaning<N extends keyof ChatEvents> = (event: EventOf<N>) => readonly Happening[]

const NOTHING = (): readonly Happening[] => []

const happening = (
  kind: Followed['kind'],
  ownerSid: string,
  number: number,
  change: () => Omit<Change, 'number'> | undefined,
): Happening => ({
  followed: { kind, ownerSid },
  number,
  change: () => {
    const it = change()
    return it && { ...it, number }
  },
})

const documentOf = ({ channel, at }: EventOf<'channel.updated' | 'message.added' | 'message.removed'>) =>
  happening('document', channel.sid, channel.document_event, () => ({
    what: 'updated',
    data: documentData(channel),
    at,
  }))

const messageOf = (
  { channel, message, at }: EventOf<'message.added' | 'message.updated' | 'message.removed'>,
  what: 'added' | 'updated' | 'removed',
) =>
  happening('messages', channel.sid, message.event, () => ({
    what,
    item: message.index,
    data: messageData(message),
    at,
  }))

const memberOf = (
  { channel, member, at }: EventOf<'member.added' | 'member.updated' | 'member.removed'>,
  what: 'added' | 'updated' | 'removed',
) =>
  happening('roster', channel.sid, member.event, () => ({
    what,
    item: member.sid,
    data: memberData(member),
    at,
  }))

const placeOf = (
  place: EventOf<'member.added'>['member'] | EventOf<'invite.added'>['invite'],
  at: number,
  what: 'set' | 'removed',
) =>
  happening('places', place.user_sid, place.place_event, () => ({
    what: what === 'removed' ? what : place.place_added_event === place.place_event ? 'added' : 'updated',
    item: place.channel_sid,
    data: placeData(place),
    at,
  }))

const infoOf = ({ user, at }: EventOf<'user.updated' | 'user.reached'>): readonly Happening[] => {
  const item = (key: keyof typeof infoData, number: number, data: () => object | undefined) =>
    happening('info', user.sid, number, () => {
      const it = data()
      return it && { what: 'updated', item: key, data: it, at }
    })
  return [
    item('friendlyName', user.name_event, () => infoData.friendlyName(user)),
    item('attributes', user.attributes_event, () => infoData.attributes(user)),
    item('reachability', user.reachability_event, () =>
      user.is_online === null ? undefined : infoData.reachability(user.is_online === 1),
    ),
  ].sort((a, b) => a.number - b.number)
}

const gone = (kind: Followed['kind'], ownerSid: string, at: number): Happening =>
  happening(kind, ownerSid, Number.MAX_SAFE_INTEGER, () => ({ what: 'gone', at }))

const meanings: { readonly [N in keyof ChatEvents]: Meaning<N> } = {
  // Whoever is connected to it is turned out.
  'service.removed': NOTHING,
  'channel.added': NOTHING,
  'channel.updated': (event) => [documentOf(event)],
  'channel.destroyed': ({ channel, left, at }) => [
    ...left.map(({ user_sid, place_event }) =>
      happening('places', user_sid, place_event, () => ({ what: 'removed', item: channel.sid, at })),
    ),
    gone('messages', channel.sid, at),
    gone('roster', channel.sid, at),
    gone('document', channel.sid, at),
  ],
  'member.added': (event) => [memberOf(event, 'added'), placeOf(event.member, event.at, 'set')],
  'member.updated': (event) => [memberOf(event, 'updated'), placeOf(event.member, event.at, 'set')],
  'member.level_changed': ({ member, at }) => [placeOf(member, at, 'set')],
  'member.removed': (event) => [memberOf(event, 'removed'), placeOf(event.member, event.at, 'removed')],
  'message.added': (event) => [messageOf(event, 'added'), documentOf(event)],
  'message.updated': (event) => [messageOf(event, 'updated')],
  'message.removed': (event) => [messageOf(event, 'removed'), documentOf(event)],
  'invite.added': ({ invite, at }) => [placeOf(invite, at, 'set')],
  'invite.removed': ({ invite, at }) => [placeOf(invite, at, 'removed')],
  'user.added': NOTHING,
  'user.updated': infoOf,
  'user.reached': infoOf,
  'user.removed': ({ user, at }) => [gone('places', user.sid, at), gone('info', user.sid, at)],
}

/** What an event says to those who follow something; of what is not chat's, nothing. */
export const happeningsOf = (event: Event): readonly Happening[] =>
  event.name in meanings ? meanings[event.name as keyof ChatEvents](event as never) : []
