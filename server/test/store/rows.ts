/** Rows in and out, the same on every engine. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { authTokenOf, createAccount, createApiKey, signingKeyOf } from '../../src/accounts/index.ts'
import { listing, type PageAsked } from '../../src/store/listing.ts'
import { changing, reading } from '../../src/store/query.ts'
import { find, insert, remove, update } from '../../src/store/rows.ts'
import type { Tables } from '../../src/store/tables.ts'
import type { Reader, Store } from '../../src/store/tx.ts'
import { type Account, account, accounts, add, sidOf, sids } from './given.ts'
import type { Engine, OpenPlace } from './place.ts'

const LARGEST = Number.MAX_SAFE_INTEGER

type Job = Tables['jobs']

const job = (key: string, row: Partial<Job> = {}): Job => ({
  sid: `JB-${key}`,
  kind: 'test',
  key,
  lane: 'test',
  data: '{}',
  due_at: 0,
  leased_until: null,
  attempts: 0,
  last_error: null,
  version: 0,
  ...row,
})

const put = (store: Store, ...rows: readonly Account[]): Promise<void> =>
  store.transact('put', async (tx) => {
    for (const row of rows) await insert(tx, 'accounts', row)
  })

const names = listing('accounts', 'friendly_name', (query, at: { status?: 'active' | 'suspended' }, given) =>
  given('status') ? query.where('status', '=', at.status as 'active') : query,
)

const ages = listing('accounts', 'date_created', (query, _: object) => query)

export const rowRules = (engine: Engine, openPlace: OpenPlace): void => {
  test('[ST40] texts and whole numbers come back as they went in, flags as 0 and 1, what is not given as null', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const texts = [
      '',
      ' ',
      '5',
      '5.0',
      'null',
      `quote ' and " and \\`,
      'Ünï — 日本語 🙂',
      'x'.repeat(1_000_000),
    ]
    for (const [n, text] of texts.entries()) await put(store, account(sidOf(n), { friendly_name: text }))
    assert.deepEqual(
      (await accounts(store.reader)).map((it) => it.friendly_name),
      texts,
    )
    const numbers = job('numbers', { due_at: LARGEST, attempts: -1, version: true as unknown as number })
    await store.transact('put', (tx) =>
      insert(tx, 'jobs', { ...numbers, last_error: undefined as unknown as null }),
    )
    // A row is a plain object, whoever made it.
    assert.deepEqual(await find(store.reader, 'jobs', { key: 'numbers' }), { ...numbers, version: 1 })
  })

  test('[ST41] counts, sums and conditions are numbers', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await put(store, account(sidOf(1), { date_created: 2 ** 40 }), account(sidOf(2), { date_created: 2 }))
    const summary = reading((db, at: { least: number }) =>
      db
        .selectFrom('accounts')
        .select((it) => [
          it.fn.countAll<number>().as('count'),
          it.fn.sum<number>('date_created').as('sum'),
          it.fn.max('date_created').as('max'),
          it
            .exists(it.selectFrom('accounts as other').select('sid').where('date_created', '>', at.least))
            .as('some'),
        ]),
    )
    assert.deepEqual(await summary.first(store.reader, { least: 5 }), {
      ...{ count: 2, sum: 2 ** 40 + 2, max: 2 ** 40 },
      some: 1,
    })
    assert.equal((await summary.first(store.reader, { least: LARGEST }))?.some, 0)
  })

  test('[ST42] a statement is built once; a value that is needed to build it is refused', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await put(store, account(sidOf(1), { friendly_name: 'Ana' }), account(sidOf(2), { friendly_name: 'Ben' }))
    let built = 0
    const found = reading((db, at: { first: string; second: string; most: number }) => {
      built += 1
      return db
        .selectFrom('accounts')
        .select('sid')
        .where((it) =>
          it.or([
            it('friendly_name', 'in', [at.first, at.second]),
            it.exists(it.selectFrom('accounts as other').select('sid').where('other.sid', '=', at.first)),
          ]),
        )
        .orderBy('sid')
        .limit(at.most)
    })
    const ask = async (first: string, second: string, most: number) =>
      (await found.all(store.reader, { first, second, most })).map((it) => it.sid)
    assert.deepEqual(await ask('Ana', 'Ben', 9), [1, 2].map(sidOf))
    assert.deepEqual(await ask('Ana', 'Ben', 1), [sidOf(1)])
    assert.deepEqual(await ask('Cleo', 'Ben', 9), [sidOf(2)])
    assert.deepEqual(await ask(sidOf(1), 'Cleo', 9), [1, 2].map(sidOf), 'a value inside a nested question')
    assert.equal(built, 1)
    const spelt = reading((db, at: { prefix: string }) =>
      db.selectFrom('accounts').select('sid').where('friendly_name', 'like', `${at.prefix}%`),
    )
    await assert.rejects(spelt.all(store.reader, { prefix: 'A' }), /the value of prefix is not there/)
    const spread = changing((db, at: Account) => db.insertInto('accounts').values({ ...at }))
    await assert.rejects(
      store.transact('spread', (tx) => spread.run(tx, account(sidOf(3)))),
      /names of the values are not there/,
    )
  })

  test('[ST43] only texts and numbers go into a column', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const odd = { friendly_name: { toString: () => 'Vera' } as unknown as string }
    await assert.rejects(put(store, account(sidOf(1), odd)), /a column holds text or a number/)
    assert.deepEqual(await sids(store.reader), [])
  })

  test('[ST44] rows are found, changed and removed by every column that is named, null among them', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.transact('put', async (tx) => {
      await insert(tx, 'jobs', job('free'))
      await insert(tx, 'jobs', job('leased', { leased_until: 5 }))
    })
    assert.equal((await find(store.reader, 'jobs', { kind: 'test', leased_until: null }))?.key, 'free')
    assert.equal((await find(store.reader, 'jobs', { leased_until: 5 }))?.key, 'leased')
    await store.transact('change', async (tx) => {
      const changed = await update(tx, 'jobs', { kind: 'test', leased_until: null }, { attempts: 3 })
      assert.deepEqual(changed, job('free', { attempts: 3 }))
      assert.deepEqual(await update(tx, 'jobs', { key: 'leased' }, {}), job('leased', { leased_until: 5 }))
      assert.equal(await update(tx, 'jobs', { key: 'none' }, { attempts: 1 }), undefined)
      assert.equal(await remove(tx, 'jobs', { kind: 'test', leased_until: null }), 1)
      assert.equal(await remove(tx, 'jobs', { key: undefined as unknown as string }), 0)
    })
    assert.equal(await find(store.reader, 'jobs', { key: 'free' }), undefined)
    assert.ok(await find(store.reader, 'jobs', { key: 'leased' }))
    await assert.rejects(
      store.transact('all', (tx) => remove(tx, 'jobs', {})),
      /at least one column/,
    )
  })

  test('[ST45] texts are in the order of their bytes', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const order = ['', '1', '10', '2', 'B', 'a', 'b', 'ä', '日']
    await put(store, ...order.toReversed().map((it, n) => account(sidOf(n), { friendly_name: it })))
    const rows = await names(store.reader, {}, { limit: 100 })
    assert.deepEqual(
      rows.map((it) => it.friendly_name),
      order,
    )
  })

  test('[ST46] pages neither repeat nor hide a row while others are added', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const name = (n: number) => `name ${String(n).padStart(4, '0')}`
    const first = Array.from({ length: 50 }, (_, n) => n * 10)
    const at = (n: number) => account(sidOf(n), { friendly_name: name(n) })
    await put(store, ...first.map(at))
    let added = 0
    for (const order of ['asc', 'desc'] as const) {
      const seen: string[] = []
      let page: PageAsked = { limit: 7 }
      for (;;) {
        const rows = await names(store.reader, { status: 'active' }, page, order)
        seen.push(...rows.map((it) => it.friendly_name))
        // All over the list: behind the page, on it and before it.
        for (let n = 0; n < 3; n += 1) {
          added = (added + 37) % 500
          if (added % 10 > 0) await put(store, at(added))
        }
        const last = rows.at(-1)
        if (!last) break
        page = { limit: 7, after: last.friendly_name }
      }
      assert.deepEqual(seen, order === 'asc' ? seen.toSorted() : seen.toSorted().reverse(), order)
      assert.equal(new Set(seen).size, seen.length, 'no row twice')
      assert.deepEqual(
        first.map(name).filter((it) => !seen.includes(it)),
        [],
        'no row left out',
      )
    }
  })

  test('[ST47] the page before a row is as far as its limit, in the order of the list', async () => {
    await using place = await openPlace()
    const store = await place.open()
    await put(store, ...Array.from({ length: 20 }, (_, n) => account(sidOf(n), { date_created: n })))
    const numbers = async (page: PageAsked, order: 'asc' | 'desc' = 'asc') =>
      (await ages(store.reader, {}, page, order)).map((it) => it.date_created)
    // The edge comes as text, whatever the column holds.
    assert.deepEqual(await numbers({ limit: 3, after: '9' }), [10, 11, 12])
    assert.deepEqual(await numbers({ limit: 3, before: '9' }), [6, 7, 8])
    assert.deepEqual(await numbers({ limit: 3, before: '1' }), [0])
    assert.deepEqual(await numbers({ limit: 3 }, 'desc'), [19, 18, 17])
    assert.deepEqual(await numbers({ limit: 3, after: '10' }, 'desc'), [9, 8, 7])
    assert.deepEqual(await numbers({ limit: 3, before: '10' }, 'desc'), [13, 12, 11])
  })

  test('[ST48] a list handed in as one text is a condition', async () => {
    await using place = await openPlace()
    const store = await place.open()
    for (const n of [1, 2, 3]) await add(store, sidOf(n))
    const those = reading((db, at: { list: string }, dialect) =>
      db
        .selectFrom('accounts')
        .select('sid')
        .where((it) => dialect.isOneOf(it.ref('sid'), at.list))
        .orderBy('sid'),
    )
    const ask = async (...list: string[]) =>
      (await those.all(store.reader, { list: JSON.stringify(list) })).map((it) => it.sid)
    assert.deepEqual(await ask(sidOf(3), `it's "quoted"`, sidOf(1)), [1, 3].map(sidOf))
    assert.deepEqual(await ask(), [])
  })

  test('[ST49] secrets are sealed before they are stored', async () => {
    await using place = await openPlace()
    const store = await place.open()
    const secrets = { authToken: 'the-auth-token-of-vera', secret: 'the-secret-of-her-key' }
    await store.transact('account', async (tx) => {
      const { sid } = await createAccount(tx, { friendlyName: 'Vera', authToken: secrets.authToken })
      await createApiKey(tx, sid, { friendlyName: 'Key', secret: secrets.secret })
    })
    const [{ sid } = account('')] = await accounts(store.reader)
    assert.equal(await authTokenOf(store.reader, sid), secrets.authToken)
    assert.equal((await signingKeyOf(store.reader, sid))?.secret, secrets.secret)
    const kept = await everythingKept(store.reader, place.where)
    assert.ok(kept.includes('Vera'))
    for (const secret of Object.values(secrets)) assert.ok(!kept.includes(secret), `${secret} can be read`)
  })

  const everythingKept = async (reader: Reader, where: Awaited<ReturnType<OpenPlace>>['where']) => {
    const rows = [await accounts(reader), await keys.all(reader, { all: true })]
    if (where.kind !== 'folder') return JSON.stringify(rows)
    assert.equal(engine, 'disk')
    const files = await readdir(where.folder)
    return (await Promise.all(files.map((it) => readFile(join(where.folder, it), 'latin1')))).join()
  }
}

const keys = reading((db, _: { all: true }) => db.selectFrom('api_keys').selectAll())
