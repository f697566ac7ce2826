/**
 * A worker with the published SDK, in a thread of their own: it keeps timers for as long as its token lives. What it
 * hears is told as plain data.
 */
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { Reservation, Worker } from 'twilio-taskrouter'

export interface WorkerSdkHeard {
  readonly event: string
  readonly taskSid?: string
  readonly attributes?: unknown
}

export interface WorkerSdkAsked {
  readonly id: number
  readonly what: 'accept' | 'reject' | 'wrap' | 'complete' | 'transfer'
  readonly taskSid: string
  readonly to?: string | undefined
}

const require = createRequire(import.meta.url)
const { Worker: Sdk } = require('twilio-taskrouter') as { Worker: typeof Worker }

process.on('unhandledRejection', () => {})

const { token, url } = workerData as { token: string; url: string }
const worker = new Sdk(token, {
  ebServer: `${url}/v1/wschannels`,
  wsServer: `${url.replace('http', 'ws')}/v1/wschannels`,
  logLevel: 'silent',
} as never)

const tell = (it: object): void => parentPort?.postMessage(it)

const RESERVATION = [
  'accepted',
  'canceled',
  'completed',
  'rejected',
  'rescinded',
  'timeout',
  'wrapup',
] as const

const reservations = new Map<string, Reservation>()

const listenTo = (reservation: Reservation): void => {
  const { task } = reservation
  reservations.set(task.sid, reservation)
  for (const name of RESERVATION)
    reservation.on(name, () => tell({ event: `reservation.${name}`, taskSid: task.sid }))
  task.on('updated', () => tell({ event: 'task.updated', taskSid: task.sid, attributes: task.attributes }))
}

worker.on('error', () => {})
worker.on('ready', () => {
  for (const it of worker.reservations.values()) listenTo(it)
  tell({ event: 'ready' })
})
worker.on('activityUpdated', () => tell({ event: 'activityUpdated' }))
worker.on('reservationCreated', (reservation: Reservation) => {
  listenTo(reservation)
  tell({ event: 'reservationCreated', taskSid: reservation.task.sid })
})

parentPort?.on('message', async ({ id, what, taskSid, to }: WorkerSdkAsked) => {
  const reservation = reservations.get(taskSid)
  try {
    if (what === 'transfer') await reservation?.task.transfer(to ?? '', {})
    else await reservation?.[what]()
    tell({ id })
  } catch (fault) {
    tell({ id, fault: String(fault) })
  }
})
