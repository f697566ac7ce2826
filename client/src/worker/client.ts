import { Emitter } from '../emitter.ts'
import type { ConnectionState, WebSocketClass } from '../line.ts'
import { Bridge, type BridgeReader, type Data, everyPage } from './bridge.ts'
import type { Core } from './core.ts'
import { Desk, type Reading } from './desk.ts'
import { WorkerError } from './error.ts'
import type { WorkerEvents } from './events.ts'
import type { Reservation } from './reservation.ts'
import type { Activity, Worker, WorkerChannel } from './worker.ts'

/** An event follows its answer at once; one that does not was lost, and everything is read anew. */
const EVENT_TIMEOUT_MS = 10_000

export interface WorkerClientOptions {
  /** Where the server is: `https://chat.example.org`. */
  readonly url: string
  /**
   * Brings an access token with a TaskRouter grant, minted anew: asked at first, before one ends, and when one is
   * refused. What it throws counts as trouble of the network, and it is asked again later.
   */
  readonly getToken: () => Promise<string> | string
  /** Ends the worker's other sessions as this one begins. False unless said. */
  readonly closeExistingSessions?: boolean
  /** Puts the worker offline a minute after their last session has gone. True unless said. */
  readonly setWorkerOfflineIfDisconnected?: boolean
  /** Browsers and Node 22 have one of their own. */
  readonly WebSocket?: WebSocketClass
}

/** Somebody to whom a task can be given. */
export interface Colleague {
  readonly sid: string
  readonly friendlyName: string
  readonly activityName: string
  readonly available: boolean
}

/** What waits to be heard after it was answered. */
interface Waiter {
  readonly isHeard: () => boolean
  readonly settle: () => void
  readonly reject: (error: WorkerError) => void
}

/**
 * A worker's day, over one connection that lasts: what they do, what is offered to them, what they have in hand. Workers,
 * reservations, tasks and transfers are snapshots that never change; what changes is told by events. Everything asked
 * resolves once its event was told, and rejects with a `WorkerError`, which says what to do.
 *
 * ```ts
 * const client = new WorkerClient({ url: 'https://chat.example.org', getToken: () => fetch('/token').then((it) => it.text()) })
 * client.on('reservationCreated', (reservation) => reservation.accept())
 * await client.connect()
 * ```
 */
export class WorkerClient {
  readonly #bridge: Bridge
  readonly #events = new Emitter<WorkerEvents>()
  readonly #desk: Desk
  readonly #waiters = new Set<Waiter>()

  constructor({
    url,
    getToken,
    closeExistingSessions = false,
    setWorkerOfflineIfDisconnected = true,
    WebSocket = globalThis.WebSocket,
  }: WorkerClientOptions) {
    this.#bridge = new Bridge({
      url,
      getToken,
      closeExistingSessions,
      setWorkerOfflineIfDisconnected,
      WebSocket,
      read: (reader) => this.#read(reader),
      heard: (type, data) => {
        this.#desk.hear(type, data)
        this.#check()
      },
      stateChanged: (state, error) => this.#events.emit('stateChanged', state, error),
      failed: (error) => this.#events.emit('error', error),
      over: (error) => {
        for (const { reject } of this.#waiters) reject(error)
      },
    })
    const bridge = this.#bridge
    const core: Core = {
      events: this.#events,
      get desk(): Desk {
        return desk
      },
      get own(): string {
        return bridge.own
      },
      change: (path, params, isHeard) => this.#change(path, params, isHeard),
    }
    const desk = new Desk(core)
    this.#desk = desk
  }

  /** `disconnected` before `connect()` and after `close()`. */
  get state(): ConnectionState {
    return this.#bridge.state
  }

  /** Who this is, as of now. @throws WorkerError `closed` before the first connection */
  get worker(): Worker {
    if (!this.#desk.worker) throw new WorkerError('closed', 'The client is not connected')
    return this.#desk.worker
  }

  /** What workers can be doing. */
  get activities(): readonly Activity[] {
    return this.#desk.activities
  }

  /** What this worker takes of each task channel, as of now. */
  get channels(): readonly WorkerChannel[] {
    return [...this.#desk.channels.values()]
  }

  /** What is offered to this worker, and what they have in hand, as of now. */
  get reservations(): readonly Reservation[] {
    return [...this.#desk.reservations.values()]
  }

  /** Listens. @returns what ends the listening */
  on<Name extends keyof WorkerEvents>(
    name: Name,
    listener: (...args: WorkerEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener)
  }

  /**
   * Connects, and stays so: a connection that breaks is made again, later each time, and what has changed meanwhile is
   * told before the state is `connected` again. Resolves once `worker`, `activities`, `channels` and `reservations` are
   * known; while the network fails it goes on trying.
   * @throws WorkerError `token` or `forbidden` where a fresh token is refused, `missing` for a worker who is gone,
   * `invalid` for a `url` that is none; `connect()` may be called again
   */
  connect(): Promise<void> {
    return this.#bridge.connect()
  }

  /** Ends it for good, and leaves no timer. What still waits for an answer rejects with `closed`. */
  close(): Promise<void> {
    return this.#bridge.close()
  }

  /** The workers of the workspace: those who are available, where asked so. */
  async getWorkers(asked: { readonly available?: boolean } = {}): Promise<readonly Colleague[]> {
    const { available } = asked
    const found = await this.#list('Workers', available === undefined ? {} : { Available: `${available}` })
    return found.map((it) =>
      Object.freeze({
        sid: it.sid,
        friendlyName: it.friendly_name,
        activityName: it.activity_name,
        available: it.available,
      }),
    )
  }

  /** The task queues of the workspace. */
  async getTaskQueues(): Promise<readonly { readonly sid: string; readonly friendlyName: string }[]> {
    const found = await this.#list('TaskQueues', {})
    return found.map((it) => Object.freeze({ sid: it.sid, friendlyName: it.friendly_name }))
  }

  /**
   * Makes a task for this worker; it comes as `reservationCreated`.
   * @returns its SID
   */
  async createTask(task: {
    /** Needed where the workspace has several. */
    readonly workflowSid?: string
    readonly attributes?: object
    /** A SID or a unique name; `default` unless said. */
    readonly taskChannel?: string
    readonly taskQueueSid?: string
  }): Promise<string> {
    const { workflowSid, attributes = {}, taskChannel, taskQueueSid } = task
    const made = await this.#bridge.ask('POST', 'Tasks', {
      ...(workflowSid !== undefined && { WorkflowSid: workflowSid }),
      RoutingTarget: this.worker.sid,
      Attributes: JSON.stringify(attributes),
      ...(taskChannel !== undefined && { TaskChannelUniqueName: taskChannel }),
      ...(taskQueueSid !== undefined && { TaskQueueSid: taskQueueSid }),
    })
    return made.sid
  }

  #list(path: string, params: object): Promise<Data[]> {
    return everyPage((after) => this.#bridge.ask('GET', path, { ...params, ...after }))
  }

  /** The worker first: the server judges by it what it has to tell of the channels. */
  async #read(reader: BridgeReader): Promise<() => void> {
    const { own } = this.#bridge
    const waiters = [...this.#waiters]
    const worker = await reader.get(own)
    const [activities, channels, reservations] = await Promise.all([
      reader.list('Activities'),
      reader.list(`${own}/WorkerChannels`),
      reader.list(`${own}/Reservations`, { Active: 'true' }),
    ])
    const reading = {
      worker,
      activities,
      channels,
      reservations,
      ...(await this.#missing(reader, reservations)),
    }
    return () => {
      this.#desk.read(reading)
      this.#check()
      // What was answered before it was read is in it, or is over.
      for (const { settle } of waiters) settle()
    }
  }

  /** What became of the reservations and transfers that were there, and are not among these. */
  async #missing(
    reader: BridgeReader,
    reservations: readonly Data[],
  ): Promise<Pick<Reading, 'ended' | 'gone' | 'transfers'>> {
    const { own } = this.#bridge
    const there = new Set(reservations.flatMap((it) => [it.sid, it.active_outgoing_task_transfer?.sid]))
    const missing = [...this.#desk.reservations.keys()].filter((sid) => !there.has(sid))
    const gone: string[] = []
    const look = async (path: string, orElse: () => void): Promise<Data[]> => {
      try {
        return [await reader.get(path)]
      } catch (fault) {
        if ((fault as WorkerError).kind !== 'missing') throw fault
        orElse()
        return []
      }
    }
    const ended = await Promise.all(
      missing.map((sid) => look(`${own}/Reservations/${sid}`, () => gone.push(sid))),
    )
    const transfers = await Promise.all(
      this.#desk.underWay
        .filter(({ sid }) => !there.has(sid))
        .map(({ sid }) => look(`${own}/Transfers/${sid}`, () => {})),
    )
    return { ended: ended.flat(), gone, transfers: transfers.flat() }
  }

  async #change(path: string, params: object, isHeard: (answer: Data) => boolean): Promise<Data> {
    const answer = await this.#bridge.ask('POST', path, params)
    if (isHeard(answer)) return answer
    return new Promise((resolve, reject) => {
      const done = (then: () => void) => {
        clearTimeout(timer)
        this.#waiters.delete(it)
        then()
      }
      const it: Waiter = {
        isHeard: () => isHeard(answer),
        settle: () => done(() => resolve(answer)),
        reject: (error) => done(() => reject(error)),
      }
      const timer = setTimeout(() => {
        if (this.state === 'connected') this.#bridge.refresh()
      }, EVENT_TIMEOUT_MS)
      this.#waiters.add(it)
    })
  }

  #check(): void {
    for (const { isHeard, settle } of this.#waiters) if (isHeard()) settle()
  }
}
