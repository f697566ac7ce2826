/** A guide, followed to the letter: what it runs must print what it shows, and its page is bundled as it says. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { World } from '../../server/test/world/index.ts'
import { PATIENCE_MS } from './next.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** As guides have it. */
const WRITTEN_URL = 'http://127.0.0.1:8080'

interface Place {
  /** Where the house is. */
  readonly url: string
  readonly world: World
}

export interface Guide {
  /** Runs its programs as one, and holds what it prints against what is shown. */
  mustPrintWhatItShows(place: Place, env?: Record<string, string>): Promise<void>
  /** @param script the file that the page loads, as the guide bundles it */
  page(place: Place, script: string): Promise<{ html: string; script: string }>
}

/** @param name of a file in docs/guides */
export const openGuide = async (name: string): Promise<Guide> => {
  const guide = await readFile(join(root, 'docs/guides', name), 'utf8')
  const piecesIn = (language: string): string[] =>
    [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text ?? '')

  return {
    mustPrintWhatItShows: async ({ url, world }, env = {}) => {
      const said = await run(piecesIn('js').join('\n').replace(WRITTEN_URL, url), world, env)
      let rest = said
      for (const line of piecesIn('text').join('').trimEnd().split('\n')) {
        const at = rest.indexOf(`${line}\n`)
        assert.ok(at >= 0, `“${line}” does not come in its turn:\n${said}`)
        rest = rest.slice(at + line.length)
      }
    },
    page: async ({ url }, script) => {
      const folder = await mkdtemp(join(tmpdir(), 'parley-guide-'))
      try {
        const file = join(folder, script)
        const [command = ''] = piecesIn('sh')
        await promisify(execFile)('bash', ['-c', command.replace(script, file)], { cwd: root })
        const [html = ''] = piecesIn('html')
        return { html: html.replace(WRITTEN_URL, url), script: await readFile(file, 'utf8') }
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

const run = async (program: string, { account }: World, env: Record<string, string>): Promise<string> => {
  const child = spawn(process.execPath, ['--input-type=module'], {
    cwd: root,
    env: {
      ...process.env,
      TWILIO_ACCOUNT_SID: account.sid,
      TWILIO_AUTH_TOKEN: account.authToken,
      TWILIO_API_KEY: account.apiKeySid,
      TWILIO_API_SECRET: account.apiKeySecret,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: PATIENCE_MS,
  })
  child.stdin.end(program)
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0, `it said:\n${said}`)
  return said
}
