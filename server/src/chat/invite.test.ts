import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused } from '../../test/chat/cast.ts'

describe('invites', () => {
  test('an invitation is made, listed, and taken back', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room', type: 'private' })
    const room = chat.service.channels('room')
    const invite = await room.invites.create({ identity: 'vera' })
    assert.deepEqual([invite.identity, invite.createdBy], ['vera', 'system'])
    assert.equal(invite.roleSid, (await chat.service.fetch()).defaultChannelRoleSid)
    await room.invites.create({ identity: 'ana' })
    assert.equal((await room.invites.list({ pageSize: 1 })).length, 2)
    assert.equal((await room.invites.list({ identity: ['vera', 'ben'] })).length, 1)
    assert.deepEqual((await room.invites(invite.sid).fetch()).toJSON(), invite.toJSON())
    assert.equal(await room.invites(invite.sid).remove(), true)
    await notThere(room.invites(invite.sid).fetch())
    await notThere(room.invites(invite.sid).remove())
  })

  test('nobody is invited twice, or to where they are', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    await room.invites.create({ identity: 'vera' })
    await refused(room.invites.create({ identity: 'vera' }), 409, 50212)
    await room.members.create({ identity: 'ana' })
    await refused(room.invites.create({ identity: 'ana' }), 409, 50404)
    await refused(room.invites.create({ identity: '' }), 400, 50204)
    await refused(room.invites.create({ identity: 'ben', roleSid: `RL${'0'.repeat(32)}` }), 400, 50101)
  })

  test('whoever comes by an invitation has the role it names, and it is used up', async () => {
    await using chat = await openChat()
    const { defaultChannelCreatorRoleSid: roleSid } = await chat.service.fetch()
    await chat.service.channels.create({ uniqueName: 'room', type: 'private' })
    const room = chat.service.channels('room')
    await room.invites.create({ identity: 'vera', roleSid })
    const member = await chat.as('vera').channels('room').members.create({ identity: 'vera' })
    assert.equal(member.roleSid, roleSid)
    assert.equal((await room.invites.list()).length, 0)
  })
})
