/** People whose SDK runs in Node. */
import { Worker } from 'node:worker_threads'
import { Ears, type Line, type Person, personOn, Refused } from './person.ts'
import type { Sdk } from './sdks.ts'
import type { FromThread, ThreadData, ToThread } from './thread.ts'

export interface Arrival {
  readonly identity: string
  readonly token: string
  /** Where they reach the house. */
  readonly url: string
}

export const comeInNode = async (
  sdk: Sdk,
  houseUrl: string,
  { identity, token, url }: Arrival,
): Promise<Person> => {
  const workerData: ThreadData = { package: sdk.name, vocabulary: sdk.vocabulary, houseUrl }
  const thread = new Worker(new URL('thread.ts', import.meta.url), { workerData })
  const ears = new Ears()
  const unhandled: string[] = []
  const asking = new Map<number, { resolve(it: unknown): void; reject(it: Error): void }>()
  let asked = 0
  const settle = (id: number) => {
    const it = asking.get(id)
    asking.delete(id)
    return it
  }
  thread.on('message', (said: FromThread) => {
    if ('heard' in said) ears.hear(said.heard)
    else if ('unhandled' in said) unhandled.push(said.unhandled)
    else if ('answer' in said) settle(said.id)?.resolve(said.answer)
    else settle(said.id)?.reject(new Refused(said.refusal))
  })
  thread.on('error', (fault) => {
    for (const id of asking.keys()) settle(id)?.reject(fault as Error)
    unhandled.push(String(fault))
  })
  const ask = (verb: ToThread['verb'], args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      asking.set(++asked, { resolve, reject })
      thread.postMessage({ id: asked, verb, args } satisfies ToThread)
    })
  const line: Line = {
    ask: ask as Line['ask'],
    unhandled,
    hangUp: async () => void (await thread.terminate()),
  }
  await line.ask('open', [token, optionsFor(url)])
  return personOn(identity, line, ears)
}

/** All that an app changes: the address. */
export const optionsFor = (url: string) => ({
  Twilsock: { uri: `${url.replace('http', 'ws')}/v3/wsconnect` },
  logLevel: 'silent',
})
