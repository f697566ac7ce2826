/** Files: sent from whatever a program has them in, and fetched by their temporary addresses. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ChatError, type MediaUpload } from '../src/index.ts'
import { next, openStage } from './stage.ts'

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3, 4])

const stream = (): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      controller.enqueue(PNG.slice(0, 6))
      controller.enqueue(PNG.slice(6))
      controller.close()
    },
  })

describe('files', () => {
  test('go as Blob, File, bytes and stream, with words or without, and come to the published SDK', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    const channel = await vera.createChannel()
    const ana = await stage.comeWithSdk('ana')
    await channel.add('ana')
    await ana.next('channelJoined')
    await ana.messages(channel.sid)

    const uploads: readonly (Blob | MediaUpload)[] = [
      new File([PNG], 'parcel 📦.png', { type: 'image/png' }),
      new Blob([PNG], { type: 'image/png' }),
      { content: PNG, contentType: 'image/png', filename: 'bytes.png' },
      { content: stream(), contentType: 'image/png', filename: 'stream.png' },
    ]
    for (const media of uploads) {
      const told = next(vera, 'messageAdded')
      const said = await channel.send({ media, attributes: { from: 'test' } })
      assert.deepEqual([said.media?.contentType, said.media?.size], ['image/png', PNG.length])
      assert.deepEqual((await told).media, said.media)
      assert.deepEqual(said.attributes, { from: 'test' })
      const answer = await fetch(await said.getMediaUrl())
      assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), PNG)
      const there = await ana.next('messageAdded', (it) => it.index === said.index)
      assert.equal(there.media?.size, PNG.length)
    }
    const both = await channel.send({
      body: 'see the photograph',
      media: new Blob([PNG], { type: 'image/png' }),
    })
    assert.deepEqual([both.body, both.media?.size], ['see the photograph', PNG.length])
    const { items } = await channel.getMessages()
    assert.deepEqual(
      items.map((it) => it.media?.filename),
      ['parcel 📦.png', null, 'bytes.png', 'stream.png', null],
    )
  })

  test('are sent with a fresh token where the old one has ended', async () => {
    await using stage = await openStage({ live: false })
    let minted = 0
    const getToken = () => {
      minted += 1
      return stage.token('vera', { ttl: minted === 1 ? 60 : 3600 })
    }
    const vera = await stage.come('vera', { getToken })
    const channel = await vera.createChannel()
    stage.world.clock.advance(10 * 60_000)
    const media = new Blob([PNG], { type: 'image/png' })
    const said = await channel.send({ media }).catch((fault: ChatError) => fault.kind)
    // The socket ends as well: what was in flight then is `lost`, and the upload is not.
    assert.ok(said === 'lost' || (typeof said === 'object' && said.media?.size === PNG.length))
    assert.ok(minted >= 2)
  })

  test('that are refused say why', async () => {
    await using stage = await openStage({ media: { types: ['image/png'] } })
    const vera = await stage.come('vera')
    const channel = await vera.createChannel()
    const html = new Blob(['<script>'], { type: 'text/html' })
    await assert.rejects(
      channel.send({ media: html }),
      (it) => it instanceof ChatError && it.kind === 'invalid' && /text\/html/.test(it.message),
    )
    const words = await channel.send('no file')
    await assert.rejects(words.getMediaUrl(), (it) => it instanceof ChatError && it.kind === 'missing')
    assert.equal((await channel.getMessages()).items.length, 1)
  })
})
