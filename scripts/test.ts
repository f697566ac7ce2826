/**
 * `npm test`: what CI runs. First `tsc` and `biome check`, then every `*.test.ts`, each file in a process of its own.
 * `npm test -- messages router/` runs only the files whose path holds one of the words, and neither of the first two.
 *
 * Ends with `N passed, N failed` on a line of its own, and with 0 only where nothing failed and nothing was skipped: a
 * test that does not run proves nothing. A test marked `todo` may fail: that is a gap everyone can see.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const TEST_FILES = '{contract,server,client,cli,examples,bench,scripts}/**/*.test.ts'

/** Files at a time. Some start servers and browsers of their own. */
const CONCURRENCY = 2

/** For each test, not for its file. */
const TIMEOUT_MS = 5 * 60_000

/** Longer than any test may take, and than `left-open.mjs` waits: a file that says nothing for so long hangs outside its tests. */
const STALL_MS = TIMEOUT_MS + 120_000

const LEFT_OPEN = new URL('left-open.mjs', import.meta.url).href

const root = fileURLToPath(new URL('..', import.meta.url))

const main = async (words: readonly string[]): Promise<void> => {
  const files = testFiles().filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  if (files.length === 0) {
    console.error(`No test file's path holds ${words.join(' or ')}.`)
    process.exit(1)
  }
  const failedChecks = words.length === 0 ? checks.filter((check) => !succeeds(check)) : []
  const outcome = await runTests(files)
  const failed = [...failedChecks.map((check) => check.join(' ')), ...outcome.failed]
  for (const name of outcome.gaps) console.log(`known gap: ${name}`)
  for (const name of failed) console.log(`failed: ${name}`)
  for (const name of outcome.skipped) console.log(`skipped, which counts as failed: ${name}`)
  const failures = failed.length + outcome.skipped.length
  console.log(`\n${outcome.passed} passed, ${failures} failed`)
  process.exit(failures === 0 ? 0 : 1)
}

const testFiles = (): string[] =>
  globSync(TEST_FILES, { cwd: root, exclude: (path) => path.split('/').includes('node_modules') }).sort()

/** npm puts the programs of `node_modules/.bin` on the path of its scripts. */
const checks: readonly (readonly [string, ...string[]])[] = [['tsc'], ['biome', 'check', '.']]

const succeeds = ([program, ...rest]: readonly [string, ...string[]]): boolean => {
  console.log(`\n> ${[program, ...rest].join(' ')}`)
  const { status, error } = spawnSync(program, rest, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`${program} could not be run: ${error.message}`)
  return status === 0
}

interface Outcome {
  passed: number
  /** `name (file:line)` */
  readonly failed: string[]
  readonly skipped: string[]
  readonly gaps: string[]
}

/** What `node:test` says of a test that ended. */
interface Ended {
  readonly name: string
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
  readonly details: { readonly type?: string | undefined; readonly error?: { readonly failureType?: string } }
}

const runTests = (files: readonly string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const outcome: Outcome = { passed: 0, failed: [], skipped: [], gaps: [] }
    const stalled = new AbortController()
    const stream = run({
      files: [...files],
      cwd: root,
      concurrency: CONCURRENCY,
      timeout: TIMEOUT_MS,
      signal: stalled.signal,
      execArgv: ['--import', LEFT_OPEN],
    })
    const stall = setTimeout(() => {
      console.error(
        `Nothing was heard for ${STALL_MS / 1000} s: a test file hangs outside its tests. Ending the run.`,
      )
      stalled.abort()
    }, STALL_MS)
    stream.on('data', () => stall.refresh())
    const note = (test: Ended, passed: boolean): void => {
      const isFile = files.includes(test.name)
      if (test.skip !== undefined) outcome.skipped.push(whereIs(test))
      else if (test.todo !== undefined && !passed) outcome.gaps.push(whereIs(test))
      // A suite, and a test around tests, fails by what is in it: that is counted already.
      else if (!passed && test.details.error?.failureType === 'subtestsFailed') return
      else if (!passed) outcome.failed.push(whereIs(test))
      // A file without tests passes by running to its end.
      else if (isFile) outcome.failed.push(`${test.name} has no test in it`)
      else if (test.details.type !== 'suite') outcome.passed += 1
    }
    stream.on('test:pass', (test) => note(test, true))
    stream.on('test:fail', (test) => note(test as Ended, false))
    stream.once('error', reject)
    stream.once('end', () => resolve(outcome))
    stream.compose(spec).pipe(process.stdout)
  })

const whereIs = ({ name, file, line }: Ended): string =>
  file && relative(root, file) !== name ? `${name} (${relative(root, file)}:${line})` : name

await main(process.argv.slice(2))
