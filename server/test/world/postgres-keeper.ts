/**
 * Keeps the PostgreSQL server of the tests, as a process of its own so that no test that dies leaves a server behind.
 *
 * lock (one keeper a clone) → clear what a killed keeper left → initdb → postgres → listen → a connection: create a
 * database, answer its address; its end: drop it → no connection for a while, or a signal: stop the server, remove
 * its data, end.
 *
 * It ends with 0 where another keeper is at work, with 1 and a sentence on standard error where it cannot start.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import pg from 'pg'
import { folder, socketPath } from './postgres-place.ts'
import { sparePort } from './spare-port.ts'

/** Longer than the pause between two test files of one run. */
const LINGER_MS = 10_000

/** Processes of a server that was killed write to its data until they notice: it is removed again, up to 5 s later. */
const REMOVE = { recursive: true, force: true, maxRetries: 50, retryDelay: 100 } as const

/** Several test processes, each with a few pools. */
const CONNECTIONS_MAX = 300

const OLDEST_MAJOR = 15

const USER = 'parley'

const run = promisify(execFile)

const main = async (): Promise<void> => {
  const home = ownFolder()
  const lock = takeLock(home)
  if (!lock) return
  const owner = serverOwner()
  const data = join(home, 'data')
  clearOld(data)
  const bin = binaries()
  const password = randomBytes(16).toString('hex')
  await makeCluster(bin, home, data, password, owner)
  const { server, admin, base } = await startServer(bin, home, data, owner, `${USER}:${password}`)
  const door = lend(admin, base)

  const stop = async (): Promise<void> => {
    door.close()
    rmSync(socketPath(), { force: true })
    // SIGINT is PostgreSQL's "fast": no new connections, those that are open are ended.
    server.kill('SIGINT')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    rmSync(data, REMOVE)
    // The last mention of it: a lock that nobody mentions any more is collected, and with that let go of.
    lock.close()
    process.exit(0)
  }
  admin.on('error', stop)
  server.once('exit', stop)
  door.once('idle', stop)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
}

/** Our folder under the temporary one, which everyone may write to: not one that somebody else put there. */
const ownFolder = (): string => {
  const home = folder()
  mkdirSync(home, { recursive: true })
  if (statSync(home).uid !== process.getuid?.()) throw new Error(`${home} belongs to another user: remove it`)
  // The server's user passes through to its data; nobody else writes or lists.
  chmodSync(home, 0o711)
  return home
}

/** A lock that the system itself lets go of when its process dies: SQLite's, on a file that holds nothing. */
const takeLock = (home: string): DatabaseSync | undefined => {
  const lock = new DatabaseSync(join(home, 'lock'))
  try {
    lock.exec('begin exclusive')
    return lock
  } catch {
    return undefined
  }
}

/** What a keeper left that was killed before it could stop its server. */
const clearOld = (data: string): void => {
  rmSync(socketPath(), { force: true })
  const pidFile = join(data, 'postmaster.pid')
  if (existsSync(pidFile)) {
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
    if (isServerOn(data, pid)) process.kill(pid, 'SIGKILL')
  }
  rmSync(data, REMOVE)
}

/** The number may have gone to another program since: only a process that names our folder is ours to end. */
const isServerOn = (data: string, pid: number): boolean => {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes(data)
  } catch {
    return false
  }
}

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root: then as the user that its Debian package made. */
const serverOwner = (): Owner => {
  if (process.getuid?.() !== 0) return {}
  const [, , uid, gid] = execFileSync('getent', ['passwd', 'postgres'], { encoding: 'utf8' }).split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

/** The newest that Debian installed, else where PATH finds one. */
const binaries = (): string => {
  const debian = '/usr/lib/postgresql'
  const majors = existsSync(debian) ? readdirSync(debian).map(Number) : []
  const places = [
    ...majors
      .filter((major) => major >= OLDEST_MAJOR)
      .sort((a, b) => b - a)
      .map((major) => join(debian, String(major), 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  const place = places.find((it) => existsSync(join(it, 'initdb')) && existsSync(join(it, 'postgres')))
  if (place) return place
  throw new Error(`no PostgreSQL ${OLDEST_MAJOR} or newer is installed: apt-get install postgresql`)
}

/**
 * Sorts as servers in production mostly do, by language and not by byte: what the store promises of order must hold
 * there as well.
 */
const makeCluster = async (
  bin: string,
  home: string,
  data: string,
  password: string,
  owner: Owner,
): Promise<void> => {
  mkdirSync(data, { mode: 0o700 })
  const passwordFile = join(home, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (owner.uid !== undefined && owner.gid !== undefined)
    for (const path of [data, passwordFile]) chownSync(path, owner.uid, owner.gid)
  const options = [
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=icu',
    '--icu-locale=en-US',
    '--no-sync',
  ]
  const access = ['--auth=scram-sha-256', `--username=${USER}`, `--pwfile=${passwordFile}`]
  await run(join(bin, 'initdb'), [`--pgdata=${data}`, ...options, ...access], { ...owner, cwd: home })
  rmSync(passwordFile)
}

interface Started {
  readonly server: ChildProcess
  /** Its own connection. */
  readonly admin: pg.Client
  /** The address of every database, but for its name. */
  readonly base: string
}

/** The port that was spare may be another's by the time the server listens. */
const STARTS_MAX = 3

const startServer = async (
  bin: string,
  home: string,
  data: string,
  owner: Owner,
  credentials: string,
): Promise<Started> => {
  for (let starts = 1; ; starts += 1) {
    const port = await sparePort()
    const server = await spawnServer(bin, home, data, owner, port)
    const base = `postgres://${credentials}@127.0.0.1:${port}`
    const admin = await firstConnection(`${base}/postgres`, server)
    if (admin) return { server, admin, base }
    if (starts === STARTS_MAX) throw new Error(readFileSync(join(home, 'log'), 'utf8'))
  }
}

const spawnServer = async (
  bin: string,
  home: string,
  data: string,
  owner: Owner,
  port: number,
): Promise<ChildProcess> => {
  const options = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: CONNECTIONS_MAX,
    // A test that breaks a constraint on purpose is no news.
    log_min_messages: 'fatal',
  }
  const settings = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  // A file, not our own standard error: who reads that may be gone, and the server would stall on it.
  const log = openSync(join(home, 'log'), 'w')
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...settings], {
    ...owner,
    cwd: home,
    stdio: ['ignore', 'ignore', log],
  })
  closeSync(log)
  await once(server, 'spawn')
  return server
}

const CONNECT_RETRY_MS = 50

/** A server that starts refuses connections; one that has ended will never take one. */
const firstConnection = async (url: string, server: ChildProcess): Promise<pg.Client | undefined> => {
  while (server.exitCode === null && server.signalCode === null) {
    // Somebody else may listen there, who never answers.
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
    try {
      await client.connect()
      return client
    } catch {
      await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS))
    }
  }
  return undefined
}

const CONNECT_TIMEOUT_MS = 10_000

/** A drop waits 5 s for those who are connected to go; on a machine that stalls they may take longer. */
const DROPS_MAX = 5

/** Emits `idle` when no connection has been open for a while. */
const lend = (admin: pg.Client, base: string): Server => {
  let open = 0
  let idle: NodeJS.Timeout
  const linger = (): void => {
    idle = setTimeout(() => door.emit('idle'), LINGER_MS)
  }
  const door = createServer({ allowHalfOpen: true }, async (socket: Socket) => {
    open += 1
    clearTimeout(idle)
    const ended = once(socket.resume(), 'end').catch(() => {})
    socket.on('error', () => {})
    try {
      const name = `parley_${randomBytes(6).toString('hex')}`
      await admin.query(`create database ${name}`)
      socket.write(`${base}/${name}\n`)
      await ended
      await drop(admin, name)
      socket.end()
    } catch {
      // The server is gone, and with it the database; the caller asks again or is told.
      socket.destroy()
    }
    open -= 1
    if (open === 0) linger()
  })
  door.listen(socketPath())
  chmodSync(socketPath(), 0o600)
  linger()
  return door
}

const drop = async (admin: pg.Client, name: string): Promise<void> => {
  for (let tries = 1; ; tries += 1)
    try {
      await admin.query(`drop database ${name} with (force)`)
      return
    } catch (fault) {
      if (tries === DROPS_MAX || (fault as { code?: unknown }).code !== OBJECT_IN_USE) throw fault
    }
}

const OBJECT_IN_USE = '55006'

main().catch((fault: unknown) => {
  process.stderr.write(`${fault instanceof Error ? fault.message : fault}\n`, () => process.exit(1))
})
