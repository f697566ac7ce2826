/** `docs/protocols/chat-sdks.md` says which published SDKs the story is told with, and nothing else. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { SDKS } from './sdks.ts'
import { STORY } from './story.ts'

const PAGE = new URL('../../../../docs/protocols/chat-sdks.md', import.meta.url)

const cells = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((it) => it.trim())

test('the page has a row for each file that tells the story, and names what it tells it with', async () => {
  const rows = [...(await readFile(PAGE, 'utf8')).matchAll(/^\| `[^\n]*$/gm)].map(([row]) => cells(row))
  const told = rows.map(([name, version, , file]) => [
    name,
    version,
    /\(.*\/([^/]+)\)$/.exec(file ?? '')?.[1],
  ])
  const files = (await readdir(new URL('./', import.meta.url))).filter(
    (it) => it.endsWith('.test.ts') && !import.meta.url.endsWith(it),
  )
  const expected = files.map(async (file) => {
    const text = await readFile(new URL(file, import.meta.url), 'utf8')
    const key = /tellStory\(SDKS\.(\w+)/.exec(text)?.[1]
    const { name, version } = published(SDKS[key as keyof typeof SDKS].name)
    return [`\`${name}\``, version, file]
  })
  assert.deepEqual(told.toSorted(), (await Promise.all(expected)).toSorted())
})

test('the page names the steps of the story, in order', async () => {
  const steps = [...(await readFile(PAGE, 'utf8')).matchAll(/^\d+\. (.*?)(?: \*(.*)\*)?$/gm)]
  assert.deepEqual(
    steps.map(([, title, needs]) => [title, needs]),
    STORY.map(({ title, needs }) => [title, needs]),
  )
})

test('every SDK is the one that it is said to be, and is told about', async () => {
  for (const { name, version, title } of Object.values(SDKS)) {
    const it = published(name)
    assert.equal(it.version, version)
    assert.equal(`${it.name} ${it.version}`, title)
  }
})

/** What npm says of what is installed under a name. Not every package lets its `package.json` be required. */
const published = (installed: string): { name: string; version: string } => {
  const require = createRequire(import.meta.url)
  for (let folder = dirname(require.resolve(installed)); ; folder = dirname(folder))
    try {
      return require(join(folder, 'package.json'))
    } catch {
      assert.notEqual(folder, dirname(folder), `${installed} is not installed`)
    }
}
