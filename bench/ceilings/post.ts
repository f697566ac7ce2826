/**
 * The least program that does what a message post does: reads a form, checks a password, commits three rows and a
 * delivery durably in a group, answers, calls the webhook, and writes down how that went. Nothing else.
 */
import { timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { parse } from 'node:querystring'
import { DatabaseSync } from 'node:sqlite'
import fastify from 'fastify'
import { Agent, request } from 'undici'
import { z } from 'zod'

const [folder = '.', sink = '', channels = '1000'] = process.argv.slice(2)

const db = new DatabaseSync(join(folder, 'ceiling.db'))
db.exec('pragma journal_mode = wal; pragma synchronous = full')
db.exec(`create table channels (sid text primary key, last_index integer not null);
  create table messages (channel_sid text, idx integer, sid text unique, author text, body text, attributes text,
    date_created integer, primary key (channel_sid, idx));
  create table deliveries (sid text primary key, channel_sid text, url text, params text, state text)`)
const addChannel = db.prepare('insert into channels values (?, -1)')
db.exec('begin')
for (let at = 0; at < Number(channels); at += 1) addChannel.run(`CH${String(at).padStart(32, '0')}`)
db.exec('commit')

const next = db.prepare('update channels set last_index = last_index + 1 where sid = ? returning last_index')
const addMessage = db.prepare('insert into messages values (?, ?, ?, ?, ?, ?, ?)')
const addDelivery = db.prepare('insert into deliveries values (?, ?, ?, ?, ?)')
const delivered = db.prepare("update deliveries set state = 'delivered' where sid = ?")

type Work = { run: () => unknown; resolve: (value: unknown) => void }
let waiting: Work[] = []
const transact = <T>(run: () => T): Promise<T> =>
  new Promise((resolve) => {
    if (waiting.push({ run, resolve: resolve as Work['resolve'] }) > 1) return
    setImmediate(() => {
      const group = waiting
      waiting = []
      db.exec('begin immediate')
      const values = group.map((it) => it.run())
      db.exec('commit')
      for (const [at, it] of group.entries()) it.resolve(values[at])
    })
  })

let count = 0
const sid = (prefix: string): string =>
  prefix + Date.now().toString(16).padStart(12, '0') + (count++).toString(16).padStart(20, '0')

const agent = new Agent({ connections: 32 })
const deliver = async (deliverySid: string, params: string): Promise<void> => {
  const { body } = await request(sink, {
    method: 'POST',
    body: params,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    dispatcher: agent,
  })
  await body.dump()
  await transact(() => delivered.run(deliverySid))
}

const form = z.object({ Body: z.string().max(32_768), From: z.string().max(256).optional() })
const secret = Buffer.from('AC:secret')

const app = fastify()
app.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  async (_: unknown, body: string) => parse(body),
)
app.post('/v2/Services/:service/Channels/:channel/Messages', async (asked, reply) => {
  const given = Buffer.from(String(asked.headers.authorization?.slice(6)), 'base64')
  if (given.length === secret.length && !timingSafeEqual(given, secret)) throw new Error('who?')
  const { Body, From = 'system' } = form.parse(asked.body)
  const { channel } = asked.params as { channel: string }
  const now = Date.now()
  const [messageSid, deliverySid] = [sid('IM'), sid('DL')]
  const params = new URLSearchParams({
    EventType: 'onMessageSent',
    MessageSid: messageSid,
    Body,
    From,
  }).toString()
  const index = await transact(() => {
    const { last_index } = next.get(channel) as { last_index: number }
    addMessage.run(channel, last_index, messageSid, From, Body, '{}', now)
    addDelivery.run(deliverySid, channel, sink, params, 'pending')
    return last_index
  })
  deliver(deliverySid, params).catch(() => deliver(deliverySid, params))
  reply.code(201)
  return {
    sid: messageSid,
    account_sid: 'AC',
    service_sid: 'IS',
    channel_sid: channel,
    to: channel,
    from: From,
    body: Body,
    attributes: '{}',
    index,
    type: 'text',
    media: null,
    was_edited: false,
    last_updated_by: null,
    date_created: new Date(now).toISOString(),
    date_updated: new Date(now).toISOString(),
    url: `http://127.0.0.1/v2/Services/IS/Channels/${channel}/Messages/${messageSid}`,
  }
})
console.log(`listening ${await app.listen({ port: 0, host: '127.0.0.1' })}`)
