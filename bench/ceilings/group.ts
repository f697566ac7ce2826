/** Durable transactions in groups: all that wait in a turn share one commit, a savepoint each. */
import type { DatabaseSync } from 'node:sqlite'

interface Work {
  readonly run: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (fault: unknown) => void
}

export type Transact = <T>(run: () => T) => Promise<T>

export const grouped = (db: DatabaseSync): Transact => {
  let waiting: Work[] = []
  const runGroup = (): void => {
    const group = waiting
    waiting = []
    const done: (() => void)[] = []
    try {
      db.exec('begin immediate')
      for (const { run, resolve, reject } of group) {
        db.exec('savepoint one')
        try {
          const value = run()
          db.exec('release one')
          done.push(() => resolve(value))
        } catch (fault) {
          db.exec('rollback to one')
          db.exec('release one')
          done.push(() => reject(fault))
        }
      }
      db.exec('commit')
    } catch (fault) {
      if (db.isTransaction) db.exec('rollback')
      for (const { reject } of group) reject(fault)
      return
    }
    for (const tell of done) tell()
  }
  return (run) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ run, resolve: resolve as Work['resolve'], reject }) === 1) setImmediate(runGroup)
    })
}
