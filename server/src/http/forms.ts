/** From the text of a request to what a verb is handed: strict about how it is written, deaf to what is unknown. */
import { parse } from 'node:querystring'
import type { Form } from '@parley/contract/field.ts'
import { isProblemName, type Problem, problem } from '@parley/contract/problem.ts'
import { inCode } from '@parley/contract/resource.ts'

export const FORM = 'application/x-www-form-urlencoded'
export const JSON_TYPE = 'application/json'

export type Sent = Readonly<Record<string, unknown>>

/** More parameters than this are no form of anybody's. */
const PARAMETERS_MAX = 2_000

/**
 * Reads `application/x-www-form-urlencoded` text. What it makes has no prototype, so that no name is special.
 * @throws 400 / 20001 for broken percent-encoding, and for more than 2,000 parameters
 */
export const readUrlEncoded = (text: string): Sent => {
  if (text.includes('%')) {
    try {
      decodeURIComponent(text)
    } catch {
      throw problem('malformed_request', { reason: 'its percent-encoding is broken' })
    }
  }
  // The parser would leave out what is too much without a word.
  if (text.split('&', PARAMETERS_MAX + 1).length > PARAMETERS_MAX)
    throw problem('malformed_request', { reason: `it has more than ${PARAMETERS_MAX} parameters` })
  return parse(text, '&', '=', { maxKeys: 0 })
}

type Reader = (sent: Sent) => Record<string, unknown>

/** Compiles a form into a function that reads it. What is not declared is passed over, as Twilio does. */
export const formReader = (form: Form | undefined): Reader => {
  const fields = Object.entries(form ?? {}).map(([wire, field]) => ({ wire, code: inCode(wire), field }))
  return (sent) => {
    const input: Record<string, unknown> = {}
    for (const { wire, code, field } of fields) {
      const raw = Object.hasOwn(sent, wire) ? sent[wire] : undefined
      if (raw === undefined || raw === null) {
        if (field.needed) throw problem(field.missing, { parameter: wire })
        continue
      }
      const result = field.reads.safeParse(field.many ? asMany(raw) : asOne(raw))
      if (!result.success) throw refusal(wire, raw, result.error.issues[0])
      input[code] = result.data
    }
    return input
  }
}

const asMany = (raw: unknown): unknown[] => (Array.isArray(raw) ? raw : [raw])

/** Of a parameter that is repeated where one is wanted, the last one counts. */
export const lastOf = (raw: unknown): unknown => (Array.isArray(raw) ? raw.at(-1) : raw)

const asOne = (raw: unknown): unknown => {
  const one = lastOf(raw)
  return typeof one === 'number' || typeof one === 'boolean' ? String(one) : one
}

interface Issue {
  readonly message: string
  readonly params?: Record<string, unknown> | undefined
}

/** Text as it came; of JSON, how it is written: the members of an object may shadow `toString`. */
const written = (raw: unknown): string => (typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? ''))

/** How much of a wrong value is said back. */
const SAID_BACK_MAX = 64

const refusal = (parameter: string, raw: unknown, issue: unknown): Problem => {
  const { message, params } = issue as Issue
  const details = {
    parameter,
    value: written(raw).slice(0, SAID_BACK_MAX),
    ...(params as object),
    reason: message,
  }
  return isProblemName(message) ? problem(message, details) : problem('invalid_parameter', details)
}
