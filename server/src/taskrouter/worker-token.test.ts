import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mayActFor } from './worker-token.ts'

const ana = { sid: 'WKa', friendly_name: 'ana', workspace_sid: 'WS1' }

describe("a worker's token", () => {
  test('acts for the worker that its grant names, and for no other', () => {
    const grants = { task_router: { workspace_sid: 'WS1', worker_sid: 'WKa' } }
    assert.ok(mayActFor({ identity: 'whoever', grants }, ana))
    assert.ok(!mayActFor({ identity: 'ben', grants }, { ...ana, sid: 'WKb', friendly_name: 'ben' }))
    assert.ok(!mayActFor({ identity: 'ana', grants }, { ...ana, workspace_sid: 'WS2' }))
  })

  test('acts for the worker of its identity where the grant names nobody', () => {
    const grants = { task_router: { workspace_sid: 'WS1' } }
    assert.ok(mayActFor({ identity: 'ana', grants: { task_router: {} } }, ana))
    assert.ok(mayActFor({ identity: 'ana', grants }, ana))
    assert.ok(!mayActFor({ identity: 'ana', grants }, { ...ana, workspace_sid: 'WS2' }))
    assert.ok(!mayActFor({ identity: 'vera', grants }, ana))
  })

  test('is none without the grant, though a visitor has the name of a worker', () => {
    assert.ok(!mayActFor({ identity: 'ana', grants: {} }, ana))
    assert.ok(!mayActFor({ identity: 'ana', grants: { chat: {}, task_router: 'yes' } }, ana))
  })

  test('is not needed by an account', () => {
    assert.ok(mayActFor(undefined, ana))
  })
})
