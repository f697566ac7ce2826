/**
 * The door for requests. From each resource's declaration and its verbs follow the routes, the reading of forms,
 * pages, answers and errors. Knows no product.
 *
 * A request goes: who asks → how much they may ask → what they ask (form or query) → the gate → the verb, in a
 * transaction where it changes something → the answer.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import cors from '@fastify/cors'
import { type Present, presenter } from '@parley/contract/present.ts'
import { Problem, problem, problemBody } from '@parley/contract/problem.ts'
import {
  addressOf,
  inCode,
  METHODS,
  operationName,
  type ResourceDeclaration,
  SUCCESS,
  type Unserved,
  type Verb,
} from '@parley/contract/resource.ts'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify'
import type { Logger } from 'pino'
import type { Reader, Store, Tx } from '../store/tx.ts'
import type { AccessToken, Binding, Call } from './binding.ts'
import { formReader, readUrlEncoded, type Sent } from './forms.ts'
import type { Limit } from './limits.ts'
import { type KeyKind, type Page, paged, readPage } from './pages.ts'

/** The largest request body, in bytes. */
const BODY_MAX = 1024 * 1024

/** A request that has not arrived whole by then is given up, in milliseconds. */
const REQUEST_TIMEOUT_MS = 20_000

/** Identities and unique names stand in paths; each of their characters may be encoded in up to twelve. */
const PATH_VALUE_MAX = 4_096

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

const EVERY_METHOD: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Asked of the network before a verb; may change what is asked, or refuse it. */
export type Gate = (reader: Reader, resource: ResourceDeclaration, verb: Verb, call: Call) => Promise<Call>

export interface Doorkeeper {
  /** @throws 401 */
  authenticate(
    authorization: string | undefined,
  ): Promise<{ accountSid: string; token: AccessToken | undefined }>
  /** Whether the account in a public address exists. */
  exists(accountSid: string): Promise<boolean>
}

export interface ServeOptions {
  readonly store: Store
  /** Without a slash at its end. */
  readonly publicUrl: string
  readonly served: readonly Binding[]
  readonly unserved: readonly Unserved[]
  readonly doorkeeper: Doorkeeper
  readonly gate: Gate
  readonly limit: Limit
  readonly guestLimit: Limit
  /** Which pages may ask for what needs no credentials: their origins, or `*` for all. */
  readonly guestOrigins: '*' | readonly string[]
  readonly log: Logger
  /** Hears of every answer, for metrics. */
  readonly answered: (operation: string, status: number, seconds: number) => void
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: { accountSid: string; token: AccessToken | undefined } | undefined
  }
  interface FastifyContextConfig {
    operation?: string
    openTo?: 'accounts' | 'clients' | 'anyone'
    reads?: 'form' | 'json'
  }
}

export const serve = async (options: ServeOptions): Promise<FastifyInstance> => {
  const app = fastify({
    bodyLimit: BODY_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    // Requests in flight when the house closes are answered, not turned away.
    return503OnClosing: false,
    logger: false,
    exposeHeadRoutes: false,
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: PATH_VALUE_MAX,
      querystringParser: (text) => readUrlEncoded(text) as Record<string, unknown>,
    },
    frameworkErrors: (fault, request, reply) => answerFault(fault, request, reply, options.log),
    clientErrorHandler: answerUnreadable,
  })
  app.decorateRequest('caller', undefined)
  await app.register(cors, {
    origin: true,
    credentials: true,
    methods: ['GET', 'POST', 'DELETE', 'OPTIONS'],
    exposedHeaders: ['ETag', 'Retry-After', 'Twilio-Request-Id', 'Parley-Channel'],
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(FORM, { parseAs: 'string' }, async (request: FastifyRequest, body: string) => {
    if (request.routeOptions.config.reads === 'json')
      throw problem('unsupported_media_type', { type: FORM, expected: JSON_TYPE })
    return readUrlEncoded(body)
  })
  app.addContentTypeParser(
    JSON_TYPE,
    { parseAs: 'string' },
    async (request: FastifyRequest, body: string) => {
      if (request.routeOptions.config.reads !== 'json')
        throw problem('unsupported_media_type', { type: JSON_TYPE, expected: FORM })
      return readJson(body)
    },
  )
  app.setErrorHandler((fault, request, reply) => answerFault(fault, request, reply, options.log))
  app.setNotFoundHandler((request, reply) =>
    answerFault(problem('not_found', { path: withoutVersion(request.url) }), request, reply, options.log),
  )
  app.addHook('onResponse', async (request, reply) =>
    options.answered(
      request.routeOptions.config.operation ?? 'none',
      reply.statusCode,
      reply.elapsedTime / 1000,
    ),
  )
  app.addHook('onRequest', (request) => admit(request, options))

  const methods = new Map<string, Set<string>>()
  for (const binding of options.served) addResource(app, binding, options, methods)
  for (const it of options.unserved) addUnserved(app, it, methods)
  for (const [url, taken] of methods)
    for (const method of EVERY_METHOD.filter((it) => !taken.has(it as string)))
      app.route({
        method,
        url,
        config: { operation: 'none', openTo: 'anyone' },
        handler: async () => {
          throw problem('method_not_allowed', { method: String(method), path: url })
        },
      })
  return app
}

const readJson = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    throw problem('malformed_request', { reason: 'its body is not JSON' })
  }
}

/** Before a body is read: who asks, and whether they may. Pages of ours that are no operation pass. */
const admit = async (request: FastifyRequest, options: ServeOptions): Promise<void> => {
  const { doorkeeper, limit } = options
  const { operation, openTo } = request.routeOptions.config
  if (operation === undefined) return
  if (openTo === 'anyone') return admitGuest(request, options)
  const caller = await doorkeeper.authenticate(request.headers.authorization)
  await limit.take(caller.accountSid)
  if (caller.token && openTo !== 'clients')
    throw problem('access_denied', { reason: 'an access token does not open this' })
  request.caller = caller
}

const admitGuest = async (
  request: FastifyRequest,
  { guestLimit, guestOrigins }: ServeOptions,
): Promise<void> => {
  const { origin } = request.headers
  if (origin !== undefined && guestOrigins !== '*' && !guestOrigins.includes(origin))
    throw problem('access_denied', { reason: `pages of ${origin} are not among PARLEY_WEBCHAT_ORIGINS` })
  await guestLimit.take(request.ip)
}

const routePattern = (address: string): string => address.replace(/\{(\w+)\}/g, ':$1')

const addResource = (
  app: FastifyInstance,
  { resource, verbs }: Binding,
  options: ServeOptions,
  methods: Map<string, Set<string>>,
): void => {
  const present = presenter(resource, options.publicUrl)
  for (const [verb, declared] of Object.entries(resource.operations) as [
    Verb,
    (typeof resource.operations)[Verb],
  ][]) {
    const url = routePattern(addressOf(resource, verb))
    const method = METHODS[verb]
    methods.set(url, (methods.get(url) ?? new Set()).add(method))
    app.route({
      method,
      url,
      config: {
        operation: operationName(resource, verb),
        openTo: declared?.openTo ?? resource.openTo ?? 'accounts',
        reads: declared?.reads ?? 'form',
      },
      handler: operationHandler({ resource, verb, bound: verbs[verb], present, options }),
    })
  }
}

interface Operated {
  readonly resource: ResourceDeclaration
  readonly verb: Verb
  readonly bound: unknown
  readonly present: Present
  readonly options: ServeOptions
}

type Row = Readonly<Record<string, unknown>>

interface Bound {
  list: ((reader: Reader, call: Call) => Promise<Row[]>) | ListInFull
  fetch: (reader: Reader, call: Call) => Promise<Row | undefined>
  create: (tx: Tx, call: Call) => Promise<Row>
  update: (tx: Tx, call: Call) => Promise<Row | undefined>
  delete: (tx: Tx, call: Call) => Promise<boolean>
}

interface ListInFull {
  readonly rows: (reader: Reader, call: Call) => Promise<Row[]>
  readonly key: (row: Row) => string | number
}

const NO_PAGE: Page = { size: 0, limit: 0, number: 0 }

const operationHandler = ({ resource, verb, bound, present, options }: Operated) => {
  const { store, publicUrl, gate } = options
  const declared = resource.operations[verb]
  const name = operationName(resource, verb)
  const success = declared?.status ?? SUCCESS[verb]
  const readInput = formReader(declared?.form)
  const inQuery = METHODS[verb] === 'GET'

  const readCall = async (request: FastifyRequest, reply: FastifyReply, page: Page): Promise<Call> => {
    const path: Record<string, string> = {}
    for (const [wire, value] of Object.entries(request.params as Record<string, string>)) {
      // PostgreSQL keeps no NUL in text, so nothing has such a name.
      if (value.includes('\0')) throw notFound(request)
      path[inCode(wire)] = value
    }
    const accountSid = request.caller?.accountSid ?? path.accountSid ?? ''
    if (!request.caller && accountSid && !(await options.doorkeeper.exists(accountSid)))
      throw notFound(request)
    const sent = (inQuery ? request.query : (request.body ?? {})) as Sent
    const token = request.caller?.token
    const call: Call = {
      accountSid,
      token,
      actor: token
        ? { kind: 'client', identity: token.identity }
        : { kind: 'api', webhooks: request.headers['x-twilio-webhook-enabled'] === 'true' },
      path,
      input: readInput(isRecord(sent) ? sent : {}),
      page,
      ifMatch: request.headers['if-match'],
      json: declared?.reads === 'json' ? request.body : undefined,
      say: (header, value) => reply.header(header, value),
    }
    return gate(store.reader, resource, verb, call)
  }

  const answerOne = (row: Row | undefined, request: FastifyRequest, reply: FastifyReply) => {
    if (row === undefined) throw notFound(request)
    reply.code(success)
    return present(row)
  }

  const handlers = {
    list: (verbBound: Bound['list']) => {
      const { rows, key } =
        typeof verbBound === 'function'
          ? { rows: verbBound, key: (row: Row) => row.sid as string }
          : verbBound
      const kind: KeyKind = typeof verbBound === 'function' ? 'sid' : 'text'
      const sizes = resource.pageSize ?? { default: 50, max: 1000 }
      const arrayKey = resource.key ?? 'items'
      return async (request: FastifyRequest, reply: FastifyReply) => {
        const query = request.query as Sent
        const page = readPage(query, sizes, resource.pageKey ?? kind)
        const found = await rows(store.reader, await readCall(request, reply, page))
        const { rows: shown, meta } = paged(found, {
          page,
          address: publicUrl + pathOf(request.url),
          filters: query,
          key: arrayKey,
          keyOf: key,
          kind: resource.pageKey ?? kind,
        })
        reply.code(success)
        return { meta, [arrayKey]: shown.map(present) }
      }
    },
    fetch: (verbBound: Bound['fetch']) => async (request: FastifyRequest, reply: FastifyReply) =>
      answerOne(await verbBound(store.reader, await readCall(request, reply, NO_PAGE)), request, reply),
    create: (verbBound: Bound['create']) => async (request: FastifyRequest, reply: FastifyReply) => {
      const call = await readCall(request, reply, NO_PAGE)
      return answerOne(await store.transact(name, (tx) => verbBound(tx, call)), request, reply)
    },
    update: (verbBound: Bound['update']) => async (request: FastifyRequest, reply: FastifyReply) => {
      const call = await readCall(request, reply, NO_PAGE)
      return answerOne(await store.transact(name, (tx) => verbBound(tx, call)), request, reply)
    },
    delete: (verbBound: Bound['delete']) => async (request: FastifyRequest, reply: FastifyReply) => {
      const call = await readCall(request, reply, NO_PAGE)
      if (!(await store.transact(name, (tx) => verbBound(tx, call)))) throw notFound(request)
      return reply.code(success).send()
    },
  }
  return handlers[verb](bound as never)
}

const isRecord = (it: unknown): it is Sent => typeof it === 'object' && it !== null && !Array.isArray(it)

const addUnserved = (
  app: FastifyInstance,
  { operations, why }: Unserved,
  methods: Map<string, Set<string>>,
): void => {
  for (const operation of operations) {
    const [method = 'GET', address = '/'] = operation.split(' ')
    const url = routePattern(address)
    methods.set(url, (methods.get(url) ?? new Set()).add(method))
    app.route({
      method: method as HTTPMethods,
      url,
      config: { operation, openTo: 'clients' },
      handler: async () => {
        throw problem('not_served', { reason: why })
      },
    })
  }
}

const pathOf = (url: string): string => {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** Twilio names a missing resource by its path without the version. */
const withoutVersion = (url: string): string => pathOf(url).replace(/^\/v\d+(?=\/)/, '')

const notFound = (request: FastifyRequest): Problem =>
  problem('not_found', { path: withoutVersion(request.url) })

const answerFault = (
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
  if (fault instanceof Problem) return fault
  const { code, message } = fault as { code?: unknown; message?: string }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('body_too_large', { max: BODY_MAX })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problem('unsupported_media_type', {
        type: String(request.headers['content-type']).slice(0, 100),
        expected: request.routeOptions.config.reads === 'json' ? JSON_TYPE : FORM,
      })
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

/** What is not even HTTP. */
const answerUnreadable = (fault: Error & { code?: string }, socket: Socket): void => {
  if (fault.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const late = fault.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const it = problem('malformed_request', {
    reason: late ? 'it did not arrive whole in time' : 'it is not HTTP',
  })
  const status = late ? 408 : 400
  const body = JSON.stringify({ ...problemBody(it), status })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${JSON_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
