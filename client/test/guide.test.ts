/** The guide, followed to the letter: what it runs must print what it shows, and its page must work in a browser. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openBrowser } from '../../server/test/journeys/stage.ts'
import { openStage, type Stage } from './stage.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const guide = await readFile(join(root, 'docs/guides/chat-client.md'), 'utf8')

/** As the guide has it. */
const WRITTEN_URL = 'http://127.0.0.1:8080'

const piecesIn = (language: string): string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text ?? '')

const run = async ({ url, world, serviceSid }: Stage, program: string): Promise<string> => {
  const { sid, apiKeySid, apiKeySecret } = world.account
  const child = spawn(process.execPath, ['--input-type=module'], {
    cwd: root,
    env: {
      ...process.env,
      TWILIO_ACCOUNT_SID: sid,
      TWILIO_API_KEY: apiKeySid,
      TWILIO_API_SECRET: apiKeySecret,
      CHAT_SERVICE_SID: serviceSid,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 30_000,
  })
  child.stdin.end(program.replace(WRITTEN_URL, url))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0, `it said:\n${said}`)
  return said
}

test('what the guide runs prints what it shows', async () => {
  await using stage = await openStage()
  const said = await run(stage, piecesIn('js').join('\n'))
  let rest = said
  for (const line of piecesIn('text').join('').trimEnd().split('\n')) {
    const at = rest.indexOf(`${line}\n`)
    assert.ok(at >= 0, `“${line}” does not come in its turn:\n${said}`)
    rest = rest.slice(at + line.length)
  }
})

test('the page of the guide works', async () => {
  await using stage = await openStage()
  const folder = await mkdtemp(join(tmpdir(), 'parley-guide-'))
  const browser = await openBrowser()
  try {
    const file = join(folder, 'chat-client.js')
    const [command = ''] = piecesIn('sh')
    await promisify(execFile)('bash', ['-c', command.replace('chat-client.js', file)], { cwd: root })
    const [html = ''] = piecesIn('html')
    const { listener } = stage.world
    const as = (type: string, body: string) => () => ({ headers: { 'content-type': type }, body })
    listener.answer('/', as('text/html', html.replace(WRITTEN_URL, stage.url)))
    listener.answer('/chat-client.js', as('text/javascript', await readFile(file, 'utf8')))
    listener.answer('/token', as('text/plain', stage.token('vera')))
    const page = await browser.newPage()
    await page.goto(listener.url('/'))
    await page.fill('input', 'hello')
    await page.click('button')
    await page.waitForSelector('li:has-text("vera: hello")')
  } finally {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
})
