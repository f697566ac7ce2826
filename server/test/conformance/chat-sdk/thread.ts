/**
 * A thread with a published SDK in it, untouched, as Node runs it. In a thread of its own because the SDKs leave
 * promises unhandled when a connection drops, which is theirs to do and must not end the tests.
 */
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { type Beside, openBeside, refusalOf } from './beside.ts'
import type { Vocabulary } from './sdks.ts'
import type { Refusal } from './seen.ts'

export interface ThreadData {
  readonly package: string
  readonly vocabulary: Vocabulary
  readonly houseUrl: string
}

export type ToThread = { readonly id: number; readonly verb: keyof Beside; readonly args: unknown[] }

export type FromThread =
  | { readonly heard: Parameters<Parameters<typeof openBeside>[2]>[0] }
  | { readonly unhandled: string }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly refusal: Refusal }

const { package: name, vocabulary, houseUrl } = workerData as ThreadData

const say = (it: FromThread): void => parentPort?.postMessage(it)

/**
 * Where the SDKs before 5 look for files, whatever the server says. Here it is the house, as it would be where its name
 * is resolved to one's own address and answered with a certificate that the machine trusts.
 */
const FILES_HOST = 'mcs.us1.twilio.com'

const outside = https.request
const rerouted = (options: https.RequestOptions, ...rest: never[]): http.ClientRequest => {
  if (options.host !== FILES_HOST) return outside(options, ...rest)
  const { hostname, port } = new URL(houseUrl)
  return http.request({ ...options, host: hostname, port }, ...rest)
}
https.request = rerouted as typeof https.request

process.on('unhandledRejection', (fault) => say({ unhandled: String(fault) }))

const published = createRequire(import.meta.url)(name)
const beside = openBeside(published, vocabulary, (heard) => say({ heard }))

parentPort?.on('message', async ({ id, verb, args }: ToThread) => {
  try {
    const method = beside[verb] as (...args: unknown[]) => unknown
    say({ id, answer: await method(...args) })
  } catch (fault) {
    say({ id, refusal: refusalOf(fault) })
  }
})
