/** The requests of the tunnel: a `message` frame is HTTP in a JSON header. CS40 to CS49 of the protocol's page. */
import { type Problem, problem } from '@parley/contract/problem.ts'
import type { TunnelledRequest } from '../../client.ts'
import { type Frame, isRecord, readJson } from './frame.ts'

export type RequestRead = { readonly request: TunnelledRequest } | { readonly refused: Problem }

/** Reads a `message` frame, or says what is wrong with it. */
export const readRequest = ({ header, payload }: Frame): RequestRead => {
  const { http_request: asked, payload_type: type } = header
  if (!isRecord(asked)) return malformed('http_request is missing')
  const { method, path, params } = asked
  if (typeof method !== 'string' || !METHOD.test(method)) return malformed('http_request.method is no method')
  if (typeof path !== 'string' || !path.startsWith('/'))
    return malformed('http_request.path does not begin with a slash')
  const body = readBody(payload, typeof type === 'string' ? type : JSON_TYPE)
  if ('refused' in body) return body
  const [bare = '', search] = path.replace(REGION_PATH, '').split('?', 2)
  return {
    request: {
      method: method.toUpperCase(),
      path: bare,
      query: { ...readQuery(search), ...readParams(params) },
      body: body.read,
    },
  }
}

const malformed = (reason: string) => ({ refused: problem('malformed_request', { reason }) })

const METHOD = /^[A-Za-z]{1,16}$/
const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** With a region such as `chat.example.org/r` the clients put the end of Twilio's own host name before each path. */
const REGION_PATH = /^\/[^/]*\.twilio\.com(?=\/)/

const readBody = (
  payload: Buffer,
  type: string,
): { readonly read: unknown } | { readonly refused: Problem } => {
  if (payload.length === 0) return { read: undefined }
  const text = payload.toString()
  if (type.startsWith(FORM_TYPE)) return { read: Object.fromEntries(new URLSearchParams(text)) }
  if (!type.startsWith(JSON_TYPE))
    return { refused: problem('unsupported_media_type', { type: shortened(type), expected: JSON_TYPE }) }
  const read = readJson(text)
  if (read === undefined) return malformed('its payload is not JSON')
  return isDeeper(read, DEPTH_MAX) ? malformed(`its payload is nested deeper than ${DEPTH_MAX}`) : { read }
}

/** Levels of a body's JSON. Reading any depth is safe; writing it again, as attributes are, would exhaust the stack. */
export const DEPTH_MAX = 100

export const isDeeper = (value: unknown, depth: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth === 0 || Object.values(value).some((it) => isDeeper(it, depth - 1)))

const TYPE_SHOWN_MAX = 64

const shortened = (text: string): string => text.slice(0, TYPE_SHOWN_MAX)

const readQuery = (search: string | undefined): Record<string, string> =>
  Object.fromEntries(
    (search ?? '')
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const at = pair.indexOf('=')
        return at < 0 ? [decoded(pair), ''] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))]
      }),
  )

/** The clients split a query without decoding it; a name given twice holds an array. */
const readParams = (params: unknown): Record<string, string> => {
  if (!isRecord(params)) return {}
  const read: [string, string][] = []
  for (const [name, given] of Object.entries(params)) {
    const value = Array.isArray(given) ? given.at(-1) : given
    if (typeof value === 'string') read.push([decoded(name), decoded(value)])
    else if (typeof value === 'number' || typeof value === 'boolean')
      read.push([decoded(name), String(value)])
  }
  return Object.fromEntries(read)
}

/** What is not percent-encoded well stands for itself. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
