/** The same client in a page of another origin, in Chromium. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { openBrowser } from '../../server/test/journeys/stage.ts'
import { next, openStage } from './stage.ts'

/** Of the page, as its script leaves it. */
declare global {
  var Parley: typeof import('../src/index.ts')
  var heard: string[]
  var client: import('../src/index.ts').ChatClient
}

test('a page connects, talks, sends a file, and comes back when it was cut off', async () => {
  await using stage = await openStage()
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    globalName: 'Parley',
    write: false,
  })
  const { listener } = stage.world
  const html = { 'content-type': 'text/html; charset=utf-8' }
  listener.answer('/page', () => ({ headers: html, body: `<script>${outputFiles[0]?.text}</script>` }))
  const ana = await stage.come('ana')

  const browser = await openBrowser()
  try {
    const page = await browser.newPage()
    await page.goto(listener.url('/page'))
    const sid = await page.evaluate(
      async ([url, token]) => {
        globalThis.heard = []
        globalThis.client = new globalThis.Parley.ChatClient({ url, getToken: () => token })
        await globalThis.client.connect()
        const channel = await globalThis.client.createChannel({ friendlyName: 'From a page' })
        channel.on('messageAdded', (it) =>
          globalThis.heard.push(`${it.author}: ${it.body ?? it.media?.filename}`),
        )
        await channel.send('hello from a page')
        await channel.send({ media: new File(['bytes'], 'note.txt', { type: 'text/plain' }) })
        await channel.add('ana')
        return channel.sid
      },
      [stage.url, stage.token('vera')] as const,
    )
    const channel = ana.channels[0] ?? (await next(ana, 'channelJoined'))
    assert.deepEqual([channel.sid, channel.friendlyName], [sid, 'From a page'])
    const [words, file] = (await channel.getMessages()).items
    assert.equal(words?.body, 'hello from a page')
    assert.equal(await (await fetch((await file?.getMediaUrl()) ?? '')).text(), 'bytes')

    stage.network.refuse(true)
    stage.network.cut()
    await page.waitForFunction(() => globalThis.client.state === 'connecting')
    await stage.service.channels(sid).messages.create({ from: 'ana', body: 'are you there?' })
    stage.network.refuse(false)
    await page.waitForFunction(() => globalThis.client.state === 'connected')
    const heard = await page.evaluate(() => globalThis.heard)
    assert.deepEqual(heard, ['vera: hello from a page', 'vera: note.txt', 'ana: are you there?'])
    await page.evaluate(() => globalThis.client.close())
  } finally {
    await browser.close()
  }
})
