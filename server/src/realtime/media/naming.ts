/** What a file is called and what it is said to be, as we keep it and as we say it again. Neither is believed. */

/** In characters. */
const FILENAME_MAX = 255
const CONTENT_TYPE_MAX = 255

/** What is not said, or not said well. */
const UNKNOWN_TYPE = 'application/octet-stream'

const TOKEN = "[A-Za-z0-9!#$&^_.+'*%`|~-]+"
const CONTENT_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"))*$`,
)

/** A content type that can stand in a header. */
export const contentTypeFrom = (said: string | undefined): string => {
  const text = said?.trim() ?? ''
  return text.length <= CONTENT_TYPE_MAX && CONTENT_TYPE.test(text) ? text : UNKNOWN_TYPE
}

/** @param allowed `*`, `image/*` or `image/png` */
export const isAllowed = (contentType: string, allowed: readonly string[]): boolean => {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase()
  return allowed.some(
    (it) => it === '*' || it === type || (it.endsWith('/*') && type.startsWith(it.slice(0, -1))),
  )
}

/**
 * The last part of a path, without what does not show or turns the order of what does. Dots alone are no name.
 */
export const filenameFrom = (said: string | undefined | null): string | null => {
  const name = (said ?? '')
    .toWellFormed()
    .replace(/^.*[/\\]/s, '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .trim()
  const kept = [...name].slice(0, FILENAME_MAX).join('')
  return /^\.*$/.test(kept) ? null : kept
}

/** As RFC 6266 has it: a name that every client reads, and the true one in UTF-8. */
export const attachment = (filename: string): string => {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const exact = encodeURIComponent(filename).replace(
    /['()*]/g,
    (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}
