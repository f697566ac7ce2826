/** The thread that moves SQLite's write-ahead log into the database, seen from the main thread. */
import { Worker } from 'node:worker_threads'

/** In megabytes: it runs three statements. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32, stackSizeMb: 1 }

const THREAD = new URL('./checkpoint.js', import.meta.url)

export interface Checkpointer {
  close(): Promise<void>
}

export interface Writer {
  /** The log has grown long: moves what remains of it and begins it anew. */
  beginLogAnew(): void
  /** The thread has ended by itself: from then on commits must move the log. */
  goOnAlone(fault: Error): void
}

export const openCheckpointer = (path: string, writer: Writer): Checkpointer => {
  const worker = new Worker(THREAD, { workerData: { path }, resourceLimits: HEAP })
  let closing = false
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      if (!closing) writer.goOnAlone(new Error(`the thread that moves the log ended by itself, with ${code}`))
      resolve()
    })
  })
  worker.on('message', () => {
    if (closing) return
    writer.beginLogAnew()
    worker.postMessage('begun anew')
  })
  // Its end follows and is told; unheard, the error itself would end the process.
  worker.on('error', (fault) => writer.goOnAlone(fault as Error))
  worker.unref()
  return {
    close: async () => {
      closing = true
      worker.ref()
      worker.postMessage('close')
      await gone
    },
  }
}
