/** Somebody whose SDK is the published bundle, in a page of Chromium. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import type * as Story from './beside.ts'
import { optionsFor } from './in-node.ts'
import { Ears, type Line, personOn, Refused } from './person.ts'
import type { Come } from './scene.ts'
import type { Heard, Refusal } from './seen.ts'

export interface Window {
  readonly come: Come
  readonly page: Page
  /** Loads the page anew, as its reader would, and comes in again. */
  reload(token: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What the page's scripts leave behind. */
interface InPage {
  readonly Twilio: { readonly Chat: { readonly Client: unknown } }
  readonly Story: typeof Story
  readonly hear: (heard: Heard) => void
  beside: Story.Beside
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>Vera</title><img alt="">
<script src="/twilio-chat.min.js"></script><script src="/story.js"></script>`

export const openWindow = async (browser: Browser): Promise<Window> => {
  const site = await serveSite()
  const page = await browser.newPage()
  const ears = new Ears()
  const unhandled: string[] = []
  page.on('pageerror', (fault) => unhandled.push(String(fault)))
  await page.exposeFunction('hear', (heard: Heard) => ears.hear(heard))
  let options = {}
  const open = async (token: string): Promise<void> => {
    await page.evaluate(() => {
      const here = globalThis as unknown as InPage
      here.beside = here.Story.openBeside(here.Twilio.Chat, 'chat', here.hear)
    })
    await line.ask('open', [token, options])
  }
  const line: Line = {
    ask: async (verb, args) => {
      const said = await page.evaluate(
        async ({ verb, args }) => {
          const { beside, Story } = globalThis as unknown as InPage
          try {
            const method = beside[verb] as (...args: unknown[]) => unknown
            return { answer: await method(...args) }
          } catch (fault) {
            return { refusal: Story.refusalOf(fault) }
          }
        },
        { verb, args: args as unknown[] },
      )
      if ('refusal' in said) throw new Refused(said.refusal as Refusal)
      return said.answer as never
    },
    unhandled,
    hangUp: async () => undefined,
  }
  return {
    page,
    come: async (_, __, { identity, token, url }) => {
      options = optionsFor(url)
      await page.goto(site.url)
      await open(token)
      return personOn(identity, line, ears)
    },
    reload: async (token) => {
      await page.reload()
      await open(token)
    },
    [Symbol.asyncDispose]: async () => {
      await page.close()
      await site[Symbol.asyncDispose]()
    },
  }
}

/** A site that is neither the house nor the wire: the page asks across origins, as apps do. */
const serveSite = async () => {
  const bundle = createRequire(import.meta.url).resolve('twilio-chat/builds/twilio-chat.min.js')
  const story = buildSync({
    entryPoints: [fileURLToPath(new URL('beside.ts', import.meta.url))],
    ...{ bundle: true, format: 'iife', globalName: 'Story', write: false },
  })
  const files: Record<string, readonly [type: string, content: string]> = {
    '/': ['text/html', PAGE],
    '/twilio-chat.min.js': ['text/javascript', await readFile(bundle, 'utf8')],
    '/story.js': ['text/javascript', story.outputFiles?.[0]?.text ?? ''],
  }
  const server = createServer((request, response) => {
    const file = files[request.url ?? '']
    response.writeHead(file ? 200 : 404, { 'content-type': `${file?.[0] ?? 'text/plain'}; charset=utf-8` })
    response.end(file?.[1])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
