/** Parts of a transaction that can fail alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insert } from '../../src/store/rows.ts'
import type { Tx } from '../../src/store/tx.ts'
import { account, add, sidOf, sids } from './given.ts'
import type { Engine, OpenPlace } from './place.ts'

const put = (tx: Tx, number: number) => insert(tx, 'accounts', account(sidOf(number)))

export const savepointRules = (engine: Engine, openPlace: OpenPlace): void => {
  test('[ST20] a part that fails is undone alone, and its error is thrown where it was begun', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.transact('parts', async (tx) => {
      await put(tx, 1)
      const part = tx.savepoint(async () => {
        await put(tx, 2)
        throw new RangeError('no')
      })
      await assert.rejects(part, new RangeError('no'))
      assert.equal(await tx.savepoint(() => put(tx, 3).then(() => 'three')), 'three')
      await put(tx, 4)
    })
    assert.deepEqual(await sids(store.reader), [1, 3, 4].map(sidOf))
  })

  test('[ST21] parts stand within parts', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.transact('parts', async (tx) => {
      await tx.savepoint(async () => {
        await put(tx, 1)
        await tx.savepoint(() => put(tx, 2).then(() => Promise.reject('no'))).catch(() => {})
        await tx.savepoint(() => put(tx, 3))
      })
      const outer = tx.savepoint(async () => {
        await tx.savepoint(() => put(tx, 4))
        throw new Error('and what was inside')
      })
      await outer.catch(() => {})
    })
    assert.deepEqual(await sids(store.reader), [1, 3].map(sidOf))
  })

  test('[ST22] a fault of the database inside a part leaves the rest usable', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await add(store, sidOf(1))
    await store.transact('clash', async (tx) => {
      await put(tx, 2)
      await assert.rejects(tx.savepoint(() => put(tx, 1)))
      await put(tx, 3)
    })
    assert.deepEqual(await sids(store.reader), [1, 2, 3].map(sidOf))
  })

  test('[ST23] a fault of the database that is caught outside a part never commits less than it says', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await add(store, sidOf(1))
    const clash = store.transact('clash', async (tx) => {
      await put(tx, 2)
      await put(tx, 1).catch(() => {})
    })
    // PostgreSQL goes on with nothing after a fault; SQLite undoes the one statement.
    if (engine === 'postgres') await assert.rejects(clash, /clash went on after a fault of the database/)
    else await clash
    assert.deepEqual(await sids(store.reader), engine === 'postgres' ? [sidOf(1)] : [1, 2].map(sidOf))
  })

  test('[ST24] two parts at the same time end the whole transaction', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const crossing = store.transact('cross', async (tx) => {
      const gate = Promise.withResolvers<void>()
      const first = tx.savepoint(async () => {
        await put(tx, 1)
        await gate.promise
      })
      const second = tx.savepoint(async () => {
        await put(tx, 2)
        gate.resolve()
        await first.catch(() => {})
      })
      await Promise.allSettled([first, second])
    })
    await assert.rejects(
      crossing,
      /cross uses its transaction after two of its savepoints ran at the same time/,
    )
    assert.deepEqual(await sids(store.reader), [])
  })
}
