/** Runs reactions, each in a savepoint of its own; keeps what failed as a job, with the event it is about. */
import type { Event, EventName } from '@parley/contract/event.ts'
import type { Logger } from 'pino'
import type { JobHandler } from '../jobs/handler.ts'
import { later, notLater } from '../jobs/later.ts'
import { dialects } from '../store/dialect.ts'
import type { Tx } from '../store/tx.ts'
import type { JointReaction, Reaction } from './react.ts'

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

export const openReactions = (all: readonly (Reaction | JointReaction)[], log: Logger): Reactions => {
  const single = all.filter((it) => 'react' in it)
  const joint = all.filter((it) => 'reactToAll' in it).map((it) => ({ ...it, to: new Set(it.to) }))
  const byEvent = new Map<EventName, Reaction[]>()
  for (const it of single) for (const name of it.to) byEvent.set(name, [...(byEvent.get(name) ?? []), it])
  const byName = new Map(all.map((it) => [it.name, it]))

  /** What fails is undone alone and left as a job for each event it was about. */
  const alone = async (
    tx: Tx,
    name: string,
    events: readonly Event[],
    react: () => Promise<void>,
  ): Promise<void> => {
    try {
      await tx.savepoint(react)
    } catch (fault) {
      const { isBusy, isAway } = dialects[tx.dialect]
      // Others were at work: the whole transaction is run again, and this reaction with it. Or it is lost, with its job.
      if (isBusy(fault) || isAway(fault)) throw fault
      const about = events.map((it) => it.name).join()
      log.error(
        { fault, reaction: name, event: about, verb: tx.verb },
        'a reaction failed and is left to try again',
      )
      const dueAt = tx.now() + RETRY_AFTER_MS
      for (const event of events)
        await later(tx, { kind: RETRY_KIND, key: tx.newSid('RX'), dueAt, data: { reaction: name, event } })
    }
  }

  const run = async (tx: Tx, events: readonly Event[]): Promise<void> => {
    let at = 0
    while (at < events.length) {
      const from = at
      // Reactions record events of their own, which are met in turn.
      for (; at < events.length; at += 1) {
        if (at === EVENTS_MAX) throw new Error(`${tx.verb} sets off more than ${EVENTS_MAX} events`)
        const event = events[at] as Event
        for (const { name, react } of byEvent.get(event.name) ?? [])
          await alone(tx, name, [event], () => react(tx, event))
      }
      const met = events.slice(from, at)
      for (const { name, to, reactToAll } of joint) {
        const those = met.filter((it) => to.has(it.name))
        if (those.length) await alone(tx, name, those, () => reactToAll(tx, those))
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
          if (!(await notLater(tx, RETRY_KIND, key))) return
          if ('react' in it) await it.react(tx, event)
          else await it.reactToAll(tx, [event])
        })
        return undefined
      },
    },
  }
}
