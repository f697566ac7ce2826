/** What those who follow something are sent, in the words of Sync. One event a notification: older clients read no more. */
import type { Change } from './changes.ts'
import { iso } from './data.ts'
import { type Followed, nameOf, sidOf, typeOf } from './followed.ts'

/** What the clients of Sync 4 and 3 both read. */
const PROTOCOL_VERSION = 4

/** The notifications of what happens now. What was missed, and how a subscription stands, is `twilio.sync.event`. */
export const LIVE = {
  document: 'com.twilio.rtd.cds.document',
  list: 'com.twilio.rtd.cds.list',
  map: 'com.twilio.rtd.cds.map',
} as const

export const REPLAYED = 'twilio.sync.event'

/** Sync shows revisions in hexadecimal. */
export const revision = (number: number): string => number.toString(16)

const CDS = 'https://cds.us1.twilio.com/v3'

const FOLDERS = { document: 'Documents', list: 'Lists', map: 'Maps' } as const

/** The address of an object. Its host is a word: requests go through the tunnel. */
export const addressOf = (serviceSid: string, followed: Followed): string =>
  `${CDS}/Services/${serviceSid}/${FOLDERS[typeOf(followed)]}/${sidOf(followed)}`

export const itemAddress = (serviceSid: string, followed: Followed, item: string | number): string =>
  `${addressOf(serviceSid, followed)}/Items/${encodeURIComponent(item)}`

/** What is the same for everybody who is told of a change, written once. */
const written = new WeakMap<Change, string>()

/**
 * A change as an event, in JSON.
 * @param correlation of the subscription that asked for what was missed; 0 for what happens now
 */
export const changeEvent = (
  serviceSid: string,
  followed: Followed,
  change: Change,
  correlation = 0,
): string => {
  let event = written.get(change)
  if (event === undefined) {
    event = JSON.stringify({ ...aboutObject(followed, change), ...aboutItem(serviceSid, followed, change) })
    written.set(change, event)
  }
  const about = `"event_type":"${eventType(followed, change)}","correlation_id":${JSON.stringify(correlation)}`
  return `{${about},"event_protocol_version":${PROTOCOL_VERSION},"event":${event}}`
}

const eventType = (followed: Followed, { what }: Change): string => {
  const type = typeOf(followed)
  if (what === 'gone') return `${type}_removed`
  return type === 'document' ? 'document_updated' : `${type}_item_${what}`
}

const aboutObject = (followed: Followed, { number, at }: Change) => {
  const type = typeOf(followed)
  return {
    id: number,
    date_created: iso(at),
    [`${type}_sid`]: sidOf(followed),
    [`${type}_unique_name`]: nameOf(followed),
    [`${type}_revision`]: revision(number),
  }
}

const aboutItem = (serviceSid: string, followed: Followed, { what, item, number, data }: Change): object => {
  if (what === 'gone') return {}
  const type = typeOf(followed)
  if (type === 'document') return { document_data: data }
  return {
    [type === 'list' ? 'item_index' : 'item_key']: item,
    item_url: itemAddress(serviceSid, followed, item as string | number),
    item_revision: revision(number),
    item_data: data ?? {},
    date_expires: null,
  }
}

interface Subscription {
  readonly object_sid: string
  readonly object_type: string
}

const statusEvent = (type: string, correlation: number, event: object) => ({
  event_type: type,
  correlation_id: correlation,
  event_protocol_version: PROTOCOL_VERSION,
  event,
})

/** `interrupted` says that there is more: the client asks again, from where it was told to. */
export const established = (it: Subscription, correlation: number, number: number, isAll: boolean) =>
  statusEvent('subscription_established', correlation, {
    ...it,
    replay_status: isAll ? 'completed' : 'interrupted',
    last_event_id: number,
  })

export const canceled = (it: Subscription, correlation: number) =>
  statusEvent('subscription_canceled', correlation, it)

export const failed = (
  it: Subscription,
  correlation: number,
  error: { readonly status: number; readonly code: number; readonly message: string },
) => statusEvent('subscription_failed', correlation, { ...it, error })
