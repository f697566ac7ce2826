/**
 * The routing guide, followed to the letter: its commands are run by bash against a house of our own, and each line it
 * shows must be one that they print, an `…` standing for anything. Where the guide waits, the clock is moved.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { openWorld, type World } from '../world/index.ts'

const GUIDE = new URL('../../../docs/guides/routing.md', import.meta.url)

/** Stands after what a piece of the guide prints. */
const END = '--- end of a piece ---'

interface Piece {
  readonly language: 'sh' | 'text'
  readonly text: string
}

const piecesOf = (guide: string): Piece[] =>
  [...guide.matchAll(/^```(sh|text)\n(.*?)^```$/gms)].map(([, language, text]) => ({
    language: language as Piece['language'],
    text: text as string,
  }))

test('the routing guide does what it says', async () => {
  await using world = await openWorld()
  await using shell = openShell(world)
  let printed = ''
  let shown = 0
  for (const { language, text } of piecesOf(await readFile(GUIDE, 'utf8'))) {
    if (language === 'sh') printed = await follow(world, shell, text)
    else
      for (const line of text.trimEnd().split('\n')) {
        assert.match(printed, shownAs(line), `the guide shows “${line}”, but the commands print: ${printed}`)
        shown += 1
      }
  }
  assert.ok(shown > 15, 'it shows what the commands print')
})

/** Finds a line that the guide shows among those that were printed. */
const shownAs = (line: string): RegExp => {
  const parts = line.split('…').map((it) => it.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')} *$`, 'm')
}

type Shell = ReturnType<typeof openShell>

/** Runs the commands of one piece; at a `sleep` time passes. */
const follow = async (world: World, shell: Shell, text: string): Promise<string> => {
  let printed = ''
  const own = text.replace(/^api=.*$/m, `api=${world.url}`)
  for (const part of own.split(/^(?=sleep \d+$)/m)) {
    const [, seconds] = /^sleep (\d+)\n/.exec(part) ?? []
    if (seconds) world.clock.advance(Number(seconds) * 1000)
    await world.settle()
    printed += await shell.run(part.replace(/^sleep \d+\n/, ''))
  }
  await world.settle()
  return printed
}

/** One bash for the whole guide, so that its variables last. */
const openShell = (world: World) => {
  const child = spawn('bash', ['-eu', '-o', 'pipefail'], {
    env: {
      PATH: process.env.PATH,
      TWILIO_ACCOUNT_SID: world.account.sid,
      TWILIO_AUTH_TOKEN: world.account.authToken,
    },
  })
  let said = ''
  let complaint = ''
  let heard = Promise.withResolvers<void>()
  const hear = () => {
    heard.resolve()
    heard = Promise.withResolvers()
  }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
    hear()
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  const gone = new Promise<void>((resolve) => {
    child.on('close', () => {
      resolve()
      hear()
    })
  })
  return {
    run: async (commands: string): Promise<string> => {
      said = ''
      child.stdin.write(`${commands}\necho '${END}'\n`)
      while (!said.includes(END)) {
        if (child.exitCode !== null) assert.fail(`bash ended at:\n${commands}\n${said}\n${complaint}`)
        await heard.promise
      }
      return said.slice(0, said.indexOf(END))
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await gone
    },
  }
}
