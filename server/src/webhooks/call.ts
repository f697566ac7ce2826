/**
 * One webhook call over HTTP, and every way it can end, by name.
 *
 * A call never throws: what the network does to it is an outcome, which the ledger keeps. The caller owns its
 * connections; each origin has its own, so an endpoint that hangs holds up only itself.
 */
import { Agent, type Dispatcher, errors, request } from 'undici'
import { AddressRefused, openDialler, type Resolve } from './guard.ts'
import type { Params } from './signature.ts'

/** Answers are read for a few fields of JSON; more than this is a mistake or an attack. */
const ANSWER_BYTES_MAX = 64 * 1024

/** Of the same host only; enough for a missing slash and a step up to https. */
const REDIRECTS_MAX = 3

/** Sockets to one origin; calls beyond wait for one of them, within their own time. */
const CONNECTIONS_PER_ORIGIN_MAX = 64

/** A timer that is later than this says that we stood still, and heard nobody: that time is not the endpoint's. */
const STALL_MS = 100

/** How much of what the other side said is repeated in `detail`. */
const QUOTE_LENGTH_MAX = 300

export interface Callable {
  /** Absolute, http or https. A user and password in it are sent as Basic authorization. */
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** A GET has them after the URL's own query; a POST has them as a form in its body. */
  readonly params: Params
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For the whole of it: resolving, connecting, redirects, headers and body. */
  readonly timeoutMs: number
  /**
   * Answers the `X-Twilio-Signature` of one request: the URL called, query, user and password included, and the
   * form in its body. Asked again for each redirect, since another URL is called then.
   */
  readonly sign?: ((url: string, form: Params) => string) | undefined
}

export interface Answered {
  readonly kind: 'answered'
  /** Any but a redirect that was followed or refused. */
  readonly status: number
  /** Lower-case names; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** Read as UTF-8. */
  readonly body: string
  readonly durationMs: number
}

export interface Failed {
  readonly kind:
    | 'timed-out'
    | 'unresolvable'
    | 'refused-address'
    /** Nobody listens, the connection broke, or what came back was not HTTP. */
    | 'unreachable'
    | 'bad-tls'
    | 'answer-too-large'
    /** To another host, or too often. */
    | 'redirected'
    | 'bad-url'
  /** A sentence for whoever reads the ledger. */
  readonly detail: string
  readonly durationMs: number
}

export type Outcome = Answered | Failed

export interface Caller extends AsyncDisposable {
  call(callable: Callable): Promise<Outcome>
}

export interface CallerOptions {
  /** Whether addresses that are not public may be called. */
  readonly allowPrivate: boolean
  readonly maxAnswerBytes?: number | undefined
  readonly connectionsPerOrigin?: number | undefined
  readonly userAgent?: string | undefined
  /** Turns names into addresses; the system's resolver unless said otherwise. */
  readonly resolve?: Resolve | undefined
}

/** Opens a caller; disposing of it breaks off what is under way and closes every connection. */
export const openCaller = ({
  allowPrivate,
  maxAnswerBytes = ANSWER_BYTES_MAX,
  connectionsPerOrigin = CONNECTIONS_PER_ORIGIN_MAX,
  userAgent = 'Parley',
  resolve,
}: CallerOptions): Caller => {
  const dialler = openDialler({ allowPrivate, resolve })
  const agent = new Agent({
    connect: dialler.connect,
    connections: connectionsPerOrigin,
    // One clock rules a call: its own.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return {
    async call(callable) {
      const began = performance.now()
      const durationMs = () => Math.round(performance.now() - began)
      const clock = startClock(callable.timeoutMs)
      try {
        const means = { agent, maxAnswerBytes, userAgent, signal: clock.signal }
        const answer = await Promise.race([follow(callable, means), clock.ran])
        return { kind: 'answered', ...answer, durationMs: durationMs() }
      } catch (fault) {
        const { kind, message: detail } = named(clock.signal.aborted ? clock.signal.reason : fault)
        return { kind, detail, durationMs: durationMs() }
      } finally {
        clock.stop()
      }
    },
    async [Symbol.asyncDispose]() {
      const destroyed = agent.destroy()
      dialler.hangUp()
      await destroyed
    },
  }
}

/**
 * Fails everything that waits on it when the time is up. Whoever waits for an answer must wait for `ran` as well:
 * undici hears of the signal only once it has a connection.
 */
const startClock = (timeoutMs: number) => {
  const abort = new AbortController()
  const { promise: ran, reject } = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout
  /** An endpoint is given back what we stood still, up to as much as it has. */
  let givesBack = timeoutMs
  const wait = (ms: number): void => {
    const due = performance.now() + ms
    timer = setTimeout(() => {
      const stoodStill = Math.min(performance.now() - due, givesBack)
      if (stoodStill > STALL_MS) {
        givesBack -= stoodStill
        wait(stoodStill)
        return
      }
      const failure = new Failure('timed-out', `no complete answer within ${timeoutMs} ms`)
      abort.abort(failure)
      reject(failure)
    }, ms)
  }
  wait(timeoutMs)
  return { signal: abort.signal, ran, stop: () => clearTimeout(timer) }
}

interface Means {
  readonly agent: Agent
  readonly maxAnswerBytes: number
  readonly userAgent: string
  readonly signal: AbortSignal
}

type Answer = Omit<Answered, 'kind' | 'durationMs'>

/** Calls, and calls again where it is sent, as long as that is the same host. */
const follow = async (callable: Callable, means: Means): Promise<Answer> => {
  let url = readUrl(callable.url)
  let { method, params } = callable
  if (method === 'GET') {
    addToQuery(url, params)
    params = []
  }
  for (let hops = 0; ; hops++) {
    const asked = { ...callable, method, params }
    const answer = await send(asked, url, means).catch((fault) => {
      if (wasClosedIdle(fault)) return send(asked, url, means)
      throw fault
    })
    const location = isRedirect(answer.statusCode) && answer.headers.location
    if (!location) return read(answer, means.maxAnswerBytes)

    // Reading what little a redirect says lets its connection serve the next request.
    await answer.body.dump({ limit: means.maxAnswerBytes, signal: means.signal })
    url = nextUrl(url, String(location), hops)
    if (method === 'POST' && answer.statusCode !== 307 && answer.statusCode !== 308) {
      // As browsers do: the answer is somewhere else, to be fetched without the form.
      method = 'GET'
      params = []
    }
  }
}

/**
 * An endpoint may close a connection that stood idle just as it is used again: that is no word about this request. One
 * that breaks in the middle of its answer looks the same, and is asked once more as well.
 */
const wasClosedIdle = (fault: unknown): boolean =>
  fault instanceof errors.SocketError && (fault.socket?.bytesRead ?? 0) > 0

const readUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw new Failure('bad-url', `not an absolute URL: ${quote(text)}`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Failure('bad-url', `not an http or https URL: ${quote(text)}`)
  // A fragment never leaves the caller, so it cannot be part of what is signed.
  url.hash = ''
  return url
}

const addToQuery = (url: URL, params: Params) => {
  const added = form(params)
  if (added !== '') url.search = url.search === '' ? added : `${url.search}&${added}`
}

const form = (params: Params): string =>
  new URLSearchParams(params.map(([name, value]): [string, string] => [name, value])).toString()

const send = (
  { method, params, headers = {}, sign }: Callable,
  url: URL,
  { agent, userAgent, signal }: Means,
): Promise<Dispatcher.ResponseData> => {
  const all: Record<string, string> = {
    'user-agent': userAgent,
    accept: '*/*',
    'accept-encoding': 'identity',
  }
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value
  const authorization = basic(url)
  if (authorization !== undefined) all.authorization = authorization
  if (sign) all['x-twilio-signature'] = sign(url.href, params)
  if (method === 'POST') all['content-type'] = 'application/x-www-form-urlencoded; charset=UTF-8'

  const called = new URL(url)
  called.username = ''
  called.password = ''
  return request(called, {
    dispatcher: agent,
    method,
    headers: all,
    body: method === 'POST' ? form(params) : null,
    signal,
  })
}

const basic = ({ username, password }: URL): string | undefined => {
  if (username === '' && password === '') return undefined
  return `Basic ${Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString('base64')}`
}

/** A lone `%` is taken as it stands. */
const unescaped = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const isRedirect = (status: number) => [301, 302, 303, 307, 308].includes(status)

const nextUrl = (from: URL, location: string, hops: number): URL => {
  if (hops >= REDIRECTS_MAX)
    throw new Failure('redirected', `redirected more than ${REDIRECTS_MAX} times, last to ${quote(location)}`)
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (!to) throw new Failure('redirected', `redirected to what is no URL: ${quote(location)}`)
  if (!isSameHost(from, to))
    throw new Failure('redirected', `redirected to another host, which is not followed: ${quote(to.origin)}`)
  to.hash = ''
  if (to.username === '' && to.password === '') {
    to.username = from.username
    to.password = from.password
  }
  return to
}

/** The same origin, or its step up from http to https, both on their own ports. Never a step down. */
const isSameHost = (from: URL, to: URL): boolean =>
  from.origin === to.origin ||
  (from.hostname === to.hostname &&
    from.protocol === 'http:' &&
    to.protocol === 'https:' &&
    from.port === '' &&
    to.port === '')

const read = async (
  { statusCode, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
): Promise<Answer> => {
  const tooLarge = () => new Failure('answer-too-large', `the answer is larger than ${maxBytes} bytes`)
  // An abandoned body is destroyed with an error that nobody else is there to hear.
  body.on('error', () => {})
  if (Number(headers['content-length']) > maxBytes) {
    body.destroy()
    throw tooLarge()
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return { status: statusCode, headers: joined(headers), body: Buffer.concat(chunks).toString('utf8') }
}

const joined = (headers: Dispatcher.ResponseData['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )

class Failure extends Error {
  readonly kind: Failed['kind']

  constructor(kind: Failed['kind'], detail: string) {
    super(detail)
    this.kind = kind
  }
}

/** What the network did, in our words. */
const named = (fault: unknown): Failure => {
  if (fault instanceof Failure) return fault
  if (fault instanceof AddressRefused) return new Failure('refused-address', fault.message)
  if (!(fault instanceof Error)) return new Failure('unreachable', String(fault))

  const code = codeOf(fault)
  const detail = quote(said(fault))
  if (fault instanceof errors.ConnectTimeoutError || code === 'ETIMEDOUT')
    return new Failure('timed-out', detail)
  if (fault instanceof errors.HeadersOverflowError) return new Failure('answer-too-large', detail)
  if (RESOLVING.test(code)) return new Failure('unresolvable', detail)
  if (TLS.test(code)) return new Failure('bad-tls', detail)
  return new Failure('unreachable', detail)
}

const RESOLVING = /^(ENOTFOUND|ENODATA|EAI_.*|ESERVFAIL|EREFUSED|EBADNAME)$/

/** OpenSSL's verification results, and Node's own. */
const TLS =
  /^(EPROTO|ERR_TLS_.*|ERR_SSL_.*|CERT_.*|CRL_.*|UNABLE_TO_.*|(DEPTH_ZERO_)?SELF_SIGNED_CERT.*|ERROR_IN_.*|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/

const codeOf = (fault: Error): string => String((fault as NodeJS.ErrnoException).code ?? '')

/** When every address of a name was tried, each has its own fault. */
const said = (fault: Error): string => {
  const each = fault instanceof AggregateError ? fault.errors.map(String).join('; ') : fault.message
  return each || codeOf(fault) || fault.name
}

const quote = (text: string): string =>
  text.length > QUOTE_LENGTH_MAX ? `${text.slice(0, QUOTE_LENGTH_MAX)}…` : text
