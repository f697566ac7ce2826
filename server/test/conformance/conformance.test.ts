/**
 * Every served operation, asked by the published client in stories, answers as Twilio's published documents say. The
 * coverage table is made from what was seen here; `PARLEY_WRITE_COVERAGE=1` writes it.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { allRoutes } from '../../src/app.ts'
import { openWorld, type World } from '../world/index.ts'
import { chatStories } from './chat.ts'
import { coverageTable, servedNames, unservedNames } from './coverage.ts'
import { flexStories } from './flex.ts'
import { published } from './published.ts'
import { taskRouterStories } from './taskrouter.ts'
import { openWitness, type Witness } from './witness.ts'

const TABLE = new URL('../../../docs/coverage.md', import.meta.url)

/** Each library once, each kind of engine once. */
const PASSES = [
  { library: '6.x', engine: 'memory' },
  { library: '5.x', engine: 'postgres' },
] as const

/** What any pass has seen. */
const seen = new Map<string, Set<string>>()

for (const { library, engine } of PASSES)
  describe(`twilio ${library}, over ${engine}`, () => {
    let world: World
    let witness: Witness

    before(async () => {
      world = await openWorld({ engine })
      witness = openWitness(world, library)
    })

    after(async () => {
      for (const [operation, stories] of witness.seen)
        seen.set(operation, new Set([...(seen.get(operation) ?? []), ...stories]))
      await world[Symbol.asyncDispose]()
    })

    for (const story of [...chatStories, ...taskRouterStories, ...flexStories])
      test(story.name, async () => {
        witness.tells(story.name)
        await story.tell(witness, world)
      })

    test('every served operation was asked and answered as published', () => {
      const served = servedNames(allRoutes)
      const unasked = published.map((it) => it.name).filter((it) => served.has(it) && !witness.seen.has(it))
      assert.deepEqual(unasked, [])
    })
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

test('the coverage table is up to date', async () => {
  const table = coverageTable(allRoutes, seen)
  if (process.env.PARLEY_WRITE_COVERAGE) await writeFile(TABLE, table)
  assert.equal(await readFile(TABLE, 'utf8'), table, 'run `npm run coverage`')
})
