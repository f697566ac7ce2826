/**
 * The kinds of field a resource is made of. One field serves both ways: it reads a form's text into a value
 * (Zod, with Twilio's own error for what does not fit) and shows a stored column as JSON. Forms arrive as text,
 * so every reader starts from a string; columns are text and whole numbers only, so every shower starts from one.
 */
import { z } from 'zod'
import type { ProblemName } from './problem.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** How a stored column becomes JSON. */
export type Show = 'as-is' | 'instant' | 'flag' | 'json' | 'own-address'

export interface Field<Asked = unknown, Stored = unknown, Needed extends boolean = boolean> {
  readonly reads: z.ZodType<Asked>
  readonly shows: Show
  readonly schema: JsonSchema
  /** May be given several times in a form. */
  readonly many: boolean
  readonly needed: Needed
  /** The problem that answers a missing value. */
  readonly missing: ProblemName
  /** Only for the types: what a row holds. */
  readonly stored?: Stored
}

/** The fields of a form, by their names on the wire (`FriendlyName`, `Integration.FlowSid`). */
export type Form = Readonly<Record<string, Field>>

/** The fields of an answer, by their names on the wire, which are the names of the columns as well. */
export type Answer = Readonly<Record<string, Field>>

type Joined<S extends string> = S extends `${infer A}.${infer B}` ? `${A}${Joined<Capitalize<B>>}` : S

/** `Integration.FlowSid` is `integrationFlowSid` in code. */
export type InCode<S extends string> = Uncapitalize<Joined<S>>

/** What a verb is handed for a form. */
export type Asked<F extends Form> = {
  readonly [K in keyof F & string as F[K] extends Field<unknown, unknown, true>
    ? InCode<K>
    : never]: F[K] extends Field<infer A, unknown> ? A : never
} & {
  readonly [K in keyof F & string as F[K] extends Field<unknown, unknown, true>
    ? never
    : InCode<K>]?: F[K] extends Field<infer A, unknown> ? A | undefined : never
}

/** What a row holds for an answer. `url` and `links` are derived, never stored. */
export type Row<A extends Answer> = {
  [K in keyof A as K extends 'url' | 'links' ? never : K]: A[K] extends
    | Field<never, infer S>
    | Field<infer _, infer S>
    ? S
    : never
}

const field = <A, S = A>(reads: z.ZodType<A>, shows: Show, schema: JsonSchema): Field<A, S, false> => ({
  reads,
  shows,
  schema,
  many: false,
  needed: false,
  missing: 'missing_parameter',
})

/** PostgreSQL keeps no NUL in text, so nobody may send one. */
const plain = z.string().refine((it) => !it.includes('\0'), 'it must not contain a NUL character')

interface TextLimits {
  /** Characters. */
  max?: number
  /** Bytes in UTF-8. */
  maxBytes?: number
  tooLong?: ProblemName
  /** What answers an empty text; without it an empty text is a text. */
  empty?: ProblemName
}

const bytesOf = (text: string) =>
  text.length * 3 < 1024 ? text.length : new TextEncoder().encode(text).length

export const text = ({
  max = 65_536,
  maxBytes,
  tooLong,
  empty,
}: TextLimits = {}): Field<string, string, false> => {
  let reads: z.ZodType<string> = plain
  if (empty) reads = reads.refine((it) => it.length > 0, { message: empty })
  reads = reads.refine((it) => it.length <= max, {
    message: tooLong ?? `it is longer than ${max} characters`,
    params: { max },
  })
  if (maxBytes !== undefined)
    reads = reads.refine((it) => bytesOf(it) <= maxBytes, {
      message: tooLong ?? `it is longer than ${maxBytes} bytes`,
      params: { max: maxBytes },
    })
  return field(reads, 'as-is', { type: 'string' })
}

/** A SID: its two letters and 32 hexadecimal digits. */
export const sid = (prefix: string, wrong: ProblemName = 'invalid_sid'): Field<string, string, false> =>
  field(
    z.string().refine((it) => isSid(prefix, it), { message: wrong, params: { prefix } }),
    'as-is',
    { type: 'string', pattern: `^${prefix}[0-9a-fA-F]{32}$`, minLength: 34, maxLength: 34 },
  )

/** Of a form: a SID, or an empty text, which takes away what was there. */
export const sidOrNone = (prefix: string): Field<string, string, false> =>
  field(
    z.string().refine((it) => it === '' || isSid(prefix, it), { message: 'invalid_sid', params: { prefix } }),
    'as-is',
    { type: 'string', pattern: `^(${prefix}[0-9a-fA-F]{32})?$` },
  )

const HEX_32 = /^[0-9a-fA-F]{32}$/

export const isSid = (prefix: string, it: string): boolean =>
  it.startsWith(prefix) && HEX_32.test(it.slice(2))

interface WholeLimits {
  min?: number
  max?: number
  wrong?: ProblemName
}

export const whole = ({
  min = -2_147_483_648,
  max = 2_147_483_647,
  wrong,
}: WholeLimits = {}): Field<number, number, false> => {
  const message = wrong ?? `it must be a whole number from ${min} to ${max}`
  return field(
    z
      .string()
      .regex(/^[+-]?\d{1,15}$/, { message })
      .transform(Number)
      .refine((it) => it >= min && it <= max, {
        message,
        params: { min, max },
      }) as unknown as z.ZodType<number>,
    'as-is',
    { type: 'integer' },
  )
}

export const flag = (): Field<boolean, number, false> =>
  field(
    z
      .string()
      .regex(/^(true|false)$/i, { message: 'it must be true or false' })
      .transform((it) => it.toLowerCase() === 'true') as unknown as z.ZodType<boolean>,
    'flag',
    { type: 'boolean' },
  )

const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/** A moment: ISO 8601 on the wire, whole milliseconds since 1970 in code and in the store. */
export const instant = (wrong?: ProblemName): Field<number, number, false> =>
  field(
    z
      .string()
      .refine((it) => ISO_8601.test(it) && !Number.isNaN(readInstant(it)), {
        message: wrong ?? 'it must be a moment in ISO 8601, like 2026-06-01T12:00:00Z',
      })
      .transform(readInstant) as unknown as z.ZodType<number>,
    'instant',
    { type: 'string', format: 'date-time' },
  )

/** A moment without a zone is UTC, as everything on this wire is. */
const readInstant = (it: string): number =>
  Date.parse(/T/.test(it) && !/(Z|[+-]\d{2}:?\d{2})$/.test(it) ? `${it}Z` : it)

export const choice = <const C extends readonly [string, ...string[]]>(
  options: C,
  wrong?: ProblemName,
): Field<C[number], C[number], false> =>
  field(oneOf(options, wrong), 'as-is', { type: 'string', enum: options })

/** A choice that may be written in capitals: its options are in small letters. */
export const word = <const C extends readonly [string, ...string[]]>(
  options: C,
): Field<C[number], C[number], false> =>
  field(z.string().toLowerCase().pipe(oneOf(options)) as unknown as z.ZodType<C[number]>, 'as-is', {
    type: 'string',
    enum: options,
  })

const oneOf = <const C extends readonly [string, ...string[]]>(options: C, wrong?: ProblemName) =>
  z.enum(options, { error: wrong ?? `it must be one of ${options.join(', ')}` })

/** An http or https address. An empty text clears it. */
export const address = ({
  wrong,
  max = 2048,
}: {
  wrong?: ProblemName
  max?: number
} = {}): Field<string, string, false> =>
  field(
    plain.refine((it) => it === '' || (it.length <= max && isWebAddress(it)), {
      message: wrong ?? 'it must be an http or https URL',
    }),
    'as-is',
    { type: 'string', format: 'uri' },
  )

/** The address of something of ours: stored from its path on, shown with our own address before it. */
export const ownAddress = (): Field<string, string, false> =>
  field(plain, 'own-address', { type: 'string', format: 'uri' })

export const isWebAddress = (it: string): boolean => /^https?:\/\/[^\s]+$/i.test(it) && URL.canParse(it)

interface JsonLimits {
  maxBytes?: number
  tooLong?: ProblemName
  wrong?: ProblemName
  /** Only an object will do. */
  object?: boolean
}

/** Deeper than any honest document, shallower than what exhausts a stack when it is written again. */
const JSON_DEPTH_MAX = 512

const isDeep = (json: string): boolean => {
  let depth = 0
  let quoted = false
  for (let at = 0; at < json.length; at += 1) {
    const it = json[at]
    if (quoted) {
      if (it === '\\') at += 1
      else if (it === '"') quoted = false
    } else if (it === '"') quoted = true
    else if (it === '{' || it === '[') {
      depth += 1
      if (depth > JSON_DEPTH_MAX) return true
    } else if (it === '}' || it === ']') depth -= 1
  }
  return false
}

const isJson = (it: string, object: boolean): boolean => {
  try {
    const value: unknown = JSON.parse(it)
    return !object || (typeof value === 'object' && value !== null && !Array.isArray(value))
  } catch {
    return false
  }
}

const json = (
  shows: Show,
  schema: JsonSchema,
  { maxBytes = 1_000_000, tooLong, wrong, object }: JsonLimits,
) =>
  field<string, string>(
    plain
      .refine((it) => bytesOf(it) <= maxBytes, {
        message: tooLong ?? `it is longer than ${maxBytes} bytes`,
        params: { max: maxBytes },
        abort: true,
      })
      .refine((it) => !isDeep(it), {
        message: wrong ?? `it must not be nested deeper than ${JSON_DEPTH_MAX} levels`,
        abort: true,
      })
      .refine((it) => isJson(it, object ?? false), {
        message: wrong ?? (object ? 'it must be a JSON object' : 'it must be JSON'),
      }),
    shows,
    schema,
  )

/** JSON that stays text on the wire, as `attributes` does: kept to the letter. */
export const jsonText = (limits: JsonLimits = {}): Field<string, string, false> =>
  json('as-is', { type: 'string' }, limits)

/** JSON that answers as JSON (`integration`, `configuration`), stored as text. */
export const jsonObject = (limits: JsonLimits = {}): Field<string, string, false> =>
  json('json', {}, { object: true, ...limits })

/** A parameter that may be repeated; stored as a JSON array. */
export const many = <A>(
  of: Field<A, unknown>,
  { max = 1000 }: { max?: number } = {},
): Field<readonly A[], string, false> => ({
  ...field<readonly A[], string>(
    z.array(of.reads).max(max, { error: `it may be given ${max} times at the most` }) as unknown as z.ZodType<
      readonly A[]
    >,
    'json',
    { type: 'array', items: of.schema },
  ),
  many: true,
})

export const required = <A, S>(
  it: Field<A, S>,
  missing: ProblemName = 'missing_parameter',
): Field<A, S, true> => ({
  ...it,
  needed: true,
  missing,
})

/** In an answer: the column may be null, and the key is kept. */
export const orNull = <A, S>(it: Field<A, S>): Field<A, S | null, false> => ({
  ...it,
  needed: false,
  schema: { ...it.schema, nullable: true },
})
