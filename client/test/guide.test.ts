/** The guides, followed to the letter, and their pages in a browser. */
import { describe, test } from 'node:test'
import { openBrowser } from '../../server/test/journeys/stage.ts'
import type { Listener } from '../../server/test/world/listener.ts'
import { openGuide } from './guide.ts'
import { openStage } from './stage.ts'
import { openWorkerStage } from './worker-stage.ts'

/** Serves a page, its script, and the tokens that it asks for. @returns its address */
const serve = (
  listener: Listener,
  { html, script }: { html: string; script: string },
  { name, token }: { name: string; token: string },
): string => {
  const as = (type: string, body: string) => () => ({ headers: { 'content-type': type }, body })
  listener.answer('/', as('text/html', html))
  listener.answer(`/${name}`, as('text/javascript', script))
  listener.answer('/token', as('text/plain', token))
  return listener.url('/')
}

describe('the chat client’s guide', () => {
  test('what it runs prints what it shows', async () => {
    await using stage = await openStage()
    const guide = await openGuide('chat-client.md')
    await guide.mustPrintWhatItShows(stage, { CHAT_SERVICE_SID: stage.serviceSid })
  })

  test('its page works', async () => {
    await using stage = await openStage()
    const name = 'chat-client.js'
    const shown = await (await openGuide('chat-client.md')).page(stage, name)
    const browser = await openBrowser()
    try {
      const page = await browser.newPage()
      await page.goto(serve(stage.world.listener, shown, { name, token: stage.token('vera') }))
      await page.fill('input', 'hello')
      await page.click('button')
      await page.waitForSelector('li:has-text("vera: hello")')
    } finally {
      await browser.close()
    }
  })
})

describe('the worker client’s guide', () => {
  test('what it runs prints what it shows', async () => {
    await using stage = await openWorkerStage()
    await (await openGuide('worker-client.md')).mustPrintWhatItShows(stage)
  })

  test('its page works, also after it was cut off', async () => {
    await using stage = await openWorkerStage()
    const { centre, network, world } = stage
    const name = 'worker-client.js'
    const shown = await (await openGuide('worker-client.md')).page(stage, name)
    const token = stage.token(await centre.worker('ana', {}, centre.offline))
    const browser = await openBrowser()
    try {
      const page = await browser.newPage()
      await page.goto(serve(world.listener, shown, { name, token }))
      await page.click('button:has-text("Go to work")')
      await page.waitForSelector('p:has-text("ana: Available")')
      const task = await centre.task({ attributes: '{"name":"Vera"}' })
      await page.click('li:has-text("Vera") button:has-text("Accept")')
      await page.waitForSelector('li:has-text("Vera: accepted")')
      network.cut()
      await centre.workspace.tasks(task).update({ assignmentStatus: 'completed', reason: 'solved' })
      await page.waitForSelector('li', { state: 'detached' })
      await centre.task({ attributes: '{"name":"Walt"}' })
      await page.waitForSelector('li:has-text("Walt: pending")')
    } finally {
      await browser.close()
    }
  })
})
