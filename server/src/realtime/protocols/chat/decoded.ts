/** Names as clients write them: in paths percent-encoded in part, and sometimes not at all. */
import { problem } from '@parley/contract/problem.ts'

/** @throws 404 / 20404 for what nothing is called: PostgreSQL keeps no NUL in text, and an address no half of a character */
export const requireName = (text: string): string => {
  if (text.includes('\0') || !text.isWellFormed()) throw problem('not_found', { path: text.toWellFormed() })
  return text
}

/** @throws as `requireName` */
export const decoded = (text: string): string => requireName(unescaped(text))

/** What is not well encoded stays as it came. */
export const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
