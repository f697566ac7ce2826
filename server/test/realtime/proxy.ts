/** The network between a client and the house, or the house and its database, to be cut. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** How many connections go through it now. */
  readonly size: number
  /** How many it has refused. */
  readonly refused: number
  /** Cuts those of them that `chosen` picks, both ways, without a word. */
  cut(chosen?: (place: number) => boolean): void
  /** Whoever comes while it keeps silent is let in and never hears anything. */
  keepSilent(isSilent: boolean): void
  /** While refused, nobody gets through. */
  refuse(isRefused: boolean): void
  /** The next transaction of PostgreSQL's in which the words are said is committed, and its connection cut before it is told so. */
  loseCommitOf(words: string): void
  [Symbol.asyncDispose](): Promise<void>
}

export const openProxy = async (targetPort: number): Promise<Proxy> => {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isRefused = false
  let refused = 0
  let isSilent = false
  let lost: string | undefined
  const server = createServer((near) => {
    if (isRefused) {
      refused += 1
      near.destroy()
      return
    }
    const far = connect(targetPort, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
    let isLost = false
    near.on('data', (said) => {
      isLost ||= lost !== undefined && said.includes(lost)
      if (!isLost || !said.includes('commit\0')) return
      lost = undefined
      far.unpipe(near).once('data', end).resume()
    })
    near.pipe(far)
    if (!isSilent) far.pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (chosen: (place: number) => boolean = () => true): void => {
    for (const [place, [near, far]] of [...pairs].entries())
      if (chosen(place)) {
        near.destroy()
        far.destroy()
      }
  }
  return {
    port: (server.address() as AddressInfo).port,
    get size() {
      return pairs.size
    },
    get refused() {
      return refused
    },
    cut,
    refuse: (now) => {
      isRefused = now
    },
    keepSilent: (now) => {
      isSilent = now
    },
    loseCommitOf: (words) => {
      lost = words
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
