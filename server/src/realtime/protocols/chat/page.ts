/** Pages of the chat client API: a token leads to the next one and another back; what they hold is for us alone. */
import { problem } from '@parley/contract/problem.ts'
import type { PageAsked } from '../../../store/listing.ts'

export const PAGE_SIZE = 100

/** Longer is no token of ours. */
const TOKEN_MAX = 256

/** @throws 20001 for a token that is none of ours */
export const readPage = (token: string | undefined): PageAsked => {
  const limit = PAGE_SIZE + 1
  if (token === undefined) return { limit }
  const [, way, key] = /^([><])([^\0]+)$/.exec(decoded(token)) ?? []
  if (key === undefined) throw problem('invalid_page_token')
  return way === '>' ? { limit, after: key } : { limit, before: key }
}

const decoded = (token: string): string =>
  token.length > TOKEN_MAX ? '' : Buffer.from(token, 'base64url').toString()

const tokenOf = (way: '>' | '<', key: string | undefined): string | null =>
  key === undefined ? null : Buffer.from(way + key).toString('base64url')

export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly previous: string | null
  readonly next: string | null
}

/** @param rows up to one more than the page shows */
export const pageOf = <Row>(
  rows: readonly Row[],
  { after, before }: PageAsked,
  keyOf: (row: Row) => string,
): Page<Row> => {
  const isMore = rows.length > PAGE_SIZE
  const isBack = before !== undefined
  const shown = isBack && isMore ? rows.slice(-PAGE_SIZE) : rows.slice(0, PAGE_SIZE)
  const [first, last] = [shown[0], shown.at(-1)]
  return {
    rows: shown,
    previous: (isBack ? isMore : after !== undefined) ? tokenOf('<', first && keyOf(first)) : null,
    next: isBack || isMore ? tokenOf('>', last && keyOf(last)) : null,
  }
}
