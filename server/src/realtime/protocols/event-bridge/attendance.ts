/**
 * Which workers are here to be put offline when they leave, EB7 and EB8. Each has a lease that is renewed while a socket
 * of theirs is open on any node, and runs out some time after the last is closed, or its node has died.
 */
import type { Store } from '../../../store/tx.ts'
import { expectGone } from '../../../taskrouter/index.ts'

const ATTENDANCE = {
  /** A page that is loaded anew, a network that changes: they have so long to come back, in milliseconds. */
  graceMs: 60_000,
  /** How often a lease is renewed. Less than the grace: another node's socket must outdo one that closed. */
  renewMs: 45_000,
  /** How long a lease is good that nobody gives back, in milliseconds: two renewals may come late. */
  leaseMs: 150_000,
  /** How soon what a fault kept from being written is written, in milliseconds: before any lease can run out over it. */
  againMs: 5_000,
} as const

/** How many leases are written in one transaction. */
const BATCH = 200

export interface Attendance extends AsyncDisposable {
  arrived(workerSid: string): void
  left(workerSid: string): void
}

/** Runs something again and again. @returns what ends it */
export type Repeat = (run: () => void, everyMs: number) => () => void

const byTheClock: Repeat = (run, everyMs) => {
  const timer = setInterval(run, everyMs)
  return () => clearInterval(timer)
}

export const openAttendance = ({
  store,
  onFault,
  repeat = byTheClock,
}: {
  readonly store: Store
  readonly onFault: (fault: unknown) => void
  readonly repeat?: Repeat
}): Attendance => {
  /** How many sockets each has here. */
  const here = new Map<string, number>()
  /** Whose lease could not be written. */
  const owed = new Set<string>()
  let writing: Promise<void> = Promise.resolve()
  let isClosed = false

  const write = (workerSids: readonly string[], forMs: number): void => {
    writing = writing
      .then(() =>
        store.transact('taskrouter.attend', async (tx) => {
          // In one order, so that nodes with the same workers do not wait in a circle.
          for (const sid of [...workerSids].sort()) await expectGone(tx, sid, tx.now() + forMs)
        }),
      )
      .then(() => {
        for (const sid of workerSids) owed.delete(sid)
      })
      .catch((fault) => {
        for (const sid of workerSids) owed.add(sid)
        onFault(fault)
      })
  }
  const writeMany = (workerSids: readonly string[], forMs: number): void => {
    for (let at = 0; at < workerSids.length; at += BATCH) write(workerSids.slice(at, at + BATCH), forMs)
  }

  const renew = (): void => writeMany([...here.keys()], ATTENDANCE.leaseMs)
  const writeAgain = (): void => {
    const those = [...owed]
    owed.clear()
    const isHere = (sid: string) => here.has(sid)
    writeMany(those.filter(isHere), ATTENDANCE.leaseMs)
    writeMany(
      those.filter((sid) => !isHere(sid)),
      ATTENDANCE.graceMs,
    )
  }
  const stops = [repeat(renew, ATTENDANCE.renewMs), repeat(writeAgain, ATTENDANCE.againMs)]

  return {
    arrived: (workerSid) => {
      if (isClosed) return
      here.set(workerSid, (here.get(workerSid) ?? 0) + 1)
      write([workerSid], ATTENDANCE.leaseMs)
    },
    left: (workerSid) => {
      const left = (here.get(workerSid) ?? 1) - 1
      if (left > 0) return void here.set(workerSid, left)
      here.delete(workerSid)
      if (!isClosed) write([workerSid], ATTENDANCE.graceMs)
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      for (const stop of stops) stop()
      await writing
    },
  }
}
