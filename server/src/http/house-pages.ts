/** The pages of the house itself: alive, ready, metrics, and the documents of the API. */
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly registry: Registry
  readonly answered: (operation: string, status: number, seconds: number) => void
  readonly jobEnded: (kind: string, outcome: string) => void
  /** Counts what stands open, each time somebody asks. */
  readonly watch: (open: OpenSockets) => void
}

interface OpenSockets {
  readonly connections: number
  /** What clients follow over them. */
  readonly followings: number
}

/** Upper bounds in seconds: a post is a few milliseconds, a request that waits for a webhook a few seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export const openMetrics = (): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const seconds = new Histogram({
    name: 'parley_request_seconds',
    help: 'How long requests took',
    labelNames: ['operation', 'status'],
    buckets: SECONDS,
    registers: [registry],
  })
  const jobs = new Counter({
    name: 'parley_jobs_total',
    help: 'Jobs that ended, by how',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  })
  return {
    registry,
    answered: (operation, status, took) => seconds.labels(operation, String(status)).observe(took),
    jobEnded: (kind, outcome) => jobs.labels(kind, outcome).inc(),
    watch: (open) => {
      gauge(registry, 'parley_socket_connections', 'Sockets that are connected', () => open.connections)
      gauge(registry, 'parley_socket_followings', 'What clients follow over them', () => open.followings)
    },
  }
}

const gauge = (registry: Registry, name: string, help: string, read: () => number): Gauge =>
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read())
    },
  })

export interface HousePages {
  readonly metrics: Metrics
  /** Throws while the house cannot serve. */
  readonly ready: () => Promise<void>
  /** Asked once, when somebody first wants to read it. */
  readonly document: () => Record<string, unknown>
}

export const addHousePages = async (
  app: FastifyInstance,
  { metrics, ready, document: makeDocument }: HousePages,
): Promise<void> => {
  let made: Record<string, unknown> | undefined
  const document = (): Record<string, unknown> => {
    made ??= makeDocument()
    return made
  }
  app.get('/healthz', async () => ({ status: 'alive' }))
  app.get('/readyz', async (_, reply) => {
    try {
      await ready()
      return { status: 'ready' }
    } catch (fault) {
      reply.code(503)
      return { status: 'not ready', reason: (fault as Error).message }
    }
  })
  app.get('/metrics', async (_, reply) => {
    reply.type(metrics.registry.contentType)
    return metrics.registry.metrics()
  })
  app.get('/openapi.json', async () => document())
  await app.register(documentGiver(document))
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { url: '/openapi.json', docExpansion: 'none', deepLinking: true },
    staticCSP: true,
    // Over plain http its own files would be asked for over https, and the page stay blank.
    transformStaticCSP: (policy) => policy.replace('upgrade-insecure-requests;', ''),
    logo: { type: 'image/svg+xml', content: LOGO, href: '/docs' },
    theme: { title: 'Parley API' },
  })
}

/** The page asks for its document where `@fastify/swagger` would have it; ours is made from the declarations. */
const documentGiver = (document: () => Record<string, unknown>) =>
  plugin(
    async (app: FastifyInstance) => {
      app.decorate('swagger', document)
    },
    { name: '@fastify/swagger' },
  )

const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="32"><text x="0" y="23" font-family="system-ui" font-size="22" font-weight="600" fill="#fff">Parley</text></svg>'
