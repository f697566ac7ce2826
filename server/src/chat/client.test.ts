/** What a person with an access token may see and do over REST. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notThere, openChat, refused, withToken } from '../../test/chat/cast.ts'

describe('clients with an access token', () => {
  test('a visitor makes a channel, joins it as its admin, and speaks as themselves', async () => {
    await using chat = await openChat()
    const vera = chat.as('vera')
    const channel = await vera.channels.create({ uniqueName: 'room', type: 'private' })
    assert.equal(channel.createdBy, 'vera')
    const { roleSid } = await vera.channels('room').members.create({ identity: 'vera' })
    assert.equal(roleSid, (await chat.service.fetch()).defaultChannelCreatorRoleSid)
    const message = await vera.channels('room').messages.create({ body: 'hi', from: 'somebody else' })
    assert.equal(message.from, 'vera')
    assert.equal((await vera.channels('room').update({ friendlyName: 'Room' })).friendlyName, 'Room')
    assert.equal(await vera.channels('room').remove(), true)
  })

  test('a token is good for the service it names, and for nothing that is the back end’s', async () => {
    await using chat = await openChat()
    const { world, serviceSid } = chat
    const other = await world.twilio.chat.v2.services.create({ friendlyName: 'Other' })
    const vera = withToken(world, 'vera', serviceSid).chat.v2
    await refused(vera.services(other.sid).channels.list(), 403, 50107)
    await refused(vera.services.list(), 403, 20006)
    await refused(vera.services(serviceSid).roles.list(), 403, 20006)
    await refused(vera.services(serviceSid).users.list(), 403, 20006)
    await refused(vera.services(serviceSid).update({ friendlyName: 'Mine' }), 403, 20006)
    await chat.service.channels.create({ uniqueName: 'room' })
    await refused(vera.services(serviceSid).channels('room').webhooks.list(), 403, 20006)
  })

  test('nobody finds a private channel who is not in it, invited to it, or its maker', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'hidden', type: 'private' })
    await chat.service.channels.create({ uniqueName: 'open' })
    const vera = chat.as('vera')
    await notThere(vera.channels('hidden').fetch())
    await notThere(vera.channels('hidden').messages.list())
    await notThere(vera.channels('hidden').messages.create({ body: 'hi' }))
    await notThere(vera.channels('hidden').members.create({ identity: 'vera' }))
    await notThere(vera.channels('hidden').remove())
    const seen = async () =>
      (await vera.channels.list({ type: ['public', 'private'] })).map((it) => it.uniqueName).sort()
    assert.deepEqual(await seen(), ['open'])
    await chat.service.channels('hidden').invites.create({ identity: 'vera' })
    assert.deepEqual(await seen(), ['hidden', 'open'])
    assert.equal((await vera.channels('hidden').fetch()).uniqueName, 'hidden')
    await refused(vera.channels('hidden').messages.list(), 403, 50400)
    await vera.channels('hidden').members.create({ identity: 'vera' })
    assert.equal((await vera.channels('hidden').messages.list()).length, 0)
    assert.deepEqual(await seen(), ['hidden', 'open'])
  })

  test('what is said in a public channel is for those who joined it', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'open' })
    const message = await chat.service.channels('open').messages.create({ body: 'welcome' })
    const vera = chat.as('vera').channels('open')
    await refused(vera.messages.list(), 403, 50400)
    await refused(vera.messages(message.sid).fetch(), 403, 50400)
    await refused(vera.messages.create({ body: 'hi' }), 403, 50400)
    await refused(vera.members.list(), 403, 50400)
    await vera.members.create({ identity: 'vera' })
    assert.equal((await vera.messages(message.sid).fetch()).body, 'welcome')
    assert.equal((await vera.messages.create({ body: 'hi' })).index, 1)
    assert.equal(await vera.members('vera').remove(), true)
    await refused(vera.messages.list(), 403, 50400)
  })

  test('a plain member changes what is theirs and nothing else', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    for (const identity of ['vera', 'ana']) await chat.service.channels('room').members.create({ identity })
    const vera = chat.as('vera').channels('room')
    const ana = chat.as('ana').channels('room')
    const { sid: hers } = await vera.messages.create({ body: 'mine' })
    assert.equal((await vera.messages(hers).update({ body: 'still mine' })).lastUpdatedBy, 'vera')
    await refused(ana.messages(hers).update({ body: 'not yours' }), 403, 50107)
    await refused(ana.messages(hers).update({ attributes: '{}' }), 403, 50107)
    await refused(ana.messages(hers).remove(), 403, 50107)
    await refused(vera.messages(hers).update({ dateCreated: new Date(0) }), 403, 50107)
    await refused(vera.messages.create({ body: 'x', dateCreated: new Date(0) }), 403, 50107)
    await refused(vera.update({ friendlyName: 'Mine' }), 403, 50107)
    await refused(vera.update({ attributes: '{}' }), 403, 50107)
    await refused(vera.remove(), 403, 50107)
    await refused(vera.members.create({ identity: 'ben' }), 403, 50107)
    await refused(vera.invites.create({ identity: 'ben' }), 403, 50107)
    await refused(vera.members('ana').remove(), 403, 50107)
    await refused(vera.members('ana').update({ attributes: '{}' }), 403, 50107)
    await refused(vera.members('ana').update({ lastConsumedMessageIndex: 0 }), 403, 50107)
    await refused(vera.members('vera').update({ roleSid: `RL${'0'.repeat(32)}` }), 403, 50107)
    assert.equal((await vera.members('vera').update({ attributes: '{"mood":1}' })).attributes, '{"mood":1}')
    assert.equal(
      (await vera.members('vera').update({ lastConsumedMessageIndex: 0 })).lastConsumedMessageIndex,
      0,
    )
    assert.equal(await vera.messages(hers).remove(), true)
  })

  test('a service admin does all of it, in every channel they see', async () => {
    await using chat = await openChat()
    const roles = await chat.service.roles.list()
    const admin = roles.find((it) => it.friendlyName === 'service admin')?.sid ?? ''
    await chat.service.users.create({ identity: 'sol', roleSid: admin })
    await chat.service.channels.create({ uniqueName: 'room' })
    await chat.service.channels('room').members.create({ identity: 'vera' })
    const { sid } = await chat.as('vera').channels('room').messages.create({ body: 'rude' })
    const sol = chat.as('sol')
    assert.equal((await sol.channels('room').messages(sid).update({ body: 'polite' })).body, 'polite')
    assert.equal(await sol.channels('room').messages(sid).remove(), true)
    assert.equal((await sol.users('vera').update({ friendlyName: 'Vera' })).friendlyName, 'Vera')
    await sol.channels('room').members.create({ identity: 'ana' })
    await sol.channels('room').invites.create({ identity: 'ben' })
    assert.equal(await sol.channels('room').members('vera').remove(), true)
    await refused(sol.channels('room').messages.create({ body: 'bye' }), 403, 50400)
    assert.equal(await sol.channels('room').remove(), true)
  })

  test('a role that loses a permission loses it at once, and one that is gone allows nothing', async () => {
    await using chat = await openChat()
    const { defaultChannelRoleSid } = await chat.service.fetch()
    const mute = await chat.service.roles.create({
      friendlyName: 'mute',
      type: 'channel',
      permission: ['sendMessage'],
    })
    await chat.service.channels.create({ uniqueName: 'room' })
    await chat.service.channels('room').members.create({ identity: 'vera', roleSid: mute.sid })
    await chat.service.channels('room').members.create({ identity: 'ana' })
    const vera = chat.as('vera').channels('room')
    await vera.messages.create({ body: 'hi' })
    await chat.service.roles(mute.sid).update({ permission: ['leaveChannel'] })
    await refused(vera.messages.create({ body: 'hi' }), 403, 50107)
    await chat.service.roles(mute.sid).remove()
    await refused(vera.members('vera').remove(), 403, 50107)
    await chat.service.roles(defaultChannelRoleSid).update({ permission: ['leaveChannel'] })
    await refused(chat.as('ana').channels('room').messages.create({ body: 'hi' }), 403, 50107)
  })

  test('a person sees and changes their own user and channels, and no one else’s', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    for (const identity of ['vera', 'ana']) await chat.service.channels('room').members.create({ identity })
    const vera = chat.as('vera')
    assert.equal((await vera.users('vera').update({ friendlyName: 'Vera' })).friendlyName, 'Vera')
    await refused(vera.users('ana').update({ friendlyName: 'Anna' }), 403, 50107)
    await refused(vera.users('ana').fetch(), 403, 50107)
    await refused(vera.users('vera').update({ roleSid: `RL${'0'.repeat(32)}` }), 403, 50107)
    assert.equal((await vera.users('vera').userChannels.list()).length, 1)
    assert.equal(
      (await vera.users('vera').userChannels('room').update({ notificationLevel: 'muted' }))
        .notificationLevel,
      'muted',
    )
    await refused(vera.users('ana').userChannels.list(), 403, 50107)
    await refused(vera.users('ana').userChannels('room').remove(), 403, 50107)
    await refused(vera.users('nobody').userChannels.list(), 403, 50107)
    assert.equal(await vera.users('vera').userChannels('room').remove(), true)
  })

  test('the invited decline by themselves; others’ invitations are for members to see', async () => {
    await using chat = await openChat()
    await chat.service.channels.create({ uniqueName: 'room' })
    const room = chat.service.channels('room')
    const invite = await room.invites.create({ identity: 'vera' })
    await refused(chat.as('ana').channels('room').invites(invite.sid).fetch(), 403, 50400)
    await refused(chat.as('ana').channels('room').invites(invite.sid).remove(), 403, 50107)
    assert.equal((await chat.as('vera').channels('room').invites(invite.sid).fetch()).identity, 'vera')
    assert.equal(await chat.as('vera').channels('room').invites(invite.sid).remove(), true)
  })
})
