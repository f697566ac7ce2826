/**
 * Registrations for push notifications. None is ever sent, so none is kept: a client that registers hears that all is
 * well, and that is all.
 */
import { createHash } from 'node:crypto'
import { problem } from '@parley/contract/problem.ts'
import type { Client, TunnelledAnswer, TunnelledRequest } from '../../client.ts'

const ID_DIGITS = 32

/** @param id of the registration; nothing where one is made */
export const answerRegistrations = (
  client: Client,
  { method, body }: TunnelledRequest,
  id: string,
): TunnelledAnswer => {
  if (method === 'DELETE') return { status: 204 }
  if (method !== 'POST' && method !== 'PUT')
    throw problem('method_not_allowed', { method, path: 'registrations' })
  return { status: id === '' ? 201 : 200, body: { id: id || idOf(client, body) } }
}

/** The same for the same device of the same user. */
const idOf = ({ userSid }: Client, body: unknown): string => {
  const { data, channel_type: type } = (body ?? {}) as Record<string, unknown>
  const device = JSON.stringify([userSid, type, data])
  return createHash('sha256').update(device).digest('hex').slice(0, ID_DIGITS)
}
