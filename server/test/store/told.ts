/** What is told of a transaction: events to reactions before the commit, events and notices to the house after it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '@parley/contract/event.ts'
import type { Hooks, Notice, Reader, Tx } from '../../src/store/tx.ts'
import { add, isThere, sidOf, sids } from './given.ts'
import type { Engine, OpenPlace, Place } from './place.ts'

/** The store tells events as they are and reads none of them. */
const event = (name: string) => ({ name }) as unknown as Event

const names = (events: readonly Event[]) => events.map((it) => it.name as string)

const say = (tx: Tx, what: string) => {
  tx.record(event(what))
  tx.notice({ topic: 'test', about: what })
}

const open = async (place: Place, react: Hooks['react'] = async () => {}) => {
  const heard: { events: string[]; notices: unknown[] }[] = []
  const committed = (events: readonly Event[], notices: readonly Notice[]) => {
    heard.push({ events: names(events), notices: notices.map((it) => it.about) })
  }
  return { heard, store: await place.open({ hooks: { react, committed } }) }
}

export const toldRules = (_: Engine, openPlace: OpenPlace): void => {
  test('[ST30] events and notices are told once, in their order, after the commit and before the caller goes on', async () => {
    await using place = await openPlace()
    const { store, heard } = await open(place)
    await add(store, sidOf(1), (tx) => {
      say(tx, 'one')
      say(tx, 'two')
      assert.deepEqual(heard, [])
    })
    assert.deepEqual(heard, [{ events: ['one', 'two'], notices: ['one', 'two'] }])
  })

  test('[ST31] whoever is told can read what it is about', async () => {
    await using place = await openPlace()
    const seen: Promise<boolean>[] = []
    let reader: Reader | undefined
    const committed = () => seen.push(isThere(reader as Reader, sidOf(1)))
    const store = await place.open({ hooks: { react: async () => {}, committed } })
    reader = store.reader
    await add(store, sidOf(1), (tx) => say(tx, 'one'))
    assert.deepEqual(await Promise.all(seen), [true])
  })

  test('[ST32] nothing is told of what was undone, whole or in part', async () => {
    await using place = await openPlace()
    const { store, heard } = await open(place)
    await assert.rejects(
      add(store, sidOf(1), (tx) => {
        say(tx, 'undone')
        throw new Error('no')
      }),
    )
    await add(store, sidOf(2), async (tx) => {
      say(tx, 'before')
      await tx.savepoint(async () => say(tx, 'kept'))
      await tx
        .savepoint(async () => {
          say(tx, 'undone in part')
          throw new Error('no')
        })
        .catch(() => {})
      say(tx, 'after')
    })
    const told = ['before', 'kept', 'after']
    assert.deepEqual(heard, [{ events: told, notices: told }])
  })

  test('[ST33] what reacts to a transaction is part of it', async () => {
    await using place = await openPlace()
    const { store, heard } = await open(place, async (tx, events) => {
      assert.deepEqual(names(events), ['asked'])
      if (await isThere(tx, sidOf(2))) throw new Error('will not have it')
      tx.record(event('answered'))
    })
    await add(store, sidOf(1), (tx) => tx.record(event('asked')))
    await assert.rejects(
      add(store, sidOf(2), (tx) => tx.record(event('asked'))),
      /will not have it/,
    )
    assert.deepEqual(heard, [{ events: ['asked', 'answered'], notices: [] }])
    assert.deepEqual(await sids(store.reader), [sidOf(1)])
  })

  test('[ST34] a listener that fails undoes nothing, and its fault is told', async () => {
    await using place = await openPlace()
    const committed = () => {
      throw new Error('deaf')
    }
    const store = await place.open({ hooks: { react: async () => {}, committed } })
    await Promise.all([1, 2].map((n) => add(store, sidOf(n), (tx) => say(tx, 'there'))))
    assert.deepEqual(await sids(store.reader), [1, 2].map(sidOf))
    assert.deepEqual(
      place.faults.map((it) => it.message),
      ['deaf', 'deaf'],
    )
  })
}
