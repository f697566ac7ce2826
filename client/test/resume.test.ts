/** Connections break, tokens end: what was missed is told, in order, once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ChatClient, ChatError, type ConnectionState, type WebSocketClass } from '../src/index.ts'
import { next, openStage, runProgram, type Stage } from './stage.ts'

/** Everything that a client says of messages, as lines. */
const listen = (client: ChatClient): string[] => {
  const lines: string[] = []
  client.on('messageAdded', (it) => lines.push(`+${it.index} ${it.body}`))
  client.on('messageUpdated', (it) => lines.push(`~${it.index} ${it.body}`))
  client.on('messageRemoved', (it) => lines.push(`-${it.index}`))
  return lines
}

const connected = (client: ChatClient) => next(client, 'stateChanged', (state) => state === 'connected')

/** By REST, so that it happens whether anybody is connected or not. */
const byRest = ({ service }: Stage, channelSid: string) => ({
  send: async (from: string, body: string) =>
    (await service.channels(channelSid).messages.create({ from, body })).sid,
  edit: (sid: string, body: string) => service.channels(channelSid).messages(sid).update({ body }),
  remove: (sid: string) => service.channels(channelSid).messages(sid).remove(),
})

describe('a client whose connection breaks', () => {
  test('is told exactly what it missed, in order, once', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    const channel = await vera.createChannel({ friendlyName: 'Orders' })
    const rest = byRest(stage, channel.sid)
    const heard = next(vera, 'messageAdded', ({ index }) => index === 1)
    const first = await rest.send('ana', 'first')
    const second = await rest.send('ana', 'second')
    await heard
    const lines = listen(vera)
    const told: string[] = []
    vera.on('memberJoined', (it) => told.push(`joined ${it.identity}`))
    vera.on('memberLeft', (it) => told.push(`left ${it.identity}`))
    vera.on('channelInvited', (it) => told.push(`invited to ${it.friendlyName}`))
    vera.on('channelJoined', (it) => told.push(`in ${it.friendlyName}`))
    await channel.add('ben')

    const states: ConnectionState[] = []
    vera.on('stateChanged', (state) => states.push(state))
    stage.network.refuse(true)
    stage.network.cut()
    for (let index = 2; index < 602; index += 1) await rest.send('ana', `message ${index}`)
    await rest.edit(first, 'first, corrected')
    await rest.remove(second)
    await stage.service.channels(channel.sid).members.create({ identity: 'cleo' })
    await stage.service.channels(channel.sid).members('ben').remove()
    await stage.service.channels(channel.sid).update({ friendlyName: 'Old orders' })
    const other = await stage.service.channels.create({ friendlyName: 'Another', type: 'private' })
    await stage.service.channels(other.sid).members.create({ identity: 'vera' })
    const invitation = await stage.service.channels.create({ friendlyName: 'Third', type: 'private' })
    await stage.service.channels(invitation.sid).invites.create({ identity: 'vera' })
    stage.network.refuse(false)
    await connected(vera)

    // What was missed has been told by now.
    assert.deepEqual(
      lines.filter((it) => it.startsWith('+')),
      Array.from({ length: 600 }, (_, at) => `+${at + 2} message ${at + 2}`),
    )
    assert.deepEqual(
      lines.filter((it) => !it.startsWith('+')),
      ['~0 first, corrected', '-1'],
    )
    assert.deepEqual(told.sort(), ['in Another', 'invited to Third', 'joined ben', 'joined cleo', 'left ben'])
    const now = await vera.getChannel(channel.sid)
    assert.equal(now.friendlyName, 'Old orders')
    assert.deepEqual(now.members.map((it) => it.identity).sort(), ['cleo', 'vera'])
    assert.equal(states[0], 'connecting')
    assert.equal(states.at(-1), 'connected')

    const live = next(vera, 'messageAdded')
    await rest.send('ana', 'and on')
    assert.equal((await live).body, 'and on')
  })

  test('misses nothing while it is cut twenty times under load', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    const channel = await vera.createChannel()
    const lines = listen(vera)
    const rest = byRest(stage, channel.sid)
    const wanted: string[] = []
    for (let cut = 0; cut < 20; cut += 1) {
      const back = connected(vera)
      for (let at = 0; at < 10; at += 1) {
        if (at === cut % 10) stage.network.cut()
        await rest.send('ana', `m${wanted.length}`)
        wanted.push(`+${wanted.length} m${wanted.length}`)
      }
      await back
    }
    const last = next(vera, 'messageAdded', (it) => it.body === 'last')
    await rest.send('ana', 'last')
    await last
    assert.deepEqual(lines, [...wanted, `+${wanted.length} last`])
  })

  test('survives a restart of the house, and leaves what it was put out of', async () => {
    await using stage = await openStage({ engine: 'disk' })
    const vera = await stage.come('vera')
    const channel = await vera.createChannel()
    const other = await vera.createChannel()
    const lines = listen(vera)
    await channel.send('before')
    const left = next(vera, 'channelLeft')
    const back = connected(vera)
    await stage.world.restart()
    await stage.service.channels(other.sid).members('vera').remove()
    await byRest(stage, channel.sid).send('ana', 'after')
    await back
    assert.equal((await left).sid, other.sid)
    assert.deepEqual(
      vera.channels.map((it) => it.sid),
      [channel.sid],
    )
    await channel.send('again')
    assert.deepEqual(lines.slice(0, 2), ['+0 before', '+1 after'])
  })

  test('asks again what reads, and says of the rest that nobody knows', async () => {
    await using stage = await openStage()
    const vera = await stage.come('vera')
    const channel = await vera.createChannel()
    await channel.send('one')
    stage.network.refuse(true)
    const asked = channel.getMessages()
    const sent = channel.send('perhaps')
    stage.network.cut()
    await assert.rejects(
      sent,
      (it) => it instanceof ChatError && it.kind === 'lost' && /look/.test(it.advice),
    )
    const waits = channel.send('later')
    stage.network.refuse(false)
    assert.ok((await asked).items.some((it) => it.body === 'one'))
    assert.equal((await waits).body, 'later')
  })
})

describe('a network that fails', () => {
  test('is tried again later each time, by chance', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let now = 0
    const tried: number[] = []
    class Unreachable {
      onclose: ((event: { code: number; reason: string }) => void) | undefined
      constructor() {
        tried.push(now)
        queueMicrotask(() => this.onclose?.({ code: 1006, reason: '' }))
      }
      close() {}
    }
    const WebSocket = Unreachable as unknown as WebSocketClass
    const client = new ChatClient({ url: 'http://chat.example.org', getToken: () => 'any', WebSocket })
    const attempts = client.connect()
    const stepMs = 10
    for (; tried.length < 9 && now < 200_000; now += stepMs) {
      await turn()
      t.mock.timers.tick(stepMs)
    }
    const pauses = tried.slice(1).map((at, before) => at - (tried[before] ?? 0))
    const shares = pauses.map((pause, attempt) => pause / Math.min(500 * 2 ** attempt, 30_000))
    assert.equal(shares.length, 8)
    for (const [attempt, share] of shares.entries())
      assert.ok(share >= 0.48 && share <= 1.02, `${pauses[attempt]} ms after attempt ${attempt}`)
    assert.ok(new Set(shares.map((it) => it.toFixed(2))).size > 1, 'what was by chance each time the same')
    await client.close()
    await assert.rejects(attempts, { kind: 'closed' })
  })

  test('is found again by whoever still waits to be connected', async () => {
    await using stage = await openStage()
    stage.network.refuse(true)
    const client = new ChatClient({ url: stage.url, getToken: () => stage.token('vera') })
    let failures = 0
    const second = next(client, 'stateChanged', (_, error) => {
      if (error) failures += 1
      return failures === 2
    })
    const connecting = client.connect()
    await second
    stage.network.refuse(false)
    await connecting
    assert.equal(client.state, 'connected')
    await client.close()
  })

  test('that swallows everything without a word is noticed, and left', async (t) => {
    await using stage = await openStage()
    let isDeaf = false
    class Deaf extends WebSocket {
      override set onmessage(listener: WebSocket['onmessage']) {
        super.onmessage = (event) => {
          if (!isDeaf) listener?.call(this, event)
        }
      }
      override get onmessage(): WebSocket['onmessage'] {
        return super.onmessage
      }
    }
    t.mock.timers.enable({ apis: ['setInterval'] })
    // The house must find its own intervals when it closes.
    using _ = { [Symbol.dispose]: () => t.mock.timers.reset() }
    const vera = await stage.come('vera', { WebSocket: Deaf })
    const channel = await vera.createChannel()
    const states: string[] = []
    vera.on('stateChanged', (state, error) => states.push(`${state}: ${error?.message}`))
    for (let beats = 0; beats < 6; beats += 1) {
      t.mock.timers.tick(20_000)
      // An answer behind which that to a ping has come, too.
      await channel.getUnconsumedCount()
    }
    assert.deepEqual(states, [], 'whoever answers is there')
    isDeaf = true
    const left = next(vera, 'stateChanged')
    for (let beats = 0; beats < 3; beats += 1) t.mock.timers.tick(20_000)
    await left
    assert.deepEqual(states, ['connecting: The connection fell silent'])
    isDeaf = false
    await connected(vera)
  })
})

describe('tokens', () => {
  test('are renewed before they end, without a break', async () => {
    await using stage = await openStage({ live: false })
    const { clock } = stage.world
    /** How long each is good, in seconds. */
    const lives = [600, 1_200, 3_600]
    const asked = lives.map(() => Promise.withResolvers<void>())
    let minted = 0
    const getToken = () => {
      const token = stage.token('vera', { ttl: lives[minted] ?? 3_600 })
      asked[minted++]?.resolve()
      return token
    }
    const vera = await stage.come('vera', { getToken })
    const states: string[] = []
    vera.on('stateChanged', (state) => states.push(state))
    const channel = await vera.createChannel()
    // Each is warned of three minutes before its end; when the second is, the first has long ended.
    for (const [renewal, minutes] of [9, 10].entries()) {
      clock.advance(minutes * 60_000)
      await asked[renewal + 1]?.promise
      // Answers behind which the new token has been judged.
      for (let at = 0; at < 3; at += 1) await channel.send('still here')
    }
    const again = next(vera, 'messageAdded', (it) => it.body === 'and on')
    await channel.send('and on')
    await again
    assert.equal(minted, 3)
    assert.deepEqual(states, [])
  })

  test('that ended while nobody could renew them are asked for again, and nothing is lost', async () => {
    await using stage = await openStage({ live: false })
    const { clock } = stage.world
    let minted = 0
    let isBroken = false
    const getToken = async () => {
      if (isBroken) throw new Error('the back end is down')
      minted += 1
      return stage.token('vera', { ttl: minted === 1 ? 600 : 3_600 })
    }
    const vera = await stage.come('vera', { getToken })
    const channel = await vera.createChannel()
    const lines = listen(vera)
    isBroken = true
    const failed = next(vera, 'error')
    const broken = next(vera, 'stateChanged', (state) => state === 'connecting')
    clock.advance(9 * 60_000)
    assert.match((await failed).message, /getToken failed: the back end is down/)
    clock.advance(5 * 60_000)
    await broken
    await byRest(stage, channel.sid).send('ana', 'missed')
    isBroken = false
    await connected(vera)
    assert.deepEqual(lines, ['+0 missed'])
    assert.equal(minted, 2)
  })

  test('that are refused end what waits to be heard of', async () => {
    await using stage = await openStage({ live: false })
    const vera = await stage.come('vera')
    await vera.createChannel({ type: 'public', uniqueName: 'lobby' })
    let isDeaf = false
    class Unnotified extends WebSocket {
      override set onmessage(listener: WebSocket['onmessage']) {
        super.onmessage = (event) => {
          const isNotice = Buffer.from(event.data as ArrayBuffer).includes('"method":"notification"')
          if (!isDeaf || !isNotice) listener?.call(this, event)
        }
      }
    }
    let isGood = true
    const getToken = () => stage.token('ben', { ttl: isGood ? 600 : -60 })
    const ben = await stage.come('ben', { getToken, WebSocket: Unnotified })
    const lobby = await ben.getChannel('lobby')
    isDeaf = true
    const joined = next(vera, 'memberJoined')
    const waits = assert.rejects(lobby.join(), { name: 'ChatError', kind: 'token' })
    await joined
    // An answer behind which that to joining has come, too.
    await ben.getPublicChannels()
    isGood = false
    stage.world.clock.advance(20 * 60_000)
    await waits
    assert.equal(ben.state, 'denied')
  })

  test('that are refused when fresh say precisely why, and a new attempt may be made', async () => {
    await using stage = await openStage()
    const refusedWith = async (getToken: () => string): Promise<ChatError> => {
      const client = new ChatClient({ url: stage.url, getToken })
      try {
        await client.connect()
      } catch (fault) {
        assert.ok(fault instanceof ChatError)
        assert.equal(client.state, 'denied')
        return fault
      } finally {
        await client.close()
      }
      return assert.fail('it was let in')
    }
    const expired = await refusedWith(() => stage.token('vera', { ttl: -60 }))
    assert.deepEqual([expired.kind, expired.code, expired.status], ['token', 20104, 401])
    assert.match(expired.message, /expired/)
    assert.match(expired.advice, /new token each time/)
    const nonsense = await refusedWith(() => 'nonsense')
    assert.deepEqual([nonsense.kind, nonsense.code], ['token', 20101])
    const foreign = await refusedWith(() => stage.token('vera', { service: `IS${'0'.repeat(32)}` }))
    assert.equal(foreign.kind, 'token')

    let isGood = false
    const client = new ChatClient({
      url: stage.url,
      getToken: () => stage.token('vera', { ttl: isGood ? 3_600 : -60 }),
    })
    await assert.rejects(client.connect(), ChatError)
    isGood = true
    await client.connect()
    assert.equal(client.state, 'connected')
    await client.close()
  })
})

describe('close', () => {
  test('leaves no timer: a program ends by itself', async () => {
    await using stage = await openStage()
    const program = `const clients = args.map((token) => new ChatClient({ url, getToken: () => token }))
      await Promise.all(clients.map((it) => it.connect()))
      const joined = new Promise((resolve) => clients[1].on('channelJoined', resolve))
      const channel = await clients[0].createChannel()
      await channel.add('ben')
      const theirs = await joined
      const heard = new Promise((resolve) => clients[1].on('messageAdded', resolve))
      await channel.send('hello')
      await heard
      const typing = new Promise((resolve) => clients[1].on('typingStarted', resolve))
      await channel.sayTyping()
      await typing
      const waits = theirs.getMessages().catch((fault) => fault.kind)
      await Promise.all(clients.map((it) => it.close()))
      const after = await theirs.send('too late').catch((fault) => fault.kind)
      console.log(await waits, after, clients[0].state)`
    const tokens = ['vera', 'ben'].map((it) => stage.token(it))
    assert.deepEqual(await runProgram(stage, program, tokens), {
      said: 'closed closed disconnected',
      code: 0,
    })
  })

  test('while what is there is being read leaves no fault that nobody hears of', async () => {
    await using stage = await openStage()
    const unheard = Promise.withResolvers<void>()
    let frames = 0
    /** Hears that it is let in and who it is, and nothing of what it reads then. */
    class Halting extends WebSocket {
      override set onmessage(listener: WebSocket['onmessage']) {
        super.onmessage = (event) => {
          frames += 1
          if (frames <= 2) listener?.call(this, event)
          else unheard.resolve()
        }
      }
    }
    const client = new ChatClient({ url: stage.url, getToken: () => stage.token('vera'), WebSocket: Halting })
    const attempts = client.connect()
    await unheard.promise
    assert.equal(client.identity, 'vera')
    await client.close()
    await assert.rejects(attempts, { name: 'ChatError', kind: 'closed' })
  })

  test('ends attempts to connect', async () => {
    await using stage = await openStage()
    stage.network.refuse(true)
    const client = new ChatClient({ url: stage.url, getToken: () => stage.token('vera') })
    const attempts = client.connect()
    await next(client, 'stateChanged', (_, error) => error?.kind === 'lost')
    await client.close()
    await assert.rejects(attempts, (it) => it instanceof ChatError && it.kind === 'closed')
    await assert.rejects(client.connect(), ChatError)
  })
})
