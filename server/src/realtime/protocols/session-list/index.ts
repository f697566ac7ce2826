/**
 * The older generation of the published clients (Programmable Chat 3 and 4, Conversations 1): they open a list of their
 * own, write commands into it, and find the answers in it. What a command does is what REST and the newer chat client
 * API do; what is read is read with requests.
 */
import { problem } from '@parley/contract/problem.ts'
import type { Client, TunnelledAnswer, TunnelledRequest } from '../../client.ts'
import { type ChatApi, tokenOf } from '../chat/asked.ts'
import { established, REPLAYED } from '../sync/events.ts'
import { runCommand } from './commands.ts'
import { sessionContext } from './context.ts'
import { answerRead } from './reads.ts'
import type { Session } from './session.ts'
import { openSessions } from './sessions.ts'

/** What a client says it wants the list for. */
const PURPOSE = 'com.twilio.rtd.ipmsg'

/** Commands of one session that run on after their requests were answered; the request of a further one waits for it. */
const COMMANDS_AT_ONCE = 16

export interface SessionListOptions {
  readonly chat: ChatApi
  readonly encode: (messageType: string, payload: object) => Uint8Array
  readonly onFault: (fault: unknown) => void
  readonly now: () => number
  readonly randomHex: (digits: number) => string
}

/** Asks to be told what happens in a session, as Sync's subscriptions have it. */
export interface Subscribing {
  readonly object_sid: string
  readonly object_type: string
  readonly last_event_id: number | null
}

export interface SessionLists {
  /** @returns nothing for a request that is not of this generation */
  answer(client: Client, request: TunnelledRequest, path: string): Promise<TunnelledAnswer | undefined>
  /** @returns whether it is a session that was asked for */
  establish(client: Client, it: Subscribing, correlation: number): Promise<boolean>
  leave(client: Client): void
}

const LISTS = /^\/v3\/(?:Services\/[^/]+\/)?Lists$/
const LIST = /^\/v3\/(?:Services\/[^/]+\/)?Lists\/(ES[0-9a-f]{32})(?:\/(Items|Context))?$/
const READS = /^\/v1\/(?:Services\/([^/]+)\/(.*)|typing)$/s

export const openSessionLists = (options: SessionListOptions): SessionLists => {
  const { chat, encode, onFault } = options
  const sessions = openSessions(options)

  const push = async (client: Client, session: Session, body: unknown): Promise<TunnelledAnswer> => {
    const { data } = (body ?? {}) as { data?: unknown }
    const asked = { api: chat, client, token: tokenOf(client), serviceSid: client.serviceSid }
    const item = session.begin(data)
    const answering = runCommand(asked, data, onFault).then((response) => session.end(item, response))
    // The answer goes first, so that a command outlives the connection that brought it.
    if (session.running > COMMANDS_AT_ONCE) await answering
    else void answering.catch(onFault)
    return { status: 201, body: session.shown(item) }
  }

  const open = async (client: Client, body: unknown): Promise<TunnelledAnswer | undefined> => {
    const { purpose } = (body ?? {}) as { purpose?: unknown }
    if (purpose !== PURPOSE) return undefined
    return { status: 201, body: sessions.open(client).root }
  }

  const answerList = async (
    client: Client,
    { method, body }: TunnelledRequest,
    sid: string,
    part: string | undefined,
  ): Promise<TunnelledAnswer | undefined> => {
    const session = sessions.of(client, sid)
    if (!session) return undefined
    if (part === 'Items' && method === 'POST') return push(client, session, body)
    if (method !== 'GET') throw problem('sync_forbidden')
    if (part === 'Items') return { status: 200, body: { items: [], meta: NO_PAGE } }
    if (part === 'Context')
      return { status: 200, body: { data: await sessionContext(chat, client), last_event_id: 0 } }
    return { status: 200, body: session.root }
  }

  return {
    answer: async (client, request, path) => {
      if (request.method === 'POST' && LISTS.test(path)) return open(client, request.body)
      const [, sid, part] = LIST.exec(path) ?? []
      if (sid !== undefined) return answerList(client, request, sid, part)
      const [whole, serviceSid, inService = 'typing'] = READS.exec(path) ?? []
      if (whole === undefined) return undefined
      if (serviceSid !== undefined && serviceSid !== client.serviceSid) throw problem('not_permitted')
      return answerRead(chat, client, request, inService)
    },
    establish: async (client, { last_event_id: after, ...it }, correlation) => {
      const session = sessions.of(client, it.object_sid)
      if (!session) return false
      const context = await sessionContext(chat, client)
      for (const event of session.since(after, context))
        client.send(encode(REPLAYED, { ...event, correlation_id: correlation }))
      client.send(encode(REPLAYED, established(it, correlation, session.number, true)))
      return true
    },
    leave: sessions.leave,
  }
}

const NO_PAGE = { previous_token: null, next_token: null, page_size: 0, key: 'items' }
