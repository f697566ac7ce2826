/** The rules of each protocol that are written down are the rules that are tested. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'

const PROTOCOLS = [
  { page: 'chat-socket.md', letters: 'CS', folders: ['./'] },
  { page: 'event-bridge.md', letters: 'EB', folders: ['./', '../conformance/worker-sdk/'] },
] as const

const each = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, id]) => id as string)

for (const { page, letters, folders } of PROTOCOLS)
  test(`every rule of ${page} has a test, and every test its rule`, async () => {
    const written = new URL(`../../../docs/protocols/${page}`, import.meta.url)
    const rules = each(await readFile(written, 'utf8'), new RegExp(`^- \\*\\*(${letters}\\d+)\\*\\*`, 'gm'))
    const tested = new Set<string>()
    const naming = new RegExp(`test\\(['"]\\[(${letters}\\d+)\\] `, 'g')
    for (const folder of folders.map((it) => new URL(it, import.meta.url)))
      for (const file of (await readdir(folder)).filter((it) => it.endsWith('.ts')))
        for (const id of each(await readFile(new URL(file, folder), 'utf8'), naming)) tested.add(id)
    assert.ok(rules.length > 0)
    assert.equal(new Set(rules).size, rules.length, 'no rule twice')
    assert.deepEqual([...tested].toSorted(), rules.toSorted())
  })
