/** Lists, page by page with the published client, while rows are added: none comes twice, none is left out. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Engine, openWorld, type Twilio, type World } from '../world/index.ts'

/** More than two pages of the largest size that chat has. */
const ROWS = 250

/** How many are made at once: one channel's messages wait for each other, and no request waits for ever. */
const AT_ONCE = 25

/** How many rows are added between one page and the next. */
const MEANWHILE = 3

const numbered = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at)

type Service = ReturnType<Twilio['chat']['v2']['services']>

interface Row {
  readonly sid: string
}

interface Page {
  readonly instances: Row[]
  readonly previousPageUrl: string | undefined
  nextPage(): Promise<Page> | undefined
  previousPage(): Promise<Page> | undefined
}

interface List {
  page(options: { pageSize: number }): Promise<Page>
  list(options: { limit?: number; pageSize?: number }): Promise<Row[]>
  each(options: { limit?: number; pageSize?: number; callback: (row: Row) => void; done: () => void }): void
}

interface Listed {
  readonly what: string
  readonly add: (service: Service, channelSid: string, number: number) => Promise<unknown>
  readonly listed: (service: Service, channelSid: string) => List
}

const LISTS: readonly Listed[] = [
  {
    what: 'messages',
    add: ({ channels }, channelSid, number) =>
      channels(channelSid).messages.create({ body: `message ${number}` }),
    listed: ({ channels }, channelSid) => channels(channelSid).messages as unknown as List,
  },
  {
    what: 'users',
    add: ({ users }, _, number) => users.create({ identity: `user ${number}` }),
    listed: ({ users }) => users as unknown as List,
  },
]

const furnish = async ({ twilio, twilio5 }: World, { add, listed }: Listed) => {
  const { sid } = await twilio.chat.v2.services.create({ friendlyName: 'Support' })
  const service = twilio.chat.v2.services(sid)
  const { sid: channelSid } = await service.channels.create({})
  let number = 0
  const more = async (count: number): Promise<void> => {
    for (const end = number + count; number < end; number += Math.min(AT_ONCE, end - number))
      await Promise.all(
        numbered(number, Math.min(AT_ONCE, end - number)).map((it) => add(service, channelSid, it)),
      )
  }
  await more(ROWS)
  return {
    more,
    lists: [listed(service, channelSid), listed(twilio5.chat.v2.services(sid), channelSid)] as const,
  }
}

const sidsOf = (rows: readonly Row[]): string[] => rows.map((it) => it.sid)

for (const engine of ['memory', 'postgres'] as const satisfies readonly Engine[])
  for (const it of LISTS)
    describe(`${it.what}, over ${engine}`, () => {
      test('forwards, each row comes once and in order, those that were added meanwhile at the end', async () => {
        await using world = await openWorld({ engine })
        const { more, lists } = await furnish(world, it)
        for (const list of lists) {
          const seen: string[] = []
          let page: Page | undefined = await list.page({ pageSize: 40 })
          let toAdd = 5
          while (page) {
            seen.push(...sidsOf(page.instances))
            if (toAdd-- > 0) await more(MEANWHILE)
            page = await page.nextPage()
          }
          assert.deepEqual(seen, sidsOf(await list.list({ pageSize: 100 })))
        }
      })

      test('backwards, the pages are those of the way there, whatever was added', async () => {
        await using world = await openWorld({ engine })
        const { more, lists } = await furnish(world, it)
        for (const list of lists) {
          const there: string[][] = []
          let last: Page | undefined
          for (
            let page: Page | undefined = await list.page({ pageSize: 60 });
            page;
            page = await page.nextPage()
          ) {
            there.push(sidsOf(page.instances))
            last = page
          }
          const back: string[][] = []
          for (let page: Page | undefined = last; page; page = await page.previousPage()) {
            back.unshift(sidsOf(page.instances))
            await more(MEANWHILE)
          }
          assert.deepEqual(back, there)
        }
      })

      test('a limit larger than a page is filled from as many pages as it takes', async () => {
        await using world = await openWorld({ engine })
        const { lists } = await furnish(world, it)
        for (const list of lists) {
          const all = sidsOf(await list.list({}))
          assert.equal(all.length, ROWS)
          assert.equal(new Set(all).size, ROWS)
          assert.deepEqual(sidsOf(await list.list({ limit: 230 })), all.slice(0, 230))
          assert.deepEqual(sidsOf(await list.list({ limit: 120, pageSize: 50 })), all.slice(0, 120))
          const each: Row[] = []
          await new Promise<void>((done) => {
            list.each({ limit: 170, pageSize: 40, callback: (row) => each.push(row), done })
          })
          assert.deepEqual(sidsOf(each), all.slice(0, 170))
        }
      })
    })
