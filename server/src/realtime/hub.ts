/**
 * Who follows what, in this process, and the sending of what happens to them: in order, each change once, encoded once
 * for all.
 *
 * Each followed object has the number of the last event that was told here. An event with the next number is sent as it
 * is; an older one was told; one that leaves a gap (commits may overtake each other on their way here, other nodes
 * commit too) makes the hub read from the rows what it has missed. So a notice is a hint: the rows are the truth.
 *
 * A follower that begins is caught up from the rows first. What happens meanwhile waits with it, and what it has seen
 * by then is not sent again. So it waits with one of whom it is not known any more whether they may follow: a notice that
 * somebody was put out may come late, when they are in again.
 */
import type { Event } from '@parley/contract/event.ts'
import type { Reader } from '../store/tx.ts'
import type { Client } from './client.ts'
import { type Change, happeningsOf } from './protocols/sync/changes.ts'
import { changeEvent, LIVE } from './protocols/sync/events.ts'
import { type Followed, nameOf, typeOf } from './protocols/sync/followed.ts'
import { changesSince, type Since } from './protocols/sync/read.ts'

/** One client's following of one object. */
interface Follower {
  readonly client: Client
  /** The number of the last event it has seen; undefined while it is being caught up. */
  seen: number | undefined
  /** What has happened while it was being caught up, or asked about. */
  waiting: { readonly number: number; readonly frame: Uint8Array }[] | undefined
  /** Since it was last asked whether it may, they may have been put out. */
  isDoubted: boolean
}

interface Place {
  readonly followed: Followed
  readonly serviceSid: string
  readonly followers: Map<Client, Follower>
  /** The number of the last event told here; undefined before the first follower is caught up. */
  told: number | undefined
  /** The highest number heard of since the last reading began; infinite where notices may have been lost. */
  heard: number
  isReading: boolean
  /** Until it is read again what could not be. */
  waitingToRead: NodeJS.Timeout | undefined
  isGone: boolean
  /** What was read last for somebody who had missed something, for a while. */
  missed: Since | undefined
}

export interface Wish {
  readonly after: number | null
  /** Throws where the client may not. Asked again where they may have been put out meanwhile. */
  readonly admit: () => Promise<void>
  /** Is told what was missed, before anything that happens later is sent. */
  readonly tell: (since: Since) => void
}

export interface HubOptions {
  readonly reader: Reader
  /** Encodes a notification once for everybody who gets it. A payload that is a text is JSON already. */
  readonly encode: (messageType: string, payload: object | string) => Uint8Array
  readonly onFault: (fault: unknown) => void
  /** Tells other nodes that something has come to a number. */
  readonly tellOthers?: ((name: string, number: number) => void) | undefined
}

/** For how long what one has missed is kept for others who have missed the same, in milliseconds. */
const MISSED_KEPT_MS = 5_000

/** How soon what could not be read is read again, in milliseconds: there may be no other notice of it. */
const READ_AGAIN_MS = 1_000

export type MayFollow = (client: Client, followed: Followed) => Promise<boolean>

/** In a hint: the whole object is gone. */
export const GONE = Number.MAX_SAFE_INTEGER

export interface Hub {
  /**
   * Follows an object after an event; `null` begins with what happens from now on.
   * @returns whether there is such an object
   * @throws what `admit` throws
   */
  follow(client: Client, followed: Followed, wish: Wish): Promise<boolean>
  unfollow(client: Client, followed: Followed): void
  /** Forgets whatever a client follows. */
  forget(client: Client): void
  /** What was committed in this process. */
  hear(events: readonly Event[]): void
  /** What may have been committed in this process: every node looks into the rows. */
  doubt(events: readonly Event[]): void
  /** That an object has come to a number, somewhere else. */
  hint(name: string, number: number): void
  /** Notices may have been lost: what has happened meanwhile is read, and who may not follow any more is dropped. */
  catchUp(mayFollow: MayFollow): Promise<void>
  /** A user has left a channel: none of their clients hears anything of it any more that it may not. */
  turnOut(userSid: string, channelSid: string, mayFollow: MayFollow): void
  /** Sends to whoever follows a channel's roster, but for one identity. */
  sendToMembers(channelSid: string, frame: Uint8Array, exceptIdentity: string): void
  /** How many followings there are, for metrics. */
  readonly size: number
}

export const openHub = ({ reader, encode, onFault, tellOthers }: HubOptions): Hub => {
  const places = new Map<string, Place>()
  const ofClient = new Map<Client, Set<Place>>()

  const placeOf = (followed: Followed, serviceSid: string): Place => {
    const name = nameOf(followed)
    let place = places.get(name)
    if (!place) {
      place = {
        followed,
        serviceSid,
        followers: new Map(),
        told: undefined,
        heard: 0,
        isReading: false,
        waitingToRead: undefined,
        isGone: false,
        missed: undefined,
      }
      places.set(name, place)
    }
    return place
  }

  const drop = (client: Client, place: Place): void => {
    place.followers.delete(client)
    if (place.followers.size === 0) places.delete(nameOf(place.followed))
    const those = ofClient.get(client)
    those?.delete(place)
    if (those?.size === 0) ofClient.delete(client)
  }

  const send = (place: Place, change: Change): void => {
    const payload = changeEvent(place.serviceSid, place.followed, change)
    const frame = encode(LIVE[typeOf(place.followed)], payload)
    for (const follower of place.followers.values()) {
      if (follower.waiting) follower.waiting.push({ number: change.number, frame })
      else pass(follower, change.number, frame)
    }
  }

  const pass = (follower: Follower, number: number, frame: Uint8Array): void => {
    if (number <= (follower.seen ?? 0)) return
    follower.seen = number
    follower.client.send(frame)
  }

  const passWhatWaits = (follower: Follower): void => {
    for (const { number, frame } of follower.waiting ?? []) pass(follower, number, frame)
    follower.waiting = undefined
  }

  /** Reads what this process has missed, and goes on for as long as there is more. */
  const readOn = (place: Place): void => {
    if (place.isReading || place.told === undefined || place.followers.size === 0) return
    readMissed(place).catch((fault) => {
      onFault(fault)
      const again = (): void => {
        place.waitingToRead = undefined
        readOn(place)
      }
      place.waitingToRead ??= setTimeout(again, READ_AGAIN_MS).unref()
    })
  }

  const readMissed = async (place: Place): Promise<void> => {
    place.isReading = true
    try {
      for (;;) {
        const { told = 0 } = place
        // What was heard of by now is among what is read, or is not to be read: it was undone, or is gone.
        place.heard = told
        const since = await changesSince(reader, place.followed, told)
        if (!since) return
        for (const change of since.changes) if (change.number > (place.told ?? 0)) tellOf(place, change)
        place.told = Math.max(place.told ?? 0, since.number)
        if (since.isAll && place.heard <= place.told) return
      }
    } finally {
      // In the same turn as the last look at what was heard: what is heard from here on reads again.
      place.isReading = false
    }
  }

  const tellOf = (place: Place, change: Change): void => {
    place.told = change.number
    send(place, change)
  }

  const happen = (place: Place, number: number, makeChange: () => Change | undefined): void => {
    place.heard = Math.max(place.heard, number)
    // Before anybody is caught up there is nobody to tell; whether this is missing then is seen afterwards.
    if (place.told === undefined || number <= place.told) return
    const change = !place.isReading && number === place.told + 1 ? makeChange() : undefined
    if (change) tellOf(place, change)
    else readOn(place)
  }

  const end = (place: Place, change: Change): void => {
    place.isGone = true
    let last = place.told ?? 0
    // Who came last may have seen more than was told.
    for (const { seen = 0 } of place.followers.values()) last = Math.max(last, seen)
    send(place, { ...change, number: last + 1 })
    for (const client of [...place.followers.keys()]) drop(client, place)
  }

  /** A crowd that comes back has missed the same: it is read, and written, once. */
  const missedSince = async (place: Place, after: number): Promise<Since | undefined> => {
    const since = await changesSince(reader, place.followed, after, place.missed)
    if (since?.changes.length && since !== place.missed) {
      place.missed = since
      const forget = (): void => {
        if (place.missed === since) place.missed = undefined
      }
      setTimeout(forget, MISSED_KEPT_MS).unref()
    }
    return since
  }

  const catchUpFollower = async (
    follower: Follower,
    place: Place,
    { after, admit, tell }: Wish,
  ): Promise<boolean> => {
    let since: Since | undefined
    do {
      follower.isDoubted = false
      await admit()
      since = await missedSince(place, after ?? Number.MAX_SAFE_INTEGER)
      if (place.isGone) return false
      // Cancelled or disconnected meanwhile.
      if (place.followers.get(follower.client) !== follower) return true
      if (!since) return false
    } while (follower.isDoubted)
    tell(since)
    if (!since.isAll) {
      drop(follower.client, place)
      return true
    }
    follower.seen = since.number
    place.told ??= since.number
    passWhatWaits(follower)
    place.heard = Math.max(place.heard, since.number)
    if (place.heard > place.told) readOn(place)
    return true
  }

  const askAbout = async (follower: Follower, place: Place, mayFollow: MayFollow): Promise<void> => {
    const { client } = follower
    while (follower.isDoubted) {
      follower.isDoubted = false
      const may = await mayFollow(client, place.followed)
      if (place.followers.get(client) !== follower) return
      if (!may) {
        drop(client, place)
        return
      }
    }
    passWhatWaits(follower)
  }

  return {
    follow: async (client, followed, wish) => {
      // Nobody would forget what it follows.
      if (client.isGone) return true
      const place = placeOf(followed, client.serviceSid)
      const follower: Follower = { client, seen: undefined, waiting: [], isDoubted: false }
      place.followers.set(client, follower)
      const those = ofClient.get(client) ?? new Set()
      ofClient.set(client, those.add(place))
      const isWanted = () => place.followers.get(client) === follower
      let exists = false
      try {
        exists = await catchUpFollower(follower, place, wish)
      } catch (fault) {
        // Nobody waits for the answer, and who follows it anew would take it for theirs.
        if (!isWanted()) return true
        throw fault
      } finally {
        if (!exists && isWanted()) drop(client, place)
      }
      return exists
    },
    unfollow: (client, followed) => {
      const place = places.get(nameOf(followed))
      if (place) drop(client, place)
    },
    forget: (client) => {
      for (const place of ofClient.get(client) ?? []) drop(client, place)
    },
    hear: (events) => {
      for (const event of events)
        for (const { followed, number, change } of happeningsOf(event)) {
          const name = nameOf(followed)
          const place = places.get(name)
          if (place && number === GONE) end(place, change() as Change)
          else if (place) happen(place, number, change)
          // The hint comes round to this process, too: by now it says nothing new.
          tellOthers?.(name, number)
        }
    },
    doubt: (events) => {
      // That something is gone is told when it is sure.
      for (const event of events)
        for (const { followed, number } of happeningsOf(event))
          if (number !== GONE) tellOthers?.(nameOf(followed), number)
    },
    hint: (name, number) => {
      const place = places.get(name)
      if (!place) return
      if (number === GONE) end(place, { number, what: 'gone', at: reader.now() })
      else happen(place, number, () => undefined)
    },
    catchUp: async (mayFollow) => {
      for (const place of [...places.values()]) {
        for (const [client, follower] of [...place.followers]) {
          const may = await mayFollow(client, place.followed)
          // Who has come back meanwhile was asked about anew.
          if (!may && place.followers.get(client) === follower) drop(client, place)
        }
        place.heard = Number.POSITIVE_INFINITY
        readOn(place)
      }
    },
    turnOut: (userSid, channelSid, mayFollow) => {
      for (const kind of ['document', 'messages', 'roster'] as const) {
        const place = places.get(nameOf({ kind, ownerSid: channelSid }))
        for (const follower of place?.followers.values() ?? []) {
          if (follower.client.userSid !== userSid) continue
          follower.isDoubted = true
          // Where it is asked about already, it is asked once more.
          if (follower.waiting) continue
          follower.waiting = []
          void askAbout(follower, place as Place, mayFollow).catch(onFault)
        }
      }
    },
    sendToMembers: (channelSid, frame, exceptIdentity) => {
      const place = places.get(nameOf({ kind: 'roster', ownerSid: channelSid }))
      for (const { client, waiting } of place?.followers.values() ?? [])
        if (client.identity !== exceptIdentity && !waiting) client.send(frame)
    },
    get size() {
      let size = 0
      for (const { followers } of places.values()) size += followers.size
      return size
    },
  }
}
