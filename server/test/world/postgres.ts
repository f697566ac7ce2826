/**
 * A fresh database on a real PostgreSQL server, for one test.
 *
 * All test processes of this clone share one server. `postgres-keeper.ts` starts it for whoever comes first, makes a
 * database for each connection to its socket, drops it when that connection ends (with its process, if need be), and
 * stops the server when nobody has come for a while.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { socketPath } from './postgres-place.ts'

export interface TestDatabase {
  /** `postgres://user:password@127.0.0.1:port/parley_…` */
  readonly url: string
  /** Drops the database, whoever is still connected to it. */
  [Symbol.asyncDispose](): Promise<void>
}

const KEEPER = fileURLToPath(new URL('postgres-keeper.ts', import.meta.url))

/** A first start makes a cluster: seconds, more where the disk is slow. */
const START_MS = 120_000

const RETRY_MS = 50

/** A database is a few files to copy, and another's may be dropped first: a server that takes longer hangs. */
const ANSWER_MS = 60_000

/**
 * @throws where PostgreSQL is not installed or does not start, with what the server said
 */
export const openPostgres = async (): Promise<TestDatabase> => {
  const deadline = Date.now() + START_MS
  let keeper: Keeper | undefined
  while (Date.now() < deadline) {
    const lease = await askForDatabase()
    if (lease) {
      keeper?.process.stderr?.destroy()
      return lease
    }
    // A keeper that finds another at work ends well; that other may itself be ending, so ask again.
    if (keeper?.process.exitCode) throw new Error(`PostgreSQL did not start: ${keeper.said}`)
    const hasEnded = keeper && (keeper.process.exitCode === 0 || keeper.process.signalCode !== null)
    if (!keeper || hasEnded) keeper = startKeeper()
    await pause(RETRY_MS)
  }
  throw new Error(`PostgreSQL gave no database within ${START_MS} ms: ${keeper?.said ?? ''}`)
}

interface Keeper {
  readonly process: ChildProcess
  /** What it wrote to its standard error. */
  said: string
}

/** In a process group of its own: a Ctrl-C of the tests must not end it before it has cleaned up. */
const startKeeper = (): Keeper => {
  const process = spawn(globalThis.process.execPath, [KEEPER], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const keeper = { process, said: '' }
  process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    keeper.said += text
  })
  process.unref()
  return keeper
}

/** Undefined where no keeper listens, or it ends before it answers. */
const askForDatabase = async (): Promise<TestDatabase | undefined> => {
  const socket = connect(socketPath()).setEncoding('utf8')
  const late = setTimeout(() => socket.destroy(), ANSWER_MS)
  const url = await firstLine(socket)
  clearTimeout(late)
  if (url === undefined) return undefined
  socket.unref()
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      if (socket.closed) return
      socket.ref()
      socket.end()
      await once(socket, 'close')
    },
  }
}

const firstLine = (socket: Socket): Promise<string | undefined> =>
  new Promise((resolve) => {
    let heard = ''
    socket.on('data', (text: unknown) => {
      heard += text
      if (heard.endsWith('\n')) resolve(heard.trimEnd())
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(undefined))
  })
