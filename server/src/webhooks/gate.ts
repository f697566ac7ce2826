/**
 * Pre-event webhooks: before a client's action, a service that wants to be asked is asked. Its answer lets the action
 * go on, changes what is asked for, or refuses it. What an account's back end does through the API is never asked.
 *
 * Each question is in the ledger, with its attempts, before the action goes on.
 */
import { problem } from '@parley/contract/problem.ts'
import { inCode, type ResourceDeclaration, type Verb } from '@parley/contract/resource.ts'
import { findService } from '../chat/index.ts'
import type { Gate } from '../http/binding.ts'
import { reading } from '../store/query.ts'
import type { Store } from '../store/tx.ts'
import { type Attempt, attempt, type Means, writeAttempt } from './attempt.ts'
import type { Outcome } from './call.ts'
import { filtersOf, methodOf } from './hear.ts'
import { enter, newToken, outcomeName } from './ledger.ts'
import { isAsked, type Question, questionFor } from './questions.ts'
import { isRetriedByTwilio } from './retry.ts'
import type { Fields } from './spelling.ts'

/** Most services want to be asked nothing: every message of a client comes by here. */
const whoAsks = reading((db, at: { serviceSid: string }) =>
  db
    .selectFrom('services')
    .select('sid')
    .where('sid', '=', at.serviceSid)
    .where('pre_webhook_url', 'is not', null),
)

/**
 * The gate of REST requests.
 * @throws 403 / 50056 when the webhook refuses; 502 / 50057 when it fails; 504 / 50076 when it does not answer in time
 */
export const openGate =
  (means: Means, store: Store): Gate =>
  async (reader, resource, verb, call, rehearse) => {
    if (!call.token || !isAsked(resource, verb)) return call
    const { serviceSid = '' } = call.path as { serviceSid?: string }
    // Whoever has no business in the service is for the verb to refuse, not for its webhook to hear of.
    if ((call.token.grants.chat as { service_sid?: string } | undefined)?.service_sid !== serviceSid)
      return call
    if (!(await whoAsks.first(reader, { serviceSid }))) return call
    const service = await findService(reader, call.accountSid, serviceSid)
    if (!service?.pre_webhook_url) return call
    const question = await questionFor(reader, resource, verb, call)
    if (!question || !filtersOf(service.webhook_filters).includes(question.eventType)) return call
    // What roles forbid is not for the webhook to hear of either.
    await rehearse()
    const body = await ask(means, store, {
      ...question,
      accountSid: call.accountSid,
      serviceSid: service.sid,
      url: service.pre_webhook_url,
      method: methodOf(service.webhook_method),
      retryCount: service.pre_webhook_retry_count,
      fields: {
        EventType: question.eventType,
        InstanceSid: service.sid,
        AccountSid: call.accountSid,
        Source: 'SDK',
        ClientIdentity: call.token.identity,
        ...question.fields,
      },
    })
    return { ...call, input: { ...call.input, ...replaced(body, question, resource, verb) } }
  }

interface Asked extends Question {
  readonly accountSid: string
  readonly serviceSid: string
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly retryCount: number
  readonly fields: Fields
}

/** @returns the body of the answer that lets the action go on */
const ask = async (means: Means, store: Store, asked: Asked): Promise<string> => {
  const token = await store.transact('webhooks.ask', async (tx) => newToken(tx))
  const made: Attempt[] = []
  for (let number = 0; number <= asked.retryCount; number += 1) {
    made.push(await attempt(store.reader, { ...asked, token, number }, means))
    if (!isRetriedByTwilio((made[number] as Attempt).outcome)) break
  }
  const { outcome } = made.at(-1) as Attempt
  await store.transact('webhooks.asked', async (tx) => {
    const sid = await enter(
      tx,
      { ...asked, webhookSid: null, type: 'gate', rule: 'gate_filter' },
      { state: stateOf(outcome), token, attempts: made.length, outcome: outcomeName(outcome) },
    )
    for (const it of made) await writeAttempt(tx, sid, it)
  })
  if (outcome.kind === 'answered') {
    if (outcome.status === 200) return outcome.body
    throw problem('webhook_vetoed')
  }
  if (outcome.kind === 'timed-out') throw problem('webhook_timed_out')
  throw problem('webhook_failed', { reason: outcome.detail })
}

const stateOf = (outcome: Outcome) => {
  if (outcome.kind !== 'answered') return 'failed'
  return outcome.status === 200 ? 'delivered' : 'vetoed'
}

/** What the answer replaces, read as if the client had sent it. An answer that is no JSON object replaces nothing. */
const replaced = (
  body: string,
  { replaces }: Question,
  resource: ResourceDeclaration,
  verb: Verb,
): Record<string, unknown> => {
  const form = resource.operations[verb]?.form ?? {}
  const input: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(answerOf(body))) {
    const parameter = Object.hasOwn(replaces, key) ? (replaces[key] as string) : undefined
    const field = parameter === undefined ? undefined : form[parameter]
    if (parameter === undefined || !field || value === null) continue
    const read = field.reads.safeParse(typeof value === 'string' ? value : JSON.stringify(value))
    if (!read.success) throw problem('webhook_failed', { reason: `it answered ${key}, which cannot be used` })
    input[inCode(parameter)] = read.data
  }
  return input
}

const answerOf = (body: string): object => {
  try {
    const answer: unknown = JSON.parse(body)
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? answer : {}
  } catch {
    return {}
  }
}
