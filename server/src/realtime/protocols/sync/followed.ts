/**
 * What a client can follow, as Sync objects: documents, lists and maps with a SID and a unique name. None is kept: each
 * is a projection of a channel's or a user's rows, and its SID is made of theirs, so that a client that comes back
 * finds it again, wherever and whenever.
 */
import { isSid } from '@parley/contract/field.ts'
import { FOLLOWED } from '../../../chat/index.ts'

/** `places` are the channels a user is in or invited to; `info` is their name, attributes and presence. */
export type Kind = keyof typeof FOLLOWED

export type ObjectType = 'document' | 'list' | 'map'

export interface Followed {
  readonly kind: Kind
  /** The channel or the user that it is of. */
  readonly ownerSid: string
}

interface Shape {
  readonly type: ObjectType
  readonly prefix: 'ET' | 'ES' | 'MP'
  readonly owner: 'CH' | 'US'
  /**
   * Added to the first hexadecimal digit, so that the three kinds of map never share a SID. Our SIDs begin with the
   * time, whose first digit is 0 for some centuries.
   */
  readonly mark: number
}

const SHAPES: Readonly<Record<Kind, Shape>> = {
  document: { type: 'document', prefix: 'ET', owner: 'CH', mark: 0 },
  messages: { type: 'list', prefix: 'ES', owner: 'CH', mark: 0 },
  roster: { type: 'map', prefix: 'MP', owner: 'CH', mark: 0 },
  places: { type: 'map', prefix: 'MP', owner: 'US', mark: 4 },
  info: { type: 'map', prefix: 'MP', owner: 'US', mark: 8 },
}

const MARK_MOST = 4

const KINDS = Object.keys(SHAPES) as Kind[]

export const typeOf = ({ kind }: Followed): ObjectType => SHAPES[kind].type

/** `CH….messages`: the name it has everywhere in the house. */
export const nameOf = ({ kind, ownerSid }: Followed): string => FOLLOWED[kind](ownerSid)

export const sidOf = ({ kind, ownerSid }: Followed): string => {
  const { prefix, mark } = SHAPES[kind]
  const digit = Number.parseInt(ownerSid[2] as string, 16) + mark
  return prefix + digit.toString(16) + ownerSid.slice(3)
}

/** The other way round, by SID or unique name; nothing for what is neither. */
export const followedBy = (sidOrName: string): Followed | undefined =>
  sidOrName.includes('.') ? byName(sidOrName) : bySid(sidOrName)

const byName = (name: string): Followed | undefined => {
  const ownerSid = name.slice(0, name.indexOf('.'))
  const kind = KINDS.find((it) => FOLLOWED[it](ownerSid) === name)
  return kind && isSid(SHAPES[kind].owner, ownerSid) ? { kind, ownerSid } : undefined
}

const bySid = (sid: string): Followed | undefined => {
  const digit = Number.parseInt(sid[2] ?? '', 16)
  const kind = KINDS.find(
    (it) => isSid(SHAPES[it].prefix, sid) && digit >= SHAPES[it].mark && digit - SHAPES[it].mark < MARK_MOST,
  )
  if (!kind) return undefined
  const { owner, mark } = SHAPES[kind]
  return { kind, ownerSid: owner + (digit - mark).toString(16) + sid.slice(3) }
}
