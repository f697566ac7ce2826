import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'

describe('roles', () => {
  test('a role is made, given other permissions, and deleted', async () => {
    await using chat = await openChat()
    const { roles } = chat.service
    const role = await roles.create({
      friendlyName: 'listener',
      type: 'channel',
      permission: ['leaveChannel', 'leaveChannel'],
    })
    assert.deepEqual(
      [role.type, role.friendlyName, role.permissions],
      ['channel', 'listener', ['leaveChannel']],
    )
    const updated = await chat.service
      .roles(role.sid)
      .update({ permission: ['sendMessage', 'editOwnMessage'] })
    assert.deepEqual(updated.permissions, ['sendMessage', 'editOwnMessage'])
    assert.deepEqual((await chat.service.roles(role.sid).fetch()).toJSON(), updated.toJSON())
    assert.equal((await roles.list({ pageSize: 2 })).length, 5)
    assert.equal(await chat.service.roles(role.sid).remove(), true)
    await notThere(chat.service.roles(role.sid).fetch())
    await notThere(chat.service.roles(role.sid).update({ permission: ['sendMessage'] }))
    await notThere(chat.service.roles(role.sid).remove())
  })

  test('a permission must be one that a role of its type can have', async () => {
    await using chat = await openChat()
    const { roles } = chat.service
    await refused(
      roles.create({ friendlyName: 'x', type: 'channel', permission: ['createChannel'] }),
      400,
      50104,
    )
    await refused(roles.create({ friendlyName: 'x', type: 'deployment', permission: ['fly'] }), 400, 50104)
    await refused(
      roles.create({ friendlyName: 'x', type: 'wizard' as 'channel', permission: ['sendMessage'] }),
      400,
      20001,
    )
    await refused(
      roles.create({ friendlyName: 'x'.repeat(257), type: 'channel', permission: ['sendMessage'] }),
      400,
      50003,
    )
    const { defaultChannelRoleSid } = await chat.service.fetch()
    await refused(
      chat.service.roles(defaultChannelRoleSid).update({ permission: ['createChannel'] }),
      400,
      50104,
    )
  })

  test('a default role of the service is not deleted', async () => {
    await using chat = await openChat()
    const { defaultServiceRoleSid } = await chat.service.fetch()
    await refused(chat.service.roles(defaultServiceRoleSid).remove(), 409, 20409)
  })
})
