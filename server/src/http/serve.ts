/**
 * The door for requests. From each resource's declaration and its verbs follow the routes, the reading of forms,
 * pages, answers and errors. Knows no product.
 *
 * A request goes: who asks → how much they may ask → what they ask (form or query) → the gate → the verb, in a
 * transaction where it changes something → the answer.
 */
import cors from '@fastify/cors'
import { presenter } from '@parley/contract/present.ts'
import { problem } from '@parley/contract/problem.ts'
import { addressOf, METHODS, operationName, type Unserved, type Verb } from '@parley/contract/resource.ts'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify'
import type { Logger } from 'pino'
import { beforeAnyChange } from '../store/away.ts'
import type { AccessToken, Binding } from './binding.ts'
import { answerFault, answerUnreadable, BODY_MAX, methodNotAllowed, notFound, slowSockets } from './faults.ts'
import { FORM, JSON_TYPE, lastOf, readUrlEncoded } from './forms.ts'
import type { Limit } from './limits.ts'
import { operationHandler, type Serving } from './operation.ts'

/** A request that has not arrived whole by then is given up, in milliseconds. */
const REQUEST_TIMEOUT_MS = 20_000

/** How often such requests are looked for, in milliseconds. */
const REQUEST_CHECK_MS = 1_000

/** Identities and unique names stand in paths; each of their characters may be encoded in up to twelve. */
const PATH_VALUE_MAX = 4_096

const EVERY_METHOD: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

export interface Doorkeeper {
  /**
   * @param token an access token by itself, as the chat SDKs send it with media; where it is given, it alone counts
   * @throws 401
   */
  authenticate(
    authorization: string | undefined,
    token: string | undefined,
  ): Promise<{ accountSid: string; token: AccessToken | undefined }>
}

export interface ServeOptions extends Serving {
  readonly served: readonly Binding[]
  readonly unserved: readonly Unserved[]
  readonly doorkeeper: Doorkeeper
  readonly limit: Limit
  readonly guestLimit: Limit
  /** Which pages may ask for what needs no credentials: their origins, or `*` for all. */
  readonly guestOrigins: '*' | readonly string[]
  /** In milliseconds; 20 seconds unless said otherwise. */
  readonly requestTimeoutMs?: number | undefined
  readonly log: Logger
  /** Hears of every answer, for metrics. */
  readonly answered: (operation: string, status: number, seconds: number) => void
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Without one it is a page of ours, which anybody may read. */
    operation?: string
    /** `itself`: who asks is said in the body, and the route judges it. */
    openTo?: 'accounts' | 'clients' | 'anyone' | 'itself'
    reads?: 'form' | 'json'
    /** Its body may take longer to arrive than others: the route itself sees to it that it does not take for ever. */
    slow?: boolean
    /** The operation is known and not served: why. */
    unserved?: string
    /** The method is none of this address: those that are. */
    allowed?: readonly string[]
  }
}

/** The server with a route for every operation, served or not, and 405 for every other method; it does not listen yet. */
export const serve = async (options: ServeOptions): Promise<FastifyInstance> => {
  const { log, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options
  const app = fastify({
    bodyLimit: BODY_MAX,
    requestTimeout: requestTimeoutMs,
    http: {
      headersTimeout: requestTimeoutMs,
      // Refused in `admit`, in our own shape.
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(REQUEST_CHECK_MS, requestTimeoutMs),
    },
    forceCloseConnections: 'idle',
    // Requests in flight when the house closes are answered, not turned away.
    return503OnClosing: false,
    logger: false,
    exposeHeadRoutes: true,
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: PATH_VALUE_MAX,
      // Read in `admit`: what is thrown here would not be answered but end the process.
      querystringParser: (text) => text as unknown as Record<string, unknown>,
    },
    frameworkErrors: (fault, request, reply) => answerFault(fault, request, reply, log),
    clientErrorHandler: answerUnreadable,
  })
  app.decorateRequest('caller', undefined)
  await app.register(cors, {
    // Every page may ask, and with this origin no browser adds the passwords it remembers: who asks says so itself.
    origin: '*',
    credentials: true,
    methods: ['GET', 'POST', 'DELETE', 'OPTIONS'],
    exposedHeaders: ['ETag', 'Retry-After', 'X-Rate-Limit-Limit', 'X-Rate-Limit-Remaining', 'Parley-Channel'],
    strictPreflight: false,
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
  app.setErrorHandler((fault, request, reply) => answerFault(fault, request, reply, log))
  app.setNotFoundHandler((request) => {
    throw notFound(request)
  })
  app.addHook('onResponse', async (request, reply) => {
    slowSockets.delete(request.socket)
    options.answered(
      request.routeOptions.config.operation ?? 'none',
      reply.statusCode,
      reply.elapsedTime / 1000,
    )
  })
  app.addHook('onRequest', (request, reply) => beforeAnyChange(() => admit(request, reply, options)))

  const methods = new Map<string, Set<string>>()
  for (const binding of options.served) addResource(app, binding, options, methods)
  for (const it of options.unserved) addUnserved(app, it, methods)
  for (const [url, taken] of methods)
    for (const method of EVERY_METHOD.filter((it) => !taken.has(it as string)))
      app.route({
        method,
        url,
        config: { operation: 'none', allowed: [...taken] },
        handler: refusedBefore,
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

/** Before a body is read: what is asked for, who asks, and whether they may. Pages of ours pass. */
const admit = async (request: FastifyRequest, reply: FastifyReply, options: ServeOptions): Promise<void> => {
  if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
    throw problem('malformed_request', { reason: 'it has no Host header' })
  if (request.is404) throw METHODS_READ.has(request.method) ? notFound(request) : methodNotAllowed(request)
  const { operation, openTo, unserved, allowed, slow } = request.routeOptions.config
  if (operation === undefined) return
  if (allowed) {
    reply.header('Allow', allowed.join(', '))
    throw methodNotAllowed(request)
  }
  request.query = readUrlEncoded(request.query as string)
  if (openTo === 'itself') return
  if (openTo === 'anyone') return admitGuest(request, options)
  const { authorization, 'x-twilio-token': token } = request.headers
  const caller = await options.doorkeeper.authenticate(authorization, lastOf(token) as string | undefined)
  await takeTurn(reply, options.limit, caller.accountSid)
  if (unserved !== undefined) throw problem('not_served', { reason: unserved })
  if (caller.token && openTo !== 'clients')
    throw problem('access_denied', { reason: 'an access token does not open this' })
  if (slow) slowSockets.add(request.socket)
  request.caller = caller
}

/** Says how much is left also where nothing is: TaskRouter's clients know these headers, and others may. */
const takeTurn = async (reply: FastifyReply, limit: Limit, accountSid: string): Promise<void> => {
  if (limit.perSecond === 0) return
  reply.header('X-Rate-Limit-Limit', limit.perSecond).header('X-Rate-Limit-Remaining', 0)
  reply.header('X-Rate-Limit-Remaining', await limit.take(accountSid))
}

/** Every other method is wrong whatever the address. */
const METHODS_READ: ReadonlySet<string> = new Set([...EVERY_METHOD, 'HEAD', 'OPTIONS'] as string[])

/** `admit` refuses every request to such a route. */
const refusedBefore = async (): Promise<never> => {
  throw problem('internal')
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
      handler: operationHandler({ resource, verb, bound: verbs[verb], present, serving: options }),
    })
  }
}

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
      config: { operation, openTo: 'clients', unserved: why },
      handler: refusedBefore,
    })
  }
}
