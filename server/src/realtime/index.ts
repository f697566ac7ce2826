/**
 * Realtime: what clients see over sockets. Frames and sessions are protocols; here they meet what they are about: chat
 * rows shown as Sync objects, the chat client API, and the hub that tells of what is committed.
 */
import type { Event } from '@parley/contract/event.ts'
import { Problem, problem, problemBody } from '@parley/contract/problem.ts'
import type { Logger } from 'pino'
import type { Caller } from '../accounts/index.ts'
import type { Bus } from '../bus/index.ts'
import type { AccessToken, Perform } from '../http/binding.ts'
import { refusalIn, unlessAway } from '../store/away.ts'
import type { Store } from '../store/tx.ts'
import { openAccess } from './access.ts'
import { arrive } from './arrival.ts'
import type { Client, TunnelledAnswer, TunnelledRequest, Upstream } from './client.ts'
import { openHub } from './hub.ts'
import { openPresence } from './presence.ts'
import { answerChat, answerRegistrations, type ChatApi } from './protocols/chat/index.ts'
import { type EventBridge, openEventBridge } from './protocols/event-bridge/index.ts'
import { openSessionLists } from './protocols/session-list/index.ts'
import { requireReading } from './protocols/sync/access.ts'
import type { Followed } from './protocols/sync/followed.ts'
import { answerSync, type Sync } from './protocols/sync/requests.ts'
import { notification } from './protocols/twilsock/frame.ts'
import { openSockets } from './socket.ts'
import type { SocketDoor } from './upgrades.ts'

export { addEventBridgeRoute } from './protocols/event-bridge/route.ts'
export { hangDoors } from './upgrades.ts'

export interface RealtimeOptions {
  readonly store: Store
  /** Reaches every node, this one included. */
  readonly bus: Bus
  readonly perform: Perform
  /** @throws a Problem, 20101 to 20107 */
  readonly believe: (jwt: string) => Promise<Caller>
  /** Without a slash at its end. */
  readonly publicUrl: string
  /** No other process shares the database. */
  readonly alone: boolean
  readonly log: Logger
  readonly now: () => number
  readonly randomHex: (digits: number) => string
}

export interface Realtime extends AsyncDisposable {
  readonly doors: readonly SocketDoor[]
  /** What the worker SDK speaks; its requests come over HTTP. */
  readonly bridge: EventBridge
  /** What this process has committed. */
  hear(events: readonly Event[]): void
  /** What it may have committed. */
  doubt(events: readonly Event[]): void
  /** For metrics: connections, and what they follow. */
  readonly connections: number
  readonly followings: number
}

const FRAME_ID_DIGITS = 32
const NODE_DIGITS = 32

const TYPING = 'twilio.ipmsg.typing_indicator'

/** After how long the rows say whether something is committed whose connection was lost, in milliseconds. */
const IN_DOUBT_MS = 1_000

const CHAT_PATH = /^\/Client\/(v1|v2)\/(.*)$/
const REGISTRATIONS_PATH = /^\/v1\/registrations\/?(.*)$/
const SYNC_PATH = /^\/v[34]\/(?:Services\/[^/]+\/)?(.*)$/

const FOLLOWED_TOPIC = 'realtime.followed'
const TYPING_TOPIC = 'realtime.typing'
const TURNED_OUT_TOPIC = 'realtime.turned-out'

interface Typing {
  readonly channelSid: string
  readonly identity: string
  readonly timeoutSeconds: number
}

/** Of a channel a user, of everything a user, or a service with everybody in it. */
type TurnedOut =
  | { readonly userSid: string; readonly channelSid: string }
  | { readonly userSid: string; readonly why: string }
  | { readonly serviceSid: string; readonly why: string }

const turnedOutBy = (event: Event): TurnedOut | undefined => {
  switch (event.name) {
    case 'member.removed':
      return { userSid: event.member.user_sid, channelSid: event.channel.sid }
    case 'invite.removed':
      return { userSid: event.invite.user_sid, channelSid: event.channel.sid }
    case 'user.removed':
      return { userSid: event.user.sid, why: 'its user was removed' }
    case 'service.removed':
      return { serviceSid: event.service.sid, why: 'its service was removed' }
    default:
      return undefined
  }
}

export const openRealtime = (options: RealtimeOptions): Realtime => {
  const { store, perform, publicUrl, log, now, randomHex } = options
  const { reader } = store
  const newId = () => `TM${randomHex(FRAME_ID_DIGITS)}`
  const encode = (messageType: string, payload: object | string) => notification(messageType, payload, newId)
  const onFault = unlessAway((fault) => log.error({ fault }, 'what clients follow met a fault'))
  const { bus, alone } = options
  const hub = openHub({
    reader,
    encode,
    onFault,
    tellOthers: alone ? undefined : (name, number) => bus.publish(FOLLOWED_TOPIC, [name, number]),
  })
  const node = `ND${randomHex(NODE_DIGITS)}`
  const presence = openPresence({
    store,
    node,
    alone,
    onFault: unlessAway((fault) => log.error({ fault }, 'presence could not be written')),
  })
  const clients = new Map<string, Set<Client>>()
  const access = openAccess({
    reader,
    bus,
    believe: async (jwt) => (await options.believe(jwt)).token as AccessToken,
    onFault,
  })

  const tellTyping = ({ channelSid, identity, timeoutSeconds }: Typing): void => {
    const said = { channel_sid: channelSid, identity, typing_timeout: timeoutSeconds }
    hub.sendToMembers(channelSid, encode(TYPING, said), identity)
  }
  const typing = (client: Client, channelSid: string, timeoutSeconds: number): void => {
    const said: Typing = { channelSid, identity: client.identity, timeoutSeconds }
    bus.publish(TYPING_TOPIC, said)
  }
  const chat: ChatApi = { reader, store, perform, publicUrl, typing }
  const sessions = openSessionLists({ chat, encode, onFault, now, randomHex })
  const sync: Sync = { reader, hub, encode, onFault, establishOther: sessions.establish }

  const answer = async (client: Client, request: TunnelledRequest): Promise<TunnelledAnswer> => {
    const { path } = request
    const [, version, inChat] = CHAT_PATH.exec(path) ?? []
    if (inChat !== undefined) return answerChat(chat, client, request, version as 'v1' | 'v2', inChat)
    const inRegistrations = REGISTRATIONS_PATH.exec(path)?.[1]
    if (inRegistrations !== undefined) return answerRegistrations(client, request, inRegistrations)
    const ofSession = await sessions.answer(client, request, path)
    if (ofSession) return ofSession
    const inSync = SYNC_PATH.exec(path)?.[1]
    if (inSync !== undefined) return answerSync(sync, client, request, inSync)
    throw problem('not_found', { path })
  }

  const upstream: Upstream = {
    arrive: (token) => arrive(store, token),
    answer: async (client, request) => {
      try {
        return await answer(client, request)
      } catch (fault) {
        const why = refusalIn(fault)
        if (!why) throw fault
        return { status: why.status, body: problemBody(why) }
      }
    },
    join: (client) => {
      access.entered(client)
      clients.set(client.userSid, (clients.get(client.userSid) ?? new Set()).add(client))
      presence.arrived(client.userSid)
    },
    leave: (client) => {
      access.left(client)
      hub.forget(client)
      sessions.leave(client)
      const those = clients.get(client.userSid)
      those?.delete(client)
      if (those?.size === 0) clients.delete(client.userSid)
      presence.left(client.userSid)
    },
  }
  const sockets = openSockets({ upstream, believe: access.believe, log, now, newId })
  const bridge = openEventBridge({ store, bus, perform, access, alone, node, log, now })

  /** Whoever may not hear any more does not. */
  const turnOut = (it: TurnedOut): void => {
    if ('channelSid' in it) hub.turnOut(it.userSid, it.channelSid, mayFollow)
    else if ('userSid' in it) for (const client of clients.get(it.userSid) ?? []) client.close(it.why)
    else
      for (const those of clients.values())
        for (const client of those) if (client.serviceSid === it.serviceSid) client.close(it.why)
  }

  const tellTurnedOut = (events: readonly Event[]): void => {
    for (const event of events) {
      const out = turnedOutBy(event)
      if (out) bus.publish(TURNED_OUT_TOPIC, out)
    }
  }

  const mayFollow = async (client: Client, followed: Followed): Promise<boolean> => {
    try {
      await requireReading(reader, client, followed)
      return true
    } catch (fault) {
      if (!(fault instanceof Problem)) {
        onFault(fault)
        // Whether it may is not known: it comes back, and is asked about anew.
        client.close('what it may follow could not be read')
      }
      return false
    }
  }

  bus.subscribe(FOLLOWED_TOPIC, (about) => hub.hint(...(about as [string, number])))
  bus.subscribe(TYPING_TOPIC, (about) => tellTyping(about as Typing))
  bus.subscribe(TURNED_OUT_TOPIC, (about) => turnOut(about as TurnedOut))
  bus.onMissed(() => void hub.catchUp(mayFollow).catch(onFault))

  return {
    doors: [sockets, bridge.door],
    bridge,
    hear: (events) => {
      hub.hear(events)
      bridge.hear(events)
      tellTurnedOut(events)
    },
    doubt: (events) => {
      const look = (): void => {
        hub.doubt(events)
        bridge.doubt(events)
        // Who was not is asked about, or comes back.
        tellTurnedOut(events)
      }
      setTimeout(look, IN_DOUBT_MS).unref()
    },
    get connections() {
      return sockets.size + bridge.door.size
    },
    get followings() {
      return hub.size
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([sockets[Symbol.asyncDispose](), bridge[Symbol.asyncDispose]()])
      await presence[Symbol.asyncDispose]()
    },
  }
}
