import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import pg from 'pg'
import { until } from '../journeys/program.ts'
import { openPostgres } from './postgres.ts'

const ADMIN_SHUTDOWN = '57P01'

const ask = async <T extends object>(url: string, sql: string): Promise<T[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(sql)).rows
  } finally {
    await client.end()
  }
}

const namesOn = async (url: string): Promise<string[]> =>
  (await ask<{ datname: string }>(url, 'select datname from pg_database')).map((it) => it.datname)

const nameOf = (url: string): string => new URL(url).pathname.slice(1)

describe('the PostgreSQL server of the tests', () => {
  test('each caller has a database of its own, dropped with whoever is still connected', async () => {
    const [one, two] = await Promise.all([openPostgres(), openPostgres()])
    await using _ = two
    assert.notEqual(one.url, two.url)
    await ask(one.url, 'create table only_here (id text)')
    assert.deepEqual(await ask(two.url, "select 1 from pg_tables where tablename = 'only_here'"), [])
    const forgotten = new pg.Client({ connectionString: one.url })
    await forgotten.connect()
    // `pg` reports the server's word first and then the broken connection.
    const cutOff = once(forgotten, 'error')
    forgotten.on('error', () => {})
    await one[Symbol.asyncDispose]()
    const [fault] = (await cutOff) as [{ code: string }]
    assert.equal(fault.code, ADMIN_SHUTDOWN)
    const names = await namesOn(two.url)
    assert(!names.includes(nameOf(one.url)))
    assert(names.includes(nameOf(two.url)))
  })

  test('what it acknowledges is on disk, and it sorts by language, not by byte', async () => {
    await using database = await openPostgres()
    const [durable] = await ask<{ fsync: string }>(database.url, 'show fsync')
    assert.equal(durable?.fsync, 'on')
    const sorted = await ask<{ word: string }>(
      database.url,
      "select word from (values ('b'), ('B'), ('a'), ('C')) as it(word) order by word",
    )
    assert.deepEqual(
      sorted.map((it) => it.word),
      ['a', 'b', 'B', 'C'],
    )
  })

  test('a test process that is killed leaves no database behind', async () => {
    await using watching = await openPostgres()
    const here = JSON.stringify(new URL('postgres.ts', import.meta.url).href)
    const program = `const { openPostgres } = await import(${here})
      console.log((await openPostgres()).url)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      const name = nameOf(line.toString().trim())
      assert((await namesOn(watching.url)).includes(name))
      child.kill('SIGKILL')
      const isDropped = async () => ((await namesOn(watching.url)).includes(name) ? undefined : true)
      await until(`${name} is dropped`, isDropped)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
