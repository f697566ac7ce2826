/**
 * The lists into which the older clients write their commands. Each lives in memory, and outlives a dropped connection
 * by a while: a client that comes back goes on with the list it has, and finds there what was answered meanwhile.
 *
 * One that is not known here (the house was opened anew, or the client came back to another node) is taken on as it
 * is: it begins with numbers higher than any it can have had, so that its client takes nothing new for old.
 */
import type { Client } from '../../client.ts'
import { iso } from '../sync/data.ts'
import { LIVE } from '../sync/events.ts'

/** How long a list is kept for a client that has gone, in milliseconds. */
const KEPT_MS = 2 * 60_000

/** Answers that a list keeps for a client that may have missed them. */
const ANSWERS_MAX = 100

/** Lists that one connection may have open; a published client opens one. */
const SESSIONS_MAX = 8

const RANDOM_DIGITS = 31

/** The `f` tells them from lists of messages, whose first digit is low. */
const SESSION_SID = /^ESf[0-9a-f]{31}$/

/** The first event of a list is its context. */
const CONTEXT_EVENT = 1

const CDS = 'https://cds.us1.twilio.com/v3'

const PROTOCOL_VERSION = 4

export interface Command {
  readonly index: number
  readonly number: number
  readonly data: object
  readonly at: number
}

export interface Session {
  /** The number of its last event. */
  readonly number: number
  /** How many of its commands are not answered yet. */
  readonly running: number
  /** As Sync shows a list. */
  readonly root: object
  begin(data: unknown): Command
  /** Writes the answer beside the command, and tells the client. */
  end(command: Command, response: object): void
  /** A command as Sync shows an item. */
  shown(command: Command): object
  /** What the client may have missed; `null` is nothing. */
  since(after: number | null, context: object): object[]
}

export interface Sessions {
  open(client: Client): Session
  /** The list with that SID as this client has it; nothing where it is none of these lists. */
  of(client: Client, sid: string): Session | undefined
  leave(client: Client): void
  readonly size: number
}

interface SessionsOptions {
  readonly encode: (messageType: string, payload: object) => Uint8Array
  readonly now: () => number
  readonly randomHex: (digits: number) => string
}

interface Kept {
  readonly key: string
  readonly session: Session
  /** Where answers are sent; undefined while the client is away. */
  client: Client | undefined
  forgetting: NodeJS.Timeout | undefined
}

export const openSessions = ({ encode, now, randomHex }: SessionsOptions): Sessions => {
  const kept = new Map<string, Kept>()
  const ofClient = new Map<Client, Set<Kept>>()
  const gone = new WeakSet<Client>()

  const attach = (it: Kept, client: Client): Session => {
    if (it.client === client) return it.session
    clearTimeout(it.forgetting)
    if (it.client) ofClient.get(it.client)?.delete(it)
    it.client = client
    const those = ofClient.get(client) ?? new Set()
    ofClient.set(client, those.add(it))
    const [oldest] = those
    if (those.size > SESSIONS_MAX && oldest) forget(oldest)
    // What it asked before it went may be answered after.
    if (gone.has(client)) leave(client)
    return it.session
  }

  const forget = (it: Kept): void => {
    clearTimeout(it.forgetting)
    kept.delete(it.key)
    if (it.client) ofClient.get(it.client)?.delete(it)
  }

  const leave = (client: Client): void => {
    gone.add(client)
    for (const it of ofClient.get(client) ?? []) {
      it.client = undefined
      it.forgetting = setTimeout(() => forget(it), KEPT_MS).unref()
    }
    ofClient.delete(client)
  }

  const make = (client: Client, sid: string, firstNumber: number): Session => {
    const key = keyOf(client, sid)
    const tell = (event: object) => it.client?.send(encode(LIVE.list, event))
    const session = openSession({ sid, client, firstNumber, now, tell })
    const it: Kept = { key, session, client: undefined, forgetting: undefined }
    kept.set(key, it)
    return attach(it, client)
  }

  return {
    open: (client) => make(client, `ESf${randomHex(RANDOM_DIGITS)}`, 0),
    of: (client, sid) => {
      if (!SESSION_SID.test(sid)) return undefined
      const it = kept.get(keyOf(client, sid))
      return it ? attach(it, client) : make(client, sid, now())
    },
    leave,
    get size() {
      return kept.size
    },
  }
}

/** A list is its user's: whoever else names it has one of their own. */
const keyOf = ({ userSid }: Client, sid: string): string => `${userSid}.${sid}`

interface Opening {
  readonly sid: string
  readonly client: Pick<Client, 'serviceSid' | 'accountSid' | 'identity'>
  /** 0 for a new one. */
  readonly firstNumber: number
  readonly now: () => number
  readonly tell: (event: object) => void
}

const openSession = ({ sid, client, firstNumber, now, tell }: Opening): Session => {
  const url = `${CDS}/Services/${client.serviceSid}/Lists/${sid}`
  const openedAt = iso(now())
  let number = firstNumber + CONTEXT_EVENT
  let running = 0
  let answers: Command[] = []

  const event = (type: string, id: number, at: number, about: object) => ({
    event_type: type,
    correlation_id: 0,
    event_protocol_version: PROTOCOL_VERSION,
    event: { id, date_created: iso(at), list_sid: sid, list_revision: id.toString(16), ...about },
  })

  const answered = (it: Command) =>
    event('list_item_updated', it.number, it.at, {
      item_index: it.index,
      item_url: `${url}/Items/${it.index}`,
      item_revision: it.number.toString(16),
      item_data: it.data,
      date_expires: null,
    })

  return {
    get number() {
      return number
    },
    get running() {
      return running
    },
    root: {
      sid,
      unique_name: null,
      account_sid: client.accountSid,
      service_sid: client.serviceSid,
      url,
      revision: '0',
      // Less than the event of its context, which is told to whoever subscribes.
      last_event_id: firstNumber,
      links: { items: `${url}/Items`, context: `${url}/Context` },
      date_created: openedAt,
      date_updated: openedAt,
      date_expires: null,
      created_by: client.identity,
    },
    begin: (data) => {
      running += 1
      number += 1
      // No two commands have the same index: their events have different numbers.
      return { index: number, number, data: isRecord(data) ? data : {}, at: now() }
    },
    end: (command, response) => {
      running -= 1
      number += 1
      const it: Command = { ...command, number, data: { ...command.data, response }, at: now() }
      answers = [...answers.slice(1 - ANSWERS_MAX), it]
      tell(answered(it))
    },
    shown: ({ index, number: id, data, at }) => ({
      index,
      list_sid: sid,
      account_sid: client.accountSid,
      service_sid: client.serviceSid,
      url: `${url}/Items/${index}`,
      revision: id.toString(16),
      last_event_id: id,
      data,
      date_created: iso(at),
      date_updated: iso(at),
      date_expires: null,
      created_by: client.identity,
    }),
    since: (after, context) => {
      if (after === null) return []
      const first = firstNumber + CONTEXT_EVENT
      return [
        ...(after < first ? [event('list_context_updated', first, now(), { context_data: context })] : []),
        ...answers.filter((it) => it.number > after).map(answered),
      ]
    },
  }
}

const isRecord = (it: unknown): it is object => typeof it === 'object' && it !== null && !Array.isArray(it)
