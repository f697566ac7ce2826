/** Names in paths: percent-encoded in part, and sometimes not at all. */
import { problem } from '@parley/contract/problem.ts'

/** @throws 404 / 20404 for what nothing is called: PostgreSQL keeps no NUL in text */
export const decoded = (text: string): string => {
  const plain = unescaped(text)
  if (plain.includes('\0')) throw problem('not_found', { path: text })
  return plain
}

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
