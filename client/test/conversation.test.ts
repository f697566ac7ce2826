/** People talk: with our own client on both sides, and with the published SDK on the other. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WebSocket as WsSocket } from 'ws'
import type { WebSocketClass } from '../src/index.ts'
import { next, openStage } from './stage.ts'

describe('ChatClient', () => {
  test('connects, creates a channel, talks with the published SDK, and both see the same', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    assert.equal(vera.identity, 'vera')
    assert.equal(vera.state, 'connected')
    assert.deepEqual(vera.channels, [])

    const made = await vera.createChannel({
      uniqueName: 'orders',
      friendlyName: 'Orders',
      attributes: { colour: 'red' },
    })
    assert.deepEqual(
      [made.uniqueName, made.friendlyName, made.attributes, made.type, made.status, made.createdBy],
      ['orders', 'Orders', { colour: 'red' }, 'private', 'joined', 'vera'],
    )
    assert.deepEqual(
      made.members.map((it) => it.identity),
      ['vera'],
    )

    const ana = await stage.comeWithSdk('ana')
    const joined = next(vera, 'memberJoined')
    await made.add('ana')
    assert.equal((await joined).identity, 'ana')
    assert.equal((await ana.next('channelJoined')).friendlyName, 'Orders')
    assert.deepEqual(await ana.messages(made.sid), [])

    const heardHere = next(vera, 'messageAdded')
    const said = await made.send({
      body: 'Where is my parcel? 📦\nIt is late.',
      attributes: { urgent: true },
    })
    const there = await ana.next('messageAdded')
    assert.deepEqual([there.body, there.attributes, there.author], [said.body, { urgent: true }, 'vera'])
    assert.deepEqual({ ...(await heardHere) }, { ...said })
    assert.equal(said.isMine, true)

    const answered = next(vera, 'messageAdded')
    await ana.send(made.sid, 'On its way!', { eta: 2 })
    const answer = await answered
    assert.deepEqual(
      [answer.index, answer.body, answer.attributes, answer.author, answer.isMine],
      [1, 'On its way!', { eta: 2 }, 'ana', false],
    )

    const edited = next(vera, 'messageUpdated')
    const corrected = await said.update({ body: 'Where is it?' })
    assert.deepEqual([corrected.body, corrected.attributes], ['Where is it?', { urgent: true }])
    assert.equal((await edited).body, 'Where is it?')
    await ana.next('messageUpdated', (it) => it.body === 'Where is it?')
    const removed = next(vera, 'messageRemoved')
    await said.remove()
    assert.deepEqual(await removed, { channelSid: made.sid, index: 0 })
    await ana.next('messageRemoved', (it) => it.index === 0)
  })

  test('goes over another WebSocket where it is given one', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera', { WebSocket: WsSocket as unknown as WebSocketClass })
    const channel = await vera.createChannel()
    const heard = next(vera, 'messageAdded')
    await channel.send('over ws')
    assert.equal((await heard).body, 'over ws')
    const back = next(vera, 'stateChanged', (state) => state === 'connected')
    stage.network.cut()
    await back
    assert.equal((await channel.send('again')).index, 1)
  })

  test('pages through 250 messages both ways', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    const channel = await vera.createChannel()
    for (let index = 0; index < 250; index += 1) await channel.send(`message ${index}`)
    const newest = await channel.getMessages({ limit: 100 })
    assert.deepEqual(
      [newest.items[0]?.index, newest.items.at(-1)?.index, newest.hasOlder, newest.hasNewer],
      [150, 249, true, false],
    )
    const seen = [...newest.items]
    let page = newest
    while (page.hasOlder) {
      page = await page.older()
      seen.unshift(...page.items)
    }
    assert.deepEqual(
      seen.map((it) => it.body),
      Array.from({ length: 250 }, (_, index) => `message ${index}`),
    )
    assert.equal(page.hasNewer, true)
    const forward = [...page.items]
    while (page.hasNewer) {
      page = await page.newer()
      forward.push(...page.items)
    }
    assert.equal(forward.length, 250)
    const around = await channel.getMessages({ after: 99, limit: 10 })
    assert.deepEqual([around.items[0]?.index, around.items.at(-1)?.index], [100, 109])
    assert.deepEqual([around.hasOlder, around.hasNewer], [true, true])
    assert.deepEqual((await newest.newer()).items, [])
    assert.deepEqual((await channel.getMessages({ before: 0 })).items, [])
  })

  test('channels: public ones by SID and unique name, invitations, names, being put out, the end', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    const ben = await stage.come('ben')
    const lobby = await vera.createChannel({ type: 'public', uniqueName: 'lobby', join: false })
    assert.equal(lobby.status, 'none')
    assert.deepEqual(
      (await ben.getPublicChannels()).items.map((it) => it.sid),
      [lobby.sid],
    )
    assert.equal((await ben.getChannel(lobby.sid)).uniqueName, 'lobby')
    const seen = await ben.getChannel('lobby')
    assert.equal((await seen.join()).status, 'joined')
    assert.equal((await ben.getChannel('lobby')).status, 'joined')
    await seen.leave()
    assert.deepEqual(ben.channels, [])

    const secret = await vera.createChannel({ friendlyName: 'Secret' })
    const invited = next(ben, 'channelInvited')
    await secret.invite('ben')
    const invitation = await invited
    assert.deepEqual([invitation.friendlyName, invitation.status], ['Secret', 'invited'])
    const declined = next(ben, 'channelLeft')
    await invitation.decline()
    assert.equal((await declined).sid, secret.sid)

    const again = next(ben, 'channelInvited')
    await secret.invite('ben')
    const joinedTold = next(ben, 'channelJoined')
    const inside = await (await again).join()
    assert.equal((await joinedTold).sid, secret.sid)
    assert.deepEqual(inside.members.map((it) => it.identity).sort(), ['ben', 'vera'])

    const updated = next(ben, 'channelUpdated')
    await secret.update({ friendlyName: 'Open', uniqueName: 'open', attributes: [1, 2] })
    const now = await updated
    assert.deepEqual([now.friendlyName, now.uniqueName, now.attributes], ['Open', 'open', [1, 2]])
    assert.equal(inside.friendlyName, 'Secret', 'a snapshot stays what it was')

    const put = next(ben, 'channelLeft')
    await secret.remove('ben')
    assert.equal((await put).status, 'none')
    const back = next(ben, 'channelJoined')
    await secret.add('ben')
    await back
    const ended = next(ben, 'channelLeft')
    const endedHere = next(vera, 'channelLeft')
    await secret.destroy()
    await Promise.all([ended, endedHere])
    assert.deepEqual([ben.channels, vera.channels], [[], []])
  })

  test('who is put out before they knew that they were in waits no longer for it', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    const lobby = await vera.createChannel({ type: 'public', uniqueName: 'lobby' })
    let held: (() => void)[] | undefined
    class Held extends WebSocket {
      override set onmessage(listener: WebSocket['onmessage']) {
        super.onmessage = (event) => {
          const hear = () => void listener?.call(this, event)
          if (held) held.push(hear)
          else hear()
        }
      }
    }
    const ben = await stage.come('ben', { WebSocket: Held })
    const seen = await ben.getChannel('lobby')
    const joined = next(vera, 'memberJoined')
    held = []
    const refused = assert.rejects(seen.join(), { name: 'ChatError', kind: 'missing' })
    await joined
    await lobby.remove('ben')
    const late = held
    held = undefined
    for (const hear of late) hear()
    await refused
    assert.deepEqual(ben.channels, [])
    assert.equal((await seen.join()).status, 'joined')
  })

  test('typing, horizons, unread counts, members and users', async () => {
    await using stage = await openStage()
    // Longer than anything here takes: what ends it is what is said.
    await stage.service.update({ typingIndicatorTimeout: 300 })
    const vera = await stage.come('vera')
    const ben = await stage.come('ben')
    const channel = await vera.createChannel()
    const came = next(ben, 'channelJoined')
    await channel.add('ben', { role: 'agent' })
    const bens = await came
    const greeted = next(ben, 'messageAdded')
    await channel.send('zero')
    await greeted
    const typing = next(ben, 'typingStarted')
    await channel.sayTyping()
    assert.deepEqual(await typing, { channelSid: channel.sid, identity: 'vera' })
    assert.deepEqual(bens.typing, ['vera'])
    const ended = next(ben, 'typingEnded')
    await channel.send('one')
    await ended
    assert.deepEqual(bens.typing, [])

    await channel.send('two')
    await channel.send('three')
    assert.equal(await bens.getUnconsumedCount(), null)
    const seen = next(vera, 'memberUpdated', (it) => it.identity === 'ben')
    assert.equal(await bens.setConsumed(1), 2)
    assert.equal((await seen).lastConsumedMessageIndex, 1)
    const all = next(ben, 'channelUpdated', (it) => it.lastConsumedMessageIndex === 3)
    assert.equal(await bens.setAllConsumed(), 0)
    await all
    assert.equal(await bens.setConsumed(null), null)
    await bens.setNotificationLevel('muted')

    const member = channel.members.find((it) => it.identity === 'ben')
    assert.deepEqual(member?.attributes, { role: 'agent' })
    const user = await member?.getUser()
    assert.deepEqual([user?.friendlyName, user?.isOnline], [null, true])
    const renamed = next(vera, 'userUpdated', (it) => it.friendlyName === 'Ben')
    await ben.user.update({ friendlyName: 'Ben', attributes: { desk: 4 } })
    await renamed
    const gone = next(vera, 'userUpdated', (it) => it.isOnline === false)
    await ben.close()
    assert.deepEqual((await gone).attributes, { desk: 4 })
  })
})
