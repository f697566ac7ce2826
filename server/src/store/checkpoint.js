/**
 * A thread that moves SQLite's write-ahead log into the database, so that no commit has to stop and do it. What
 * `checkpointer.ts` starts. Plain JavaScript: a thread that drops types loads a compiler of its own, 18 MB of it.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

const EVERY_MS = 100

/**
 * A log that is written to all the time is never moved to its end from here, and grows all the time. One of so many
 * pages (64 MiB) is left to the writer, for whom nobody else writes: what remains is little.
 */
const LONG_PAGES = 16 * 1024

/** @type {{ path: string }} */
const { path } = workerData
const db = new DatabaseSync(path, { timeout: 0 })
db.exec('pragma synchronous = full')
const move = db.prepare('pragma wal_checkpoint(passive)')

let leftToWriter = false

const checkpoint = () => {
  if (leftToWriter) return
  try {
    leftToWriter = Number(move.get()?.log) > LONG_PAGES
    if (leftToWriter) parentPort?.postMessage('long')
  } catch {
    // Busy: the log waits for the next round.
  }
}

const timer = setInterval(checkpoint, EVERY_MS)

parentPort?.on('message', (/** @type {'begun anew' | 'close'} */ said) => {
  leftToWriter = false
  if (said !== 'close') return
  clearInterval(timer)
  checkpoint()
  db.close()
  parentPort?.close()
})
