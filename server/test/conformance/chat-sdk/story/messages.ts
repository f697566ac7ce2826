/** Messages are sent, with and without files, edited, removed, and read page by page. */
import assert from 'node:assert/strict'
import type { Scene } from '../scene.ts'
import type { Heard } from '../seen.ts'
import { agreed, inTurns, isAt, isRefused, readAgain, type Step, toldOf } from './step.ts'

const says = (body: string) => (it: Heard) => it.message?.body === body

/** Enough for many pages of every size that the SDKs ask for. */
const MANY = 503

/** A picture of one dot. */
export const PNG = {
  base64: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  contentType: 'image/png',
  filename: 'dot.png',
}

/** Both SDKs were told, once, and agree with REST. */
const everybodyKnows = async (scene: Scene, body: string): Promise<void> => {
  const { vera, ana } = scene
  const [{ message: veras }, { message: anas }] = await Promise.all([
    vera.hears('messageAdded', says(body)),
    ana.hears('messageAdded', says(body)),
  ])
  assert.ok(veras && anas)
  assert.deepEqual(veras, anas)
  assert.deepEqual(agreed(veras), await readAgain(scene, veras))
}

export const messages: readonly Step[] = [
  {
    title: 'sends text with attributes, and is told of its own, others’ and the back end’s messages',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const sid = await scene.room('Talk')
      const body = 'Grüße 🎈\nauf zwei “Zeilen” \\ \u0000'.replace('\u0000', '')
      assert.equal(await vera.channel(sid, 'sendMessage', body, { mood: 'good', n: [1, { a: null }] }), 0)
      await everybodyKnows(scene, body)
      assert.equal(await ana.channel(sid, 'sendMessage', 'Hello back', {}), 1)
      await everybodyKnows(scene, 'Hello back')
      await service.channels(sid).messages.create({ from: 'bot', body: 'By REST', attributes: '{"bot":1}' })
      await everybodyKnows(scene, 'By REST')
      for (const who of [vera, ana]) {
        const told = toldOf(who, sid)
        assert.deepEqual(
          told.map((it) => it.index),
          [0, 1, 2],
          'in order, once',
        )
        assert.deepEqual(told[0]?.attributes, { mood: 'good', n: [1, { a: null }] })
        assert.equal((await who.message([sid, 1], 'getMember')).identity, ana.identity)
        assert.equal((await who.client('getChannelBySid', sid)).lastMessageIndex, 2)
      }
    },
  },
  {
    title: 'sends a file, and gets files by their temporary address',
    tell: async (scene) => {
      const { vera, ana } = scene
      const sid = await scene.room('Pictures')
      assert.equal(await vera.sendFile(sid, PNG, { of: 'a dot' }), 0)
      assert.equal(await ana.sendFile(sid, PNG, {}), 1)
      for (const index of [0, 1]) {
        for (const who of [vera, ana]) {
          const { message } = await who.hears('messageAdded', isAt(sid, index))
          assert.ok(message)
          const { media } = message
          assert.deepEqual([message.body, media?.contentType], [null, 'image/png'])
          assert.equal(media?.size, Buffer.from(PNG.base64, 'base64').length)
          assert.deepEqual(agreed(message), await readAgain(scene, message))
          const answer = await fetch(await who.temporaryUrl(sid, index))
          assert.equal(answer.headers.get('content-type'), 'image/png')
          assert.equal(Buffer.from(await answer.arrayBuffer()).toString('base64'), PNG.base64)
        }
      }
    },
  },
  {
    title: 'edits and removes messages, and is told of messages that are edited and removed',
    tell: async (scene) => {
      const { vera, ana, service } = scene
      const sid = await scene.room('Corrections')
      await vera.channel(sid, 'sendMessage', 'Vera’s', {})
      await ana.channel(sid, 'sendMessage', 'Ana’s', {})
      for (const who of [vera, ana]) await who.hears('messageAdded', says('Ana’s'))
      const updated = async (reason: string, index: number, body: string, attributes: object) => {
        for (const who of [vera, ana]) {
          const { message } = await who.hears(
            'messageUpdated',
            ({ message, reasons }) =>
              message?.channelSid === sid &&
              message.index === index &&
              reasons?.includes(reason) &&
              message.body === body &&
              JSON.stringify(message.attributes) === JSON.stringify(attributes),
          )
          assert.ok(message)
          assert.deepEqual(agreed(message), await readAgain(scene, message))
        }
      }
      await vera.message([sid, 0], 'updateBody', 'Vera’s own')
      await updated('body', 0, 'Vera’s own', {})
      await vera.message([sid, 0], 'updateAttributes', { seal: [true] })
      await updated('attributes', 0, 'Vera’s own', { seal: [true] })
      await ana.message([sid, 1], 'updateBody', 'Ana’s own')
      await updated('body', 1, 'Ana’s own', {})
      const [first] = toldOf(vera, sid)
      assert.ok(first)
      const { messages } = service.channels(sid)
      await messages(first.sid).update({ body: 'By REST', attributes: '{}', lastUpdatedBy: 'bot' })
      await updated('body', 0, 'By REST', {})
      await isRefused(ana.message([sid, 0], 'updateBody', 'Not Ana’s'), 50107)
      await isRefused(ana.message([sid, 0], 'remove'), 50107)

      const removed = async (index: number, left: number) => {
        for (const who of [vera, ana]) await who.hears('messageRemoved', isAt(sid, index))
        assert.equal((await messages.list()).length, left)
      }
      await ana.message([sid, 1], 'remove')
      await removed(1, 1)
      await messages(first.sid).remove()
      await removed(0, 0)
      assert.equal(await vera.channel(sid, 'sendMessage', 'Gaps stay', {}), 2)
      await everybodyKnows(scene, 'Gaps stay')
      await vera.message([sid, 2], 'remove')
      await removed(2, 0)
    },
  },
  {
    title: `reads ${MANY} messages page by page, both ways`,
    tell: async ({ vera, ana, service }) => {
      const { sid } = await service.channels.create({ type: 'private' })
      const { messages, members } = service.channels(sid)
      await inTurns(MANY, (number) => messages.create({ from: 'system', body: `No. ${number}` }))
      for (const { identity } of [vera, ana]) await members.create({ identity })
      const rows = (await messages.list({ order: 'asc', pageSize: 100 })).map((it) => [
        it.index,
        it.sid,
        it.body,
      ])
      assert.equal(rows.length, MANY)
      for (const who of [vera, ana]) {
        await who.hears('channelJoined', (it) => it.channel?.sid === sid)
        assert.equal(await who.channel(sid, 'getMessagesCount'), MANY)
        assert.equal(await who.channel(sid, 'getMembersCount'), 2)
        const back = await who.walk(sid, { pageSize: 30, way: 'prevPage' })
        const forth = await who.walk(sid, { pageSize: 70, anchor: 0, direction: 'forward', way: 'nextPage' })
        for (const pages of [back.toReversed(), forth]) {
          const read = pages.flatMap((it) => it.messages.map(({ index, sid, body }) => [index, sid, body]))
          assert.deepEqual(read, rows)
          assert.deepEqual([pages[0]?.hasPrevPage, pages.at(-1)?.hasNextPage], [false, false])
          assert.ok(pages.slice(1).every((it) => it.hasPrevPage))
          assert.ok(pages.slice(0, -1).every((it) => it.hasNextPage))
        }
        assert.deepEqual([back.length, forth.length], [Math.ceil(MANY / 30), Math.ceil(MANY / 70)])
        const [middle] = await who.walk(sid, { pageSize: 20, anchor: 250, way: 'prevPage' })
        assert.deepEqual([middle?.messages[0]?.index, middle?.messages.at(-1)?.index], [231, 250])
      }
    },
  },
]
