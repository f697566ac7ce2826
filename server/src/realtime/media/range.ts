/** The `Range` header of RFC 9110, as far as it asks for one stretch of bytes. */
import type { ByteRange } from './bytes.ts'

/**
 * @returns undefined where all of it is asked for: without a range, and where it is of another kind, of several
 *   stretches, or badly written, which are all to be passed over
 */
export const readRange = (header: string | undefined, size: number): ByteRange | 'beyond' | undefined => {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? '') ?? []
  if (from === '' && to === '') return undefined
  if (from === '') {
    const length = Number(to)
    return length === 0 ? 'beyond' : { first: Math.max(0, size - length), last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < first) return undefined
  return first < size ? { first, last } : 'beyond'
}
