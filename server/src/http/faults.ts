/** Refusals as answers: what a verb throws, what the framework refuses, and what is not even HTTP. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type Problem, problem, problemBody } from '@parley/contract/problem.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { refusalIn } from '../store/away.ts'
import { FORM, JSON_TYPE } from './forms.ts'

/** The largest request body, in bytes. */
export const BODY_MAX = 1024 * 1024

export const pathOf = (url: string): string => {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** Twilio names a missing resource by its path without the version. */
const withoutVersion = (url: string): string => pathOf(url).replace(/^\/v\d+(?=\/)/, '')

export const notFound = (request: FastifyRequest): Problem =>
  problem('not_found', { path: withoutVersion(request.url) })

export const methodNotAllowed = (request: FastifyRequest): Problem =>
  problem('method_not_allowed', { method: request.method, path: withoutVersion(request.url) })

export const answerFault = (
  fault: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply => {
  const known = asProblem(fault, request)
  if (known.problem === 'internal')
    log.error({ fault, method: request.method, path: pathOf(request.url) }, 'a request met a fault of ours')
  if (known.status === 401) reply.header('WWW-Authenticate', 'Basic realm="Twilio API"')
  if (known.retryAfterSeconds !== undefined) reply.header('Retry-After', String(known.retryAfterSeconds))
  return reply.code(known.status).type(JSON_TYPE).send(problemBody(known))
}

/** What the framework refuses, in our vocabulary. Everything unknown is a bug of ours. */
const asProblem = (fault: unknown, request: FastifyRequest): Problem => {
  const refused = refusalIn(fault)
  if (refused) return refused
  const { code, message } = fault as { code?: unknown; message?: string }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('body_too_large', { max: BODY_MAX })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problem('unsupported_media_type', {
        type: (request.headers['content-type'] ?? '(none)').slice(0, 100),
        expected: request.routeOptions.config.reads === 'json' ? JSON_TYPE : FORM,
      })
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return notFound(request)
    case 'FST_ERR_BAD_URL':
      return problem('malformed_request', { reason: 'its address is not well written' })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'ECONNRESET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return problem('malformed_request', { reason: message ?? 'it did not arrive whole' })
    default:
      return problem('internal')
  }
}

/** What the parser of HTTP refuses: its status and why. Everything else it refuses is no HTTP. */
const UNREADABLE: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'it did not arrive whole in time'],
  HPE_HEADER_OVERFLOW: [431, 'its address and headers are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of its chunks are too long'],
}

/** Those whose requests may take long to arrive: the route they are for sees to it that they do not take for ever. */
export const slowSockets = new WeakSet<Socket>()

/** What is not even a request: answered on the bare socket, which is then closed. */
export const answerUnreadable = (fault: Error & { code?: string }, socket: Socket): void => {
  if (fault.code === 'ERR_HTTP_REQUEST_TIMEOUT' && slowSockets.has(socket)) return
  if (fault.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, reason] = UNREADABLE[fault.code ?? ''] ?? [400, 'it is not HTTP']
  const body = JSON.stringify({ ...problemBody(problem('malformed_request', { reason })), status })
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${JSON_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Whoever sent this may never close its end.
  socket.destroySoon()
}
