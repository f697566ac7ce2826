/** What nodes that share a database say to each other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPostgresBus } from '../../src/bus/postgres.ts'
import { openPostgres } from '../world/postgres.ts'

test('a notice that is too long is refused by name, and those after it are heard', async () => {
  await using database = await openPostgres()
  const faults: string[] = []
  const open = (node: string) =>
    openPostgresBus({ url: database.url, node, onFault: (fault) => faults.push((fault as Error).message) })
  await using one = await open('one')
  await using two = await open('two')
  const heard: unknown[] = []
  const over = new Promise((resolve) => {
    two.subscribe('word', (about) => {
      heard.push(about)
      if (about === 'last') resolve(undefined)
    })
  })
  one.publish('word', 'first')
  one.publish('word', 'é'.repeat(4_000))
  one.publish('word', 'x'.repeat(7_000))
  one.publish('word', 'last')
  await over
  assert.deepEqual(heard, ['first', 'x'.repeat(7_000), 'last'])
  assert.deepEqual(faults, ['a notice about word is too long for the bus, and other nodes do not hear of it'])
})
