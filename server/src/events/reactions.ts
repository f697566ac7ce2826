/** Runs reactions, each in a savepoint of its own; keeps what failed as a job, with the event it is about. */
import type { Event, EventName } from '@parley/contract/event.ts'
import type { Logger } from 'pino'
import type { JobHandler } from '../jobs/handler.ts'
import { later, notLater } from '../jobs/later.ts'
import { dialects } from '../store/dialect.ts'
import type { Tx } from '../store/tx.ts'
import type { Reaction } from './react.ts'

/** A chain of reactions longer than this goes in circles. */
const EVENTS_MAX = 2_000

const RETRY_KIND = 'events.react'

/** The first wait after a reaction failed, in milliseconds; the runner makes the next ones longer. */
const RETRY_AFTER_MS = 1_000

export interface Reactions {
  /** Hung into every transaction. */
  readonly run: (tx: Tx, events: readonly Event[]) => Promise<void>
  /** Tries again what failed. */
  readonly handler: JobHandler
}

export const openReactions = (all: readonly Reaction[], log: Logger): Reactions => {
  const byEvent = new Map<EventName, Reaction[]>()
  for (const it of all) for (const name of it.to) byEvent.set(name, [...(byEvent.get(name) ?? []), it])
  const byName = new Map(all.map((it) => [it.name, it]))

  const run = async (tx: Tx, events: readonly Event[]): Promise<void> => {
    // Reactions record events of their own, which are met in turn.
    for (let at = 0; at < events.length; at += 1) {
      if (at === EVENTS_MAX) throw new Error(`${tx.verb} sets off more than ${EVENTS_MAX} events`)
      const event = events[at] as Event
      for (const { name, react } of byEvent.get(event.name) ?? []) {
        try {
          await tx.savepoint(() => react(tx, event))
        } catch (fault) {
          // Others were at work: the whole transaction is run again, and this reaction with it.
          if (dialects[tx.dialect].isBusy(fault)) throw fault
          log.error(
            { fault, reaction: name, event: event.name, verb: tx.verb },
            'a reaction failed and is left to try again',
          )
          const dueAt = tx.now() + RETRY_AFTER_MS
          await later(tx, { kind: RETRY_KIND, key: tx.newSid('RX'), dueAt, data: { reaction: name, event } })
        }
      }
    }
  }

  return {
    run,
    handler: {
      kind: RETRY_KIND,
      perLane: 4,
      leaseMs: 30_000,
      run: async ({ key, data }, { store }) => {
        const { reaction, event } = data as { reaction: string; event: Event }
        const it = byName.get(reaction)
        if (!it) throw new Error(`no reaction is called ${reaction}`)
        await store.transact(`try again: ${reaction}`, async (tx) => {
          // The job goes with what it does: a crash between the two would do it twice.
          if (await notLater(tx, RETRY_KIND, key)) await it.react(tx, event)
        })
        return undefined
      },
    },
  }
}
