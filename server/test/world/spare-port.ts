import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { createServer } from 'node:net'

/**
 * Below the ports that a system gives to outgoing connections: among those, one that is spare now may be somebody's
 * before we listen on it.
 */
const FIRST = 15_000
const LAST = 32_000

/**
 * The port that has the same number over UDP, which nobody here speaks, is held until the process ends: no other test's
 * process takes ours between our looking and our listening, nor while a house is closed and opened again.
 */
const held: Socket[] = []

/** A port of this machine that nobody listens on, for this process. */
export const sparePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(FIRST, LAST)
    if ((await isOurs(port)) && (await isSpare(port))) return port
  }
}

const isOurs = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const hold = createSocket('udp4')
    hold.once('error', (fault: NodeJS.ErrnoException) => {
      hold.close()
      fault.code === 'EADDRINUSE' ? resolve(false) : reject(fault)
    })
    hold.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      held.push(hold.unref())
      resolve(true)
    })
  })

const isSpare = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (fault: NodeJS.ErrnoException) =>
      fault.code === 'EADDRINUSE' ? resolve(false) : reject(fault),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
