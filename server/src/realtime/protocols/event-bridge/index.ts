/**
 * The event bridge, which the published worker SDK speaks: a socket on which it is told what happens, and requests over
 * HTTP for everything it asks. Here the two meet: who is connected, what each is told, and that an answer comes first.
 *
 * What one node commits the others hear over the bus, as frames; one that is too long for the bus goes without its
 * attributes, which are then read. Where notices were lost every socket is closed, and where a commit was not answered those
 * that it would have been told to: the SDK comes back and asks anew.
 */
import { createHash } from 'node:crypto'
import type { Event } from '@parley/contract/event.ts'
import { problem } from '@parley/contract/problem.ts'
import type { Logger } from 'pino'
import type { Bus } from '../../../bus/index.ts'
import type { Perform } from '../../../http/binding.ts'
import { beforeAnyChange, unlessAway } from '../../../store/away.ts'
import { find } from '../../../store/rows.ts'
import type { Store } from '../../../store/tx.ts'
import { isOver } from '../../../taskrouter/index.ts'
import type { Access, Bearer } from '../../access.ts'
import {
  type BridgeBounds,
  type BridgeLine,
  type BridgeSockets,
  openBridgeSockets,
  type Visit,
} from '../../event-bridge-socket.ts'
import { type Asker, askerOf } from './asker.ts'
import { openAttendance } from './attendance.ts'
import { type Beginning, beginningOf, inNotices } from './beginning.ts'
import { answerBridge, type Envelope, type Served } from './requests.ts'
import type { Shown } from './shown.ts'
import { Stream } from './stream.ts'
import { type Told, tellAll, tellChanged } from './told.ts'
import { forBus, fromBus } from './travel.ts'

/** How long after an answer has gone out its events follow, in milliseconds: it came another way than they do. */
const AFTER_ANSWER_MS = 50

/** How long after its reservations were sent an SDK is told of more: it is ready when it has read them. */
const AFTER_RESERVATIONS_MS = 120

/** No token lives longer than a day, in milliseconds. */
const REPLACED_KEPT_MS = 24 * 60 * 60 * 1000

const TOLD_TOPIC = 'event-bridge.told'
const REPLACED_TOPIC = 'event-bridge.replaced'
const CLOSED_TOPIC = 'event-bridge.closed'
const GIVEN_TOPIC = 'event-bridge.given'
const DOUBTED_TOPIC = 'event-bridge.doubted'

export interface EventBridgeOptions {
  readonly store: Store
  readonly bus: Bus
  readonly perform: Perform
  readonly access: Access
  /** No other process shares the database. */
  readonly alone: boolean
  readonly node: string
  readonly log: Logger
  readonly now: () => number
  readonly bounds?: Partial<BridgeBounds> | undefined
}

export interface BridgeAnswer {
  readonly payload: Shown
  /** The answer has gone out. Called once. */
  sent(): void
}

export interface EventBridge extends AsyncDisposable {
  readonly door: BridgeSockets
  /** What this process has committed. */
  hear(events: readonly Event[]): void
  /** What may have been committed: on every node whoever would be told of it comes back, and asks anew. */
  doubt(events: readonly Event[]): void
  /** @throws what is refused */
  answer(asker: Asker, envelope: Envelope, ifMatch: string | undefined): Promise<BridgeAnswer>
  /** @throws a Problem that says why the token is not believed here */
  ask(jwt: string): Promise<Asker>
  /** A socket of theirs is open here, and they have not read what they begin with. */
  isBeginning(asker: Asker): boolean
}

/** Whose sockets are to be closed: those of a worker, or of everybody in a workspace. */
type Closed = { readonly from: string } & (
  | { readonly workerSid: string; readonly replaced?: true }
  | { readonly workspaceSid: string }
)

/** For whom something is that may have happened. */
type Doubted = Pick<Told, 'workspaceSid' | 'workerSid' | 'about'>

/** What one node gave to an SDK that may have its socket at another. */
interface GivenElsewhere {
  readonly from: string
  readonly workerSid: string
  readonly token: string
  readonly session: string | undefined
  readonly beginning: Beginning
}

interface Link {
  readonly stream: Stream
  readonly token: string
  /** What its client calls it. */
  readonly session: string | undefined
  readonly line: BridgeLine
}

export const openEventBridge = (options: EventBridgeOptions): EventBridge => {
  const { store, bus, perform, access, alone, node, log, now } = options
  const { reader } = store
  const onFault = unlessAway((fault) => log.error({ fault }, 'the event bridge met a fault'))
  const house = { reader, store, perform }
  const attendance = openAttendance({ store, onFault })
  /** By worker, and of each in the order they came. */
  const links = new Map<string, Set<Link>>()
  const workspaces = new Map<string, Set<Link>>()
  /** Tokens of sessions that another one replaced, until they expire. */
  const replaced = new Map<string, number>()

  const ask = (jwt: string): Promise<Asker> =>
    beforeAnyChange(async () => askerOf(reader, await access.believe(jwt)))

  const linksOf = (workerSid: string | undefined): readonly Link[] => [
    ...((workerSid === undefined ? undefined : links.get(workerSid)) ?? []),
  ]

  const replace = (workerSid: string, except?: Link): void => {
    for (const link of linksOf(workerSid))
      if (link !== except) {
        replaced.set(link.token, now() + REPLACED_KEPT_MS)
        bus.publish(REPLACED_TOPIC, { from: node, token: link.token })
        link.line.replace()
      }
  }

  const enroll = (link: Link): Link => {
    const { workerSid, workspaceSid } = link.stream
    links.set(workerSid, (links.get(workerSid) ?? new Set()).add(link))
    workspaces.set(workspaceSid, (workspaces.get(workspaceSid) ?? new Set()).add(link))
    return link
  }

  /** @param isKnown there is such a worker; who claims to be another is told nothing */
  const enter = (
    asker: Asker & { workerSid: string },
    token: string,
    query: URLSearchParams,
    isKnown: boolean,
  ) => {
    const { workerSid, workspaceSid, accountSid } = asker
    const isAttended = query.get('setWorkerOfflineIfDisconnected') !== 'false'
    const session = query.get('session') ?? undefined
    let link: Link | undefined
    let bearer: Bearer | undefined
    const opened = (line: BridgeLine): void => {
      bearer = { token: asker.token, close: (why) => line.close(why) }
      access.entered(bearer)
      if (isKnown)
        link = enroll({ stream: new Stream({ workerSid, workspaceSid }, line), token, session, line })
      if (isKnown && isAttended) attendance.arrived(workerSid)
      // Whoever was replaced comes back by itself, and would replace in turn.
      if (isKnown && query.get('closeExistingSessions') === 'true' && !isReplaced(token)) {
        replace(workerSid, link)
        if (!alone) bus.publish(CLOSED_TOPIC, { from: node, workerSid, replaced: true } satisfies Closed)
      }
      const payload = {
        channel_id: workerSid,
        account_sid: accountSid,
        workspace_sid: workspaceSid,
        token_lifetime: Math.max(0, asker.token.expiresAt - now()),
      }
      line.send(JSON.stringify({ event_type: 'init', payload }))
    }
    const closed = (): void => {
      if (bearer) access.left(bearer)
      if (!link) return
      dropFrom(links, workerSid, link)
      dropFrom(workspaces, workspaceSid, link)
      if (isAttended) attendance.left(workerSid)
    }
    const isBeginning = (): boolean => link?.stream.isStarting ?? false
    return { expiresAt: asker.token.expiresAt, isBeginning, opened, closed } satisfies Visit
  }

  const isReplaced = (token: string): boolean => {
    for (const [known, until] of replaced) if (until <= now()) replaced.delete(known)
    return replaced.has(token)
  }

  const door = openBridgeSockets({
    log,
    now,
    bounds: options.bounds,
    arrive: async (query) => {
      const jwt = query.get('token') ?? ''
      const asker = await ask(jwt)
      const { workerSid } = asker
      if (workerSid === undefined) throw problem('token_grants', { reason: 'it names no worker' })
      const { accountSid, workspaceSid } = asker
      const own = { sid: workerSid, workspace_sid: workspaceSid, account_sid: accountSid }
      const isKnown = (await find(reader, 'workers', own)) !== undefined
      return enter({ ...asker, workerSid }, digestOf(jwt), query, isKnown)
    },
  })

  const linksFor = (told: Doubted): readonly Link[] =>
    told.workerSid === undefined
      ? [...(workspaces.get(told.workspaceSid) ?? [])].filter(({ stream }) => stream.concerns(told))
      : linksOf(told.workerSid)

  const streamsFor = (told: Told): Stream[] => linksFor(told).map((it) => it.stream)

  const comeBack = (those: Iterable<Link>): void => {
    for (const { line } of those) line.close('events may have been missed')
  }

  const deliver = (told: Told): void => {
    const frameOf = onceEncoded()
    for (const stream of streamsFor(told)) stream.tell(told, frameOf)
  }

  /** What other nodes committed is told in the order in which it was heard of, reading or not. */
  let hearing: Promise<void> = Promise.resolve()
  const hearOther = (about: unknown): void => {
    const { from } = about as { from: string }
    if (from === node || workspaces.size === 0) return
    hearing = hearing
      .then(async () => {
        const told = await fromBus(reader, about)
        // The answer to whoever asked for this may go out from another node.
        if (told.isAsked) for (const stream of streamsFor(told)) setTimeout(stream.pause(), AFTER_ANSWER_MS)
        deliver(told)
        if (streamsFor(told).length > 0) await deliverTaskOf(told)
      })
      .catch((fault) => {
        onFault(fault)
        comeBack(linksFor((about as { told: Doubted }).told))
      })
  }

  /**
   * Until its reservation was heard of nobody knew the task: what was done to it meanwhile may have been said before. Its
   * end and its wrap-up are still to be said, by their own names: with them this reservation went on, or ended.
   */
  const deliverTaskOf = async ({ about, isAsked }: Told): Promise<void> => {
    if (about.kind !== 'reservation' || about.now !== 'begins') return
    const task = await find(reader, 'tasks', { sid: about.taskSid })
    if (!task || task.version <= about.taskVersion) return
    if (isOver(task) || task.assignment_status === 'wrapping') return
    deliver(tellChanged(task, reader.now(), isAsked))
  }

  const close = (it: Closed): void => {
    if ('workspaceSid' in it)
      for (const { line } of [...(workspaces.get(it.workspaceSid) ?? [])])
        line.close('the workspace was removed')
    else if (it.replaced) replace(it.workerSid)
    else for (const { line } of linksOf(it.workerSid)) line.close('the worker was removed')
  }

  const closeFor = (events: readonly Event[]): void => {
    for (const event of events) {
      const closed = closedBy(event, node)
      if (!closed) continue
      close(closed)
      if (!alone) bus.publish(CLOSED_TOPIC, closed)
    }
  }

  /** In its turn among what is told: what was told before is judged by it. */
  const hearGiven = (about: unknown): void => {
    const { from, workerSid, token, session, beginning } = about as GivenElsewhere
    if (from === node || !links.has(workerSid)) return
    hearing = hearing
      .then(() => {
        const stream = startingOf(workerSid, token, session)
        if (stream) give(stream, beginning)()
      })
      .catch(onFault)
  }

  if (!alone) {
    bus.subscribe(TOLD_TOPIC, hearOther)
    bus.subscribe(GIVEN_TOPIC, hearGiven)
    bus.subscribe(REPLACED_TOPIC, (about) => {
      replaced.set((about as { token: string }).token, now() + REPLACED_KEPT_MS)
    })
    bus.subscribe(CLOSED_TOPIC, (about) => {
      if ((about as Closed).from !== node) close(about as Closed)
    })
    bus.subscribe(DOUBTED_TOPIC, (about) => comeBack(linksFor(about as Doubted)))
    bus.onMissed(() => {
      for (const those of [...links.values()]) comeBack(those)
    })
  }

  /**
   * Of the sockets that have not begun, the one that asks: by its name, or its token, or else, where there is no other
   * node, the one that the SDK has most likely opened. A request under way when its socket broke says nothing of the next.
   */
  const startingOf = (
    workerSid: string | undefined,
    token: string,
    session: string | undefined,
  ): Stream | undefined => {
    const starting = linksOf(workerSid).filter((it) => it.stream.isStarting && it.session === session)
    const isSure = alone || session !== undefined
    return (starting.find((it) => it.token === token) ?? (isSure ? starting[0] : undefined))?.stream
  }

  /** @returns what is to be called when the answer has gone out */
  const give = (stream: Stream, beginning: Beginning): (() => void) => {
    if (beginning.kind === 'worker') {
      stream.gaveWorker(beginning.version)
      return () => {}
    }
    const goOn = stream.pause()
    stream.gaveReservations(beginning.given, { isLast: beginning.isLast, frameOf: encode })
    return () => setTimeout(goOn, AFTER_RESERVATIONS_MS)
  }

  /** @returns what is to be called when the answer has gone out */
  const noteServed = (
    { workerSid }: Asker,
    { token: jwt, session }: Envelope,
    served: Served | undefined,
  ): (() => void) => {
    if (!served || workerSid === undefined) return () => {}
    const beginning = beginningOf(served)
    const token = digestOf(jwt)
    const stream = startingOf(workerSid, token, session)
    if (stream) return give(stream, beginning)
    if (alone) return () => {}
    const whose = { from: node, workerSid, token, session }
    return () => {
      for (const piece of inNotices(beginning))
        bus.publish(GIVEN_TOPIC, { ...whose, beginning: piece } satisfies GivenElsewhere)
    }
  }

  return {
    door,
    ask,
    isBeginning: ({ workerSid }) => linksOf(workerSid).some(({ stream }) => stream.isStarting),
    hear: (events) => {
      if (alone && workspaces.size === 0) return
      for (const told of tellAll(events)) {
        deliver(told)
        if (!alone) bus.publish(TOLD_TOPIC, { from: node, ...forBus(told) })
      }
      closeFor(events)
    },
    doubt: (events) => {
      for (const { workspaceSid, workerSid, about } of tellAll(events))
        bus.publish(DOUBTED_TOPIC, { workspaceSid, workerSid, about } satisfies Doubted)
      closeFor(events)
    },
    answer: async (asker, envelope, ifMatch) => {
      const paused =
        envelope.method === 'POST' ? linksOf(asker.workerSid).map(({ stream }) => stream.pause()) : []
      const goOn = (): void => {
        for (const it of paused) it()
      }
      try {
        const { payload, served } = await answerBridge(house, asker, envelope, ifMatch)
        const noted = noteServed(asker, envelope, served)
        return {
          payload,
          sent: () => {
            noted()
            if (paused.length > 0) setTimeout(goOn, AFTER_ANSWER_MS)
          },
        }
      } catch (fault) {
        goOn()
        throw fault
      }
    },
    [Symbol.asyncDispose]: async () => {
      // First: who is cut off by our own end comes back, and keeps the lease they have.
      await attendance[Symbol.asyncDispose]()
      await door[Symbol.asyncDispose]()
      await hearing
    },
  }
}

const closedBy = (event: Event, from: string): Closed | undefined => {
  if (event.name === 'worker.deleted') return { from, workerSid: event.worker.sid }
  return event.name === 'workspace.deleted' ? { from, workspaceSid: event.workspace.sid } : undefined
}

/** So that no token is kept where it need not be. */
const digestOf = (jwt: string): string => createHash('sha256').update(jwt).digest('hex')

const dropFrom = <T>(those: Map<string, Set<T>>, key: string, it: T): void => {
  const set = those.get(key)
  set?.delete(it)
  if (set?.size === 0) those.delete(key)
}

const encode = ({ type, payload }: Told): string => JSON.stringify({ event_type: type, payload })

/** Encodes once for everybody who hears it. */
const onceEncoded = (): ((told: Told) => string) => {
  let frame: string | undefined
  return (told) => {
    frame ??= encode(told)
    return frame
  }
}
