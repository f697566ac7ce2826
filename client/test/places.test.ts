/** Where a user is changes while it is being read, while the connection is broken, and with the user themselves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode, type Frame } from '../src/frame.ts'
import type { ChatClient, WebSocketClass } from '../src/index.ts'
import { next, openStage } from './stage.ts'

/** What a client is told of its channels, as lines. */
const listen = (client: ChatClient): string[] => {
  const lines: string[] = []
  client.on('channelInvited', (it) => lines.push(`invited to ${it.friendlyName} as ${it.status}`))
  client.on('channelJoined', (it) => lines.push(`in ${it.friendlyName} as ${it.status}`))
  client.on('channelLeft', (it) => lines.push(`left ${it.friendlyName}`))
  return lines
}

const connected = (client: ChatClient) => next(client, 'stateChanged', (state) => state === 'connected')

/** Sockets whose frames pass through a test on their way in. */
const passing = (
  pass: (frame: Frame, hear: (changed?: Uint8Array<ArrayBuffer>) => void) => void,
): WebSocketClass =>
  class extends WebSocket {
    override set onmessage(listener: WebSocket['onmessage']) {
      super.onmessage = (event) =>
        pass(decode(event.data as ArrayBuffer), (changed) =>
          listener?.call(this, changed ? new MessageEvent('message', { data: changed.buffer }) : event),
        )
    }
  }

test('who joins while the invitation is being read is told of both, in order', async () => {
  await using stage = await openStage()
  const vera = await stage.come('vera')
  const channel = await vera.createChannel({ friendlyName: 'Orders' })
  let held: (() => void)[] | undefined
  const [isAsked, isIn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const WebSocket = passing((frame, hear) => {
    if (held && frame.method === 'reply') {
      held.push(hear)
      isAsked.resolve()
      return
    }
    hear()
    if ((frame.payload as { event_type?: string })?.event_type === 'map_item_updated') isIn.resolve()
  })
  const ben = await stage.come('ben', { WebSocket })
  const lines = listen(ben)
  held = []
  await channel.invite('ben')
  await isAsked.promise
  const joined = next(ben, 'channelJoined')
  await channel.add('ben')
  await isIn.promise
  const late = held
  held = undefined
  for (const hear of late) hear()
  await joined
  assert.deepEqual(lines, ['invited to Orders as invited', 'in Orders as joined'])
})

/** For a client whose answers can be held up; what it is told comes through. */
const holding = () => {
  let held: (() => void)[] | undefined
  let added = 0
  let isTold = () => {}
  const WebSocket = passing((frame, hear) => {
    if (held && frame.method === 'reply') return void held.push(hear)
    hear()
    if ((frame.payload as { event_type?: string })?.event_type !== 'map_item_added') return
    added -= 1
    if (added === 0) isTold()
  })
  return {
    WebSocket,
    /** @returns resolves when that many places have been added */
    hold: (times: number): Promise<void> => {
      held = []
      added = times
      return new Promise((resolve) => {
        isTold = resolve
      })
    },
    letGo: () => {
      const late = held ?? []
      held = undefined
      for (const hear of late) hear()
    },
  }
}

test('who is added again before they know that they have left has left all the same', async () => {
  await using stage = await openStage()
  const vera = await stage.come('vera')
  const channel = await vera.createChannel({ friendlyName: 'Orders' })
  await channel.add('ben')
  const { WebSocket, hold, letGo } = holding()
  const ben = await stage.come('ben', { WebSocket })
  const lines = listen(ben)
  const [hasLeft, isBack] = [next(ben, 'channelLeft'), next(ben, 'channelJoined')]
  const isTold = hold(1)
  const leaving = ben.channels[0]?.leave()
  await hasLeft
  await channel.add('ben')
  await isTold
  letGo()
  await leaving
  await isBack
  assert.deepEqual(lines, ['left Orders', 'in Orders as joined'])
})

test('who is put out and invited before they know that they were in waits no longer for it', async () => {
  await using stage = await openStage()
  const vera = await stage.come('vera')
  const lobby = await vera.createChannel({ friendlyName: 'Lobby', type: 'public' })
  const { WebSocket, hold, letGo } = holding()
  const ben = await stage.come('ben', { WebSocket })
  const seen = await ben.getChannel(lobby.sid)
  const [isIn, isOut] = [next(vera, 'memberJoined'), next(vera, 'memberLeft')]
  const isTold = hold(2)
  const refused = assert.rejects(seen.join(), { name: 'ChatError', kind: 'missing' })
  await isIn
  await lobby.remove('ben')
  await isOut
  await lobby.invite('ben')
  await isTold
  letGo()
  await refused
  assert.equal((await seen.join()).status, 'joined')
})

test('a channel that could be read in part only is read again, and followed', async () => {
  await using stage = await openStage()
  const vera = await stage.come('vera')
  let isBroken = false
  const WebSocket = passing((frame, hear) => {
    const { unique_name: name } = (frame.payload ?? {}) as { unique_name?: string }
    if (!isBroken || !name?.endsWith('.roster')) return hear()
    isBroken = false
    const status = { code: 500, status: 'INTERNAL_SERVER_ERROR' }
    hear(encode({ ...frame.header, http_status: status }, JSON.stringify({ code: 20500, message: 'broken' })))
  })
  const ben = await stage.come('ben', { WebSocket })
  const channel = await vera.createChannel({ friendlyName: 'Orders', type: 'public' })
  const seen = await ben.getChannel(channel.sid)
  isBroken = true
  assert.equal((await seen.join()).status, 'joined')
  assert.equal(isBroken, false)
  const renamed = next(ben, 'channelUpdated')
  await channel.update({ friendlyName: 'Old orders' })
  assert.equal((await renamed).friendlyName, 'Old orders')
})

test('who is connected again knows the channels they came to meanwhile', async () => {
  await using stage = await openStage()
  const vera = await stage.come('vera')
  const lines = listen(vera)
  stage.network.refuse(true)
  stage.network.cut()
  const { sid } = await stage.service.channels.create({ friendlyName: 'Orders' })
  await stage.service.channels(sid).members.create({ identity: 'vera' })
  stage.network.refuse(false)
  await connected(vera)
  assert.deepEqual(lines, ['in Orders as joined'])
  assert.deepEqual(
    vera.channels.map((it) => it.friendlyName),
    ['Orders'],
  )
})

for (const isAway of [false, true])
  test(`a user who is removed${isAway ? ' while nobody is here' : ''} comes back as a new one, and is told of their places`, async () => {
    await using stage = await openStage()
    const { service } = stage
    const channelWith = async (friendlyName: string, identity: string) => {
      const { sid } = await service.channels.create({ friendlyName, type: 'public' })
      await service.channels(sid).members.create({ identity })
      return sid
    }
    const vera = await stage.come('vera')
    await vera.user.update({ friendlyName: 'Vera' })
    const joined = next(vera, 'channelJoined')
    await channelWith('Old', 'vera')
    await joined
    const ana = await stage.come('ana')
    assert.equal((await ana.getUser('vera')).friendlyName, 'Vera')
    const lines = listen(vera)
    const names: (string | null)[][] = []
    vera.on('userUpdated', (it, before) => {
      if (it.friendlyName !== before.friendlyName) names.push([before.friendlyName, it.friendlyName])
    })
    const back = Promise.all([vera, ...(isAway ? [ana] : [])].map(connected))
    if (isAway) {
      stage.network.refuse(true)
      stage.network.cut()
    }
    await service.users('vera').remove()
    stage.network.refuse(false)
    await back
    assert.deepEqual(lines, ['left Old'])
    const again = next(vera, 'channelJoined')
    await channelWith('New', 'vera')
    await again
    assert.deepEqual(lines, ['left Old', 'in New as joined'])
    assert.deepEqual(
      vera.channels.map((it) => it.friendlyName),
      ['New'],
    )
    assert.equal(vera.user.friendlyName, null)
    const seen = next(ana, 'userUpdated', (it) => it.identity === 'vera' && it.friendlyName === 'Vera II')
    assert.equal((await ana.getUser('vera')).friendlyName, null)
    const renamed = next(vera, 'userUpdated', (it) => it.friendlyName === 'Vera II')
    await vera.user.update({ friendlyName: 'Vera II' })
    await Promise.all([seen, renamed])
    assert.deepEqual(names, [
      ['Vera', null],
      [null, 'Vera II'],
    ])
  })
