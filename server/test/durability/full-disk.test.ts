/** A disk that is full takes nothing more, and that is all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../store/given.ts'
import { openWorld } from '../world/index.ts'

/** Bytes of text; a few of these are more than the room that is left. */
const LARGE = 8_000

test('where the disk is full what would be written is refused, and nothing else, until there is room', async () => {
  await using world = await openWorld({ engine: 'disk' })
  const { store } = world.house
  const { sid } = await world.twilio.chat.v2.services.create({ friendlyName: 'Support' })
  const { channels } = world.twilio.chat.v2.services(sid)
  const room = async (pages: number): Promise<void> => {
    const used = (await ask(store.reader, 'pragma page_count'))[0]?.page_count as number
    await store.transact('room', (tx) => ask(tx, `pragma max_page_count = ${used + pages}`))
  }
  await room(50)
  const attributes = JSON.stringify({ text: 'x'.repeat(LARGE) })
  const made: string[] = []
  const fill = async (): Promise<never> => {
    for (;;) made.push((await channels.create({ attributes })).sid)
  }
  await assert.rejects(fill, {
    status: 503,
    code: 20503,
    message: 'Service is unavailable: the database cannot be used right now, and nothing was changed',
  })
  assert.deepEqual(
    (await channels.list()).map((it) => it.sid),
    made,
  )
  assert.equal((await world.fetch('/readyz')).status, 200)
  await room(1_000)
  made.push((await channels.create({ attributes })).sid)
  assert.equal((await channels.list()).length, made.length)
})
