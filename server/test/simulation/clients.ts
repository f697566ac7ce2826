/**
 * The agents' clients, as far as the event bridge sees them: sockets that open, drop and come back, in time or too
 * late; those of a process that died are gone at once, and nobody has said so.
 */
import type { Chance } from './chance.ts'
import type { Stage } from './stage.ts'

/** Of a hundred agents, how many have one. Each costs a lease that is renewed, so in a large centre they are fewer. */
const HAVE_ONE = { small: 70, large: 25 }

/** How often one loses its sockets in an hour. */
const DROPS_AN_HOUR = { small: 5, large: 1 }

const HOUR_MS = 3_600_000

export interface Client {
  readonly workerSid: string
  sockets: number
  /** When it last began or ceased to have any, in milliseconds since 1970. */
  since: number
  /** How it ceased: its socket was closed, or the process that had it died. */
  lost: 'closed' | 'died' | undefined
  /** When it last began to have any. */
  cameAt: number
  /** Where it has none: when it comes back. */
  backAt: number
}

export interface Clients {
  readonly all: ReadonlyMap<string, Client>
  /** Somebody is hired, and perhaps has one. */
  hired(workerSid: string): void
  /** Somebody comes to work. */
  came(workerSid: string): void
  /** Somebody goes home, or for good. */
  went(workerSid: string): void
  /** Whether somebody would do something and cannot. Who is at home answers as those do who have no client. */
  isCutOff(workerSid: string): boolean
  /** What happens to sockets in a step. @returns who is back after having been away for so long, in milliseconds */
  live(elapsed: number): readonly { readonly workerSid: string; readonly awayMs: number }[]
  processDied(): void
}

export const openClients = (stage: Stage, chance: Chance, size: 'small' | 'large'): Clients => {
  const all = new Map<string, Client>()

  const arrive = (it: Client): void => {
    it.sockets += 1
    stage.attendance.arrived(it.workerSid)
    if (it.sockets > 1) return
    it.since = it.cameAt = stage.now()
    it.lost = undefined
  }

  const drop = (it: Client, backAt: number): void => {
    it.sockets -= 1
    stage.attendance.left(it.workerSid)
    if (it.sockets > 0) return
    it.since = stage.now()
    it.lost = 'closed'
    it.backAt = backAt
  }

  /** A page that is loaded anew, a tunnel, a laptop that was shut. */
  const someAbsence = (): number => {
    const which = chance.int(1, 100)
    if (which <= 50) return chance.int(500, 55_000)
    return which <= 80 ? chance.int(55_000, 200_000) : chance.int(200_000, 900_000)
  }

  return {
    all,
    hired: (workerSid) => {
      if (!chance.percent(HAVE_ONE[size])) return
      const now = stage.now()
      const it = { workerSid, sockets: 0, since: now, lost: undefined, cameAt: now, backAt: now }
      all.set(workerSid, it)
      arrive(it)
    },
    came: (workerSid) => {
      const it = all.get(workerSid)
      if (it?.sockets === 0) arrive(it)
    },
    went: (workerSid) => {
      const it = all.get(workerSid)
      if (!it) return
      it.backAt = Number.POSITIVE_INFINITY
      while (it.sockets > 0) drop(it, Number.POSITIVE_INFINITY)
    },
    isCutOff: (workerSid) => {
      const it = all.get(workerSid)
      return it?.sockets === 0 && it.backAt !== Number.POSITIVE_INFINITY
    },
    live: (elapsed) => {
      const now = stage.now()
      const back: { workerSid: string; awayMs: number }[] = []
      for (const it of all.values())
        if (it.sockets === 0) {
          if (now < it.backAt) continue
          back.push({ workerSid: it.workerSid, awayMs: now - it.since })
          arrive(it)
        } else if (chance.percent((elapsed / HOUR_MS) * DROPS_AN_HOUR[size] * 100)) {
          // Some have a second window open.
          if (chance.percent(25)) arrive(it)
          drop(it, now + someAbsence())
        }
      return back
    },
    processDied: () => {
      const now = stage.now()
      for (const it of all.values())
        if (it.sockets > 0) {
          it.sockets = 0
          it.since = now
          it.lost = 'died'
          it.backAt = now + (chance.percent(85) ? chance.int(500, 40_000) : chance.int(100_000, 400_000))
        }
    },
  }
}
