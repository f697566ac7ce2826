/** What a browser has to load. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes, gzipped: the widget has 40 KB for everything. */
const BUNDLE_BYTES_MAX = 15 * 1024

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

test('the whole client is at most 15 KB in a browser bundle', async () => {
  const bytes = await bundle(`export * from '@parley/client'`)
  const size = gzipSync(bytes, { level: 9 }).length
  assert.ok(size <= BUNDLE_BYTES_MAX, `${size} bytes, gzipped`)
})

test('what is not used is not bundled', async () => {
  const bytes = await bundle(`import { ChatError } from '@parley/client'; console.log(ChatError)`)
  assert.ok(bytes.length < 3 * 1024, `${bytes.length} bytes for one class`)
})
