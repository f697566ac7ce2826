/**
 * The lists into which the older clients write their commands. Each lives in memory, and outlives a dropped connection
 * by a while: a client that comes back goes on with the list it has, and finds there what was answered meanwhile.
 *
 * One that is not known here (the house was opened anew, or the client came back to another node) is taken on as it
 * is: it begins with numbers higher than any it can have had, so that its client takes nothing new for old.
 */
import type { Client } from '../../client.ts'
import { LIVE } from '../sync/events.ts'
import { openSession, type Session } from './session.ts'

/** How long a list is kept for a client that has gone, in milliseconds. */
const KEPT_MS = 2 * 60_000

/** Lists that one connection may have open; a published client opens one. */
const SESSIONS_MAX = 8

const RANDOM_DIGITS = 31

/** The `f` tells them from lists of messages, whose first digit is low. */
const SESSION_SID = /^ESf[0-9a-f]{31}$/

export interface Sessions {
  open(client: Client): Session
  /** The list with that SID as this client has it; nothing where it is none of these lists. */
  of(client: Client, sid: string): Session | undefined
  leave(client: Client): void
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

  const attach = (it: Kept, client: Client): Session => {
    if (it.client === client) return it.session
    // What it asked before it went may be answered after, and takes the list from nobody who has come since.
    if (client.isGone) {
      if (!it.client && !it.forgetting) keepAWhile(it)
      return it.session
    }
    clearTimeout(it.forgetting)
    it.forgetting = undefined
    if (it.client) ofClient.get(it.client)?.delete(it)
    it.client = client
    const those = ofClient.get(client) ?? new Set()
    ofClient.set(client, those.add(it))
    const [oldest] = those
    if (those.size > SESSIONS_MAX && oldest) forget(oldest)
    return it.session
  }

  const forget = (it: Kept): void => {
    clearTimeout(it.forgetting)
    kept.delete(it.key)
    if (it.client) ofClient.get(it.client)?.delete(it)
  }

  const keepAWhile = (it: Kept): void => {
    it.forgetting = setTimeout(() => forget(it), KEPT_MS).unref()
  }

  const leave = (client: Client): void => {
    for (const it of ofClient.get(client) ?? []) {
      it.client = undefined
      keepAWhile(it)
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
  }
}

/** A list is its user's: whoever else names it has one of their own. */
const keyOf = ({ userSid }: Client, sid: string): string => `${userSid}.${sid}`
