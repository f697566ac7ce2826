/** The programs under measurement, each a process of its own with a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Program {
  readonly url: string
  readonly pid: number
  /** Resident memory, in megabytes. */
  memoryMb(): number
  /** The most it ever was. */
  peakMb(): number
  [Symbol.asyncDispose](): Promise<void>
}

/** How long a program may take to end when it is told to, in milliseconds. */
const STOP_MS = 15_000

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export const sparePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

export const newFolder = async (): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Whatever way the bench ends, none of these outlives it. */
const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.on(signal, () => process.exit(code))

/** What is measured beside a program that is gone is worth nothing: where one ends by itself, so does the bench. */
const start = (
  name: string,
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; says?: 'pipe' | 'ignore' } = {},
): ChildProcess => {
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ['ignore', options.says ?? 'ignore', 'inherit'],
    ...(options.env ? { env: options.env } : {}),
  })
  running.add(child)
  child.once('exit', (code, signal) => {
    if (!running.delete(child)) return
    console.error(`${name} ended by itself, with ${signal ?? code}.`)
    process.exit(1)
  })
  return child
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (!running.delete(child)) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(late)
}

const KB_PER_MB = 1024

const statusMb = (pid: number, line: RegExp): number =>
  Number(line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / KB_PER_MB

const program = (child: ChildProcess, url: string): Program => ({
  url,
  pid: child.pid ?? 0,
  memoryMb: () => statusMb(child.pid ?? 0, /VmRSS:\s+(\d+)/),
  peakMb: () => statusMb(child.pid ?? 0, /VmHWM:\s+(\d+)/),
  [Symbol.asyncDispose]: () => stop(child),
})

/** A program of ours: prints `listening <url>` when it does. */
export const openProgram = async (name: string, args: readonly string[]): Promise<Program> => {
  const child = start(name, here(name), args, { says: 'pipe' })
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return program(child, line.toString().trim().split(' ')[1] ?? '')
}

export const CREDENTIALS = {
  accountSid: `AC${'b'.repeat(32)}`,
  authToken: 'b'.repeat(32),
} as const

/** Signs the tokens of clients. */
export const API_KEY = { sid: `SK${'b'.repeat(32)}`, secret: 'b'.repeat(32) } as const

export const authorization = `Basic ${Buffer.from(`${CREDENTIALS.accountSid}:${CREDENTIALS.authToken}`).toString('base64')}`

/** Parley as `npm start` starts it. @returns it with the time from its start until it was ready, in milliseconds */
export const openParley = async (
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Program & { readonly readyMs: number }> => {
  const port = await sparePort()
  const began = performance.now()
  const child = start('Parley', here('../server/src/main.js'), [], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      PARLEY_DATA: folder,
      PARLEY_LOG: 'warn',
      PARLEY_REQUESTS_PER_SECOND: '0',
      PARLEY_ACCOUNT_SID: CREDENTIALS.accountSid,
      PARLEY_AUTH_TOKEN: CREDENTIALS.authToken,
      PARLEY_API_KEY_SID: API_KEY.sid,
      PARLEY_API_KEY_SECRET: API_KEY.secret,
      ...settings,
    },
  })
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    const ready = await fetch(`${url}/readyz`).then(
      (it) => it.ok,
      () => false,
    )
    if (ready) break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return { ...program(child, url), readyMs: performance.now() - began }
}

type Json = Record<string, unknown>

/** One request to Parley as its account. @throws where it is refused */
export const ask = async (
  url: string,
  method: 'GET' | 'POST',
  path: string,
  form?: Record<string, string>,
): Promise<Json> => {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization },
    ...(form ? { body: new URLSearchParams(form) } : {}),
  })
  const body = (await answer.json()) as Json
  if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(body)}`)
  return body
}
