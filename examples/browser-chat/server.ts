/**
 * A chat in the browser. This program makes the visitor's Flex channel and their access token; what is said goes
 * between the page and Parley, by the published chat SDK.
 *
 * page ── POST /visit ──▶ this program ── REST ──▶ Flex channel ──▶ task ──▶ agent
 *   ▲─────────────── chat socket, media ─────────────▲──────────────────────────┘
 */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { type Flex, findGuestRole, newVisitorId, openConversation } from './conversations.ts'
import { readCookie, writeCookie } from './cookie.ts'
import { ensureFlexFlow } from './flex-flow.ts'
import { readPort, readSettings, stop } from './settings.ts'
import { mintToken, openClient, orStop, socketUrl } from './twilio.ts'

const NAME_MAX = 60
/** Bytes. */
const BODY_MAX = 4_096

const settings = readSettings(process.env)
const port = readPort(process.env)

const openFlex = async (): Promise<Flex> => {
  const client = openClient(settings)
  const { chatServiceInstanceSid: chatServiceSid } = await client.flexApi.v1.configuration().fetch()
  return {
    client,
    chatServiceSid,
    flexFlowSid: await ensureFlexFlow(client, chatServiceSid),
    guestRoleSid: await findGuestRole(client, chatServiceSid),
  }
}

const flex = await orStop(openFlex(), settings)

const ours = (name: string) => readFile(new URL(name, import.meta.url))
const sdk = createRequire(import.meta.url).resolve('twilio-chat/builds/twilio-chat.min.js')

const FILES: Readonly<Record<string, readonly [type: string, content: Buffer]>> = {
  '/': ['text/html', await ours('page.html')],
  '/page.css': ['text/css', await ours('page.css')],
  '/page.js': ['text/javascript', await ours('page.js')],
  '/chat.js': ['text/javascript', await ours('chat.js')],
  '/outbox.js': ['text/javascript', await ours('outbox.js')],
  '/twilio-chat.js': ['text/javascript', await readFile(sdk)],
}

/** The page runs its own scripts alone, and talks to this program and to Parley. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  `connect-src 'self' ${settings.chatUrl} ${new URL(socketUrl(settings.chatUrl)).origin}`,
  `img-src 'self' data: blob: ${settings.chatUrl}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const http = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  const file = FILES[pathname]
  if (file && request.method === 'GET') return sendFile(response, file)
  if (request.method !== 'POST' || (pathname !== '/visit' && pathname !== '/token'))
    return response.writeHead(404).end()
  try {
    const visitorId = readCookie(request.headers.cookie, settings.key.secret)
    if (pathname === '/visit') return await visit(visitorId ?? newVisitorId(), request, response)
    if (visitorId === undefined) return response.writeHead(401).end()
    return sendJson(response, { token: tokenFor(visitorId) })
  } catch (fault) {
    console.error(`${pathname} failed:`, fault instanceof Error ? fault.message : fault)
    return response.writeHead(502).end()
  }
})

/** Begins the visitor's conversation, or goes on with the one they have. */
const visit = async (id: string, request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
  const said = await readJson(request)
  if (said === undefined) return response.writeHead(400).end()
  const name = typeof said.name === 'string' && said.name.trim() ? said.name.trim() : 'Visitor'
  const channel = await openConversation(flex, { id, name: name.slice(0, NAME_MAX) })
  const isSecure = request.headers['x-forwarded-proto'] === 'https'
  response.setHeader('set-cookie', writeCookie(id, settings.key.secret, isSecure))
  return sendJson(response, { token: tokenFor(id), channel, socket: socketUrl(settings.chatUrl) })
}

const tokenFor = (identity: string): string => {
  const { accountSid, key, tokenTtl: ttl } = settings
  return mintToken({ accountSid, key, chatServiceSid: flex.chatServiceSid, identity, ttl })
}

const sendFile = (response: ServerResponse, [type, content]: (typeof FILES)[string]) =>
  response
    .writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    .end(content)

const sendJson = (response: ServerResponse, answer: object) =>
  response
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(answer))

/** A JSON object; undefined for anything else, also for what another site's form can send. */
const readJson = async (request: IncomingMessage): Promise<Record<string, unknown> | undefined> => {
  if (request.headers['content-type'] !== 'application/json') return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_MAX) return undefined
    chunks.push(chunk)
  }
  try {
    const said: unknown = JSON.parse(Buffer.concat(chunks).toString())
    return typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

http.on('error', (fault) => stop(`Cannot listen on port ${port}: ${fault.message}. PORT chooses another.`))
http.listen(port, '127.0.0.1', () => {
  console.log(`The chat is open at http://127.0.0.1:${port}`)
  console.log(`Conversations go to ${settings.apiUrl} through Flex Flow ${flex.flexFlowSid}`)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    http.close(() => process.exit(0))
    http.closeAllConnections()
  })
