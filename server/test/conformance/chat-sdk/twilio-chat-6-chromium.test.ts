import assert from 'node:assert/strict'
import { after } from 'node:test'
import { openBrowser } from '../../journeys/stage.ts'
import { openWindow } from './in-chromium.ts'
import { isIn } from './scene.ts'
import { SDKS } from './sdks.ts'
import { PNG } from './story/messages.ts'
import { agreesWithRest } from './story/resuming.ts'
import type { Step } from './story/step.ts'
import { tellStory } from './story.ts'

const browser = await openBrowser()
after(() => browser.close())
const window = await openWindow(browser)
after(() => window[Symbol.asyncDispose]())

/** What of an image the page is asked for. */
interface Picture {
  src: string
  readonly naturalWidth: number
  readonly naturalHeight: number
  decode(): Promise<void>
}

const onlyInPages: readonly Step[] = [
  {
    title: 'shows a file that it uploaded as a form, by its temporary address',
    tell: async ({ vera, ana, room }) => {
      const sid = await room('Gallery')
      const index = await vera.sendFile(sid, PNG, {})
      const { message } = await ana.hears('messageAdded', (it) => it.message?.channelSid === sid)
      assert.equal(message?.media?.filename, PNG.filename)
      const size = await window.page.locator('img').evaluate(
        async (it, url) => {
          const picture = it as unknown as Picture
          picture.src = url
          await picture.decode()
          return [picture.naturalWidth, picture.naturalHeight]
        },
        await vera.temporaryUrl(sid, index),
      )
      assert.deepEqual(size, [1, 1])
    },
  },
  {
    title: 'finds everything again when the page is loaded anew, with what was said meanwhile',
    tell: async (scene) => {
      const { vera, ana, room, token } = scene
      const sid = await room('Again')
      await vera.channel(sid, 'sendMessage', 'Before', {})
      await ana.hears('messageAdded', (it) => it.message?.body === 'Before')
      const reloaded = window.reload(token(vera.identity))
      await ana.channel(sid, 'sendMessage', 'Meanwhile', {})
      await reloaded
      const after = vera.heard.length
      await isIn(vera, sid, after)
      await agreesWithRest(scene, vera)
      await ana.channel(sid, 'sendMessage', 'Afterwards', {})
      await vera.hears('messageAdded', (it) => it.message?.body === 'Afterwards', after)
      await agreesWithRest(scene, vera)
    },
  },
]

tellStory(SDKS.chat6, 'in Chromium', { come: window.come, beforeTheEnd: onlyInPages })
