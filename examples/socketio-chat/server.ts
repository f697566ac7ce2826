/**
 * A custom chat: visitors talk over Socket.IO, agents answer through Flex.
 *
 * page ⇄ Socket.IO ⇄ this program ─ REST ─▶ channel ─▶ task ─▶ agent
 *                          ▲────── webhooks ── channel ◀─────────┘
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { Server } from 'socket.io'
import twilio from 'twilio'
import { openConversations } from './conversations.ts'
import { ensureFlexFlow } from './flex-flow.ts'
import { type Flex, HOOKS, type HookPath, hookUrl, readMessages } from './middleware.ts'
import { readSettings, stop } from './settings.ts'
import { openClient, orStop } from './twilio.ts'

/** Characters of one message. */
const BODY_MAX = 4_000
const NAME_MAX = 60
/** Bytes: room for the fields of the longest message. */
const WEBHOOK_MAX = 256 * 1024
/** Who keeps a connection open does not keep the program. */
const CLOSES_WITHIN_MS = 2_000

const settings = readSettings(process.env)

const openFlex = async (): Promise<Flex> => {
  const client = openClient(settings)
  const chatServiceSid =
    settings.chatServiceSid ?? (await client.flexApi.v1.configuration().fetch()).chatServiceInstanceSid
  const flexFlowSid = settings.flexFlowSid ?? (await ensureFlexFlow(client, chatServiceSid))
  return { client, chatServiceSid, flexFlowSid, webhookBaseUrl: settings.webhookBaseUrl }
}

const flex = await orStop(openFlex(), settings)
const conversations = openConversations(flex)
const page = await readFile(new URL('page.html', import.meta.url))

const http = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname === '/' && request.method === 'GET')
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
  if (!(pathname in HOOKS) || request.method !== 'POST') return response.writeHead(404).end()
  try {
    const form = await readForm(request)
    const channelSid = searchParams.get('channel') ?? ''
    const url = hookUrl(flex, pathname as HookPath, channelSid)
    const signature = String(request.headers['x-twilio-signature'] ?? '')
    if (!twilio.validateRequest(settings.authToken, signature, url, form))
      return response.writeHead(403).end()
    hear[pathname as HookPath](channelSid, form)
    return response.writeHead(200).end()
  } catch {
    return response.writeHead(400).end()
  }
})

const io = new Server(http, { maxHttpBufferSize: 64 * 1024 })

/** A visitor's room holds their sockets alone: one for each page of theirs that is open. */
io.on('connection', async (socket) => {
  const given = String(socket.handshake.auth.visitor ?? '')
  const known = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given)
  const id = known ? given : randomUUID()
  await socket.join(id)

  socket.on('message', async (said: unknown, answer: unknown) => {
    if (typeof answer !== 'function') return
    const { name, body } = (said ?? {}) as { name?: unknown; body?: unknown }
    if (typeof body !== 'string' || !body.trim() || body.length > BODY_MAX)
      return answer({ problem: `A message has 1 to ${BODY_MAX} characters.` })
    try {
      const named = typeof name === 'string' && name.trim() ? name.trim().slice(0, NAME_MAX) : 'Visitor'
      const message = await conversations.say({ id, name: named }, body)
      socket.to(id).emit('message', message)
      answer({ message })
    } catch (fault) {
      console.error(`A message of ${id} was not sent:`, fault instanceof Error ? fault.message : fault)
      answer({ problem: 'Your message could not be sent.' })
    }
  })

  try {
    const channelSid = known ? await conversations.resume(id) : undefined
    const messages = channelSid ? await readMessages(flex, channelSid, id) : []
    socket.emit('welcome', { visitor: id, live: channelSid !== undefined, messages })
  } catch (fault) {
    console.error(
      `The conversation of ${id} was not found again:`,
      fault instanceof Error ? fault.message : fault,
    )
    socket.conn.close()
  }
})

/** What the webhooks bring. */
const hear: Record<HookPath, (channelSid: string, form: Readonly<Record<string, string>>) => void> = {
  // What came through the API is what we sent ourselves; an agent's client is a Source of SDK.
  '/new-message': (channelSid, { Source, MessageSid, Index, From, Body }) => {
    const visitorId = conversations.visitorOf(channelSid)
    if (Source !== 'SDK' || visitorId === undefined) return
    io.to(visitorId).emit('message', {
      sid: MessageSid,
      channel: channelSid,
      index: Number(Index),
      from: From,
      body: Body,
    })
  },
  '/channel-update': (channelSid, { Attributes = '{}' }) => {
    if (JSON.parse(Attributes).status !== 'INACTIVE') return
    const visitorId = conversations.end(channelSid)
    if (visitorId !== undefined) io.to(visitorId).emit('ended')
  },
}

/** A form's fields; a name that is repeated keeps its last value, which no webhook of ours does. */
const readForm = async (request: IncomingMessage): Promise<Record<string, string>> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > WEBHOOK_MAX) throw new Error('too large')
    chunks.push(chunk)
  }
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
}

http.on('error', (fault) =>
  stop(`Cannot listen on port ${settings.port}: ${fault.message}. PORT chooses another.`),
)
http.listen(settings.port, '127.0.0.1', () => {
  console.log(`The chat is open at http://127.0.0.1:${settings.port}`)
  console.log(`Conversations go to ${settings.apiUrl} through Flex Flow ${flex.flexFlowSid}`)
  console.log(`Webhooks come to ${settings.webhookBaseUrl}`)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    setTimeout(() => process.exit(0), CLOSES_WITHIN_MS)
    void io.close(() => process.exit(0))
  })
