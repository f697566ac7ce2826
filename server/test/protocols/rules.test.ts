/** The rules of the chat socket that are written down are the rules that are tested. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'

const PAGE = new URL('../../../docs/protocols/chat-socket.md', import.meta.url)

const each = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, id]) => id as string)

test('every rule of the chat socket has a test, and every test its rule', async () => {
  const rules = each(await readFile(PAGE, 'utf8'), /^- \*\*(CS\d+)\*\*/gm)
  const folder = new URL('./', import.meta.url)
  const tested = new Set<string>()
  for (const file of await readdir(folder))
    for (const id of each(await readFile(new URL(file, folder), 'utf8'), /test\(['"]\[(CS\d+)\] /g))
      tested.add(id)
  assert.ok(rules.length > 0)
  assert.equal(new Set(rules).size, rules.length, 'no rule twice')
  assert.deepEqual([...tested].toSorted(), rules.toSorted())
})
