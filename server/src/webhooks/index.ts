/** Webhooks: who hears what, how it is delivered, and the ledger of it all. */
import type { Reaction } from '../events/react.ts'
import type { Gate } from '../http/binding.ts'
import type { JobHandler } from '../jobs/handler.ts'
import type { Store } from '../store/tx.ts'
import { assign, hearReservations } from './assign.ts'
import type { Means } from './attempt.ts'
import { openCaller } from './call.ts'
import { requireCallable } from './callable.ts'
import { type DeliverSettings, deliver } from './deliver.ts'
import { openGate } from './gate.ts'
import { type HearSettings, hear } from './hear.ts'
import { sweep } from './sweep.ts'

export { routes } from './routes.ts'

export interface WebhookSettings extends HearSettings, DeliverSettings {
  /** Whether addresses that are not public may be called. */
  readonly allowPrivate: boolean
}

export interface Webhooks extends AsyncDisposable {
  readonly reactions: readonly Reaction[]
  readonly handlers: readonly JobHandler[]
  /** What is asked passes through it before the verb: no address that must not be called, no client unasked about. */
  gate(store: Store): Gate
}

/** Disposing of it breaks off the calls that are under way. */
export const openWebhooks = ({
  authTokenOf,
  ...settings
}: WebhookSettings & Pick<Means, 'authTokenOf'>): Webhooks => {
  const caller = openCaller(settings)
  const means = { caller, authTokenOf }
  return {
    reactions: [hear(settings), hearReservations],
    handlers: [deliver(means, settings), assign(means), sweep],
    gate: (store) => {
      const ask = openGate(means, store)
      return async (reader, resource, verb, call, rehearse) => {
        await requireCallable(settings, call)
        return ask(reader, resource, verb, call, rehearse)
      }
    },
    [Symbol.asyncDispose]: () => caller[Symbol.asyncDispose](),
  }
}
