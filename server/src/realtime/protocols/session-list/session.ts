/**
 * One list of an older client: the commands it writes, and their answers beside them. The numbers of its events only
 * grow, and no two commands have the same index.
 */
import type { Client } from '../../client.ts'
import { iso } from '../sync/data.ts'

/** Answers that a list keeps for a client that may have missed them: more than can be under way. */
const ANSWERS_MAX = 64

/** The first event of a list is its context. */
const CONTEXT_EVENT = 1

/** A published client's is a UUID. */
const COMMAND_ID_MAX = 64

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

interface Opening {
  readonly sid: string
  readonly client: Pick<Client, 'serviceSid' | 'accountSid' | 'identity'>
  /** 0 for a new one. */
  readonly firstNumber: number
  readonly now: () => number
  readonly tell: (event: object) => void
}

export const openSession = ({ sid, client, firstNumber, now, tell }: Opening): Session => {
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
      const it = { ...command, number, at: now() }
      // What was asked may be long; a client knows its command again by its id.
      const kept: Command = { ...it, data: { ...idOf(command.data), response } }
      answers = [...answers.slice(1 - ANSWERS_MAX), kept]
      tell(answered({ ...it, data: { ...command.data, response } }))
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

const idOf = ({ commandId }: { commandId?: unknown }): object =>
  typeof commandId === 'string' && commandId.length <= COMMAND_ID_MAX ? { commandId } : {}
