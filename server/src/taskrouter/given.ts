/** What a form gave, as columns take it. */

/** `true`, `1` and `yes` are true in TaskRouter's text parameters; anything else is false. */
export const isYes = (it: string): boolean => /^(true|1|yes)$/i.test(it.trim())

/** An empty address clears what is there. */
export const orCleared = (it: string | undefined): string | null => (it ? it : null)

/** The columns of `changes` that were given. */
export const given = <T extends object>(changes: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(changes).filter(([, it]) => it !== undefined)) as never
