/** An agent at their desk: a published worker SDK, unmodified, connected by its own options, and all that it hears. */
import assert from 'node:assert/strict'
import type {
  Activity,
  OutgoingTransfer,
  Reservation,
  Supervisor,
  Worker,
  Workspace,
} from 'twilio-taskrouter'
import { mintAccessToken } from '../../../src/accounts/index.ts'
import type { World } from '../../world/index.ts'

export const SDKS = {
  '2.1.1': 'twilio-taskrouter',
  '0.8.5': 'twilio-taskrouter08',
  '0.5.11': 'twilio-taskrouter05',
} as const

export type SdkVersion = keyof typeof SDKS

/**
 * The SDK never takes back the timers of its token and of its heart: left alone, they would keep a test for as long as
 * the token lives.
 */
const LONG_MS = 20_000
for (const name of ['setTimeout', 'setInterval'] as const) {
  const set = globalThis[name] as typeof setTimeout
  const letGo = (...given: Parameters<typeof set>) => {
    const timer = set(...given)
    return (given[1] ?? 0) > LONG_MS ? timer.unref() : timer
  }
  Object.assign(globalThis, { [name]: Object.assign(letGo, set) })
}

/** Longer than a machine stalls, and less than a test may take: what is waited for is told. */
const PATIENCE_MS = 60_000

interface Sdk {
  readonly Worker: typeof Worker
  readonly Supervisor: typeof Supervisor
  readonly Workspace: typeof Workspace
}

export const sdk = async (version: SdkVersion): Promise<Sdk> => {
  const { default: it, ...named } = await import(SDKS[version])
  return it ?? named
}

export interface Credentials {
  readonly workspaceSid: string
  readonly workerSid?: string
  readonly identity?: string
  readonly role?: string
  readonly ttlSeconds?: number
}

/** A token as the published helper libraries make it, by the world's clock. */
export const tokenOf = (
  { account, clock }: Pick<World, 'account' | 'clock'>,
  { workspaceSid, workerSid, identity = 'agent', role, ttlSeconds = 3600 }: Credentials,
): string =>
  mintAccessToken({
    accountSid: account.sid,
    keySid: account.apiKeySid,
    secret: account.apiKeySecret,
    identity,
    ttlSeconds,
    now: clock.now(),
    grants: {
      task_router: {
        workspace_sid: workspaceSid,
        ...(workerSid && { worker_sid: workerSid }),
        ...(role && { role }),
      },
    },
  }).jwt

export const serversOf = (url: string) => ({
  ebServer: `${url}/v1/wschannels`,
  wsServer: `${url.replace(/^http/, 'ws')}/v1/wschannels`,
})

/** What is heard of one reservation, its task and its outgoing transfer. */
const RESERVATION = [
  'accepted',
  'canceled',
  'completed',
  'rejected',
  'rescinded',
  'timeout',
  'wrapup',
] as const
const TASK = ['canceled', 'completed', 'updated', 'wrapup'] as const
const TRANSFER = ['attemptFailed', 'canceled', 'completed', 'failed'] as const
const CHANNEL = ['availabilityUpdated', 'capacityUpdated'] as const

export class Agent {
  readonly worker: Supervisor
  /** In order: `ready`, `reservationCreated`, `reservation.accepted`, `task.updated`, `transfer.completed`. */
  readonly heard: string[] = []
  readonly reservations: Reservation[] = []
  readonly transfers: OutgoingTransfer[] = []
  readonly #ears = new Set<() => void>()

  constructor(worker: Supervisor) {
    this.worker = worker
    for (const name of [
      'activityUpdated',
      'attributesUpdated',
      'disconnected',
      'error',
      'reservationFailed',
      'tokenExpired',
      'tokenUpdated',
    ] as const)
      worker.on(name, () => this.#hear(name))
    worker.on('ready', () => {
      for (const channel of worker.channels.values())
        for (const name of CHANNEL) channel.on(name, () => this.#hear(`channel.${name}`))
      for (const it of worker.reservations.values()) this.#listenTo(it)
      this.#hear('ready')
    })
    worker.on('reservationCreated', (reservation) => {
      this.#listenTo(reservation)
      this.#hear('reservationCreated')
    })
  }

  /** The one reservation it was last told of. */
  get reservation(): Reservation {
    const it = this.reservations.at(-1)
    assert.ok(it, 'there is no reservation')
    return it
  }

  get transfer(): OutgoingTransfer {
    const it = this.transfers.at(-1)
    assert.ok(it, 'there is no transfer')
    return it
  }

  activity(name: string): Activity {
    const it = [...this.worker.activities.values()].find((one) => one.name === name)
    assert.ok(it, `there is no activity ${name}`)
    return it
  }

  count(what: string): number {
    return this.heard.filter((it) => it === what).length
  }

  /** Resolves when it has heard something so often. */
  async until(what: string, times = 1): Promise<void> {
    const holds = () => this.count(what) >= times
    await this.untilTrue(Object.assign(holds, { toString: () => `it hears ${what} (${times})` }))
  }

  untilTrue(holds: () => boolean): Promise<void> {
    // Made here, it says which line of the test waits.
    const late = new Error()
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!holds()) return
        clearTimeout(timer)
        this.#ears.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#ears.delete(look)
        late.message = `in ${PATIENCE_MS} ms it did not come true that ${holds}; heard: ${this.heard.join(', ')}`
        reject(late)
      }, PATIENCE_MS)
      this.#ears.add(look)
      look()
    })
  }

  forget(): void {
    this.heard.length = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.worker.disconnect()
    await this.until('disconnected')
  }

  #listenTo(reservation: Reservation): void {
    this.reservations.push(reservation)
    for (const name of RESERVATION) reservation.on(name, () => this.#hear(`reservation.${name}`))
    const { task } = reservation
    for (const name of TASK) task.on(name, () => this.#hear(`task.${name}`))
    task.on('transferInitiated', (transfer) => {
      this.transfers.push(transfer)
      for (const name of TRANSFER) transfer.on(name, () => this.#hear(`transfer.${name}`))
      this.#hear('task.transferInitiated')
    })
  }

  #hear(what: string): void {
    this.heard.push(what)
    for (const look of [...this.#ears]) look()
  }
}

/** Connects, and waits until the SDK says it is ready. */
export const sitDown = async (
  version: SdkVersion,
  token: string,
  url: string,
  options: object = {},
): Promise<Agent> => {
  const { Supervisor: SupervisorOf } = await sdk(version)
  const agent = new Agent(
    new SupervisorOf(token, { ...serversOf(url), logLevel: 'silent', ...options } as never),
  )
  await agent.until('ready')
  return agent
}
