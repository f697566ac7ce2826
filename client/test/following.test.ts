/**
 * Following, event by event: what a server may tell twice, or out of turn, is told on once. The house hardly ever does,
 * so here its part is written out.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Asking, type Change, type Data, Sync } from '../src/sync.ts'

const REPLAYED = 'twilio.sync.event'
const LIVE = 'com.twilio.rtd.cds'

interface Told {
  readonly sync: Sync
  /** `from` of each request to follow. */
  readonly asked: string[]
  readonly told: string[]
  readonly dropped: string[]
  readonly changed: (change: Change) => void
}

/** @param roots what is answered to reading an object */
const open = (roots: Record<string, Data>): Told => {
  const [asked, told, dropped]: string[][] = [[], [], []]
  const connection: Asking = {
    request: async (_, url, body) => {
      const { action, requests } = (body ?? {}) as { action?: string; requests?: Data[] }
      for (const it of requests ?? [])
        asked?.push(`${action} ${it.object_sid} ${it.last_event_id ?? ''}`.trim())
      const name = Object.keys(roots).find((it) => url.includes(`/${it}`))
      return { status: 200, body: name === undefined ? {} : roots[name] }
    },
    drop: (error) => void dropped?.push(error.kind),
  }
  return {
    sync: new Sync(connection),
    asked: asked as string[],
    told: told as string[],
    dropped: dropped as string[],
    changed: ({ what, item, data }) => void told?.push(`${what} ${item} ${data.v ?? ''}`.trim()),
  }
}

const list = { ES1: { sid: 'ES1', last_event_id: 5, links: { items: 'https://x/ES1/Items' } } }

const item = (id: number, what: string, index: number, v?: number) => ({
  event_type: `list_item_${what}`,
  event: { id, list_sid: 'ES1', item_index: index, item_data: { v } },
})

const stands = (number: number, status = 'completed', sid = 'ES1') => ({
  event_type: 'subscription_established',
  event: { object_sid: sid, replay_status: status, last_event_id: number },
})

describe('following', () => {
  test('what was missed and what happens now may overlap: each is told once', async () => {
    const { sync, asked, told, changed } = open(list)
    const following = sync.follow([await sync.read('list', 'ES1', changed)])
    await turn()
    sync.hear(REPLAYED, item(6, 'added', 6))
    // Committed while the server looked: beyond what it says was told.
    sync.hear(REPLAYED, item(8, 'added', 8))
    sync.hear(REPLAYED, stands(7))
    await following
    sync.hear(LIVE, item(8, 'added', 8))
    sync.hear(LIVE, item(9, 'updated', 6))
    sync.hear(LIVE, item(9, 'updated', 6))
    sync.hear(LIVE, item(4, 'updated', 6))
    assert.deepEqual(told, ['added 6', 'added 8', 'updated 6'])
    void sync.resume()
    await turn()
    assert.deepEqual(asked, ['establish ES1 5', 'establish ES1 9'])
  })

  test('a break in the middle of a replay repeats nothing', async () => {
    const { sync, asked, told, changed } = open(list)
    const following = sync.follow([await sync.read('list', 'ES1', changed)])
    await turn()
    sync.hear(REPLAYED, item(6, 'added', 6))
    sync.hear(REPLAYED, item(7, 'removed', 2))
    void sync.resume()
    await turn()
    sync.hear(REPLAYED, item(6, 'added', 6))
    sync.hear(REPLAYED, item(7, 'removed', 2))
    sync.hear(REPLAYED, item(8, 'added', 8))
    sync.hear(REPLAYED, stands(8))
    await following
    assert.deepEqual(told, ['added 6', 'removed 2', 'added 8'])
    assert.deepEqual(asked, ['establish ES1 5', 'establish ES1 5'])
  })

  test('of what was read newer than its object nothing older is told', async () => {
    const items = [
      { key: 'a', last_event_id: 3, data: { v: 3 } },
      { key: 'b', last_event_id: 7, data: { v: 7 } },
    ]
    const root = { sid: 'MP1', last_event_id: 5, links: { items: 'https://x/MP1/Items' }, items }
    const { sync, told, changed } = open({ MP1: root })
    const following = sync.follow([await sync.read('map', 'MP1', changed)])
    await turn()
    const change = (id: number) => ({
      event_type: 'map_item_updated',
      event: { id, map_sid: 'MP1', item_key: 'b', item_data: { v: id } },
    })
    sync.hear(REPLAYED, stands(5, 'completed', 'MP1'))
    await following
    for (const id of [6, 7, 8]) sync.hear(LIVE, change(id))
    assert.deepEqual(told, ['added a 3', 'added b 7', 'updated b 8'])
  })

  test('a long replay is asked for piece by piece', async () => {
    const { sync, asked, told, changed } = open(list)
    let isConfirmed = false
    const following = sync.follow([await sync.read('list', 'ES1', changed)]).then(() => {
      isConfirmed = true
    })
    await turn()
    sync.hear(REPLAYED, item(6, 'added', 6))
    sync.hear(REPLAYED, stands(6, 'interrupted'))
    await turn()
    assert.equal(isConfirmed, false)
    sync.hear(REPLAYED, item(7, 'removed', 6))
    sync.hear(REPLAYED, stands(7))
    await following
    assert.deepEqual(asked, ['establish ES1 5', 'establish ES1 6'])
    assert.deepEqual(told, ['added 6', 'removed 6'])
  })

  test('what is gone is followed no more; trouble of the server is a reason to come back', async () => {
    const { sync, asked, dropped, changed } = open({ ...list, ES2: { ...list.ES1, sid: 'ES2' } })
    const failed = (sid: string, status: number) => ({
      event_type: 'subscription_failed',
      event: { object_sid: sid, error: { status, code: 54100, message: 'Not found' } },
    })
    const objects = [await sync.read('list', 'ES1', changed), await sync.read('list', 'ES2', changed)]
    void sync.follow(objects)
    await turn()
    sync.hear(REPLAYED, failed('ES1', 404))
    assert.deepEqual(dropped, [])
    sync.hear(REPLAYED, failed('ES2', 500))
    assert.deepEqual(dropped, ['server'])
    void sync.resume()
    await turn()
    assert.deepEqual(asked.slice(2), ['establish ES2 5'])
  })
})
