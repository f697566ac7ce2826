/** A moment as answers show it inside JSON, to the millisecond: routing is a matter of less than a second. */
export const iso = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : new Date(ms).toISOString()
