/**
 * Refuses an address that must not be called when it is given, before it is kept: one that is written out, or whose
 * name resolves to no public address. The guard judges again whenever it is dialled, since names change; for the same
 * reason a name that does not resolve now is let pass.
 */
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { type ProblemName, problem } from '@parley/contract/problem.ts'
import type { Call } from '../http/binding.ts'
import { AddressRefused, type Guard, publicOnly, type Resolve, refusedRange } from './guard.ts'

/** Whoever asks waits for a slow resolver no longer than this. */
const RESOLVING_MS = 2_000

/** The parameters whose address is called, and what answers one that must not be. */
const CALLED: Readonly<Record<string, ProblemName>> = {
  configurationUrl: 'webhook_url_private',
  preWebhookUrl: 'pre_webhook_url_private',
  postWebhookUrl: 'post_webhook_url_private',
  integrationUrl: 'integration_url_private',
  eventCallbackUrl: 'invalid_parameter',
  assignmentCallbackUrl: 'invalid_parameter',
  fallbackAssignmentCallbackUrl: 'invalid_parameter',
}

/** @throws 50329, 50077, 50078, 45004 or 20001 for an address that is not public, where only public ones are called */
export const requireCallable = async (
  { allowPrivate, resolve = lookup }: Guard,
  { input }: Call,
): Promise<void> => {
  if (allowPrivate) return
  for (const [name, url] of Object.entries(input)) {
    const refusal = CALLED[name]
    if (refusal === undefined || typeof url !== 'string' || !URL.canParse(url)) continue
    const reason = await whyNot(new URL(url).hostname.replace(/^\[|\]$/g, ''), resolve)
    if (reason !== undefined)
      throw problem(refusal, { parameter: `${name[0]?.toUpperCase()}${name.slice(1)}`, reason })
  }
}

const whyNot = async (host: string, resolve: Resolve): Promise<string | undefined> => {
  if (isIP(host) !== 0) {
    const range = refusedRange(host)
    return range && new AddressRefused(host, host, range).message
  }
  const { promise, resolve: say } = Promise.withResolvers<string | undefined>()
  const late = setTimeout(() => say(undefined), RESOLVING_MS)
  resolve(host, { all: true }, (fault, addresses) => {
    if (fault) return say(undefined)
    try {
      publicOnly(addresses, host)
      say(undefined)
    } catch (refused) {
      say((refused as Error).message)
    }
  })
  const reason = await promise
  clearTimeout(late)
  return reason
}
