/** The requests of the worker SDK over HTTP: `POST /v1/wschannels`, whose body is JSON whatever it is called. */
import { problem } from '@parley/contract/problem.ts'
import type { FastifyInstance } from 'fastify'
import type { EventBridge } from './index.ts'
import { readEnvelope } from './requests.ts'

const PATH = '/v1/wschannels'

/** Adds the route to the server, which does not listen yet. */
export const addEventBridgeRoute = async (
  app: FastifyInstance,
  {
    bridge,
    limit,
  }: { readonly bridge: EventBridge; readonly limit: { take(accountSid: string): Promise<void> } },
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
        await limit.take(asker.accountSid)
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
