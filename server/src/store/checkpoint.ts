/** A thread that moves SQLite's write-ahead log into the database, so that no commit has to stop and do it. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

const EVERY_MS = 100

const { path } = workerData as { path: string }
const db = new DatabaseSync(path, { timeout: 0 })
db.exec('pragma journal_mode = wal')

const checkpoint = (): void => {
  try {
    db.exec('pragma wal_checkpoint(passive)')
  } catch {
    // Busy: the log waits for the next round.
  }
}

const timer = setInterval(checkpoint, EVERY_MS)

parentPort?.once('message', () => {
  clearInterval(timer)
  checkpoint()
  db.close()
  parentPort?.close()
})
