/**
 * A house, open and live, with a small centre in it, a network to it that can be cut, and workers who come with our own
 * client or with the published SDK.
 */
import { Worker as Thread } from 'node:worker_threads'
import twilio from 'twilio'
import { type Proxy as Network, openProxy } from '../../server/test/realtime/proxy.ts'
import { mustAgree } from '../../server/test/taskrouter/agreement.ts'
import { type Centre, openCentre } from '../../server/test/taskrouter/centre.ts'
import { openWorld, type World, type WorldOptions } from '../../server/test/world/index.ts'
import { type Reservation, WorkerClient, type WorkerClientOptions, type WorkerEvents } from '../src/index.ts'
import { nextAmong, PATIENCE_MS } from './next.ts'
import type { WorkerSdkAsked, WorkerSdkHeard } from './worker-sdk-thread.ts'

export interface WorkerTokenAsked {
  readonly ttl?: number
  readonly workspace?: string
  readonly role?: string
}

export interface WorkerStage extends AsyncDisposable {
  readonly world: World
  readonly centre: Centre
  readonly workspaceSid: string
  readonly network: Network
  /** Where clients find the house: through the network that can be cut. */
  readonly url: string
  token(workerSid: string | undefined, asked?: WorkerTokenAsked): string
  /** Our own client for a worker, connected. */
  come(workerSid: string, options?: Partial<WorkerClientOptions>): Promise<WorkerClient>
  /** Makes a worker, who is available, and lets them come. */
  hire(name: string, options?: Partial<WorkerClientOptions>): Promise<WorkerClient>
  /** Makes a task for a worker, which they accept. */
  give(worker: WorkerClient, options?: object): Promise<Reservation>
  /** The published SDK, ready. */
  comeWithSdk(workerSid: string): Promise<WorkerSdkPerson>
}

export const openWorkerStage = async (options: WorldOptions = {}): Promise<WorkerStage> => {
  const open = new AsyncDisposableStack()
  const world = open.use(await openWorld({ live: true, ...options }))
  open.defer(async () => {
    // What a job commits between two of the questions would not agree with itself.
    await world.house.runner.settle()
    await mustAgree(world.house.store.reader)
  })
  const network = open.use(await openProxy(Number(new URL(world.url).port)))
  const url = `http://127.0.0.1:${network.port}`
  const centre = await openCentre(world)
  const workspaceSid = (await centre.workspace.fetch()).sid
  const token: WorkerStage['token'] = (workerSid, { ttl = 3600, workspace = workspaceSid, role } = {}) => {
    const { AccessToken } = twilio.jwt
    const { sid, apiKeySid, apiKeySecret } = world.account
    const it = new AccessToken(sid, apiKeySid, apiKeySecret, { identity: 'agent', ttl })
    const grant = { workspaceSid: workspace, ...(workerSid && { workerSid }), ...(role && { role }) }
    it.addGrant(new AccessToken.TaskRouterGrant(grant))
    return it.toJwt()
  }
  const come: WorkerStage['come'] = async (workerSid, own = {}) => {
    const client = new WorkerClient({ url, getToken: () => token(workerSid), ...own })
    open.defer(() => client.close())
    await client.connect()
    return client
  }
  return {
    world,
    centre,
    workspaceSid,
    network,
    url,
    token,
    come,
    hire: async (name, own) => come(await centre.worker(name), own),
    give: async (client, more = {}) => {
      const offered = nextOf(client, 'reservationCreated')
      await centre.task({ routingTarget: client.worker.sid, ...more })
      return (await offered).accept()
    },
    comeWithSdk: async (workerSid) => {
      const person = open.use(openSdk(token(workerSid), url))
      await person.next('ready')
      return person
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** The next event of a worker's client. */
export const nextOf = nextAmong<WorkerEvents>()

const TOLD = [
  'activityUpdated',
  'attributesUpdated',
  'availabilityUpdated',
  'capacityUpdated',
  'reservationAccepted',
  'reservationCanceled',
  'reservationCompleted',
  'reservationCreated',
  'reservationRejected',
  'reservationRescinded',
  'reservationTimedOut',
  'reservationWrapUp',
  'taskCanceled',
  'taskCompleted',
  'taskUpdated',
  'taskWrapUp',
  'transferAttemptFailed',
  'transferCanceled',
  'transferCompleted',
  'transferFailed',
  'transferInitiated',
] as const satisfies (keyof WorkerEvents)[]

/** The names of everything that a client tells from now on, in order. */
export const listenToAll = (client: WorkerClient): string[] => {
  const told: string[] = []
  for (const name of TOLD) client.on(name, () => void told.push(name))
  return told
}

/** Somebody with the published SDK. */
export interface WorkerSdkPerson extends AsyncDisposable {
  readonly heard: readonly WorkerSdkHeard[]
  /** The first thing heard of a name, from now on or before, for which `fits` holds. */
  next(event: string, fits?: (it: WorkerSdkHeard) => boolean): Promise<WorkerSdkHeard>
  /** Of the reservation of a task. */
  ask(what: WorkerSdkAsked['what'], taskSid: string, to?: string): Promise<void>
}

const openSdk = (token: string, url: string): WorkerSdkPerson => {
  const thread = new Thread(new URL('worker-sdk-thread.ts', import.meta.url), { workerData: { token, url } })
  const heard: WorkerSdkHeard[] = []
  const waiting = new Set<() => void>()
  const answers = new Map<number, (fault?: string) => void>()
  thread.on('message', (told: WorkerSdkHeard | { id: number; fault?: string }) => {
    if ('id' in told) answers.get(told.id)?.(told.fault)
    else heard.push(told)
    for (const check of waiting) check()
  })
  return {
    heard,
    next: (event, fits = () => true) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(new Error(`the SDK's ${event} did not come in ${PATIENCE_MS} ms`))
        }, PATIENCE_MS)
        const check = () => {
          const found = heard.find((it) => it.event === event && fits(it))
          if (!found) return
          clearTimeout(late)
          waiting.delete(check)
          resolve(found)
        }
        waiting.add(check)
        check()
      }),
    ask: (what, taskSid, to) =>
      new Promise((resolve, reject) => {
        const id = answers.size
        answers.set(id, (fault) => (fault === undefined ? resolve() : reject(new Error(fault))))
        thread.postMessage({ id, what, taskSid, to } satisfies WorkerSdkAsked & { to: string | undefined })
      }),
    [Symbol.asyncDispose]: async () => void (await thread.terminate()),
  }
}
