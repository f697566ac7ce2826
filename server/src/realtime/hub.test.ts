/**
 * The hub is told of changes late, twice, in the wrong order or not at all; those who follow come and go. In the end
 * each believes what the rows say, and has heard of nothing twice or backwards.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { type Chat, openChat } from '../../test/chat/cast.ts'
import type { Reader } from '../store/tx.ts'
import type { Client } from './client.ts'
import { GONE, type Hub, openHub } from './hub.ts'
import { type Followed, nameOf } from './protocols/sync/followed.ts'
import { readItems, standing } from './protocols/sync/read.ts'

interface ChangeEvent {
  readonly event_type: string
  readonly event: {
    readonly id: number
    readonly item_index?: number
    readonly item_data?: { text?: string }
  }
}

/** A follower as the published clients are: it keeps what it is told, and says where it stands when it comes back. */
class Believer {
  readonly believed = new Map<number, string>()
  number: number | null = null
  isOver = false
  readonly client: Client

  constructor() {
    this.client = {
      accountSid: 'AC',
      serviceSid: 'IS',
      identity: 'vera',
      userSid: 'US',
      send: (frame: Uint8Array) => this.hear(JSON.parse(Buffer.from(frame).toString())),
    } as unknown as Client
  }

  hear({ event_type: type, event }: ChangeEvent): void {
    assert.ok(event.id > (this.number ?? 0), `${event.id} was told after ${this.number}`)
    this.number = event.id
    const { item_index: index = -1, item_data: data } = event
    if (type === 'list_removed') this.isOver = true
    else if (type === 'list_item_removed') this.believed.delete(index)
    else this.believed.set(index, data?.text ?? '')
  }

  async follow(hub: Hub, followed: Followed): Promise<void> {
    const exists = await hub.follow(this.client, followed, {
      after: this.number ?? 0,
      admit: async () => {},
      tell: ({ changes, number }) => {
        for (const { number: id, what, item, data } of changes)
          this.hear({
            event_type: `list_item_${what}`,
            event: { id, item_index: item, item_data: data },
          } as unknown as ChangeEvent)
        this.number = number
      },
    })
    assert.ok(exists)
  }
}

type Step =
  | { readonly do: 'post' }
  | { readonly do: 'edit'; readonly which: number }
  | { readonly do: 'remove'; readonly which: number }
  | { readonly do: 'hint'; readonly back: number }
  | { readonly do: 'come'; readonly who: number }
  | { readonly do: 'go'; readonly who: number }

const BELIEVERS = 3

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'post' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('edit', 'remove'), which: fc.nat(30) }) as fc.Arbitrary<Step>,
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hint'), back: fc.nat(4) }) as fc.Arbitrary<Step> },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('come', 'go'),
      who: fc.nat(BELIEVERS - 1),
    }) as fc.Arbitrary<Step>,
  },
)

/** A reader whose answers are on their way for some turns, each for as many as comes next. */
const slowly = (reader: Reader, turns: readonly number[]): Reader => {
  let asked = 0
  return {
    ...reader,
    run: async (statement, values) => {
      const answer = await reader.run(statement, values)
      for (let left = turns[asked++ % turns.length] ?? 0; left > 0; left -= 1) await turn()
      return answer
    },
  }
}

const turns = fc.array(fc.nat(20), { minLength: 1, maxLength: 10 })

test('whatever becomes of the notices, followers end in agreement', async () => {
  await using chat = await openChat()
  const { reader } = chat.world.house.store
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), turns, async (steps, slow) => {
      const channel = await chat.service.channels.create({})
      const followed: Followed = { kind: 'messages', ownerSid: channel.sid }
      const faults: unknown[] = []
      const hub = openHub({
        reader: slowly(reader, slow),
        encode: (_, payload) => Buffer.from(payload as string),
        onFault: (fault) => faults.push(fault),
      })
      const believers = Array.from({ length: BELIEVERS }, () => new Believer())
      const coming = new Map<Believer, Promise<void>>()
      const come = async (believer: Believer): Promise<void> => {
        await coming.get(believer)
        const arrival = believer.follow(hub, followed)
        coming.set(believer, arrival)
      }
      const sids: string[] = []
      const number = async () => (await standing(reader, followed))?.number ?? 0
      for (const it of steps) {
        const messages = chat.service.channels(channel.sid).messages
        if (it.do === 'post') sids.push((await messages.create({ body: `${sids.length}` })).sid)
        else if (it.do === 'edit' || it.do === 'remove') {
          const [sid] = sids.length ? sids.splice(it.which % sids.length, 1) : []
          if (!sid) continue
          if (it.do === 'remove') await messages(sid).remove()
          else {
            await messages(sid).update({ body: `changed ${it.which}` })
            sids.push(sid)
          }
        } else if (it.do === 'hint') hub.hint(nameOf(followed), (await number()) - it.back)
        else if (it.do === 'come') await come(believers[it.who] as Believer)
        else hub.forget((believers[it.who] as Believer).client)
      }
      const { items } = await readItems(reader, followed, { order: 'asc', limit: 1_000 })
      const truth = new Map(items.map(({ item, data }) => [item, (data as { text: string }).text]))
      for (const believer of believers) await come(believer)
      await Promise.all(coming.values())
      for (const believer of believers) {
        assert.deepEqual(
          [...believer.believed].sort(([a], [b]) => a - b),
          [...truth],
        )
        assert.equal(believer.number, await number())
      }
      assert.deepEqual(faults, [])
    }),
    { numRuns: 100 },
  )
})

/** What comes before a statement is sent and after it was answered; nothing unless told. */
interface Around {
  before: (sql: string) => Promise<void>
  after: (sql: string) => Promise<void>
}

const nothing = async (): Promise<void> => {}

/** A channel's messages and a hub that hears of them only what it is told by hand. */
const openPlace = async (chat: Chat) => {
  const { reader } = chat.world.house.store
  const { sid } = await chat.service.channels.create({})
  const followed: Followed = { kind: 'messages', ownerSid: sid }
  const around: Around = { before: nothing, after: nothing }
  const faults: unknown[] = []
  const hub = openHub({
    reader: {
      ...reader,
      run: async (statement, values) => {
        const { sql } = statement.for(reader.dialect)
        await around.before(sql)
        const answer = await reader.run(statement, values)
        await around.after(sql)
        return answer
      },
    },
    encode: (_, payload) => Buffer.from(payload as string),
    onFault: (fault) => faults.push(fault),
  })
  const hint = (number: number): void => hub.hint(nameOf(followed), number)
  return { hub, followed, hint, around, faults, messages: chat.service.channels(sid).messages }
}

const until = async (holds: () => boolean): Promise<void> => {
  const deadline = performance.now() + 20_000
  while (!holds()) {
    assert.ok(performance.now() < deadline, 'it never came')
    await turn()
  }
}

/** The first statement that fits waits; resolves when it does. @returns what lets it go on */
const holdUp = (around: Around, when: keyof Around, fits: (sql: string) => boolean): Promise<() => void> =>
  new Promise((isHeld) => {
    around[when] = async (sql) => {
      if (!fits(sql)) return
      around[when] = nothing
      await new Promise<void>((goOn) => isHeld(goOn))
    }
  })

test('what is heard while it is read what was missed is told, though there was nothing to read', async () => {
  await using chat = await openChat()
  const { hub, followed, hint, around, messages } = await openPlace(chat)
  const vera = new Believer()
  await vera.follow(hub, followed)
  const held = holdUp(around, 'after', () => true)
  void hub.catchUp(async () => true)
  const goOn = await held
  await messages.create({ body: 'meanwhile' })
  hint(1)
  goOn()
  await until(() => vera.number === 1)
  assert.deepEqual([...vera.believed], [[0, 'meanwhile']])
})

test('a notice that was lost while a reading was on its way is made good', async () => {
  await using chat = await openChat()
  const { hub, followed, hint, around, messages } = await openPlace(chat)
  const vera = new Believer()
  await vera.follow(hub, followed)
  const held = holdUp(around, 'after', () => true)
  hint(1)
  const goOn = await held
  await messages.create({ body: 'unsaid' })
  await hub.catchUp(async () => true)
  goOn()
  await until(() => vera.number === 1)
})

test('of what is changed between two statements of a reading nothing is left out', async () => {
  await using chat = await openChat()
  const { hub, followed, hint, around, messages } = await openPlace(chat)
  const [kept, gone] = [await messages.create({ body: 'kept' }), await messages.create({ body: 'gone' })]
  const vera = new Believer()
  await vera.follow(hub, followed)
  await messages.create({ body: 'third' })
  const held = holdUp(around, 'before', (sql) => sql.includes('tombstones'))
  hint(3)
  const goOn = await held
  await messages(kept.sid).update({ body: 'changed' })
  await messages(gone.sid).remove()
  goOn()
  for (const number of [3, 4, 5]) {
    hint(number)
    await until(() => (vera.number ?? 0) >= number)
  }
  assert.deepEqual(
    [...vera.believed],
    [
      [0, 'changed'],
      [2, 'third'],
    ],
  )
})

test('what could not be read is read again, without another notice', async () => {
  await using chat = await openChat()
  const { hub, followed, hint, around, faults, messages } = await openPlace(chat)
  const vera = new Believer()
  await vera.follow(hub, followed)
  await messages.create({ body: 'once' })
  around.before = async () => {
    around.before = nothing
    throw new Error('the database is away')
  }
  hint(1)
  await until(() => vera.number === 1)
  assert.deepEqual(faults, [new Error('the database is away')])
})

test('that all is gone is told to who has seen more than the hub was told of', async () => {
  await using chat = await openChat()
  const { hub, followed, hint, around, messages } = await openPlace(chat)
  const [first, second] = [new Believer(), new Believer()]
  await first.follow(hub, followed)
  for (const body of ['one', 'two']) await messages.create({ body })
  let isCaughtUp = false
  const held = holdUp(around, 'before', (sql) => {
    const isTheHubs = isCaughtUp
    isCaughtUp ||= sql.includes('tombstones')
    return isTheHubs
  })
  await second.follow(hub, followed)
  const goOn = await held
  hint(GONE)
  assert.deepEqual([first.isOver, second.isOver], [true, true])
  goOn()
})

test('who has come back while it was asked whether they may follow stays', async () => {
  await using chat = await openChat()
  const { hub, followed, hint } = await openPlace(chat)
  const vera = new Believer()
  await vera.follow(hub, followed)
  await hub.catchUp(async () => {
    hub.forget(vera.client)
    await vera.follow(hub, followed)
    return false
  })
  assert.equal(hub.size, 1)
  hint(GONE)
  assert.ok(vera.isOver)
})

test('nobody follows on a connection that is over', async () => {
  await using chat = await openChat()
  const { hub, followed } = await openPlace(chat)
  const vera = new Believer()
  Object.assign(vera.client, { isGone: true })
  await vera.follow(hub, followed)
  assert.equal(hub.size, 0)
})

test('who was put out a while ago and is in again goes on hearing, each thing once', async () => {
  await using chat = await openChat()
  const { hub, followed, hint, messages } = await openPlace(chat)
  const [vera, ana] = [new Believer(), new Believer()]
  Object.assign(ana.client, { userSid: 'USana' })
  for (const it of [vera, ana]) await it.follow(hub, followed)
  const answer = Promise.withResolvers<boolean>()
  hub.turnOut('US', followed.ownerSid, () => answer.promise)
  await messages.create({ body: 'meanwhile' })
  hint(1)
  await until(() => ana.number === 1)
  assert.equal(vera.number, 0, 'whether she may hear it is not known yet')
  answer.resolve(true)
  await until(() => vera.number === 1)
  await messages.create({ body: 'from now on' })
  hint(2)
  await until(() => vera.number === 2)
  assert.deepEqual(
    [...vera.believed],
    [
      [0, 'meanwhile'],
      [1, 'from now on'],
    ],
  )
})

test('who is put out hears nothing from then on', async () => {
  await using chat = await openChat()
  const { hub, followed, hint, messages } = await openPlace(chat)
  const [vera, ana] = [new Believer(), new Believer()]
  Object.assign(ana.client, { userSid: 'USana' })
  for (const it of [vera, ana]) await it.follow(hub, followed)
  await messages.create({ body: 'behind her back' })
  hub.turnOut('US', followed.ownerSid, async () => false)
  hint(1)
  await until(() => ana.number === 1)
  assert.equal(hub.size, 1)
  assert.equal(vera.number, 0)
})

test('who is put out and is in again while being caught up is asked about again, and is told', async () => {
  await using chat = await openChat()
  const { hub, followed, around, messages } = await openPlace(chat)
  await messages.create({ body: 'before' })
  const vera = new Believer()
  let asked = 0
  const held = holdUp(around, 'before', () => true)
  const following = hub.follow(vera.client, followed, {
    after: 0,
    admit: async () => {
      asked += 1
    },
    tell: ({ number }) => {
      vera.number = number
    },
  })
  const goOn = await held
  hub.turnOut('US', followed.ownerSid, async () => assert.fail('asked by another'))
  goOn()
  assert.equal(await following, true)
  assert.deepEqual([asked, vera.number], [2, 1])
})

test('who has cancelled what they may not follow is not told so any more', async () => {
  await using chat = await openChat()
  const { hub, followed } = await openPlace(chat)
  const vera = new Believer()
  const refused = Promise.withResolvers<void>()
  const tell = () => assert.fail('told')
  const following = hub.follow(vera.client, followed, { after: 0, admit: () => refused.promise, tell })
  hub.unfollow(vera.client, followed)
  await vera.follow(hub, followed)
  refused.reject(new Error('not a member'))
  assert.equal(await following, true)
  assert.equal(hub.size, 1)
})
