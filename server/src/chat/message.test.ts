import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'
import type { Engine } from '../../test/world/index.ts'

describe('messages', () => {
  test('a message is sent, read, changed and deleted', async () => {
    await using chat = await openChat()
    const { sid } = await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    const message = await room.messages.create({ body: 'hello', from: 'socketio-chat-user' })
    assert.deepEqual(
      [
        message.index,
        message.from,
        message.body,
        message.attributes,
        message.type,
        message.to,
        message.media,
      ],
      [0, 'socketio-chat-user', 'hello', '{}', 'text', sid, null],
    )
    assert.equal(message.wasEdited, false)
    assert.equal((await room.messages.create({ body: 'again' })).from, 'system')
    const last = (await room.fetch()).links.last_message as string
    assert.match(last, /\/Messages\/IM[0-9a-f]{32}$/)
    const edited = await room
      .messages(message.sid)
      .update({ body: 'hello!', attributes: '{"a":1}', lastUpdatedBy: 'ana' })
    assert.deepEqual(
      [edited.body, edited.attributes, edited.wasEdited, edited.lastUpdatedBy, edited.index],
      ['hello!', '{"a":1}', true, 'ana', 0],
    )
    assert.deepEqual((await room.messages(message.sid).update({})).toJSON(), edited.toJSON())
    assert.equal((await room.messages(message.sid).update({ from: 'vera' })).from, 'vera')
    assert.equal(await room.messages(message.sid).remove(), true)
    await notThere(room.messages(message.sid).fetch())
    await notThere(room.messages(message.sid).remove())
    assert.equal((await room.fetch()).messagesCount, 1)
  })

  test('a message that is deleted leaves its index empty, and the one before it is the latest', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    const [first, second] = [
      await room.messages.create({ body: '0' }),
      await room.messages.create({ body: '1' }),
    ]
    await room.messages(second.sid).remove()
    assert.ok((await room.fetch()).links.last_message?.endsWith(first.sid))
    assert.equal((await room.messages.create({ body: '2' })).index, 2)
    await room.messages(first.sid).remove()
    assert.deepEqual(
      (await room.messages.list()).map((it) => it.index),
      [2],
    )
  })

  test('bodies, attributes and authors have their limits and codes', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const { messages } = chat.service.channels('room')
    await refused(messages.create({}), 400, 50503)
    await refused(messages.create({ body: '' }), 400, 50503)
    await refused(messages.create({ body: 'x'.repeat(32_769) }), 400, 50504)
    await refused(messages.create({ body: 'é'.repeat(16_385) }), 400, 50504)
    await refused(messages.create({ body: 'hi', attributes: 'x' }), 400, 50304)
    await refused(messages.create({ body: 'hi', attributes: JSON.stringify('x'.repeat(32_767)) }), 400, 50303)
    await refused(messages.create({ body: 'hi', from: 'x'.repeat(257) }), 400, 50310)
    await refused(messages.create({ body: 'hi', lastUpdatedBy: 'x'.repeat(257) }), 400, 50505)
    await refused(messages.create({ mediaSid: `ME${'0'.repeat(32)}` }), 400, 50507)
    await refused(messages.create({ mediaSid: 'nothing' }), 400, 50507)
    assert.equal((await messages.list()).length, 0)
    const longest = await messages.create({
      body: 'é'.repeat(16_384),
      attributes: JSON.stringify('x'.repeat(32_766)),
    })
    assert.equal(longest.index, 0)
    await refused(chat.service.channels('room').messages(longest.sid).update({ body: '' }), 400, 50503)
  })

  test('a message is restored from a backup with its dates', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const message = await chat.service.channels('room').messages.create({
      body: 'long ago',
      from: 'vera',
      dateCreated: new Date('2019-01-02T03:04:05Z'),
      dateUpdated: new Date('2019-02-02T03:04:05Z'),
      lastUpdatedBy: 'ana',
    })
    assert.equal(message.dateCreated.toISOString(), '2019-01-02T03:04:05.000Z')
    assert.equal(message.dateUpdated.toISOString(), '2019-02-02T03:04:05.000Z')
    assert.equal(message.lastUpdatedBy, 'ana')
  })

  test('messages are listed in both orders, in pages that hold while more are sent', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const { messages } = chat.service.channels('room')
    for (let it = 0; it < 12; it += 1) await messages.create({ body: `${it}` })
    const indices = (those: { index: number }[]) => those.map((it) => it.index)
    const first = await messages.page({ order: 'desc', pageSize: 5 })
    assert.deepEqual(indices(first.instances), [11, 10, 9, 8, 7])
    await messages.create({ body: 'late' })
    const second = await first.nextPage()
    assert.deepEqual(indices(second?.instances ?? []), [6, 5, 4, 3, 2])
    const back = await second?.previousPage()
    assert.deepEqual(indices(back?.instances ?? []), [11, 10, 9, 8, 7])
    assert.deepEqual(indices(await messages.list({ pageSize: 4 })), [...Array(13).keys()])
    await refused(messages.page({ pageToken: '-1' }), 400, 19038)
    await refused(messages.page({ pageToken: 'x' }), 400, 19038)
  })

  for (const engine of ['memory', 'disk', 'postgres'] satisfies Engine[])
    test(`a hundred who speak at once get a hundred indices without a gap, on ${engine}`, async () => {
      await using chat = await openChat(engine)
      const { sid } = await chat.service.channels.create({ uniqueName: 'room' })
      const said = await Promise.all(
        Array.from({ length: 100 }, (_, it) =>
          // Every tenth is refused, by name or by SID: an index that was not used is not lost.
          it % 10 === 0
            ? chat.service
                .channels(sid)
                .messages.create({ body: '' })
                .catch(() => undefined)
            : chat.service.channels(it % 2 ? sid : 'room').messages.create({ body: `${it}` }),
        ),
      )
      const sent = said.filter((it) => it !== undefined)
      const kept = await chat.service.channels(sid).messages.list({ pageSize: 40 })
      assert.deepEqual(
        kept.map((it) => it.index),
        [...Array(90).keys()],
      )
      assert.deepEqual(
        new Map(sent.map((it) => [it.index, it.body])),
        new Map(kept.map((it) => [it.index, it.body])),
      )
      assert.equal((await chat.service.channels(sid).fetch()).messagesCount, 90)
    })
})
