/** What the parts of a client share. */
import type { Channel } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Emitter } from './emitter.ts'
import type { ChatEvents } from './events.ts'
import type { Room } from './room.ts'
import type { Sync } from './sync.ts'
import type { Users } from './users.ts'

/** Where things are; the server says so at the start. */
export interface Links {
  readonly my_conversations: string
  readonly conversations: string
  readonly users: string
  readonly typing: string
  readonly media_service: string
}

export interface Core {
  readonly connection: Connection
  readonly sync: Sync
  readonly events: Emitter<ChatEvents>
  readonly rooms: ReadonlyMap<string, Room>
  readonly users: Users
  readonly identity: string
  readonly links: Links
  /** Channel → until when, in milliseconds since 1970, the server knows that this user writes there. */
  readonly typingSaid: Map<string, number>
  /** Waits until this user is in a channel, or is in it no more. */
  untilIn(channelSid: string, isIn: true): Promise<Channel>
  untilIn(channelSid: string, isIn: false): Promise<undefined>
}

/** Attributes are JSON in a text, but for those of a channel's document. */
export const readAttributes = (given: unknown): unknown => {
  if (typeof given !== 'string') return given ?? {}
  try {
    return JSON.parse(given)
  } catch {
    return {}
  }
}

/** Undefined stays away; attributes are written as JSON. */
export const writeChange = (change: object): Record<string, unknown> => {
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(change)) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    if (value !== undefined) body[snake] = name === 'attributes' ? JSON.stringify(value) : value
  }
  return body
}

export const dateOf = (iso: string | null | undefined): Date | null => (iso ? new Date(iso) : null)

export const sameData = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
