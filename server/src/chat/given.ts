/** Only what was given: an update sets the columns that were asked for, and leaves the others alone. */
export const given = <T extends object>(it: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(it).filter(([, value]) => value !== undefined)) as never

export const isNothing = (it: object): boolean => Object.keys(it).length === 0
