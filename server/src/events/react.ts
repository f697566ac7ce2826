/**
 * What other rooms do about an event, inside the same transaction, right after the verb. A reaction is pure database
 * work and bounded; what can wait, loop or fail on its own is left as a job. A reaction that throws is undone alone
 * and left as a job to try again, so that a fault in one room never loses what another has done.
 */
import type { EventName, EventOf } from '@parley/contract/event.ts'
import type { Tx } from '../store/tx.ts'

export interface Reaction<N extends EventName = EventName> {
  /** For faults and retries: `flex: greet`. */
  readonly name: string
  readonly to: readonly N[]
  readonly react: (tx: Tx, event: EventOf<N>) => Promise<void>
}

export const reaction = <const N extends EventName>(it: Reaction<N>): Reaction => it as unknown as Reaction

/** A reaction that only writes down: it meets all events of a transaction at once, after the others met each of them. */
export interface JointReaction<N extends EventName = EventName> {
  readonly name: string
  readonly to: readonly N[]
  /** @param events never empty, in the order they were recorded */
  readonly reactToAll: (tx: Tx, events: readonly EventOf<N>[]) => Promise<void>
}

export const jointReaction = <const N extends EventName>(it: JointReaction<N>): JointReaction =>
  it as unknown as JointReaction
