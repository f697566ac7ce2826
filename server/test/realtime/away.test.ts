import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPostgres } from '../world/postgres.ts'
import { comeBackToAgreement } from './away.ts'

test('two hundred clients, dropped and revived for two minutes under load, end in agreement', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-'))
  try {
    await comeBackToAgreement({ people: 200, seconds: 120, kills: 4, where: { PARLEY_DATA: folder } })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('so does a smaller crowd on PostgreSQL', async () => {
  await using place = await openPostgres()
  const folder = await mkdtemp(join(tmpdir(), 'parley-'))
  try {
    const where = { PARLEY_DATA: folder, DATABASE_URL: place.url }
    await comeBackToAgreement({ people: 40, seconds: 20, kills: 1, where })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
