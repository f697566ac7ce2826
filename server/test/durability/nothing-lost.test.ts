import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPostgres } from '../world/postgres.ts'
import { nothingLost } from './nothing-lost.ts'

const newFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'parley-killed-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

test('kills under load lose nothing over SQLite', async () => {
  await using folder = await newFolder()
  await nothingLost({ PARLEY_DATA: folder.path })
})

test('kills under load lose nothing over PostgreSQL', async () => {
  await using folder = await newFolder()
  await using postgres = await openPostgres()
  await nothingLost({ PARLEY_DATA: folder.path, DATABASE_URL: postgres.url })
})
