/** What a browser has to load. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes, gzipped: the widget has 40 KB for everything. */
const BUNDLE_BYTES_MAX = 15 * 1024

/** Bytes, gzipped: an agent's desk has both. */
const WORKER_BYTES_MAX = 8 * 1024

const resolveDir = fileURLToPath(new URL('..', import.meta.url))

const bundle = async (contents: string): Promise<Uint8Array> => {
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  assert.deepEqual(warnings, [])
  return outputFiles[0]?.contents ?? assert.fail('nothing was bundled')
}

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length

test('both clients together are at most 15 KB in a browser bundle', async () => {
  const size = gzipped(await bundle(`export * from '@parley/client'`))
  assert.ok(size <= BUNDLE_BYTES_MAX, `${size} bytes, gzipped`)
})

test('the client of workers is at most 8 KB', async () => {
  const size = gzipped(await bundle(`export { WorkerClient, WorkerError } from '@parley/client'`))
  assert.ok(size <= WORKER_BYTES_MAX, `${size} bytes, gzipped`)
})

test('whoever uses one client gets nothing of the other', async () => {
  const of = async (names: string) =>
    new TextDecoder().decode(await bundle(`export { ${names} } from '@parley/client'`))
  const [chat, worker] = [await of('ChatClient, ChatError'), await of('WorkerClient, WorkerError')]
  for (const ofChat of ['wsconnect', 'ChatError', 'channelJoined', 'TWILSOCK']) {
    assert.ok(chat.includes(ofChat), ofChat)
    assert.ok(!worker.includes(ofChat), ofChat)
  }
  for (const ofWorker of ['wschannels', 'WorkerError', 'reservationCreated', 'WorkerChannels']) {
    assert.ok(worker.includes(ofWorker), ofWorker)
    assert.ok(!chat.includes(ofWorker), ofWorker)
  }
})

test('what is not used is not bundled', async () => {
  const bytes = await bundle(`import { ChatError } from '@parley/client'; console.log(ChatError)`)
  assert.ok(bytes.length < 3 * 1024, `${bytes.length} bytes for one class`)
})
