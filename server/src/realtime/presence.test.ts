import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { openChat } from '../../test/chat/cast.ts'
import { clearNode, isOnline } from '../chat/index.ts'
import type { Store } from '../store/tx.ts'
import { openPresence } from './presence.ts'

const LINGER_MS = 2_000
const BEAT_MS = 5_000

const userSid = `US${'1'.repeat(32)}`

/** A store that only says who it was told is here. */
const openTelling = (tell: (verb: string) => Promise<void>): Store =>
  ({
    transact: async (verb: string) => (verb === 'chat.beat' ? true : tell(verb)),
    reader: { dialect: 'sqlite', now: () => 0, run: async () => ({ rows: [], changed: 0 }) },
  }) as unknown as Store

const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns += 1) await turn()
}

test('whoever comes as it is written that they left is here', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  for (let late = 0; late < 10; late += 1) {
    const said: string[] = []
    const disappeared = Promise.withResolvers<void>()
    const store = openTelling(async (verb) => {
      said.push(verb)
      if (verb === 'chat.disappear') await disappeared.promise
    })
    await using presence = openPresence({ store, node: 'ND1', alone: false, onFault: assert.ifError })
    presence.arrived(userSid)
    await settled()
    presence.left(userSid)
    t.mock.timers.tick(LINGER_MS)
    disappeared.resolve()
    for (let microtasks = 0; microtasks < late; microtasks += 1) await undefined
    presence.arrived(userSid)
    await settled()
    assert.deepEqual(said, ['chat.appear', 'chat.disappear', 'chat.appear'], `${late} microtasks later`)
  }
})

test('what could not be written is written later, however often they come and go', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const said: string[] = []
  const faults: unknown[] = []
  let isAway = true
  const store = openTelling(async (verb) => {
    if (isAway) throw new Error('the database is away')
    said.push(verb)
  })
  await using presence = openPresence({
    store,
    node: 'ND1',
    alone: true,
    onFault: (fault) => faults.push(fault),
  })
  presence.arrived(userSid)
  await settled()
  presence.arrived(userSid)
  await settled()
  assert.equal(faults.length, 2)
  isAway = false
  t.mock.timers.tick(10_000)
  await settled()
  assert.deepEqual(said, ['chat.appear'])
  isAway = true
  for (const _ of ['one', 'two']) presence.left(userSid)
  t.mock.timers.tick(LINGER_MS)
  await settled()
  isAway = false
  t.mock.timers.tick(10_000)
  await settled()
  assert.deepEqual(said, ['chat.appear', 'chat.disappear'])
})

test('a node that was taken for dead shows again who is connected to it', async (t) => {
  await using chat = await openChat()
  const { store } = chat.world.house
  const { sid } = await chat.service.users.create({ identity: 'vera' })
  t.mock.timers.enable({ apis: ['setInterval'] })
  // Before the house closes, which began while they were real.
  using _ = { [Symbol.dispose]: () => t.mock.timers.reset() }
  await using presence = openPresence({ store, node: 'ND1', alone: false, onFault: assert.ifError })
  const becomes = async (online: boolean): Promise<void> => {
    const deadline = performance.now() + 20_000
    while ((await isOnline(store.reader, sid)) !== online) {
      assert.ok(performance.now() < deadline, `they are not shown as ${online ? 'here' : 'away'}`)
      await turn()
    }
  }
  presence.arrived(sid)
  await becomes(true)
  await store.transact('another node clears it away', (tx) => clearNode(tx, 'ND1', 100))
  assert.equal(await isOnline(store.reader, sid), false)
  t.mock.timers.tick(BEAT_MS)
  await becomes(true)
})
