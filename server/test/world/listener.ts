/** An integrator's back end, as tests need it: hears webhooks, answers as told, and can be waited for. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { parse } from 'node:querystring'

export interface Heard {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The form of a POST, or the query of a GET. */
  readonly form: Readonly<Record<string, string>>
  readonly at: number
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Never answers; the connection stays open. */
  readonly hang?: boolean
}

export type Answering = (heard: Heard) => Reply | Promise<Reply>

export interface Listener {
  readonly origin: string
  url(path: string): string
  readonly heard: readonly Heard[]
  /** Those that came to a path, its query aside. */
  at(path: string): Heard[]
  /** How a path (its query aside) is answered from now on; 200 and nothing unless told. */
  answer(path: string, answering: Answering): void
  /** Waits until as many have come to the path. */
  until(path: string, count: number, timeoutMs?: number): Promise<Heard[]>
  forget(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** Longer than a machine stalls. */
const PATIENCE_MS = 60_000

const bare = (path: string): string => path.split('?')[0] ?? path

export const openListener = async (): Promise<Listener> => {
  const heard: Heard[] = []
  const answers = new Map<string, Answering>()
  const waiting = new Set<() => void>()
  let origin = ''
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const path = request.url ?? '/'
    const method = request.method ?? 'GET'
    const one: Heard = {
      method,
      path,
      url: origin + path,
      headers: request.headers,
      body,
      form: parse(method === 'GET' ? (path.split('?')[1] ?? '') : body) as Record<string, string>,
      at: performance.now(),
    }
    heard.push(one)
    for (const check of waiting) check()
    const {
      status = 200,
      headers = {},
      body: answer = '',
      hang,
    } = (await answers.get(bare(path))?.(one)) ?? {}
    if (hang) return
    response.writeHead(status, headers).end(answer)
  })
  // An idle connection that is closed here when it is used there would be a fault of the network's.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const at = (path: string) => heard.filter((it) => bare(it.path) === path)
  return {
    origin,
    url: (path) => origin + path,
    heard,
    at,
    answer: (path, answering) => void answers.set(path, answering),
    until: (path, count, timeoutMs = PATIENCE_MS) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(check)
          reject(new Error(`${at(path).length} of ${count} webhooks came to ${path} in ${timeoutMs} ms`))
        }, timeoutMs)
        const check = () => {
          if (at(path).length < count) return
          clearTimeout(late)
          waiting.delete(check)
          resolve(at(path))
        }
        waiting.add(check)
        check()
      }),
    forget: () => void heard.splice(0),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
