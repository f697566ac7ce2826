/**
 * What stands behind a signed link: the bytes of a file, for whoever has the link. The file is a stranger's: it is
 * handed out to be saved, and no browser may take it for a page, a script or a style of ours.
 */
import { isSid } from '@parley/contract/field.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { findMedia } from '../../chat/index.ts'
import type { Reader } from '../../store/tx.ts'
import type { Bytes } from './bytes.ts'
import type { Links } from './link.ts'
import { attachment } from './naming.ts'
import { readRange } from './range.ts'

/** On refusals as well: they stand at the same address. */
const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'Referrer-Policy': 'no-referrer',
  // The pages that show it are an integrator's, of another origin.
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag',
}

export interface Contents {
  readonly reader: Reader
  readonly bytes: Bytes
  readonly links: Links
}

/** Answers a GET or a HEAD of a link. */
export const contentHandler =
  ({ reader, bytes, links }: Contents) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    reply.headers(HEADERS)
    const refuse = (status: number, sentence: string): FastifyReply =>
      reply
        .code(status)
        .type('text/plain; charset=utf-8')
        .header('Cache-Control', 'no-store')
        .send(`${sentence}\n`)
    const { Sid: sid } = request.params as { Sid: string }
    if (!isSid('ME', sid)) return refuse(404, 'There is nothing here.')
    const query = new URLSearchParams(String(request.query ?? ''))
    const worth = links.check(sid, query, reader.now())
    if (worth === 'forged') return refuse(403, 'This link is not one of ours.')
    if (worth === 'expired') return refuse(403, 'This link has expired: ask for a new one.')
    const media = await findMedia(reader, sid)
    if (!media) return refuse(404, 'This file is no longer here.')

    const { size } = media
    const etag = `"${sid}"`
    const changed = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag
    const range = changed ? undefined : readRange(request.headers.range, size)
    reply.header('Accept-Ranges', 'bytes')
    if (range === 'beyond') {
      reply.header('Content-Range', `bytes */${size}`)
      return refuse(416, 'The file is not as long as that.')
    }
    const { first, last } = range ?? { first: 0, last: size - 1 }
    const answer = () => {
      if (range) reply.code(206).header('Content-Range', `bytes ${first}-${last}/${size}`)
      return reply
        .header('Content-Type', media.content_type)
        .header('Content-Length', String(last - first + 1))
        .header('Content-Disposition', attachment(media.filename ?? sid))
        .header('Cache-Control', `private, max-age=${secondsLeft(query, reader.now())}`)
        .header('ETag', etag)
    }
    if (request.method === 'HEAD') return answer().send()
    const stream = await bytes.open(media.kept_as, range)
    if (!stream) return refuse(404, 'This file is no longer here.')
    return answer().send(stream)
  }

/** No copy is used longer than its link is good. */
const secondsLeft = (query: URLSearchParams, now: number): number =>
  Math.max(0, Math.floor((Number(query.get('expires')) - now) / 1_000))
