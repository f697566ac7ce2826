/**
 * The least program that does what a message post does: reads a form, checks a password, commits three rows durably
 * in a group (the channel's index, the message, the delivery), answers, tells the sockets that follow the channel, calls
 * the webhook with a signed form, and writes down how that went. Nothing else: one account, no order among calls, no retries.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { parse } from 'node:querystring'
import { DatabaseSync } from 'node:sqlite'
import fastify from 'fastify'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { openDoor } from './door.ts'
import { grouped } from './group.ts'

const [folder = '.', sink = '', channels = '1000', accountSid = '', authToken = '', secret = ''] =
  process.argv.slice(2)

const db = new DatabaseSync(join(folder, 'ceiling.db'))
db.exec('pragma journal_mode = wal; pragma synchronous = full')
db.exec(`create table channels (sid text primary key, last_index integer not null);
  create table messages (channel_sid text, idx integer, sid text unique, author text, body text, attributes text,
    date_created integer, primary key (channel_sid, idx));
  create table deliveries (sid text primary key, channel_sid text, url text, token text, params text, state text)`)
const addChannel = db.prepare('insert into channels values (?, -1)')
db.exec('begin')
for (let at = 0; at < Number(channels); at += 1) addChannel.run(`CH${String(at).padStart(32, '0')}`)
db.exec('commit')

const next = db.prepare('update channels set last_index = last_index + 1 where sid = ? returning last_index')
const addMessage = db.prepare('insert into messages values (?, ?, ?, ?, ?, ?, ?)')
const addDelivery = db.prepare('insert into deliveries values (?, ?, ?, ?, ?, ?)')
const ended = db.prepare('update deliveries set state = ? where sid = ?')

const transact = grouped(db)

let count = 0
const sid = (prefix: string): string =>
  prefix + Date.now().toString(16).padStart(12, '0') + (count++).toString(16).padStart(20, '0')

const agent = new Agent({ connections: 64 })

/** As Twilio signs: the URL, then each name and value in the order of the names. */
const sign = (fields: Record<string, string>): string =>
  createHmac('sha1', authToken)
    .update(
      sink +
        Object.keys(fields)
          .sort()
          .map((name) => name + fields[name])
          .join(''),
    )
    .digest('base64')

const deliver = async (deliverySid: string, token: string, fields: Record<string, string>): Promise<void> => {
  const state = await request(sink, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'i-twilio-idempotency-token': token,
      'x-twilio-signature': sign(fields),
    },
    dispatcher: agent,
  }).then(
    async ({ statusCode, body }) => {
      await body.dump()
      return statusCode < 300 ? 'delivered' : 'failed'
    },
    () => 'failed',
  )
  await transact(() => ended.run(state, deliverySid))
}

const form = z.object({ Body: z.string().max(32_768), From: z.string().max(256).optional() })
const password = Buffer.from(`${accountSid}:${authToken}`)

const app = fastify()
const door = openDoor({
  server: app.server,
  secret,
  send: () => Promise.reject(new Error('here messages are posted')),
  since: () => [],
})
app.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  async (_: unknown, body: string) => parse(body),
)
app.post('/v2/Services/:service/Channels/:channel/Messages', async (asked, reply) => {
  const given = Buffer.from(String(asked.headers.authorization?.slice(6)), 'base64')
  if (given.length !== password.length || !timingSafeEqual(given, password)) return reply.code(401).send()
  const { Body, From = 'system' } = form.parse(asked.body)
  const { service, channel } = asked.params as { service: string; channel: string }
  const now = Date.now()
  const [messageSid, deliverySid] = [sid('IM'), sid('DL')]
  const token = randomBytes(16).toString('hex')
  const attributes = '{}'
  const { index, fields } = await transact(() => {
    const { last_index } = next.get(channel) as { last_index: number }
    const fields = {
      EventType: 'onMessageSent',
      InstanceSid: service,
      AccountSid: accountSid,
      Source: 'API',
      ClientIdentity: From,
      ChannelSid: channel,
      MessageSid: messageSid,
      Index: String(last_index),
      Body,
      Attributes: attributes,
      From,
      To: channel,
      DateCreated: new Date(now).toISOString(),
      WebhookType: 'webhook',
    }
    addMessage.run(channel, last_index, messageSid, From, Body, attributes, now)
    addDelivery.run(deliverySid, channel, sink, token, JSON.stringify(fields), 'pending')
    return { index: last_index, fields }
  })
  door.tell({ channelSid: channel, sid: messageSid, index, author: From, body: Body, at: now })
  deliver(deliverySid, token, fields).catch((fault) => {
    console.error(fault)
    process.exit(1)
  })
  reply.code(201)
  return {
    sid: messageSid,
    account_sid: accountSid,
    service_sid: service,
    channel_sid: channel,
    to: channel,
    from: From,
    body: Body,
    attributes,
    index,
    type: 'text',
    media: null,
    was_edited: false,
    last_updated_by: null,
    date_created: new Date(now).toISOString(),
    date_updated: new Date(now).toISOString(),
    url: `http://127.0.0.1/v2/Services/${service}/Channels/${channel}/Messages/${messageSid}`,
  }
})
console.log(`listening ${await app.listen({ port: 0, host: '127.0.0.1' })}`)
