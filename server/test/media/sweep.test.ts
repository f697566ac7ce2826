/** Uploads that nobody needs any more are cleared away, with their bytes; the others stay. */
import assert from 'node:assert/strict'
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { reading } from '../../src/store/query.ts'
import type { Engine } from '../world/index.ts'
import { sparePort } from '../world/spare-port.ts'
import { openBucket } from './bucket.ts'
import { openStudio, refused, type Studio } from './cast.ts'

const HOUR_MS = 3_600_000

const rows = reading((db) => db.selectFrom('media').select('sid').orderBy('sid'))

const sidsOf = async ({ world }: Studio): Promise<string[]> =>
  (await rows.all(world.house.store.reader, {})).map((it) => it.sid)

const hoursLater = async ({ world }: Studio, hours: number): Promise<void> => {
  world.clock.advance(hours * HOUR_MS)
  await world.settle()
}

describe('the sweep of media', () => {
  for (const engine of ['memory', 'postgres'] satisfies Engine[])
    test(`takes what nobody claimed within a day, and what was said in what is gone, on ${engine}`, async () => {
      await using studio = await openStudio({ engine })
      await studio.world.settle()
      const { sid: other } = await studio.world.twilio.chat.v2.services.create({ friendlyName: 'Other' })
      const inOther = studio.world.twilio.chat.v2.services(other)
      for (const uniqueName of ['kept', 'gone']) await studio.service.channels.create({ uniqueName })
      await inOther.channels.create({ uniqueName: 'room' })
      const sent = async (room: string): Promise<{ media: string; message: string }> => {
        const { sid } = await studio.upload('vera', room)
        const message = await studio.service.channels(room).messages.create({ mediaSid: sid })
        return { media: sid, message: message.sid }
      }
      const kept = await sent('kept')
      const deleted = await sent('kept')
      await sent('gone')
      const elsewhere = await studio.world.fetch(`/v1/Services/${other}/Media`, { method: 'POST', body: 'x' })
      const { sid: mediaSid } = (await elsewhere.json()) as { sid: string }
      await inOther.channels('room').messages.create({ mediaSid })
      await studio.upload('vera', 'unclaimed')
      await studio.service.channels('kept').messages(deleted.message).remove()
      await studio.service.channels('gone').remove()
      await inOther.remove()
      assert.equal((await sidsOf(studio)).length, 5)

      await hoursLater(studio, 23)
      const late = await studio.world.fetch(studio.path, { method: 'POST', body: 'late' })
      const { sid: lateSid } = (await late.json()) as { sid: string }
      await hoursLater(studio, 2)
      assert.deepEqual(await sidsOf(studio), [kept.media, lateSid])
      assert.equal((await studio.kept()).length, 2)
      await hoursLater(studio, 24)
      assert.deepEqual(await sidsOf(studio), [kept.media])
      assert.equal((await studio.kept()).length, 1)
      assert.equal((await studio.world.fetch(`${studio.path}/${kept.media}`)).status, 200)
    })

  test('takes bytes of which no row knows, once they are a day old, and nothing that is not ours', async () => {
    await using studio = await openStudio()
    await studio.upload('vera', 'known')
    const folder = studio.world.mediaFolder
    const left = async (place: string, name: string, hoursAgo: number): Promise<void> => {
      await mkdir(join(folder, place), { recursive: true })
      const path = join(folder, place, name)
      await writeFile(path, 'left by a crash')
      const at = new Date(studio.world.clock.now() - hoursAgo * HOUR_MS)
      await utimes(path, at, at)
    }
    await left('aa', 'a'.repeat(32), 25)
    await left('bb', 'b'.repeat(32), 1)
    await left('incoming', 'c'.repeat(32), 25)
    await left('incoming', 'd'.repeat(32), 1)
    await left('aa', 'README', 25)
    await left('lost+found', 'e'.repeat(32), 25)
    await studio.world.settle()
    const names = (await readdir(folder, { recursive: true })).filter((it) => it.includes('/'))
    assert.deepEqual(names.filter((it) => /(\w)\1{31}|README/.test(it)).sort(), [
      `aa/README`,
      `bb/${'b'.repeat(32)}`,
      `incoming/${'d'.repeat(32)}`,
      `lost+found/${'e'.repeat(32)}`,
    ])
    assert.equal((await studio.kept()).length, 4, 'what is known stays')
  })

  test('tells a row whose bytes were lost from a link that never was', async () => {
    await using studio = await openStudio({ engine: 'disk' })
    const media = await studio.upload('vera', 'x')
    await rm(studio.world.mediaFolder, { recursive: true })
    const answer = await fetch(media.links.content_direct_temporary)
    assert.deepEqual([answer.status, await answer.text()], [404, 'This file is no longer here.\n'])
    assert.equal((await studio.ask('vera', `${studio.path}/${media.sid}`)).status, 200)
  })
})

describe('media in a bucket', () => {
  test('is taken, handed out and swept as in a folder', async () => {
    await using bucket = await openBucket()
    await using studio = await openStudio({ media: { s3: bucket.settings } })
    await studio.service.channels.create({ uniqueName: 'room' })
    const large = Buffer.alloc(6 * 1024 * 1024, 'parley')
    const media = await studio.upload('vera', large, 'video/mp4')
    await studio.service.channels('room').messages.create({ mediaSid: media.sid })
    const content = await fetch(media.links.content_direct_temporary)
    assert.equal(content.headers.get('content-length'), String(large.length))
    assert.ok(Buffer.from(await content.arrayBuffer()).equals(large))
    const part = await fetch(media.links.content_direct_temporary, { headers: { range: 'bytes=6-11' } })
    assert.deepEqual([part.status, await part.text()], [206, 'parley'])
    const form = new FormData()
    form.set('file', new Blob(['small'], { type: 'text/plain' }), 'a.txt')
    const unclaimed = await studio.upload('vera', form)
    await refused(await studio.ask('vera', studio.path, { method: 'POST', body: '' }), 400, 20001)
    await hoursLater(studio, 25)
    assert.deepEqual(await sidsOf(studio), [media.sid])
    assert.equal((await fetch(unclaimed.links.content_direct_temporary)).status, 403)
    assert.deepEqual(await studio.kept(), [])
  })

  test('that cannot be reached is a fault of ours, said in the shape of all others', async () => {
    const credentials = { keyId: 'nobody', secret: 'hears this' }
    const s3 = { url: `http://127.0.0.1:${await sparePort()}/uploads`, region: 'us-east-1', credentials }
    await using studio = await openStudio({ media: { s3 } })
    await refused(await studio.ask('vera', studio.path, { method: 'POST', body: 'x' }), 500, 20500)
    assert.deepEqual(await sidsOf(studio), [])
  })
})
