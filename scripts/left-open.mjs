/**
 * Ends a test file whose tests are over and that does not end by itself, and says what it leaves open: a test that
 * timed out never lets go of its servers. What `test.ts` loads into each file's process.
 *
 * Threads load it as well: plain JavaScript, and nothing of it in them.
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { isMainThread } from 'node:worker_threads'

/** What a file closes after its last test may take so long on a busy machine. */
const GRACE_MS = 60_000

const giveUp = () => {
  const open = [...new Set(process.getActiveResourcesInfo())].join(', ')
  const file = relative(process.cwd(), process.argv[1] ?? '')
  endChildren()
  process.stderr.write(`${file} does not end after its last test: still open are ${open}\n`, () =>
    process.exit(1),
  )
}

/** What it started would go on without it. What has a group of its own, as the keeper of PostgreSQL has, sees to itself. */
const endChildren = () => {
  try {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').match(/\d+/g) ?? []
    for (const child of children)
      if (groupOf(child) === groupOf('self')) process.kill(Number(child), 'SIGKILL')
  } catch {
    // Another system than Linux, or one that ended meanwhile.
  }
}

/** @param {string} pid */
const groupOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2]

if (isMainThread) {
  const { after, beforeEach, afterEach } = await import('node:test')
  /** @type {NodeJS.Timeout | undefined} */
  let grace
  after(() => {
    grace = setTimeout(giveUp, GRACE_MS).unref()
  })
  // Between two tests a file may wait for something itself, and then it is called over too early.
  beforeEach(() => void grace?.refresh())
  afterEach(() => void grace?.refresh())
}
