/** What nodes that share a database say to each other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { openPostgresBus } from '../../src/bus/postgres.ts'
import { openProxy } from '../realtime/proxy.ts'
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

test('a bus that is closed while it connects again leaves no connection behind', async () => {
  await using database = await openPostgres()
  const admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
  await using _ = { [Symbol.asyncDispose]: () => admin.end() }
  const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
  const connections = async () => (await admin.query(`select pid ${others}`)).rowCount
  for (let times = 0; times < 10; times += 1) {
    const broken = Promise.withResolvers<void>()
    const bus = await openPostgresBus({ url: database.url, node: 'one', onFault: () => broken.resolve() })
    await admin.query(`select pg_terminate_backend(pid) ${others}`)
    await broken.promise
    while ((await connections()) === 0) await turn()
    await bus[Symbol.asyncDispose]()
    const deadline = performance.now() + 20_000
    while ((await connections()) !== 0)
      assert.ok(performance.now() < deadline, `${await connections()} connections are left`)
  }
})

test('a bus whose server is away, and then lets it in without a word, is back by itself', async () => {
  await using database = await openPostgres()
  const url = new URL(database.url)
  await using way = await openProxy(Number(url.port))
  url.port = String(way.port)
  const faults: string[] = []
  const onFault = (fault: unknown) => faults.push((fault as Error).message)
  await using far = await openPostgresBus({ url: url.href, node: 'far', onFault })
  await using near = await openPostgresBus({ url: database.url, node: 'near', onFault })
  const missed = new Promise<void>((resolve) => far.onMissed(resolve))
  const heard = new Promise((resolve) => {
    far.subscribe('word', resolve)
  })
  way.refuse(true)
  way.cut()
  while (way.refused < 5) await wait(20)
  way.keepSilent(true)
  way.refuse(false)
  while (way.size === 0) await wait(20)
  way.keepSilent(false)
  await missed
  near.publish('word', 'again')
  assert.equal(await heard, 'again')
  // Each of its connections broke, with a word or two; of all attempts to make another the first is told of.
  assert.ok(faults.length <= 5, faults.join())
})
