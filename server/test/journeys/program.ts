/** A program of the repository as a process of its own, as whoever runs it starts it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const READY_WITHIN_MS = 60_000
const SAYS_WITHIN_MS = 120_000
/** How long a program may take to end when it is asked to. */
const ENDS_WITHIN_MS = 60_000

export interface Program {
  /** All of its standard output so far. */
  readonly said: string
  /** Types a line. */
  type(line: string): void
  /** Presses keys, without Enter. */
  press(keys: string): void
  /** Waits until its standard output holds the text. */
  says(text: string): Promise<void>
  /** The same of its standard error. */
  complains(text: string): Promise<void>
  /** Waits until it answers 200 at an address. */
  answers(url: string): Promise<void>
  /** SIGKILL: nothing is closed, nothing is said. */
  kill(): Promise<void>
  /** Asks it to end. @throws where it had to be killed, or ended with a complaint */
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
  let isKilled = false
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  child.stdin.on('error', () => undefined)
  /** A program that ended will not do what is waited for. */
  const does = async (
    what: string,
    question: () => boolean | Promise<boolean>,
    withinMs: number,
  ): Promise<void> => {
    try {
      await until(
        `${path} ${what}`,
        async () => {
          if (await question()) return true
          if (child.exitCode !== null) throw new Error(`${path} ended with ${child.exitCode}`)
          return undefined
        },
        withinMs,
      )
    } catch (fault) {
      throw new Error(`${(fault as Error).message}\nIt said: ${said}${complaint}`)
    }
  }
  return {
    get said() {
      return said
    },
    type: (line) => void child.stdin.write(`${line}\n`),
    press: (keys) => void child.stdin.write(keys),
    says: (text) => does(`says “${text}”`, () => said.includes(text), SAYS_WITHIN_MS),
    complains: (text) => does(`complains “${text}”`, () => complaint.includes(text), SAYS_WITHIN_MS),
    answers: (url) =>
      does(
        `answers at ${url}`,
        () =>
          fetch(url).then(
            (it) => it.ok,
            () => false,
          ),
        READY_WITHIN_MS,
      ),
    kill: async () => {
      isKilled = true
      child.kill('SIGKILL')
      await gone
    },
    [Symbol.asyncDispose]: async () => {
      if (isKilled) return
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

const LOOK_EVERY_MS = 50

/** Asks until the answer is something. @throws with what was waited for, when the time is up */
export const until = async <T>(
  what: string,
  question: () => T | undefined | Promise<T | undefined>,
  withinMs = 60_000,
): Promise<T> => {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await question()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`It did not happen in ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
