/** The requests of the worker SDK over HTTP: `POST /v1/wschannels`, whose body is JSON whatever it is called. */
import { setTimeout as wait } from 'node:timers/promises'
import { problem } from '@parley/contract/problem.ts'
import type { FastifyInstance } from 'fastify'
import type { EventBridge } from './index.ts'
import { readEnvelope } from './requests.ts'

const PATH = '/v1/wschannels'

/**
 * How long a client that begins waits for its turn, in milliseconds. When a house starts again all of them begin at once,
 * and the SDK gives up where it is refused; for an answer it waits 15 seconds.
 */
const TURN_WITHIN_MS = 10_000

/** How often it is asked whether it is its turn, in milliseconds. */
const TURN_AGAIN_MS = 200

/** Adds the route to the server, which does not listen yet. */
export const addEventBridgeRoute = async (
  app: FastifyInstance,
  {
    bridge,
    limit,
  }: { readonly bridge: EventBridge; readonly limit: { take(accountSid: string): Promise<unknown> } },
): Promise<void> => {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    scope.route({
      method: 'POST',
      url: PATH,
      config: { operation: `POST ${PATH}`, openTo: 'itself' },
      handler: async (request, reply) => {
        const envelope = readEnvelope(request.body)
        const asker = await bridge.ask(envelope.token)
        const mayWait = () => envelope.method === 'GET' && bridge.isBeginning(asker)
        await takeTurn(() => limit.take(asker.accountSid), mayWait)
        const { payload, sent } = await bridge.answer(asker, envelope, request.headers['if-match'])
        // Whoever went away while they were being answered closes nothing more.
        if (reply.raw.destroyed) sent()
        else reply.raw.once('close', sent)
        return { event_type: null, payload }
      },
    })
  })
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const)
    app.route({
      method,
      url: PATH,
      config: { operation: 'none', allowed: ['POST'] },
      handler: async () => {
        throw problem('internal')
      },
    })
}

/** @throws a Problem where it may not wait, or has waited for long enough */
const takeTurn = async (take: () => Promise<unknown>, mayWait: () => boolean): Promise<unknown> => {
  for (let waited = 0; ; waited += TURN_AGAIN_MS)
    try {
      return await take()
    } catch (refused) {
      if (waited >= TURN_WITHIN_MS || !mayWait()) throw refused
      await wait(TURN_AGAIN_MS)
    }
}
