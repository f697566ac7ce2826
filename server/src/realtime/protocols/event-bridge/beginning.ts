/**
 * What an SDK was given to begin with, as the node that has its socket hears of it: a proxy may bring the socket to one
 * node and what it asks to another.
 */
import type { Served } from './requests.ts'
import { type Given, givenOf } from './stream.ts'

/** How many reservations go over the bus in one notice: it takes some 7,900 bytes, and each has fewer than 200. */
const IN_A_NOTICE = 30

export type Beginning =
  | { readonly kind: 'worker'; readonly version: number }
  | { readonly kind: 'reservations'; readonly given: readonly Given[]; readonly isLast: boolean }

export const beginningOf = (served: Served): Beginning =>
  served.kind === 'worker'
    ? served
    : { kind: 'reservations', given: served.offers.map(givenOf), isLast: served.isLast }

/** In pieces that the bus takes. */
export const inNotices = (beginning: Beginning): Beginning[] => {
  if (beginning.kind === 'worker') return [beginning]
  const pieces = Math.max(1, Math.ceil(beginning.given.length / IN_A_NOTICE))
  return Array.from({ length: pieces }, (_, piece) => ({
    kind: beginning.kind,
    given: beginning.given.slice(piece * IN_A_NOTICE, (piece + 1) * IN_A_NOTICE),
    isLast: beginning.isLast && piece === pieces - 1,
  }))
}
