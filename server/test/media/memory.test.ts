/** What is large passes through and is never held: neither on its way in nor on its way out. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openBucket } from './bucket.ts'
import { type Media, openStudio, type Studio } from './cast.ts'

const MB = 1024 * 1024
const SIZE = 64 * MB
const HELD_MAX = 32 * MB
const CHUNK = Buffer.alloc(64 * 1024, 1)

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as (how: { type: string; flavor: string }) => void
/** Twice: what a finalizer lets go of is garbage only for the collection after it. */
const collect = (): void => {
  for (let round = 0; round < 2; round += 1) gc({ type: 'major', flavor: 'last-resort' })
}

/** What the process holds on to, buffers included. */
const held = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Asks now and then how much is held. @returns the most, beyond what was held at first */
const watch = () => {
  const before = held()
  let most = 0
  let passed = 0
  return {
    pass: (bytes: number): void => {
      if (Math.floor((passed + bytes) / (8 * MB)) > Math.floor(passed / (8 * MB)))
        most = Math.max(most, held() - before)
      passed += bytes
    },
    most: () => most,
  }
}

const upload = async (studio: Studio, pass: (bytes: number) => void): Promise<Media> => {
  const { hostname, port } = new URL(studio.world.url)
  const headers = { 'x-twilio-token': studio.token('vera'), 'content-length': SIZE }
  const asked = request({ hostname, port, path: studio.path, method: 'POST', headers, agent: false })
  const answered = once(asked, 'response')
  for (let sent = 0; sent < SIZE; sent += CHUNK.length) {
    if (!asked.write(CHUNK)) await once(asked, 'drain')
    pass(CHUNK.length)
  }
  asked.end()
  const [answer] = await answered
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  assert.equal(answer.statusCode, 201, text)
  return JSON.parse(text)
}

const download = async (media: Media, pass: (bytes: number) => void): Promise<number> => {
  const asked = request(media.links.content_direct_temporary, { agent: false }).end()
  const [answer] = await once(asked, 'response')
  let size = 0
  for await (const chunk of answer) {
    size += chunk.length
    pass(chunk.length)
  }
  return size
}

for (const place of ['a folder', 'a bucket'] as const)
  test(`64 MB go to ${place} and come back with less than 32 MB held`, async () => {
    await using open = new AsyncDisposableStack()
    const s3 = place === 'a bucket' ? open.use(await openBucket()).settings : undefined
    const studio = open.use(await openStudio({ media: { s3 } }))
    await studio.upload('vera', 'so that everything is loaded')
    const [inwards, outwards] = [watch(), watch()]
    const media = await upload(studio, inwards.pass)
    assert.equal(media.size, SIZE)
    assert.equal(await download(media, outwards.pass), SIZE)
    for (const most of [inwards.most(), outwards.most()])
      assert.ok(most < HELD_MAX, `${Math.round(most / MB)} MB were held`)
  })
