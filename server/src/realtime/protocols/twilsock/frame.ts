/**
 * The frames of Twilsock 3: one binary WebSocket message each.
 *
 * ```
 * TWILSOCK V3.0 <bytes of the header>\r\n
 * <header, JSON>\r\n
 * <payload>
 * ```
 *
 * The header has a `method`, an `id` and the payload's size in bytes. Reading never throws: what cannot be read has a
 * name. The rules are CS10 to CS19 of docs/protocols/chat-socket.md.
 */
import { STATUS_CODES } from 'node:http'
import type { TunnelledAnswer } from '../../client.ts'

/** Bytes of a header. The largest the published clients send holds a token, some 2 KB, or a long query. */
export const HEADER_BYTES_MAX = 64 * 1024

/** Bytes of a payload. A message's text and attributes are 64 KiB together, its JSON at most six times that. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024

/** Characters of a frame's id, which is sent back: the published clients make 38. */
const ID_LENGTH_MAX = 128

/** `TWILSOCK V3.0 `, a length of at most seven digits, and the end of the line. */
const FIRST_LINE = /^TWILSOCK V3\.0 (\d{1,7})\r\n/
const FIRST_LINE_BYTES_MAX = 23

const LINE_END = '\r\n'

/** Bytes of a frame, with a line's end behind the payload, as some send it. */
export const FRAME_BYTES_MAX =
  FIRST_LINE_BYTES_MAX + HEADER_BYTES_MAX + LINE_END.length + PAYLOAD_BYTES_MAX + LINE_END.length

export interface Frame {
  readonly method: string
  readonly id: string
  /** As it came, `method` and `id` among it. */
  readonly header: Readonly<Record<string, unknown>>
  /** A part of what was read, not a copy; empty without a payload. */
  readonly payload: Buffer
}

export type FrameFault =
  | 'not_binary'
  | 'first_line'
  | 'header_too_large'
  | 'header_cut_off'
  | 'header_not_ended'
  | 'header_not_json'
  | 'header_not_an_object'
  | 'method_missing'
  | 'id_missing'
  | 'payload_size'
  | 'payload_too_large'
  | 'payload_cut_off'

export type Decoded = { readonly frame: Frame } | { readonly fault: FrameFault }

/** Makes the id of a frame: `TM` and 32 hexadecimal digits. */
export type NewFrameId = () => string

/** Reads a frame; what stands behind its payload is passed over. */
export const decode = (bytes: Buffer): Decoded => {
  const firstLine = FIRST_LINE.exec(bytes.toString('latin1', 0, FIRST_LINE_BYTES_MAX))
  if (!firstLine) return { fault: 'first_line' }
  const headerStart = firstLine[0].length
  const headerEnd = headerStart + Number(firstLine[1])
  if (headerEnd - headerStart > HEADER_BYTES_MAX) return { fault: 'header_too_large' }
  if (headerEnd + LINE_END.length > bytes.length) return { fault: 'header_cut_off' }
  const payloadStart = headerEnd + LINE_END.length
  if (bytes.toString('latin1', headerEnd, payloadStart) !== LINE_END) return { fault: 'header_not_ended' }

  const header = readJson(bytes.toString('utf8', headerStart, headerEnd))
  if (header === undefined) return { fault: 'header_not_json' }
  if (!isRecord(header)) return { fault: 'header_not_an_object' }
  const { method, id, payload_size: size } = header
  if (typeof method !== 'string' || method === '') return { fault: 'method_missing' }
  if (typeof id !== 'string' || id === '' || id.length > ID_LENGTH_MAX) return { fault: 'id_missing' }

  const length = size ?? 0
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0)
    return { fault: 'payload_size' }
  if (length > PAYLOAD_BYTES_MAX) return { fault: 'payload_too_large' }
  if (payloadStart + length > bytes.length) return { fault: 'payload_cut_off' }
  return { frame: { method, id, header, payload: bytes.subarray(payloadStart, payloadStart + length) } }
}

/** Undefined for what is not JSON, which no JSON is. */
export const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** How a request ended, in a reply. */
interface Status {
  readonly code: number
  readonly status: string
  readonly description?: string
  readonly errorCode?: number
}

/** `UNAUTHORIZED` for 401: the clients show it where there is no description. */
const statusOf = (code: number): Status => ({
  code,
  status: (STATUS_CODES[code] ?? 'Unknown').toUpperCase().replace(/\W+/g, '_'),
})

const OK = statusOf(200)

/** That a request was taken; `more` goes into the header. */
export const acceptance = (id: string, more: object = {}): Buffer =>
  encode({ method: 'reply', id, status: OK, ...more })

/** Why a client is not believed, or a frame not understood. */
export const refusal = (
  id: string,
  why: {
    readonly status: number
    readonly code: number
    readonly message: string
    readonly retryAfterSeconds: number | undefined
  },
): Buffer =>
  encode(
    {
      method: 'reply',
      id,
      status: { ...statusOf(why.status), description: why.message, errorCode: why.code },
    },
    why.retryAfterSeconds === undefined
      ? undefined
      : JSON.stringify({ backoff_policy: { reconnect_min_ms: why.retryAfterSeconds * 1000 } }),
  )

/** The answer to a tunnelled request. The transport went well whatever the answer is. */
export const answer = (id: string, { status, body }: TunnelledAnswer): Buffer =>
  encode(
    {
      method: 'reply',
      id,
      status: OK,
      http_headers: { 'content-type': 'application/json' },
      http_status: statusOf(status),
    },
    body === undefined ? undefined : JSON.stringify(body),
  )

/**
 * What a client hears without having asked. It is the same for everybody who gets it: encode it once, send it to many.
 * @param messageType `twilio.sync.event` or `twilio.ipmsg.typing_indicator`
 * @param payload becomes JSON; a text is JSON already
 */
export const notification = (messageType: string, payload: object | string, newId: NewFrameId): Buffer =>
  encode(
    { method: 'notification', id: newId(), message_type: messageType },
    typeof payload === 'string' ? payload : JSON.stringify(payload),
  )

/** The client is told that its token ends soon: its app hears `tokenAboutToExpire`. */
export const tokenAboutToExpire = (newId: NewFrameId): Buffer =>
  encode({ method: 'client_update', id: newId(), client_update_type: 'token_about_to_expire' })

/** @param body JSON */
const encode = (header: object, body = ''): Buffer => {
  const bodyBytes = Buffer.byteLength(body)
  const head = JSON.stringify({
    ...header,
    payload_size: bodyBytes,
    ...(bodyBytes > 0 ? { payload_type: 'application/json' } : {}),
  })
  return Buffer.from(`TWILSOCK V3.0 ${Buffer.byteLength(head)}${LINE_END}${head}${LINE_END}${body}`)
}
