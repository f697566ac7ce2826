/** Transactions: durable, alone in their failure, in order. */
import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { find, insert, insertNew, update } from '../../src/store/rows.ts'
import type { Tx } from '../../src/store/tx.ts'
import { account, add, ask, isThere, lock, outcomes, sidOf, sids, standStill } from './given.ts'
import type { Engine, OpenPlace } from './place.ts'

export const transactionRules = (engine: Engine, openPlace: OpenPlace): void => {
  const sqlite = engine !== 'postgres'

  test('[ST1] what a transaction acknowledged is there when the database is opened again', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await add(store, sidOf(1))
    assert.ok(await isThere(store.reader, sidOf(1)))
    if (engine === 'memory') return
    assert.ok(await isThere((await place.open()).reader, sidOf(1)), 'another that is opened beside it')
    await store[Symbol.asyncDispose]()
    assert.ok(await isThere((await place.open()).reader, sidOf(1)), 'one that is opened after it')
  })

  if (engine === 'disk')
    test('[ST2] what was acknowledged is in the files, whatever becomes of the process', async () => {
      await using place = await openPlace()
      const store = await place.open()
      await add(store, sidOf(1))
      await using copy = await openPlace()
      assert.ok(place.where.kind === 'folder' && copy.where.kind === 'folder')
      await cp(place.where.folder, copy.where.folder, { recursive: true })
      assert.ok(await isThere((await copy.open()).reader, sidOf(1)))
    })

  if (engine !== 'memory')
    test('[ST3] the engine is told to write to the disk before it acknowledges', async () => {
      await using place = await openPlace()
      const store = await place.open()
      await store.transact('look', async (tx) => {
        if (engine === 'postgres')
          return assert.deepEqual(await ask(tx, 'show synchronous_commit'), [{ synchronous_commit: 'on' }])
        assert.deepEqual(await ask(tx, 'pragma synchronous'), [{ synchronous: 2 }])
        assert.deepEqual(await ask(tx, 'pragma journal_mode'), [{ journal_mode: 'wal' }])
      })
    })

  test('[ST4] a transaction that fails leaves nothing, and tells its caller why', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const failing = add(store, sidOf(1), () => {
      throw new RangeError('no')
    })
    await assert.rejects(failing, new RangeError('no'))
    assert.deepEqual(await sids(store.reader), [])
  })

  test('[ST5] of many transactions at once one that fails is undone alone, and its neighbours are committed', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const ended = await outcomes(
      Array.from({ length: 60 }, (_, n) =>
        add(store, sidOf(n), async (tx) => {
          await update(tx, 'accounts', { sid: sidOf(n) }, { friendly_name: `Vera ${n}` })
          // Some by their own fault, some by one of the database.
          if (n % 3 === 1) throw new Error(`${n} fails`)
          if (n % 3 === 2) await insert(tx, 'accounts', account(sidOf(n)))
        }),
      ),
    )
    assert.deepEqual(
      ended,
      ended.map((_, n) => (n % 3 === 0 ? 'fulfilled' : 'rejected')),
    )
    assert.deepEqual(
      await sids(store.reader),
      Array.from({ length: 20 }, (_, n) => sidOf(3 * n)),
    )
  })

  if (sqlite)
    test('[ST6] transactions that wait together are committed together', async (t) => {
      await using place = await openPlace()
      const store = await place.open()
      standStill(t)
      const all = Array.from({ length: 64 }, (_, n) => add(store, sidOf(n)))
      await all[0]
      assert.equal((await sids(store.reader)).length, 64)
      await Promise.all(all)
    })

  test('[ST7] a reader sees only what is committed', async () => {
    await using place = await openPlace()
    const store = await place.open()
    let seen: Promise<boolean> | undefined
    await assert.rejects(
      add(store, sidOf(1), async (tx) => {
        assert.ok(await isThere(tx, sidOf(1)), 'the transaction sees its own row')
        seen = isThere(store.reader, sidOf(1))
        throw new Error('undone')
      }),
    )
    assert.equal(await seen, false)
  })

  test('[ST8] a transaction that awaits a reader neither hangs nor keeps others from ending', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const asking = Array.from({ length: 40 }, (_, n) =>
      add(store, sidOf(n), async () => assert.equal(await isThere(store.reader, sidOf(n)), false)),
    )
    const ended = await outcomes([...asking, add(store, sidOf(99))])
    // In memory there is one connection: the reader would wait for the transaction, and that for the reader.
    assert.deepEqual(new Set(ended.slice(0, 40)), new Set([engine === 'memory' ? 'rejected' : 'fulfilled']))
    assert.equal(ended[40], 'fulfilled')
  })

  if (sqlite)
    test('[ST9] a verb that awaits anything but the database is thrown out with its name, and holds up nobody', async () => {
      await using place = await openPlace()
      const store = await place.open()
      const gate = Promise.withResolvers<void>()
      const late = Promise.withResolvers<unknown>()
      const waits = store.transact('call the world', async (tx) => {
        await insert(tx, 'accounts', account(sidOf(1)))
        try {
          await tx.savepoint(async () => {
            await insert(tx, 'accounts', account(sidOf(2)))
            await gate.promise
            throw new Error('late')
          })
        } finally {
          await insert(tx, 'accounts', account(sidOf(3))).catch(late.resolve)
        }
      })
      const never = store.transact('wait for ever', () => new Promise(() => {}))
      const after = add(store, sidOf(4))
      await assert.rejects(waits, /^Error: call the world waits for something other than the database/)
      await assert.rejects(never, /^Error: wait for ever waits for something other than the database/)
      await after
      // It goes on by itself, in the middle of another's transaction, and can do nothing there.
      const other = store.transact('another', async (tx) => {
        await tx.savepoint(async () => {
          await insert(tx, 'accounts', account(sidOf(5)))
          gate.resolve()
          for (let n = 0; n < 50; n += 1) await isThere(tx, sidOf(5))
        })
      })
      await other
      assert.match(String(await late.promise), /call the world uses its transaction after it was undone/)
      assert.deepEqual(await sids(store.reader), [sidOf(4), sidOf(5)])
    })

  test('[ST10] a transaction that is over cannot be used, and says so', async () => {
    await using place = await openPlace()
    const store = await place.open()
    let kept: Tx | undefined
    await add(store, sidOf(1), (tx) => {
      kept = tx
    })
    await assert.rejects(find(kept as Tx, 'accounts', { sid: sidOf(1) }), /add uses its transaction after/)
    await assert.rejects(
      (kept as Tx).savepoint(async () => {}),
      /add uses its transaction after/,
    )
  })

  test('[ST11] a counter read under a lock grows without gaps, whoever counts at once', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await add(store, sidOf(1))
    const numbers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        store
          .transact('count', async (tx) => {
            const { date_updated } = await lock(tx, sidOf(1))
            if (n % 7 === 0) throw new Error('counts nothing')
            await update(tx, 'accounts', { sid: sidOf(1) }, { date_updated: date_updated + 1 })
            return date_updated
          })
          .catch(() => -1),
      ),
    )
    const counted = numbers.filter((it) => it >= 0).sort((a, b) => a - b)
    assert.deepEqual(
      counted,
      counted.map((_, place) => place),
    )
    assert.equal((await find(store.reader, 'accounts', { sid: sidOf(1) }))?.date_updated, counted.length)
  })

  test('[ST12] of many who insert what must be unique one does, and the others go on', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        store.transact('insert new', async (tx) => {
          const isNew = await insertNew(tx, 'accounts', account(sidOf(1), { friendly_name: `${n}` }))
          const row = await find(tx, 'accounts', { sid: sidOf(1) })
          return { isNew, name: row?.friendly_name }
        }),
      ),
    )
    assert.equal(made.filter((it) => it.isNew).length, 1)
    assert.equal(new Set(made.map((it) => it.name)).size, 1, 'all of them see the one row')
  })

  test('[ST13] a transaction has one moment, and its SIDs are in the order they were made in', async () => {
    await using place = await openPlace()
    const times = [5_000, 4_000, 4_000, 6_000]
    const store = await place.open({
      nature: { now: () => times.shift() ?? 6_000, randomHex: (digits) => 'f'.repeat(digits) },
    })
    times.splice(0, times.length, 5_000, 4_000, 6_000)
    const made: string[] = []
    for (let n = 0; n < 3; n += 1)
      await store.transact('name', async (tx) => {
        const moment = tx.now()
        for (let many = 0; many < 100; many += 1) made.push(tx.newSid('CH'))
        await isThere(tx, sidOf(1))
        assert.equal(tx.now(), moment)
      })
    assert.deepEqual(made, [...made].sort(), 'even where the clock was set back')
    assert.equal(new Set(made).size, 300)
    for (const sid of made) assert.match(sid, /^CH[0-9a-f]{32}$/)
  })

  test('[ST14] closing waits for what runs, refuses what comes after, and can be asked twice', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const running = Array.from({ length: 300 }, (_, n) => add(store, sidOf(n)))
    const closing = store[Symbol.asyncDispose]()
    await assert.rejects(add(store, sidOf(999)), /add comes after the store was closed/)
    await closing
    await store[Symbol.asyncDispose]()
    assert.deepEqual(new Set(await outcomes(running)), new Set(['fulfilled']))
    if (engine !== 'memory') assert.equal((await sids((await place.open()).reader)).length, 300)
  })

  test('[ST15] a store answers to a ping while it is open, and not after', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.ping()
    await store[Symbol.asyncDispose]()
    await assert.rejects(store.ping())
  })

  if (sqlite)
    test('[ST16] a long queue is worked off in many turns, and others have theirs in between', async () => {
      await using place = await openPlace()
      const store = await place.open()
      let turns = 0
      let done = false
      const all = Promise.all(Array.from({ length: 2_000 }, (_, n) => add(store, sidOf(n)))).then(() => {
        done = true
      })
      while (!done) {
        await turn()
        turns += 1
      }
      await all
      assert.ok(turns >= 2_000 / 256, `${turns} turns`)
    })
}
