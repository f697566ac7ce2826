/** Frames of the chat socket, written and read by hand for the clients of a bench and for the ceilings. */

const PREFIX = 'TWILSOCK V3.0 '
const LINE_END = '\r\n'

export interface Frame {
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  readonly header: any
  /** JSON, not parsed: most of what is heard is only counted. */
  readonly payload: string
}

/** @param payload becomes JSON; a text is JSON already */
export const frameOf = (header: object, payload: object | string = ''): Buffer => {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const head = JSON.stringify({
    ...header,
    payload_size: Buffer.byteLength(body),
    payload_type: 'application/json',
  })
  return Buffer.from(PREFIX + Buffer.byteLength(head) + LINE_END + head + LINE_END + body)
}

/** Everything in a bench is ASCII, in which a byte is a character. */
export const readFrame = (bytes: Buffer): Frame => {
  const text = bytes.toString('latin1')
  const lineEnd = text.indexOf(LINE_END)
  const headerEnd = lineEnd + LINE_END.length + Number(text.slice(PREFIX.length, lineEnd))
  return {
    header: JSON.parse(text.slice(lineEnd + LINE_END.length, headerEnd)),
    payload: text.slice(headerEnd + LINE_END.length),
  }
}
