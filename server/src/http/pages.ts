/** Pages: which part of a list is asked for, and the `meta` that leads to the next. */
import { problem } from '@parley/contract/problem.ts'
import type { PageAsked } from '../store/listing.ts'
import { lastOf, type Sent } from './forms.ts'

/** How a list's rows are told apart in page tokens. */
export type KeyKind = 'sid' | 'number' | 'text'

export interface Page extends PageAsked {
  readonly size: number
  /** Only for the client's own counting. */
  readonly number: number
}

export interface PageSizes {
  readonly default: number
  readonly max: number
  /** A page is named by its token alone: whoever counts pages would get the first one again and again. */
  readonly byToken?: boolean
}

const SID_TOKEN = /^P([AB])([A-Z]{2}[0-9a-fA-F]{32})$/
const TEXT_TOKEN = /^P([AB])([\w-]+)$/
const NUMBER_TOKEN = /^(PB)?(\d{1,15})$/

/**
 * Reads `PageSize`, `Page` and `PageToken`. A page larger than the list allows is cut to what it allows: the
 * published client asks for as many rows as its `limit` says.
 * @throws 400 / 20007 for a size that is no size; 400 for a token this list did not make; 400 / 40153 for a page by its
 * number in a list that has none
 */
export const readPage = (sent: Sent, sizes: PageSizes, kind: KeyKind): Page => {
  const size = Math.min(wholeOr(lastOf(sent.PageSize), sizes.default), sizes.max)
  if (!(size >= 1)) throw problem('page_size_too_large', { max: sizes.max })
  const number = wholeOr(lastOf(sent.Page), 0)
  const page = { size, limit: size + 1, number: number >= 0 ? number : 0 }
  const token = String(lastOf(sent.PageToken) ?? '')
  if (token === '') {
    if (sizes.byToken && page.number > 0) throw problem('page_without_token')
    return page
  }
  if (kind === 'number') {
    const [, before, key] = NUMBER_TOKEN.exec(token) ?? []
    if (key === undefined) throw problem('message_page_token')
    return before ? { ...page, before: key } : { ...page, after: key }
  }
  const [, way, key] = (kind === 'sid' ? SID_TOKEN : TEXT_TOKEN).exec(token) ?? []
  if (key === undefined) throw problem('invalid_page_token')
  const plain = kind === 'sid' ? key : Buffer.from(key, 'base64url').toString()
  if (plain.includes('\0')) throw problem('invalid_page_token')
  return way === 'A' ? { ...page, after: plain } : { ...page, before: plain }
}

const wholeOr = (raw: unknown, fallback: number): number => {
  if (raw === undefined || raw === '') return fallback
  return /^-?\d{1,9}$/.test(String(raw)) ? Number(raw) : Number.NaN
}

const token = (way: 'A' | 'B', key: string | number, kind: KeyKind): string => {
  if (kind === 'number') return way === 'A' ? String(key) : `PB${key}`
  return `P${way}${kind === 'sid' ? key : Buffer.from(String(key)).toString('base64url')}`
}

export interface Paged<Row> {
  readonly rows: readonly Row[]
  readonly meta: Readonly<Record<string, string | number | null>>
}

/**
 * Cuts the rows to a page and writes its `meta`.
 * @param rows up to one more than the page shows
 * @param address the list's absolute address, without a query
 * @param filters the query as it came, from which page parameters are taken out
 */
export const paged = <Row>(
  rows: readonly Row[],
  {
    page,
    address,
    filters,
    key,
    keyOf,
    kind,
  }: {
    page: Page
    address: string
    filters: Sent
    key: string
    keyOf: (row: Row) => string | number
    kind: KeyKind
  },
): Paged<Row> => {
  const back = page.before !== undefined
  const more = rows.length > page.size
  const shown = back ? rows.slice(more ? rows.length - page.size : 0) : rows.slice(0, page.size)
  const [first, last] = [shown[0], shown.at(-1)]
  const at = (number: number, pageToken?: string): string => {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(filters))
      if (!['PageSize', 'Page', 'PageToken'].includes(name))
        for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
    query.set('PageSize', String(page.size))
    query.set('Page', String(number))
    if (pageToken !== undefined) query.set('PageToken', pageToken)
    return `${address}?${query}`
  }
  const hasNext = back || more
  const hasPrevious = back ? more : page.after !== undefined
  return {
    rows: shown,
    meta: {
      page: page.number,
      page_size: page.size,
      first_page_url: at(0),
      previous_page_url:
        hasPrevious && first !== undefined
          ? at(Math.max(0, page.number - 1), token('B', keyOf(first), kind))
          : null,
      url: at(page.number, page.after !== undefined || back ? String(lastOf(filters.PageToken)) : undefined),
      next_page_url:
        hasNext && last !== undefined ? at(page.number + 1, token('A', keyOf(last), kind)) : null,
      key,
    },
  }
}
