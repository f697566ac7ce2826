/** Parley and `examples/browser-chat` as programs of their own: visitors in Chromium, the agent in a terminal. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { sparePort } from '../world/spare-port.ts'
import { type Program, start } from './program.ts'
import { hex, openBrowser, SHOWN_WITHIN_MS } from './stage.ts'

export interface Given {
  /** How long tokens are good, in seconds. */
  readonly tokenTtl?: number
}

export interface BrowserStage {
  readonly account: { readonly sid: string; readonly authToken: string }
  /** Where Parley answers. */
  readonly parley: string
  /** Where the chat is served. */
  readonly chat: string
  /** A page of the chat, in a browser context of its own. */
  visit(name: string): Promise<Page>
  /** What a visitor says, until it stands among the messages. */
  say(page: Page, body: string): Promise<void>
  /** The agent's side of the example. */
  openTerminal(): Program
  /** A picture in a file. @returns its path */
  paint(page: Page, name: string, svg: string): Promise<string>
  /** Kills Parley, and starts it again after what happens meanwhile. */
  restartParley(meanwhile?: () => Promise<void>): Promise<void>
  /** What browsers had to say of what the pages' policy forbids, and of errors that nobody caught. */
  readonly complaints: readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

export const openBrowserStage = async ({ tokenTtl = 3_600 }: Given = {}): Promise<BrowserStage> => {
  const open = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'parley-journey-'))
    open.defer(() => rm(folder, { recursive: true, force: true }))
    const account = { sid: `AC${hex(16)}`, authToken: hex(16) }
    const key = { sid: `SK${hex(16)}`, secret: hex(16) }
    const parley = `http://127.0.0.1:${await sparePort()}`
    const chat = `http://127.0.0.1:${await sparePort()}`

    const openParley = async (): Promise<Program> => {
      const program = open.use(
        start('server/src/main.js', {
          PORT: new URL(parley).port,
          PARLEY_DATA: join(folder, 'data'),
          PARLEY_ACCOUNT_SID: account.sid,
          PARLEY_AUTH_TOKEN: account.authToken,
          PARLEY_API_KEY_SID: key.sid,
          PARLEY_API_KEY_SECRET: key.secret,
          PARLEY_LOG: 'error',
        }),
      )
      await program.answers(`${parley}/readyz`)
      return program
    }
    let server = await openParley()

    const env = {
      TWILIO_ACCOUNT_SID: account.sid,
      TWILIO_AUTH_TOKEN: account.authToken,
      TWILIO_API_KEY: key.sid,
      TWILIO_API_SECRET: key.secret,
      TWILIO_API_URL: parley,
      TOKEN_TTL: String(tokenTtl),
    }
    const example = open.use(start('examples/browser-chat/server.ts', { ...env, PORT: new URL(chat).port }))
    await example.answers(chat)
    const browser = open.adopt(await openBrowser(), (it) => it.close())
    const complaints: string[] = []

    return {
      account,
      parley,
      chat,
      complaints,
      visit: async (name) => {
        const context = await browser.newContext({
          viewport: { width: 880, height: 800 },
          deviceScaleFactor: 2,
        })
        context.setDefaultTimeout(SHOWN_WITHIN_MS)
        const page = await context.newPage()
        page.on('pageerror', ({ message }) => complaints.push(message))
        page.on('console', (it) => {
          if (it.text().includes('Content Security Policy')) complaints.push(it.text())
        })
        await page.goto(chat)
        await page.getByLabel('Your name').fill(name)
        await page.getByRole('button', { name: 'Start the chat' }).click()
        await page.getByText('We are here for you').waitFor()
        return page
      },
      say: async (page, body) => {
        await page.getByLabel('Your message').fill(body)
        await page.getByRole('button', { name: 'Send', exact: true }).click()
        await page.locator('.own[id]', { hasText: body }).waitFor()
      },
      openTerminal: () => start('examples/browser-chat/agent.ts', env),
      paint: async (page, name, svg) => {
        const easel = await page.context().newPage()
        await easel.setContent(`<body style="margin:0">${svg}</body>`)
        const path = join(folder, name)
        await writeFile(path, await easel.locator('svg').screenshot())
        await easel.close()
        return path
      },
      restartParley: async (meanwhile) => {
        await server.kill()
        await meanwhile?.()
        server = await openParley()
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    }
  } catch (fault) {
    // What went wrong first is what is told.
    await open.disposeAsync().catch(() => undefined)
    throw fault
  }
}
