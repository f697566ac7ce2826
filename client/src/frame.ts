/** The frames of Twilsock 3, as a client writes and reads them: docs/protocols/chat-socket.md, CS10 to CS16. */

const LINE_END = '\r\n'

export interface Frame {
  readonly method: string
  readonly id: string
  readonly header: Readonly<Record<string, unknown>>
  /** Read from JSON; undefined without one. */
  readonly payload: unknown
}

/**
 * @param header has `method` and `id`
 * @param payload as it is to be sent: JSON or a form, as `payload_type` of the header says
 */
export const encode = (header: object, payload = ''): Uint8Array<ArrayBuffer> => {
  const bytesOf = (text: string) => new TextEncoder().encode(text)
  const head = JSON.stringify({ ...header, payload_size: bytesOf(payload).length })
  return bytesOf(`TWILSOCK V3.0 ${bytesOf(head).length}${LINE_END}${head}${LINE_END}${payload}`)
}

/** @throws for what is no frame: then the other side speaks something else */
export const decode = (data: ArrayBuffer): Frame => {
  const bytes = new Uint8Array(data)
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to))
  const lineEnd = bytes.indexOf(LINE_END.charCodeAt(0))
  const headerStart = lineEnd + LINE_END.length
  const headerEnd = headerStart + Number(text(0, lineEnd).split(' ')[2])
  const header = JSON.parse(text(headerStart, headerEnd)) as Frame['header'] & Frame
  const start = headerEnd + LINE_END.length
  const payload = text(start, start + Number(header.payload_size ?? 0))
  return { method: header.method, id: header.id, header, payload: payload && JSON.parse(payload) }
}
