/** Lists by pages, EB40 to EB42: after a SID, or in an order of their own after a token. */
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import type { PageAsked } from '../../../store/listing.ts'
import { type Shown, showList } from './shown.ts'

/** As with Twilio; the SDK asks for as many. */
const PAGE_SIZE_MAX = 1000

export type Params = Readonly<Record<string, unknown>>

/** A parameter as text, however its JSON has it: `Active` comes as the text "true", others as booleans. */
export const textOf = (params: Params, name: string): string | undefined => {
  const value = Object.hasOwn(params, name) ? params[name] : undefined
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

export interface PageWanted {
  readonly size: number
  /** One more than is shown, to know whether there are more. */
  readonly limit: number
  readonly afterSid: string | undefined
  readonly nextToken: string | undefined
}

/** @throws 400 / 20007 for a size that is none, 400 for a SID or a token that no page ended with */
export const readPageWanted = (params: Params, prefix: string): PageWanted => {
  const text = textOf(params, 'PageSize')
  const size = text === undefined ? PAGE_SIZE_MAX : Number(text)
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE_MAX)
    throw problem('page_size_too_large', { max: PAGE_SIZE_MAX })
  const afterSid = textOf(params, 'AfterSid') || undefined
  if (afterSid !== undefined && !isSid(prefix, afterSid)) throw unknownAfter()
  const token = textOf(params, 'NextToken') || undefined
  const nextToken = token === undefined ? undefined : Buffer.from(token, 'base64url').toString()
  if (nextToken?.includes('\0')) throw problem('invalid_page_token')
  return { size, limit: size + 1, afterSid, nextToken }
}

export const unknownAfter = () =>
  problem('invalid_parameter', { parameter: 'AfterSid', reason: 'the list has nothing with this SID' })

/** Where a list ordered by SID goes on. */
export const bySid = ({ limit, afterSid }: PageWanted): PageAsked => ({
  limit,
  ...(afterSid !== undefined && { after: afterSid }),
})

/** Where a list goes on whose pages end with a place in an order. */
export const byPlace = ({ limit, afterSid, nextToken }: PageWanted): PageAsked => {
  const after = nextToken ?? (afterSid === undefined ? undefined : JSON.stringify([afterSid]))
  return { limit, ...(after !== undefined && { after }) }
}

/**
 * @param rows up to one more than the page shows
 * @param placeOf in an order of the request's own, where a row stands in it; else pages end with SIDs
 */
export const showPage = <Row extends { readonly sid: string }>(
  rows: readonly Row[],
  { size }: PageWanted,
  show: (row: Row) => Shown,
  placeOf?: (row: Row) => string,
) => {
  const shown = rows.slice(0, size)
  const last = rows.length > size ? shown.at(-1) : undefined
  if (!last) return showList(shown.map(show))
  return showList(
    shown.map(show),
    placeOf ? { next: Buffer.from(placeOf(last)).toString('base64url') } : { after: last.sid },
  )
}
