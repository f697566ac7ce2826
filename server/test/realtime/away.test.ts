import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openPostgres } from '../world/postgres.ts'
import type { Crowd } from './away.ts'

const PROGRAM = fileURLToPath(new URL('crowd.ts', import.meta.url))

const agrees = async (crowd: Crowd): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-'))
  const where = { PARLEY_DATA: folder, ...crowd.where }
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ ...crowd, where })], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    const said = text(child.stderr)
    const [code] = await once(child, 'exit')
    assert.equal(code, 0, await said)
  } finally {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

test('two hundred clients, dropped and revived for two minutes under load, end in agreement', () =>
  agrees({ people: 200, seconds: 120, kills: 4, where: {} }))

test('so does a smaller crowd on PostgreSQL', async () => {
  await using place = await openPostgres()
  await agrees({ people: 40, seconds: 20, kills: 1, where: { DATABASE_URL: place.url } })
})
