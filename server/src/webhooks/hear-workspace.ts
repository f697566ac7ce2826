/**
 * A workspace's `EventCallbackUrl`: it hears of every event that its `EventsFilter` names, or of all where that names
 * none. Unlike a chat service's webhooks it hears of what a back end does without being asked to.
 */
import type { Tx } from '../store/tx.ts'
import { enter, owe } from './ledger.ts'
import type { ToldToWorkspace } from './spelling.ts'

export const hearWorkspace = async (
  tx: Tx,
  { workspace, eventType, taskSid, about, fields }: ToldToWorkspace,
  isSampled: () => boolean,
): Promise<void> => {
  if (!workspace.event_callback_url) return
  const entry = {
    accountSid: workspace.account_sid,
    serviceSid: null,
    channelSid: null,
    messageSid: null,
    workspaceSid: workspace.sid,
    taskSid,
    eventType,
    webhookSid: null,
    type: 'workspace',
    url: workspace.event_callback_url,
    method: 'POST',
    retryCount: 0,
  } as const
  if (isNamed(workspace.events_filter, eventType))
    return owe(tx, about, { ...entry, rule: 'events_filter', fields })
  if (isSampled())
    await enter(tx, { ...entry, rule: 'not_in_events_filter', fields: {} }, { state: 'silent' })
}

const isNamed = (filter: string | null, eventType: string): boolean => {
  const names = (filter ?? '').split(',').map((it) => it.trim())
  return names.includes(eventType) || names.every((it) => it === '')
}
