/** What a store of bytes promises, of a folder and of a bucket alike. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { type Bytes, openBytes } from '../../src/realtime/media/index.ts'
import { openBucket } from './bucket.ts'

/** Of more than one part of an upload to a bucket. */
const LARGE = 11 * 1024 * 1024

const folderOfItsOwn = async (open: AsyncDisposableStack): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bytes-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const places: Record<string, (open: AsyncDisposableStack) => Promise<Bytes>> = {
  'a folder': async (open) => openBytes({ folder: join(await folderOfItsOwn(open), 'not', 'yet') }),
  'a bucket': async (open) => openBytes({ folder: '/nowhere', s3: open.use(await openBucket()).settings }),
  'a folder of a bucket': async (open) => {
    const { settings } = open.use(await openBucket())
    return openBytes({ folder: '/nowhere', s3: { ...settings, url: `${settings.url}/parley/media` } })
  },
}

const all = async (bytes: Bytes, key: string, range?: { first: number; last: number }): Promise<Buffer> => {
  const stream = await bytes.open(key, range)
  assert.ok(stream)
  return buffer(stream)
}

const keysBefore = async (bytes: Bytes, at: number): Promise<string[]> =>
  (await Array.fromAsync(bytes.writtenBefore(at))).sort()

const FOREVER = Number.MAX_SAFE_INTEGER

for (const [name, place] of Object.entries(places))
  describe(`bytes in ${name}`, () => {
    const opened = async () => {
      const open = new AsyncDisposableStack()
      const bytes = open.use(await place(open))
      return { bytes, [Symbol.asyncDispose]: () => open.disposeAsync() }
    }

    test('what is put is there, all of it or a stretch', async () => {
      await using it = await opened()
      const content = randomBytes(LARGE)
      const keys = await Promise.all([
        it.bytes.put(Readable.from([content.subarray(0, 70_000), content.subarray(70_000)])),
        it.bytes.put(Readable.from([Buffer.from('small')])),
      ])
      const [large, small] = keys
      assert.ok((await all(it.bytes, large)).equals(content))
      assert.equal(String(await all(it.bytes, small)), 'small')
      assert.equal(String(await all(it.bytes, small, { first: 1, last: 3 })), 'mal')
      assert.ok(
        (await all(it.bytes, large, { first: 6_000_000, last: LARGE - 1 })).equals(
          content.subarray(6_000_000),
        ),
      )
      assert.deepEqual(await keysBefore(it.bytes, FOREVER), keys.toSorted())
      assert.deepEqual(await keysBefore(it.bytes, Date.now() - 3_600_000), [])
    })

    test('what fails on its way leaves nothing, early or late', async () => {
      await using it = await opened()
      for (const before of [0, 100, LARGE]) {
        const body = Readable.from(
          (async function* () {
            if (before) yield Buffer.alloc(before)
            throw new Error('broken off')
          })(),
        )
        await assert.rejects(it.bytes.put(body), /broken off/)
      }
      assert.deepEqual(await keysBefore(it.bytes, FOREVER), [])
    })

    test('what is removed is gone, and to remove it again is no fault', async () => {
      await using it = await opened()
      const key = await it.bytes.put(Readable.from([Buffer.from('x')]))
      await it.bytes.remove(key)
      await it.bytes.remove(key)
      assert.equal(await it.bytes.open(key), undefined)
      assert.deepEqual(await keysBefore(it.bytes, FOREVER), [])
    })
  })

test('files are for the user alone that the server runs as, and what is not ours is left alone', async () => {
  await using open = new AsyncDisposableStack()
  const folder = join(await folderOfItsOwn(open), 'media')
  const bytes = await openBytes({ folder })
  const key = await bytes.put(Readable.from([Buffer.from('x')]))
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
  assert.equal((await stat(join(folder, key.slice(0, 2), key))).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(folder, 'incoming')), [])
  await bytes.put(Readable.from([Buffer.from('y')]))
  assert.equal((await keysBefore(bytes, FOREVER)).length, 2)
})
