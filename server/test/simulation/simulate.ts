/**
 * A centre lives through some hours: customers come, agents answer, ignore, reject, hand on, leave, lose their sockets
 * and come back, admins change their minds, the disk fails and the process dies. After each step, once nothing is due,
 * everything must hold.
 *
 * The same seed is the same run, to the last row: `hash` shows it.
 */
import { createHash } from 'node:crypto'
import type { Event } from '@parley/contract/event.ts'
import type { Where } from '../../src/store/open.ts'
import type { Tx } from '../../src/store/tx.ts'
import { readEverything } from '../taskrouter/agreement.ts'
import { openChance } from './chance.ts'
import { Hands } from './hands.ts'
import { mayBeSent, mustHold } from './invariants.ts'
import { Moves } from './moves.ts'
import { build, type Centre, type CentreWanted } from './opening.ts'
import { isMoreDueThanRouting, Order } from './order.ts'
import { act } from './people.ts'
import { openStage, type Row, readLate, type Stage } from './stage.ts'

export interface Wanted extends CentreWanted {
  readonly seed: number
  readonly hours: number
  /** In memory unless given: an empty database. */
  readonly where?: Where | undefined
  /** Whether the store does one thing after the other: each engine then gives the same run. */
  readonly inTurns?: boolean | undefined
  /** Everything is checked after so many steps; after each unless given. */
  readonly checkEvery?: number | undefined
  /** Whether admins, faults and crashes are part of it; they are unless said otherwise. */
  readonly trouble?: boolean | undefined
  /** Breaks the world after each step, to see that it is noticed. @returns whether there was something to break */
  readonly sabotage?: ((tx: Tx) => Promise<boolean>) | undefined
  /** Whether the log of events and what statistics are counted from are written; nothing here judges them. */
  readonly records?: boolean | undefined
  /** Nobody routes. */
  readonly unrouted?: boolean | undefined
}

export interface Lived {
  readonly hash: string
  readonly steps: number
  readonly tasks: number
  readonly reservations: number
  readonly counts: ReadonlyMap<string, number>
}

/** How long a step is, in milliseconds, at the least and the most. */
const STEP_MS = [500, 45_000] as const

const HOUR_MS = 3_600_000

export const simulate = async (wanted: Wanted): Promise<Lived> => {
  const chance = openChance(wanted.seed)
  const size = wanted.agents === undefined ? 'small' : 'large'
  const moves = new Moves()
  const hands = new Hands(chance, size)
  const told = createHash('sha256')
  let clients: Centre['clients'] = new Map()
  let fault: Error | undefined

  const hear = (events: readonly Event[]): void => {
    for (const event of events) {
      const { task, reservation } = event as { task?: Row; reservation?: Row }
      told.update(`${event.name} ${task?.sid} ${reservation?.sid} ${reservation?.worker_sid}\n`)
      moves.saw(event)
      hands.hear(event)
    }
    mayBeSent(events, clients, stage)
  }

  const order = new Order()
  await using stage = await openStage(
    chance,
    {
      committed: (events) => {
        try {
          hear(events)
        } catch (it) {
          fault ??= it as Error
        }
      },
      ...(wanted.checkEvery === undefined && {
        reserving: async (tx: Tx, event: Event) => order.note(tx, event, known),
      }),
    },
    { routes: !wanted.unrouted, where: wanted.where, inTurns: wanted.inTurns, records: wanted.records },
  )
  const known = await build(stage, chance, wanted)
  clients = known.clients
  const end = stage.now() + wanted.hours * HOUR_MS
  const { checkEvery = 1, trouble = true } = wanted
  let steps = 0
  while (stage.now() < end) {
    steps += 1
    const elapsed = chance.int(...STEP_MS)
    if (trouble && chance.percent(12)) stage.trials.troublePercent = chance.int(1, 20)
    if (trouble && chance.percent(6)) stage.trials.crashAfter = chance.int(1, 25)
    await goOn(stage, elapsed)
    const calm = stage.trials.troublePercent === 0 && stage.trials.crashAfter === Number.POSITIVE_INFINITY
    const acting = act({ stage, chance, known, hands, elapsed, trouble })
    // Some of what people do meets the router at work; only apart from it can the order of service be told.
    const apart = calm && chance.percent(60)
    if (apart) {
      await Promise.all(acting)
      await stage.quiet()
      stage.advance(1)
      if (!(await isMoreDueThanRouting(stage))) order.watch(stage.now())
    }
    await Promise.all([...acting, stage.settle()])
    await becomeCalm(stage, known)
    if (apart) await order.mustHold(stage, known)
    order.rest()
    if (wanted.sabotage && (await stage.store.transact('sabotage', wanted.sabotage))) {
      await mustHold(stage, known, moves)
      throw new Error('what was broken went unnoticed')
    }
    if (fault) throw fault
    if (steps % checkEvery === 0) await mustHold(stage, known, moves)
  }
  return {
    hash: told
      .update(await allRows(stage))
      .digest('hex')
      .slice(0, 16),
    steps,
    ...{ tasks: hands.tasks, reservations: hands.reservations },
    counts: stage.counts,
  }
}

/** Time passes, and leases are renewed while it does: not only once it is over, with all that is due by then. */
const goOn = async (stage: Stage, ms: number): Promise<void> => {
  stage.advance(ms)
  await stage.quiet()
}

/** The disk is well again, the process is up; what was set back, or claimed by who could not say so, has been done. */
const becomeCalm = async (stage: Stage, { sockets }: Centre): Promise<void> => {
  if (stage.trials.crashAfter !== Number.POSITIVE_INFINITY) {
    await stage.restart()
    sockets.processDied()
  }
  stage.trials.troublePercent = 0
  await stage.settle()
  for (;;) {
    const late = await readLate(stage.reader)
    if (!late.length) return
    await goOn(stage, Math.max(0, Math.max(...late) - stage.now()))
    await stage.settle()
  }
}

/** In the order of their SIDs: an engine gives rows that are as old as each other as it likes. */
const allRows = async (stage: Stage): Promise<string> => {
  const bySid = (a: { sid: string }, b: { sid: string }) => (a.sid < b.sid ? -1 : 1)
  const all = Object.values(await readEverything(stage.reader)) as (readonly { sid: string }[])[]
  return JSON.stringify(all.map((rows) => rows.toSorted(bySid)))
}
