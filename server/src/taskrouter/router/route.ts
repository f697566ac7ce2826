/**
 * The living router: one run at a time for each workspace, since a run is a job with the workspace as its key. It
 * decides, reserves, and looks again until nothing more can be done. Whatever may let a task find a worker wakes it.
 */
import type { JobHandler, Outcome } from '../../jobs/handler.ts'
import { find } from '../../store/rows.ts'
import type { Store } from '../../store/tx.ts'
import { ROUTE } from '../wake-router.ts'
import { type DecidedOffer, decide, hasRoomForMore, RouterMemory } from './decide.ts'
import { passOver } from './pass-over.ts'
import { reserve } from './reserve.ts'

/** How many offers share a transaction: few enough that it lasts some milliseconds, many enough to share a commit. */
const BATCH = 50

/** A run longer than this ends and begins again, so that its lease is never outlived. In milliseconds. */
const RUN_MS = 10_000

/**
 * Rounds in a row of whose offers none still held. What overtook them need not have woken the router: a task that was
 * canceled leaves its worker to the next, so a round is not the last while it decides something.
 */
const LOST_ROUNDS_MAX = 5

/** After so many the run ends, to look again once whoever is at work is done, in milliseconds. */
const LOST_AGAIN_MS = 1_000

/** A run that ends when it should never outlives it; where its node dies, nothing is routed for so long. */
const LEASE_MS = 15_000

/** Workspaces routed at once on one node. */
const AT_ONCE = 4

export const openRouter = (): JobHandler => {
  const memory = new RouterMemory()
  return {
    kind: ROUTE,
    perLane: AT_ONCE,
    leaseMs: LEASE_MS,
    run: ({ key }, { store, now }) => route(store, key, memory, now),
  }
}

export const route = async (
  store: Store,
  workspaceSid: string,
  memory: RouterMemory,
  now: () => number,
): Promise<Outcome | undefined> => {
  const endBy = now() + RUN_MS
  let lost = 0
  for (;;) {
    const workspace = await find(store.reader, 'workspaces', { sid: workspaceSid })
    if (!workspace) return undefined
    const decision = await decide(store.reader, workspace, memory)
    const { offers, left, lookAgainAt } = decision
    const made = await reserveAll(store, workspaceSid, offers)
    lost = offers.length > 0 && made === 0 ? lost + 1 : 0
    if (lost > LOST_ROUNDS_MAX) return { again: now() + LOST_AGAIN_MS }
    const settled = made === offers.length && !(await hasRoomForMore(store.reader, decision))
    if (settled && (await passOver(store, workspaceSid, left, memory.workers)) === 0)
      return lookAgainAt === undefined ? undefined : { again: lookAgainAt }
    if (now() > endBy) return { again: now() }
  }
}

/** @returns how many still held; one that does not was overtaken, and the next round sees by what */
const reserveAll = async (
  store: Store,
  workspaceSid: string,
  offers: readonly DecidedOffer[],
): Promise<number> => {
  let made = 0
  for (let at = 0; at < offers.length; at += BATCH) {
    const batch = offers.slice(at, at + BATCH)
    made += await store.transact('offer tasks', (tx) => reserve(tx, workspaceSid, batch))
  }
  return made
}
