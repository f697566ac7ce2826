/** What other rooms do about an event: in its transaction, and never to its harm. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '@parley/contract/event.ts'
import pino from 'pino'
import { openBus } from '../../src/bus/index.ts'
import type { JointReaction, Reaction } from '../../src/events/react.ts'
import { openReactions } from '../../src/events/reactions.ts'
import { openRunner } from '../../src/jobs/runner.ts'
import { insert } from '../../src/store/rows.ts'
import { realNature } from '../../src/store/sid.ts'
import type { Tx } from '../../src/store/tx.ts'
import { account, add, ask, lock, sidOf, sids } from './given.ts'
import type { Engine, OpenPlace, Place } from './place.ts'

const log = pino({ level: 'silent' })

/** Events of nobody's: what carries them is under test. */
const event = (name: string) => ({ name }) as unknown as Event

const named = (name: string, to: string, react: (tx: Tx) => Promise<void>): Reaction =>
  ({ name, to: [to], react }) as unknown as Reaction

const joint = (name: string, to: string[], reactToAll: JointReaction['reactToAll']): JointReaction =>
  ({ name, to, reactToAll }) as unknown as JointReaction

const open = async (place: Place, all: readonly (Reaction | JointReaction)[]) => {
  let now = 1_000_000
  const reactions = openReactions(all, log)
  const told: string[] = []
  const store = await place.open({
    nature: { now: () => now, randomHex: realNature.randomHex },
    hooks: {
      react: reactions.run,
      committed: (events) => told.push(...events.map((it) => it.name as string)),
    },
  })
  const runner = openRunner({ store, bus: openBus(), log, handlers: [reactions.handler], byItself: false })
  return {
    store,
    told,
    later: async () => {
      now += 3_600_000
      await runner.settle()
    },
    waiting: async () =>
      (await ask(store.reader, `select count(*) as count from jobs where kind = 'events.react'`))[0]?.count,
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  }
}

export const reactionRules = (engine: Engine, openPlace: OpenPlace): void => {
  test('[ST90] reactions run in the order of the events, and meet what other reactions record', async () => {
    await using place = await openPlace()
    const order: string[] = []
    await using house = await open(place, [
      named('greet', 'a', async (tx) => {
        order.push('greet')
        tx.record(event('b'))
      }),
      named('count', 'a', async () => void order.push('count')),
      named('answer', 'b', async () => void order.push('answer')),
    ])
    await add(house.store, sidOf(1), (tx) => tx.record(event('a')))
    assert.deepEqual(order, ['greet', 'count', 'answer'])
    assert.deepEqual(house.told, ['a', 'b'])
  })

  test('[ST91] a reaction that fails is undone alone and tried again until it is done, once', async () => {
    await using place = await openPlace()
    let failures = 0
    await using house = await open(place, [
      named('fails', 'a', async (tx) => {
        await insert(tx, 'accounts', account(sidOf(2)))
        tx.record(event('b'))
        if (failures < 2) {
          failures += 1
          throw new Error('not yet')
        }
      }),
      named('well', 'a', (tx) => insert(tx, 'accounts', account(sidOf(3)))),
    ])
    await add(house.store, sidOf(1), (tx) => tx.record(event('a')))
    assert.deepEqual(await sids(house.store.reader), [1, 3].map(sidOf))
    assert.deepEqual(house.told, ['a'])
    assert.equal(await house.waiting(), 1)
    await house.later()
    assert.deepEqual(await sids(house.store.reader), [1, 3].map(sidOf))
    await house.later()
    assert.deepEqual(await sids(house.store.reader), [1, 2, 3].map(sidOf))
    assert.deepEqual(house.told, ['a', 'b'])
    assert.equal(await house.waiting(), 0)
  })

  test('[ST92] a fault of the database in a reaction harms nobody else', async () => {
    await using place = await openPlace()
    await using house = await open(place, [
      named('clashes', 'a', (tx) => insert(tx, 'accounts', account(sidOf(1)))),
    ])
    await add(house.store, sidOf(1), (tx) => tx.record(event('a')))
    await add(house.store, sidOf(2))
    assert.deepEqual(await sids(house.store.reader), [1, 2].map(sidOf))
    assert.equal(await house.waiting(), 1)
  })

  test('[ST93] a reaction that is tried again is done with its job, so that no crash does it twice', async () => {
    await using place = await openPlace()
    let fails = true
    let leftAtTheTime: unknown
    await using house = await open(place, [
      named('fails', 'a', async (tx) => {
        if (fails) throw new Error('not yet')
        leftAtTheTime = (await ask(tx, `select count(*) as count from jobs where kind = 'events.react'`))[0]
          ?.count
      }),
    ])
    await add(house.store, sidOf(1), (tx) => tx.record(event('a')))
    fails = false
    await house.later()
    assert.equal(leftAtTheTime, 0)
  })

  test('[ST94] events that set each other off for ever end their transaction', async () => {
    await using place = await openPlace()
    await using house = await open(place, [named('circle', 'a', async (tx) => tx.record(event('a')))])
    const circling = add(house.store, sidOf(1), (tx) => tx.record(event('a')))
    await assert.rejects(circling, /add sets off more than 2000 events/)
    assert.deepEqual(await sids(house.store.reader), [])
  })

  test('[ST96] a joint reaction meets all events of a transaction at once, after the others', async () => {
    await using place = await openPlace()
    const met: string[] = []
    await using house = await open(place, [
      joint('write down', ['a', 'b', 'd'], async (tx, events) => {
        met.push(events.map((it) => it.name).join())
        if (events.some((it) => String(it.name) === 'a')) tx.record(event('d'))
      }),
      named('greet', 'a', async (tx) => {
        met.push('greet')
        tx.record(event('b'))
      }),
    ])
    await add(house.store, sidOf(1), (tx) => {
      tx.record(event('a'))
      tx.record(event('c'))
    })
    assert.deepEqual(met, ['greet', 'a,b', 'd'])
    assert.deepEqual(house.told, ['a', 'c', 'b', 'd'])
  })

  test('[ST97] a joint reaction that fails is undone alone and tried again for each event by itself', async () => {
    await using place = await openPlace()
    let fails = true
    let next = 2
    const done: string[] = []
    await using house = await open(place, [
      joint('write down', ['a', 'b'], async (tx, events) => {
        for (const it of events) {
          await insert(tx, 'accounts', account(sidOf(next++)))
          if (fails && String(it.name) === 'b') throw new Error('not yet')
          done.push(it.name)
        }
      }),
    ])
    await add(house.store, sidOf(1), (tx) => {
      tx.record(event('a'))
      tx.record(event('b'))
    })
    assert.deepEqual(await sids(house.store.reader), [sidOf(1)])
    assert.equal(await house.waiting(), 2)
    fails = false
    done.length = 0
    await house.later()
    assert.deepEqual(done.sort(), ['a', 'b'])
    assert.equal((await sids(house.store.reader)).length, 3)
    assert.equal(await house.waiting(), 0)
  })

  if (engine === 'postgres')
    test('[ST95] a deadlock in a reaction runs the whole transaction again', async () => {
      await using place = await openPlace()
      const both = Promise.withResolvers<void>()
      let holding = 0
      let runs = 0
      const second = new Map<Tx, string>()
      await using house = await open(place, [
        named('locks', 'a', async (tx) => void (await lock(tx, second.get(tx) as string))),
      ])
      for (const n of [1, 2]) await add(house.store, sidOf(n))
      const cross = (first: string, then: string) =>
        house.store.transact('cross', async (tx) => {
          runs += 1
          await lock(tx, first)
          holding += 1
          if (holding === 2) both.resolve()
          await both.promise
          second.set(tx, then)
          tx.record(event('a'))
        })
      await Promise.all([cross(sidOf(1), sidOf(2)), cross(sidOf(2), sidOf(1))])
      // Whoever is run again may hold their first row before the other has woken, and lose once more.
      assert.ok(runs >= 3, `${runs} runs`)
      assert.equal(await house.waiting(), 0)
      assert.deepEqual(house.told, ['a', 'a'])
    })
}
