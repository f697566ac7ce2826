/** What does not hold, by the name of what should have. */
export type Invariant =
  | 'agreement'
  | 'attendance'
  | 'capacity'
  | 'idle'
  | 'jobs'
  | 'legal moves'
  | 'max reserved'
  | 'order'
  | 'place'
  | 'skip'
  | 'timeouts'
  | 'transfers'

export class Broken extends Error {
  readonly invariant: Invariant
  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what}`)
    this.invariant = invariant
  }
}
