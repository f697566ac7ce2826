/** A program of the repository as a process of its own, as whoever runs it starts it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const READY_WITHIN_MS = 60_000
const SAYS_WITHIN_MS = 30_000
/** How long a program may take to end when it is asked to. */
const ENDS_WITHIN_MS = 12_000

export interface Program {
  /** Types a line. */
  type(line: string): void
  /** Waits until its standard output holds the text. */
  says(text: string): Promise<void>
  /** Asks it to end. @returns its exit code; undefined where it had to be killed */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * @param path from the root of the repository
 * @param env all of its environment but PATH
 */
export const start = (path: string, env: Readonly<Record<string, string>>): Program => {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const child = spawn(process.execPath, [path], {
    cwd: root,
    stdio: 'pipe',
    env: { PATH: process.env.PATH, ...env },
  })
  const gone = once(child, 'close')
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  let said = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  child.stdin.on('error', () => undefined)
  return {
    type: (line) => void child.stdin.write(`${line}\n`),
    says: (text) =>
      until(
        `${path} says “${text}”`,
        () => {
          if (said.includes(text)) return true
          if (child.exitCode !== null)
            throw new Error(`${path} ended with ${child.exitCode}: ${said}${complaint}`)
          return undefined
        },
        SAYS_WITHIN_MS,
      ).then(
        () => undefined,
        (fault: Error) => {
          throw new Error(`${fault.message}\nIt said: ${said}${complaint}`)
        },
      ),
    [Symbol.asyncDispose]: async () => {
      const late = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS)
      child.kill('SIGTERM')
      await gone
      clearTimeout(late)
      process.off('exit', orphan)
      if (child.exitCode !== 0)
        throw new Error(`${path} ended with ${child.exitCode ?? child.signalCode}: ${complaint}`)
    },
  }
}

/** Waits until an address answers 200. */
export const answers = (url: string): Promise<true> =>
  until(
    `${url} answers`,
    () =>
      fetch(url).then(
        (it) => it.ok || undefined,
        () => undefined,
      ),
    READY_WITHIN_MS,
  )

const LOOK_EVERY_MS = 50

/** Asks until the answer is something. @throws with what was waited for, when the time is up */
export const until = async <T>(
  what: string,
  question: () => T | undefined | Promise<T | undefined>,
  withinMs = 20_000,
): Promise<T> => {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await question()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`It did not happen in ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
