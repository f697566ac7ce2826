import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PAGE, settingsPage } from './settings.ts'

test('docs/settings.md says what the settings declare (npm run settings writes it)', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), settingsPage())
})
