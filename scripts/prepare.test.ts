import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

interface Said {
  status: number | null
  out: string
  err: string
}

const prepare = (clone: string, env: NodeJS.ProcessEnv, ...words: string[]): Said => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(clone, 'scripts/prepare.mjs'), ...words],
    {
      env,
      encoding: 'utf8',
    },
  )
  return { status, out: stdout, err: stderr }
}

/** What npm would be asked for is written to standard output by a program of that name. */
const inClone = (lock: object, installed: object | undefined, ...words: string[]): Said => {
  const clone = mkdtempSync(join(tmpdir(), 'parley-clone-'))
  try {
    for (const folder of ['scripts', 'node_modules', 'programs']) mkdirSync(join(clone, folder))
    cpSync(join(here, 'prepare.mjs'), join(clone, 'scripts/prepare.mjs'))
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify({ packages: lock }))
    if (installed)
      writeFileSync(join(clone, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }))
    writeFileSync(join(clone, 'programs/npm'), '#!/bin/sh\necho "npm $1"\n', { mode: 0o755 })
    return prepare(clone, { PATH: `${join(clone, 'programs')}:${process.env.PATH}` }, ...words)
  } finally {
    rmSync(clone, { recursive: true })
  }
}

const used = { version: '1.0.0', integrity: 'sha512-a' }
const installs = /^Installing dependencies \(npm ci\) …\nnpm ci\n$/

describe('prepare', () => {
  test('says nothing where nothing is missing', () => {
    assert.deepEqual(prepare(join(here, '..'), process.env, '--for', 'tests'), {
      status: 0,
      out: '',
      err: '',
    })
  })

  test('installs into a fresh clone, after an install that was cut short, and after the lock file changed', () => {
    const lock = { 'node_modules/used': used }
    assert.match(inClone(lock, undefined).out, installs)
    assert.match(inClone(lock, {}).out, installs)
    assert.match(inClone(lock, { 'node_modules/used': { ...used, version: '0.9.0' } }).out, installs)
    assert.match(inClone(lock, { 'node_modules/used': { ...used, integrity: 'sha512-b' } }).out, installs)
    assert.equal(inClone(lock, lock).out, '')
  })

  test('a start misses neither what only tests need nor what is for other systems; the tests miss theirs', () => {
    const lock = {
      contract: {},
      'node_modules/used': used,
      'node_modules/for-tests': { ...used, dev: true },
      'node_modules/for-windows': { ...used, optional: true },
    }
    const installed = { 'node_modules/used': used }
    assert.equal(inClone(lock, installed).out, '')
    assert.match(inClone(lock, installed, '--for', 'tests').out, installs)
  })

  test('a browser that is not where PARLEY_CHROMIUM says is named', () => {
    const { status, err } = prepare(
      join(here, '..'),
      { ...process.env, PARLEY_CHROMIUM: '/nowhere/chromium' },
      '--for',
      'tests',
    )
    assert.equal(status, 1)
    assert.match(err, /^PARLEY_CHROMIUM=\/nowhere\/chromium: there is no such file\./)
  })
})
