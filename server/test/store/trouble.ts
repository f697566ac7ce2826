/** What goes wrong on an engine, and what then still holds. */
import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { insert, update } from '../../src/store/rows.ts'
import type { Tx } from '../../src/store/tx.ts'
import { account, accounts, add, ask, change, lock, outcomes, sidOf, sids, standStill } from './given.ts'
import type { Engine, OpenPlace } from './place.ts'

const MEBIBYTE = 1024 * 1024

/** How long a condition may take to come true before a test gives up, in milliseconds. */
const PATIENCE_MS = 120_000

export const troubleRules = (engine: Engine, openPlace: OpenPlace): void => {
  if (engine === 'postgres') postgresRules(openPlace)
  else sqliteRules(openPlace)
  if (engine === 'disk') diskRules(openPlace)
}

const postgresRules = (openPlace: OpenPlace): void => {
  test('[ST60] a transaction that PostgreSQL ends to break a deadlock is run again, and told of once', async () => {
    await using place = await openPlace()
    const told: string[] = []
    const store = await place.open({
      hooks: {
        react: async () => {},
        committed: (_, notices) => told.push(...notices.map((it) => it.topic)),
      },
    })
    for (const n of [1, 2]) await add(store, sidOf(n))
    let runs = 0
    const bothHoldOne = Promise.withResolvers<void>()
    let holding = 0
    const cross = (first: string, second: string) =>
      store.transact('cross', async (tx) => {
        runs += 1
        tx.notice({ topic: 'crossed', about: first })
        await countOn(tx, first)
        holding += 1
        if (holding === 2) bothHoldOne.resolve()
        await bothHoldOne.promise
        await countOn(tx, second)
      })
    await Promise.all([cross(sidOf(1), sidOf(2)), cross(sidOf(2), sidOf(1))])
    assert.deepEqual(
      (await accounts(store.reader)).map((it) => it.date_updated),
      [2, 2],
    )
    assert.equal(runs, 3)
    assert.deepEqual(told, ['crossed', 'crossed'])
  })

  test('[ST61] a connection that breaks fails its transaction and nobody else', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const breaks = add(store, sidOf(1), async (tx) => {
      const [own] = await ask(tx, 'select pg_backend_pid() as pid')
      await ask(store.reader, `select pg_terminate_backend(${own?.pid})`)
      await ask(tx, 'select 1')
    })
    const ended = await outcomes([breaks, ...Array.from({ length: 20 }, (_, n) => add(store, sidOf(n + 2)))])
    assert.deepEqual(ended, ['rejected', ...Array.from({ length: 20 }, () => 'fulfilled')])
    // Idle ones break as well.
    await ask(
      store.reader,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    const until = Date.now() + PATIENCE_MS
    while ((await outcomes([add(store, sidOf(99))]))[0] !== 'fulfilled')
      assert.ok(Date.now() < until, 'the store does not recover')
    assert.equal((await sids(store.reader)).length, 21)
  })

  test('[ST62] what a transaction asks at once is asked in its order, and nothing of it after its end', async () => {
    await using place = await openPlace()
    const store = await place.open()
    let left: Promise<string[]> | undefined
    const failing = add(store, sidOf(1), async (tx) => {
      const clash = change(tx, `insert into accounts select * from accounts where sid = '${sidOf(1)}'`)
      left = outcomes([clash, ...[2, 3].map((n) => change(tx, `update accounts set sid = '${sidOf(n)}'`))])
      await clash
    })
    await assert.rejects(failing)
    assert.deepEqual(await left, ['rejected', 'rejected', 'rejected'])
    assert.deepEqual(await sids(store.reader), [])
  })
}

const countOn = async (tx: Tx, sid: string): Promise<void> => {
  const { date_updated } = await lock(tx, sid)
  await update(tx, 'accounts', { sid }, { date_updated: date_updated + 1 })
}

const sqliteRules = (openPlace: OpenPlace): void => {
  test('[ST63] a full disk in the middle of a group is told to everybody in it, keeps nothing of it, and passes', async (t) => {
    await using place = await openPlace()
    const store = await place.open()
    standStill(t)
    await add(store, sidOf(1))
    const pages = (await ask(store.reader, 'pragma page_count'))[0]?.page_count as number
    await store.transact('less', (tx) => ask(tx, `pragma max_page_count = ${pages + 20}`))
    const group = [
      add(store, sidOf(2)),
      add(store, sidOf(3), async (tx) => {
        for (let n = 0; n < 1_000; n += 1)
          await insert(tx, 'accounts', account(sidOf(1_000 + n), { friendly_name: 'x'.repeat(1_000) })).catch(
            () => {},
          )
        // SQLite has given the group up: this would be committed by itself.
        await update(tx, 'accounts', { sid: sidOf(1) }, { friendly_name: 'stray' }).catch(() => {})
      }),
      add(store, sidOf(4)),
    ]
    assert.deepEqual(await outcomes(group), ['rejected', 'rejected', 'rejected'])
    assert.deepEqual(
      (await accounts(store.reader)).map((it) => [it.sid, it.friendly_name]),
      [[sidOf(1), 'Vera']],
    )
    await store.transact('more', (tx) => ask(tx, 'pragma max_page_count = 1000000'))
    await add(store, sidOf(5))
    assert.deepEqual(await sids(store.reader), [1, 5].map(sidOf))
  })
}

const diskRules = (openPlace: OpenPlace): void => {
  test('[ST64] the log is begun anew when it has grown long, and is gone when the store is closed', async () => {
    await using place = await openPlace()
    const store = await place.open()
    assert.ok(place.where.kind === 'folder')
    const log = join(place.where.folder, 'parley.db-wal')
    await add(store, sidOf(0))
    const first = saltOf(log)
    const until = Date.now() + PATIENCE_MS
    for (let n = 1; saltOf(log) === first; n += 1) {
      assert.ok(Date.now() < until, 'the log is never begun anew')
      await store.transact('write', (tx) =>
        update(tx, 'accounts', { sid: sidOf(0) }, { friendly_name: `${n}`.repeat(MEBIBYTE / 4) }),
      )
    }
    await store[Symbol.asyncDispose]()
    assert.ok(!existsSync(log))
    assert.deepEqual(place.faults, [])
  })
}

/** The log's header has a salt that changes each time it is begun anew. */
const saltOf = (log: string): string => {
  const header = Buffer.alloc(32)
  const file = openSync(log, 'r')
  try {
    readSync(file, header, 0, 32, 0)
  } finally {
    closeSync(file)
  }
  return header.toString('hex', 16, 24)
}
