/**
 * `Attributes.Merge`: what a JSON merge patch (RFC 7396) makes of a task's or a worker's attributes. Whoever calls has
 * locked the row, so that of two who change different keys at once neither undoes the other, and nobody tries again.
 */
import { problem } from '@parley/contract/problem.ts'
import { ATTRIBUTES_BYTES_MAX } from '@parley/contract/taskrouter/worker.ts'
import { isRecord } from './is-record.ts'

declare global {
  /** What the language has and the compiler's library does not know yet: numbers as they are written. */
  interface JSON {
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown
    rawJSON(text: string): object
    isRawJSON(it: unknown): boolean
  }
}

interface Asked {
  /** JSON, in the place of what is there. */
  readonly attributes?: string | undefined
  /** JSON, merged into what is there: a key of its own replaces, `null` takes away, objects are merged in turn. */
  readonly attributesMerge?: string | undefined
}

/**
 * The attributes that a row is to have.
 * @param before the row's, as JSON, read under its lock
 * @throws 400 where both are asked for, or where what is merged is too long
 */
export const attributesAsked = (before: string, { attributes, attributesMerge }: Asked): string => {
  if (attributesMerge === undefined) return attributes ?? before
  if (attributes !== undefined) throw wrong('it cannot be given with Attributes')
  const now = read(before)
  const merged = JSON.stringify(merge(now, read(attributesMerge)))
  // What is the same stays as it was written, to the letter.
  if (merged === JSON.stringify(now)) return before
  if (Buffer.byteLength(merged) > ATTRIBUTES_BYTES_MAX)
    throw wrong(`the attributes would be longer than ${ATTRIBUTES_BYTES_MAX} bytes`)
  return merged
}

const wrong = (reason: string) => problem('invalid_parameter', { parameter: 'Attributes.Merge', reason })

/** Numbers stay as they are written: a double would round what has more digits than it holds. */
const read = (json: string): unknown =>
  JSON.parse(json, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? JSON.rawJSON(source)
      : value,
  )

const isObject = (it: unknown): it is Record<string, unknown> => isRecord(it) && !JSON.isRawJSON(it)

/** Made of entries, so that a key called `__proto__` is a key. */
const merge = (into: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch
  const merged = new Map(isObject(into) ? Object.entries(into) : [])
  for (const [key, value] of Object.entries(patch))
    if (value === null) merged.delete(key)
    else merged.set(key, merge(merged.get(key), value))
  return Object.fromEntries(merged)
}
