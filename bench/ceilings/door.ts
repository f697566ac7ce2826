/**
 * The least chat socket: checks a token's signature, says what can be followed, remembers who follows what, and sends.
 * The frames are those that a published client would get. It knows no permissions, no bounds and no gaps.
 */
import { createHmac } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { frameOf, readFrame } from '../frames.ts'

/** A message as rows have it. */
export interface Row {
  readonly channelSid: string
  readonly sid: string
  readonly index: number
  readonly author: string
  readonly body: string
  readonly at: number
}

export interface DoorOptions {
  readonly server: Server
  /** Tokens are signed with it. */
  readonly secret: string
  readonly send: (channelSid: string, author: string, body: string) => Promise<Row>
  /** The messages of a channel after an event. */
  readonly since: (channelSid: string, lastEvent: number) => readonly Row[]
}

export interface Door {
  /** To whoever follows the channel's messages and its document. */
  tell(row: Row): void
}

/** What one WebSocket says. */
interface Peer {
  identity: string
  readonly follows: string[]
  send(frame: Buffer): void
}

const OK = { code: 200, status: 'OK' }

const CDS = 'https://cds.us1.twilio.com/v3'

export const openDoor = ({ server, secret, send, since }: DoorOptions): Door => {
  const followers = new Map<string, Set<Peer>>()
  /** By channel and event: what came after, until there is more. Most of those who come back have missed the same. */
  const missed = new Map<string, readonly string[]>()
  let ids = 0

  const notification = (messageType: string, payload: object | string): Buffer =>
    frameOf(
      {
        method: 'notification',
        id: `TM${String(ids++).padStart(32, '0')}`,
        message_type: `twilio.${messageType}`,
      },
      payload,
    )

  /** The event of a message, in JSON. */
  const messageAdded = (row: Row): string => {
    const { channelSid, sid, index, author, body } = row
    const at = new Date(row.at).toISOString()
    const list = `ES${channelSid.slice(2)}`
    return JSON.stringify({
      id: index + 1,
      date_created: at,
      list_sid: list,
      list_unique_name: `${channelSid}.messages`,
      list_revision: (index + 1).toString(16),
      item_index: index,
      item_url: `${CDS}/Services/IS${'0'.repeat(32)}/Lists/${list}/Items/${index}`,
      item_revision: (index + 1).toString(16),
      item_data: {
        sid,
        text: body,
        author,
        attributes: '{}',
        timestamp: at,
        dateUpdated: at,
        lastUpdatedBy: null,
        type: 'text',
      },
      date_expires: null,
    })
  }

  const itemAdded = (event: string, correlation: number): string =>
    `{"event_type":"list_item_added","correlation_id":${correlation},"event_protocol_version":4,"event":${event}}`

  const missedIn = (channelSid: string, lastEvent: number): readonly string[] => {
    const key = `${channelSid} ${lastEvent}`
    const events = missed.get(key) ?? since(channelSid, lastEvent).map(messageAdded)
    missed.set(key, events)
    return events
  }

  const documentUpdated = ({ channelSid, index, at: moment }: Row) => {
    const at = new Date(moment).toISOString()
    return {
      event_type: 'document_updated',
      correlation_id: 0,
      event_protocol_version: 4,
      event: {
        id: index + 1,
        date_created: at,
        document_sid: `ET${channelSid.slice(2)}`,
        document_unique_name: `${channelSid}.channel`,
        document_revision: (index + 1).toString(16),
        document_data: {
          sid: channelSid,
          friendlyName: null,
          uniqueName: null,
          attributes: {},
          type: 'public',
          createdBy: 'system',
          dateCreated: at,
          dateUpdated: at,
          messages: `${channelSid}.messages`,
          roster: `${channelSid}.roster`,
          state: { current: 'active', dateUpdated: at },
          lastMessage: { index, timestamp: at },
        },
      },
    }
  }

  const introduce = (peer: Peer, id: string, token: string): void => {
    const [header, claims = '', signature] = token.split('.')
    const expected = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url')
    if (signature !== expected) {
      peer.send(frameOf({ method: 'reply', id, status: { code: 401 } }))
      return
    }
    peer.identity = JSON.parse(Buffer.from(claims, 'base64url').toString()).grants.identity
    peer.send(
      frameOf({
        method: 'reply',
        id,
        status: OK,
        capabilities: ['client_update'],
        continuation_token: String(ids++).padStart(32, '0'),
        continuation_token_status: { reissued: true, reissue_reason: 'MISSING' },
        init_registrations: [],
      }),
    )
  }

  const answered = (id: string, code: number, body: object): Buffer =>
    frameOf(
      {
        method: 'reply',
        id,
        status: OK,
        http_headers: { 'content-type': 'application/json' },
        http_status: { code, status: 'OK' },
      },
      body,
    )

  const establish = (peer: Peer, name: string, type: string, lastEvent: number, correlation: number) => {
    const those = followers.get(name) ?? new Set()
    followers.set(name, those.add(peer))
    peer.follows.push(name)
    const events = type === 'list' ? missedIn(name.slice(0, name.indexOf('.')), lastEvent) : []
    for (const event of events) peer.send(notification('sync.event', itemAdded(event, correlation)))
    const established = {
      event_type: 'subscription_established',
      correlation_id: correlation,
      event_protocol_version: 4,
      event: {
        object_sid: name,
        object_type: type,
        replay_status: 'completed',
        last_event_id: lastEvent + events.length,
      },
    }
    peer.send(notification('sync.event', established))
  }

  const message = async (
    peer: Peer,
    id: string,
    { method, path }: { method: string; path: string },
    payload: string,
  ): Promise<void> => {
    if (path.endsWith('/Subscriptions')) {
      const { correlation_id: correlation, requests } = JSON.parse(payload)
      peer.send(
        answered(id, 200, { estimated_delivery_in_ms: 10_000, max_batch_size: 100, ttl_in_s: 86_400 }),
      )
      for (const it of requests) establish(peer, it.object_sid, it.object_type, it.last_event_id, correlation)
    } else if (method === 'POST') {
      const channelSid = path.split('/')[6] ?? ''
      const row = await send(channelSid, peer.identity, JSON.parse(payload).body)
      const at = new Date(row.at).toISOString()
      peer.send(
        answered(id, 201, {
          sid: row.sid,
          index: row.index,
          conversation_sid: channelSid,
          author: row.author,
          body: row.body,
          attributes: '{}',
          media: null,
          date_created: at,
          date_updated: at,
          url: `https://aim.us1.twilio.com${path}/${row.sid}`,
        }),
      )
    } else if (path.endsWith('/Configuration')) {
      const own = `US${peer.identity}`
      const sync_objects = { my_conversations: `${own}.my_channels`, my_user_info: `${own}.info` }
      peer.send(answered(id, 200, { sync_objects }))
    } else {
      const name = path.slice(path.lastIndexOf('/') + 1)
      peer.send(answered(id, 200, { sid: name, unique_name: name, last_event_id: 0 }))
    }
  }

  const accept = (socket: WebSocket, { socket: line }: IncomingMessage): void => {
    const peer: Peer = {
      identity: '',
      follows: [],
      send: (frame) => {
        // What is sent in one turn goes out in one.
        if (line.writableCorked === 0) {
          line.cork()
          process.nextTick(() => line.uncork())
        }
        socket.send(frame, { binary: true })
      },
    }
    socket.on('message', (bytes: Buffer) => {
      const { header, payload } = readFrame(bytes)
      if (header.method === 'init') introduce(peer, header.id, header.token)
      else void message(peer, header.id, header.http_request, payload)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const name of peer.follows) followers.get(name)?.delete(peer)
    })
  }

  const sockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false })
  server.on('upgrade', (request, socket: Duplex, head) =>
    sockets.handleUpgrade(request, socket, head, accept),
  )

  const sendTo = (name: string, frame: () => Buffer): void => {
    const those = followers.get(name)
    if (!those?.size) return
    const made = frame()
    for (const peer of those) peer.send(made)
  }
  return {
    tell: (row) => {
      missed.clear()
      sendTo(`${row.channelSid}.messages`, () =>
        notification('rtd.cds.list', itemAdded(messageAdded(row), 0)),
      )
      sendTo(`${row.channelSid}.channel`, () => notification('rtd.cds.document', documentUpdated(row)))
    },
  }
}
