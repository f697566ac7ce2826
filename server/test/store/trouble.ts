/** What goes wrong on an engine, and what then still holds. */
import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { StoreAway } from '../../src/store/away.ts'
import { insert, update } from '../../src/store/rows.ts'
import { realNature } from '../../src/store/sid.ts'
import type { Store, Tx } from '../../src/store/tx.ts'
import { openProxy, type Proxy as Way } from '../realtime/proxy.ts'
import { account, accounts, add, ask, change, lock, outcomes, sidOf, sids, standStill } from './given.ts'
import type { Engine, OpenPlace, Place } from './place.ts'

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
    // Whoever is run again may hold their first row before the other has woken, and lose once more.
    assert.ok(runs >= 3, `${runs} runs`)
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

  test('[ST65] while PostgreSQL is away whatever is asked fails as that, and goes on when it is back', async () => {
    await using place = await openPlace()
    await using proxy = await proxyTo(place)
    const store = await openBehind(place, proxy)
    await add(store, sidOf(1))
    const inTheMiddle = add(store, sidOf(2), async (tx) => {
      proxy.refuse(true)
      proxy.cut()
      await ask(tx, 'select 1')
    })
    await isAway(inTheMiddle, NOTHING_CHANGED)
    for (let times = 0; times < 3; times += 1) {
      await isAway(add(store, sidOf(2)), NOTHING_CHANGED)
      await isAway(sids(store.reader), /cannot be used right now$/)
      await isAway(store.ping(), /cannot be used right now$/)
    }
    proxy.refuse(false)
    await store.ping()
    await add(store, sidOf(3))
    assert.deepEqual(await sids(store.reader), [1, 3].map(sidOf))
    assert.deepEqual(
      place.faults.map((it) => it.name),
      ['StoreAway'],
    )
  })

  test('[ST66] a commit whose answer is lost is in doubt', async () => {
    await using place = await openPlace()
    await using proxy = await proxyTo(place)
    const store = await openBehind(place, proxy)
    proxy.loseCommitOf(sidOf(1))
    await isAway(add(store, sidOf(1)), /it may have been done$/, true)
    assert.deepEqual(await sids(store.reader), [sidOf(1)])
  })

  test('[ST67] where no connection comes free for ten seconds, that fails as PostgreSQL being away', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const release = Promise.withResolvers<void>()
    const held = Array.from({ length: 16 }, (_, n) => add(store, sidOf(n), () => release.promise))
    await isAway(add(store, sidOf(16)), NOTHING_CHANGED)
    release.resolve()
    await Promise.all(held)
    assert.equal((await sids(store.reader)).length, 16)
  })

  test('[ST69] a connection that only reads is given up for another', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.transact('less', (tx) => ask(tx, 'set session characteristics as transaction read only'))
    await isAway(add(store, sidOf(1)), NOTHING_CHANGED)
    await add(store, sidOf(2))
    assert.deepEqual(await sids(store.reader), [sidOf(2)])
  })
}

/** PostgreSQL behind a proxy, in a moment that stands still: what is told once in a while is told once. */
const openBehind = (place: Place, proxy: Way): Promise<Store> => {
  assert.ok(place.where.kind === 'postgres')
  const url = new URL(place.where.url)
  url.port = String(proxy.port)
  const now = realNature.now()
  return place.open({ nature: { ...realNature, now: () => now } }, { kind: 'postgres', url: url.href })
}

const proxyTo = (place: Place): Promise<Way> => {
  assert.ok(place.where.kind === 'postgres')
  return openProxy(Number(new URL(place.where.url).port))
}

/** Fails as being away, and says this of what was asked. */
const isAway = (asked: Promise<unknown>, says: RegExp, isInDoubt = false) =>
  assert.rejects(asked, (fault) => {
    assert.ok(fault instanceof StoreAway, String(fault))
    const { status, code, message, retryAfterSeconds } = fault.refusal
    assert.deepEqual([status, code], [503, 20503])
    assert.equal(retryAfterSeconds, isInDoubt ? undefined : 5)
    assert.match(message, says)
    return true
  })

const NOTHING_CHANGED = /cannot be used right now, and nothing was changed$/

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
    for (const one of group) await isAway(one, NOTHING_CHANGED)
    assert.deepEqual(
      (await accounts(store.reader)).map((it) => [it.sid, it.friendly_name]),
      [[sidOf(1), 'Vera']],
    )
    await store.transact('more', (tx) => ask(tx, 'pragma max_page_count = 1000000'))
    await add(store, sidOf(5))
    assert.deepEqual(await sids(store.reader), [1, 5].map(sidOf))
  })

  test('[ST68] a database that may only be read says so of what would change it', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await add(store, sidOf(1))
    await store.transact('less', (tx) => ask(tx, 'pragma query_only = on'))
    await isAway(add(store, sidOf(2)), NOTHING_CHANGED)
    assert.deepEqual(await sids(store.reader), [sidOf(1)])
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
