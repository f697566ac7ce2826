/** Parley as a process of its own, to be killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 20

export interface Process {
  /** SIGKILL: nothing is closed, nothing is said. */
  kill(): Promise<void>
  /** SIGTERM. @returns the exit code */
  close(): Promise<number | null>
}

/** @throws where it does not answer `/readyz` in time */
export const startProcess = async (url: string, env: Readonly<Record<string, string>>): Promise<Process> => {
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, PARLEY_LOG: 'error', ...env },
  })
  const gone = once(child, 'exit')
  const deadline = performance.now() + READY_WITHIN_MS
  while (
    !(await fetch(`${url}/readyz`).then(
      (it) => it.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`Parley ended with ${child.exitCode} before it was ready`)
    if (performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`Parley was not ready in ${READY_WITHIN_MS} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  return {
    kill,
    close: async () => {
      child.kill('SIGTERM')
      await gone
      return child.exitCode
    },
  }
}
