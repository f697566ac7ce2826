import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allows, DEFAULT_ROLES, isPermission } from './permission.ts'

const holding = (...names: (keyof typeof DEFAULT_ROLES)[]) =>
  new Set<string>(names.flatMap((it) => [...DEFAULT_ROLES[it].permissions]))

describe('permissions', () => {
  test('the default roles hold only permissions that a role of their type can have', () => {
    for (const [name, { type, permissions }] of Object.entries(DEFAULT_ROLES))
      for (const it of permissions) assert.ok(isPermission(type, it), `${name}: ${it}`)
  })

  test('a plain member does as they like with what is theirs, and nothing to what is not', () => {
    const vera = holding('service user', 'channel user')
    for (const action of [
      'edit message',
      'edit message attributes',
      'delete message',
      'remove member',
    ] as const) {
      assert.equal(allows(vera, action, true), true, action)
      assert.equal(allows(vera, action, false), false, action)
    }
    for (const action of ['destroy channel', 'name channel', 'add member', 'invite member'] as const)
      assert.equal(allows(vera, action), false, action)
  })

  test('what only members can do is no matter for a role of the service', () => {
    assert.equal(isPermission('deployment', 'sendMessage'), false)
    assert.equal(isPermission('channel', 'createChannel'), false)
    assert.equal(isPermission('channel', 'beAdmired'), false)
  })

  test('nobody sets how loud a channel is for somebody else', () => {
    assert.equal(allows(holding('service admin', 'channel admin'), 'set notification level', false), false)
  })
})
