/**
 * What an assignment callback answered: an instruction, or why there is none that can be followed. Pure.
 *
 * The answer is JSON with its `Content-Type`: `{"instruction":"accept"}`, or
 * `{"instruction":"reject","activity_sid":"WA…"}`, whose activity may be left out. An empty answer decides nothing.
 */
import { isSid } from '@parley/contract/field.ts'
import type { Outcome } from './call.ts'
import { outcomeName } from './ledger.ts'

export interface Instruction {
  /** `none`: a request or the worker decides. */
  readonly instruction: 'accept' | 'reject' | 'none'
  /** Where the worker goes whose reservation is rejected. */
  readonly activitySid?: string
}

export interface Fault {
  /** As the ledger names the outcome. */
  readonly name: string
  /** A sentence for whoever reads the ledger, with Twilio's code where it has one. */
  readonly reason: string
  /** Whether the fallback is asked: the answer is no decision, rather than one that cannot be followed. */
  readonly askElsewhere: boolean
}

/** Instructions that are about calls. */
const OF_VOICE: readonly unknown[] = ['dequeue', 'call', 'redirect', 'conference', 'supervise']

/** How much of an answer is repeated in a sentence, in characters. */
const QUOTE_LENGTH_MAX = 100

const fault = (name: string, reason: string, askElsewhere = true): { fault: Fault } => ({
  fault: { name, reason, askElsewhere },
})

export const readInstruction = (outcome: Outcome): Instruction | { readonly fault: Fault } => {
  if (outcome.kind !== 'answered') return fault(outcome.kind, outcome.detail)
  const { status, headers, body } = outcome
  if (status < 200 || status > 299) return fault(outcomeName(outcome), `It answered ${status}.`)
  if (body.trim() === '') return { instruction: 'none' }
  if (!/^application\/json\b/i.test(headers['content-type'] ?? ''))
    return fault('no-json', 'Error 40000: the answer has no Content-Type of application/json.')
  const answer = parsed(body)
  if (answer === undefined) return fault('no-json', 'Error 40001: the answer is no JSON object.')
  const { instruction, activity_sid: activitySid } = answer
  if (instruction === undefined) return fault('no-instruction', 'Error 40005: the answer has no instruction.')
  const quoted = JSON.stringify(instruction).slice(0, QUOTE_LENGTH_MAX)
  if (OF_VOICE.includes(instruction))
    return fault(
      'voice-instruction',
      `Error 40151: the instruction ${quoted} is about calls, which are not served. The reservation stays pending.`,
      false,
    )
  if (instruction !== 'accept' && instruction !== 'reject')
    return fault('unknown-instruction', `Error 40151: ${quoted} is no instruction.`)
  if (activitySid === undefined || activitySid === null || activitySid === '') return { instruction }
  if (typeof activitySid !== 'string' || !isSid('WA', activitySid))
    return fault('not-carried-out', 'The activity_sid of the answer is not the SID of an activity.')
  return { instruction, activitySid }
}

const parsed = (body: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
