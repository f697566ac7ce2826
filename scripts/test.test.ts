import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

const leftOpen = readFileSync(join(here, 'left-open.mjs'), 'utf8')

/** A clone that holds nothing but the runner, less patient, and these test files, run with these words. */
const runIn = (
  files: Record<string, string>,
  ...words: string[]
): { status: number | null; said: string } => {
  const clone = mkdtempSync(join(tmpdir(), 'parley-clone-'))
  try {
    mkdirSync(join(clone, 'scripts'))
    cpSync(join(here, 'test.ts'), join(clone, 'scripts/test.ts'))
    writeFileSync(join(clone, 'scripts/left-open.mjs'), leftOpen.replace(/(?<=GRACE_MS = )[\d_]+/, '100'))
    writeFileSync(join(clone, 'package.json'), '{ "type": "module" }')
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(clone, path)), { recursive: true })
      writeFileSync(join(clone, path), `import { describe, test } from 'node:test'\n${text}`)
    }
    // Without it, a runner inside a runner reports to the outer one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout } = spawnSync(process.execPath, ['scripts/test.ts', ...words], {
      cwd: clone,
      env,
      encoding: 'utf8',
    })
    return { status, said: stdout }
  } finally {
    rmSync(clone, { recursive: true })
  }
}

/** One that has ended may still be in the list, as Z. */
const isRunning = (pid: string): boolean => {
  const path = `/proc/${pid}/stat`
  return existsSync(path) && !readFileSync(path, 'utf8').includes(') Z ')
}

describe('npm test', () => {
  test('ends with the counts alone on a line, and with 0 when all passed', () => {
    const { status, said } = runIn(
      { 'server/src/a.test.ts': "describe('two', () => { test('one', () => {}); test('other', () => {}) })" },
      'server',
    )
    assert.match(said, /\n2 passed, 0 failed\n$/)
    assert.equal(status, 0)
  })

  test('counts each failure once and names it with its place', () => {
    const failing = "describe('around', () => { test('fails', () => { throw new Error('x') }) })"
    const { status, said } = runIn(
      { 'cli/a.test.ts': failing, 'cli/b.test.ts': "test('fine', () => {})" },
      'cli',
    )
    assert.match(said, /\nfailed: fails \(cli\/a\.test\.ts:2\)\n\n1 passed, 1 failed\n$/)
    assert.equal(status, 1)
  })

  test('a test that is skipped, a file without a test and a file that ends early count as failed', () => {
    const files = {
      'cli/skips.test.ts': "test.skip('not today', () => {})",
      'cli/empty.test.ts': '',
      'cli/leaves.test.ts': "test('fine', () => {}); test('leaves', () => process.exit(0))",
      'cli/breaks.test.ts': "throw new Error('cannot load')",
    }
    const { status, said } = runIn(files, 'cli')
    assert.match(said, /\nskipped, which counts as failed: not today \(cli\/skips\.test\.ts:2\)\n/)
    assert.match(said, /\nfailed: cli\/empty\.test\.ts has no test in it\n/)
    assert.match(said, /\nfailed: cli\/leaves\.test\.ts has no test in it\n/)
    assert.match(said, /\nfailed: cli\/breaks\.test\.ts\n/)
    assert.equal(status, 1)
  })

  test('a file that leaves something open is ended and says what, and the others are run', () => {
    const hangs = `import { spawn } from 'node:child_process'
      import { createServer } from 'node:net'
      console.log('started ' + spawn('sleep', ['600']).pid)
      test('hangs', { timeout: 10 }, () => new Promise(() => createServer().listen(0)))
      test('goes on', () => {})`
    const { status, said } = runIn(
      { 'cli/a.test.ts': hangs, 'cli/b.test.ts': "test('fine', () => {})" },
      'cli',
    )
    assert.match(said, /\ncli\/a\.test\.ts does not end after its last test: still open are .*TCPServerWrap/)
    assert.match(said, /\nfailed: hangs \(cli\/a\.test\.ts:\d+\)\n/)
    assert.match(said, /\n2 passed, 1 failed\n$/)
    assert.equal(status, 1)
    const pid = /started (\d+)/.exec(said)?.[1] ?? assert.fail(said)
    assert.ok(!isRunning(pid), 'what it started has ended with it')
    const leaks = `import { createServer } from 'node:net'
      test('leaks', () => void createServer().listen(0))`
    assert.match(
      runIn({ 'cli/a.test.ts': leaks }, 'cli').said,
      /\nfailed: cli\/a\.test\.ts\n\n1 passed, 1 failed\n$/,
    )
  })

  test('a file that waits between its tests is not taken for one that hangs', () => {
    const waits = `import { setTimeout as pause } from 'node:timers/promises'
      test('one', () => {})
      await pause(20)
      for (let n = 0; n < 8; n += 1) await test('another', () => pause(20))`
    assert.match(runIn({ 'cli/a.test.ts': waits }, 'cli').said, /\n9 passed, 0 failed\n$/)
  })

  test('a test marked as a known gap may fail, and is named', () => {
    const gap = "test('fine', () => {}); test('gap', { todo: 'why' }, () => { throw new Error('x') })"
    const { status, said } = runIn({ 'cli/a.test.ts': gap }, 'cli')
    assert.match(said, /\nknown gap: gap \(cli\/a\.test\.ts:2\)\n\n1 passed, 0 failed\n$/)
    assert.equal(status, 0)
  })

  test('runs only the files whose path holds a word, and refuses a word that fits none', () => {
    const files = { 'cli/a.test.ts': "test('a', () => {})", 'cli/b.test.ts': "test('b', () => {})" }
    assert.match(runIn(files, 'b.test').said, /\n1 passed, 0 failed\n$/)
    assert.equal(runIn(files, 'nowhere').status, 1)
  })
})
