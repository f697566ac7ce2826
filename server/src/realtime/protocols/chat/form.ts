/** JSON bodies as the forms of REST: the names are the same, spelled otherwise. */

/**
 * Picks members of a body by the names of a form: `friendly_name` is `FriendlyName`. What is not named is passed over,
 * and what is null counts as not given.
 */
export const formOf = (
  body: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> => {
  const form: Record<string, unknown> = {}
  for (const name of names) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined
    if (value !== undefined && value !== null) form[inForm(name)] = written(value)
  }
  return form
}

const inForm = (name: string): string =>
  name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/**
 * A value as a form has it. Attributes are JSON in a text, and some clients write them as they are; what is half a
 * character in JSON cannot be kept.
 */
export const written = (value: unknown): unknown => {
  if (typeof value === 'string') return value.toWellFormed()
  return typeof value === 'object' ? JSON.stringify(value).toWellFormed() : value
}
