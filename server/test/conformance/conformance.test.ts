/**
 * Every served operation, asked by the published client in stories, answers as Twilio's published documents say. The
 * coverage table is made from what was seen here; `PARLEY_WRITE_COVERAGE=1` writes it.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { allRoutes } from '../../src/app.ts'
import { openWorld, type World } from '../world/index.ts'
import { chatStories } from './chat.ts'
import { coverageTable, servedNames, unservedNames } from './coverage.ts'
import { flexStories } from './flex.ts'
import { published } from './published.ts'
import { taskRouterStories } from './taskrouter.ts'
import { openWitness, type Witness } from './witness.ts'

const TABLE = new URL('../../../docs/coverage.md', import.meta.url)

let world: World
let witness: Witness

before(async () => {
  world = await openWorld()
  witness = openWitness(world)
})

after(() => world[Symbol.asyncDispose]())

for (const story of [...chatStories, ...taskRouterStories, ...flexStories])
  test(story.name, async () => {
    witness.tells(story.name)
    await story.tell(witness, world)
  })

test('every published operation is served or says why not, and never both', () => {
  const served = servedNames(allRoutes)
  const unserved = unservedNames(allRoutes)
  assert.equal(published.length, 207)
  const undecided = published
    .filter(({ name }) => served.has(name) === unserved.has(name))
    .map((it) => it.name)
  assert.deepEqual(undecided, [])
})

test('every served operation was asked and answered as published', () => {
  const served = servedNames(allRoutes)
  const unasked = published.map((it) => it.name).filter((it) => served.has(it) && !witness.seen.has(it))
  assert.deepEqual(unasked, [])
})

test('the coverage table is up to date', async () => {
  const table = coverageTable(allRoutes, witness.seen)
  if (process.env.PARLEY_WRITE_COVERAGE) await writeFile(TABLE, table)
  assert.equal(await readFile(TABLE, 'utf8'), table, 'run `npm run coverage`')
})
