/**
 * The hub is told of changes late, twice, in the wrong order or not at all; those who follow come and go. In the end
 * each believes what the rows say, and has heard of nothing twice or backwards.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { openChat } from '../../test/chat/cast.ts'
import type { Reader } from '../store/tx.ts'
import type { Client } from './client.ts'
import { type Hub, openHub } from './hub.ts'
import { type Followed, nameOf } from './protocols/sync/followed.ts'
import { readItems, standing } from './protocols/sync/read.ts'

interface ChangeEvent {
  readonly event_type: string
  readonly event: {
    readonly id: number
    readonly item_index?: number
    readonly item_data?: { text?: string }
  }
}

/** A follower as the published clients are: it keeps what it is told, and says where it stands when it comes back. */
class Believer {
  readonly believed = new Map<number, string>()
  number: number | null = null
  readonly client: Client

  constructor() {
    this.client = {
      accountSid: 'AC',
      serviceSid: 'IS',
      identity: 'vera',
      userSid: 'US',
      send: (frame: Uint8Array) => this.hear(JSON.parse(Buffer.from(frame).toString())),
    } as unknown as Client
  }

  hear({ event_type: type, event }: ChangeEvent): void {
    assert.ok(event.id > (this.number ?? 0), `${event.id} was told after ${this.number}`)
    this.number = event.id
    const { item_index: index = -1, item_data: data } = event
    if (type === 'list_item_removed') this.believed.delete(index)
    else this.believed.set(index, data?.text ?? '')
  }

  async follow(hub: Hub, followed: Followed): Promise<void> {
    const exists = await hub.follow(this.client, followed, {
      after: this.number ?? 0,
      admit: async () => {},
      tell: ({ changes, number }) => {
        for (const { number: id, what, item, data } of changes)
          this.hear({
            event_type: `list_item_${what}`,
            event: { id, item_index: item, item_data: data },
          } as unknown as ChangeEvent)
        this.number = number
      },
    })
    assert.ok(exists)
  }
}

type Step =
  | { readonly do: 'post' }
  | { readonly do: 'edit'; readonly which: number }
  | { readonly do: 'remove'; readonly which: number }
  | { readonly do: 'hint'; readonly back: number }
  | { readonly do: 'come'; readonly who: number }
  | { readonly do: 'go'; readonly who: number }

const BELIEVERS = 3

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'post' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('edit', 'remove'), which: fc.nat(30) }) as fc.Arbitrary<Step>,
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hint'), back: fc.nat(4) }) as fc.Arbitrary<Step> },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('come', 'go'),
      who: fc.nat(BELIEVERS - 1),
    }) as fc.Arbitrary<Step>,
  },
)

/** A reader whose answers are on their way for some turns, each for as many as comes next. */
const slowly = (reader: Reader, turns: readonly number[]): Reader => {
  let asked = 0
  return {
    ...reader,
    run: async (statement, values) => {
      const answer = await reader.run(statement, values)
      for (let left = turns[asked++ % turns.length] ?? 0; left > 0; left -= 1) await turn()
      return answer
    },
  }
}

const turns = fc.array(fc.nat(20), { minLength: 1, maxLength: 10 })

test('whatever becomes of the notices, followers end in agreement', async () => {
  await using chat = await openChat()
  const { reader } = chat.world.house.store
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), turns, async (steps, slow) => {
      const channel = await chat.service.channels.create({})
      const followed: Followed = { kind: 'messages', ownerSid: channel.sid }
      const faults: unknown[] = []
      const hub = openHub({
        reader: slowly(reader, slow),
        encode: (_, payload) => Buffer.from(payload as string),
        onFault: (fault) => faults.push(fault),
      })
      const believers = Array.from({ length: BELIEVERS }, () => new Believer())
      const coming = new Map<Believer, Promise<void>>()
      const come = async (believer: Believer): Promise<void> => {
        await coming.get(believer)
        const arrival = believer.follow(hub, followed)
        coming.set(believer, arrival)
      }
      const sids: string[] = []
      const number = async () => (await standing(reader, followed))?.number ?? 0
      for (const it of steps) {
        const messages = chat.service.channels(channel.sid).messages
        if (it.do === 'post') sids.push((await messages.create({ body: `${sids.length}` })).sid)
        else if (it.do === 'edit' || it.do === 'remove') {
          const [sid] = sids.length ? sids.splice(it.which % sids.length, 1) : []
          if (!sid) continue
          if (it.do === 'remove') await messages(sid).remove()
          else {
            await messages(sid).update({ body: `changed ${it.which}` })
            sids.push(sid)
          }
        } else if (it.do === 'hint') hub.hint(nameOf(followed), (await number()) - it.back)
        else if (it.do === 'come') await come(believers[it.who] as Believer)
        else hub.forget((believers[it.who] as Believer).client)
      }
      const { items } = await readItems(reader, followed, { order: 'asc', limit: 1_000 })
      const truth = new Map(items.map(({ item, data }) => [item, (data as { text: string }).text]))
      for (const believer of believers) await come(believer)
      await Promise.all(coming.values())
      for (const believer of believers) {
        assert.deepEqual(
          [...believer.believed].sort(([a], [b]) => a - b),
          [...truth],
        )
        assert.equal(believer.number, await number())
      }
      assert.deepEqual(faults, [])
    }),
    { numRuns: 100 },
  )
})
