/** The database's shape: how it comes to be and how it changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrate } from '../../src/store/migrate.ts'
import { type Migration, migrations } from '../../src/store/migrations/index.ts'
import { find } from '../../src/store/rows.ts'
import { add, ask, isThere, sidOf } from './given.ts'
import type { Engine, OpenPlace } from './place.ts'

const all = migrations.map((it) => it.name)

const ran = 'select name from migrations order by name'

export const migrationRules = (engine: Engine, openPlace: OpenPlace): void => {
  test('[ST50] every migration runs once, in the order of its number, however often the database is opened', async () => {
    await using place = await openPlace()
    const store = await place.open()
    assert.deepEqual(all, all.toSorted())
    assert.deepEqual(
      (await ask(store.reader, ran)).map((it) => it.name),
      all,
    )
    assert.deepEqual(await migrate(store), [])
    await add(store, sidOf(1))
    if (engine !== 'memory') assert.ok(await isThere((await place.open()).reader, sidOf(1)))
  })

  if (engine !== 'memory')
    test('[ST51] several who open an empty database at once all find it ready', async () => {
      await using place = await openPlace()
      const stores = await Promise.all(Array.from({ length: 4 }, () => place.open()))
      for (const [n, store] of stores.entries()) {
        assert.equal((await ask(store.reader, ran)).length, all.length)
        await add(store, sidOf(n))
      }
    })

  test('[ST52] a migration that fails leaves nothing of itself, and can be run again', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const table = 'create table later_made (name text primary key, text text not null, age bigint not null)'
    const broken: Migration = { name: '9001-broken', statements: [table, 'create table of nothing'] }
    const mended: Migration = { name: '9001-broken', statements: [table] }
    await assert.rejects(migrate(store, [broken]))
    assert.deepEqual(await migrate(store, [mended]), ['9001-broken'])
    assert.deepEqual(await migrate(store, [mended]), [])
    await add(store, sidOf(1))
  })

  test('[ST53] a store goes on while a newer version adds a column', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await add(store, sidOf(1))
    const before = await Promise.all(
      Array.from({ length: 20 }, () => find(store.reader, 'accounts', { sid: sidOf(1) })),
    )
    assert.equal(before.length, 20)
    const newer = engine === 'memory' ? store : await place.open()
    const added = 'alter table accounts add column colour text'
    await migrate(newer, [{ name: '9002-colour', statements: [added] }])
    const after = await Promise.all(
      Array.from({ length: 20 }, () => find(store.reader, 'accounts', { sid: sidOf(1) })),
    )
    assert.ok(after.every((it) => it?.friendly_name === 'Vera'))
    await store.transact('in a transaction', async (tx) =>
      assert.equal((await find(tx, 'accounts', { sid: sidOf(1) }))?.friendly_name, 'Vera'),
    )
    await add(store, sidOf(2))
  })
}
