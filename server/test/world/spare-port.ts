import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the ports that a system gives to outgoing connections: among those, one that is spare now may be somebody's
 * before we listen on it.
 */
const FIRST = 15_000
const LAST = 32_000

/** A port of this machine that nobody listens on. */
export const sparePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(FIRST, LAST)
    if (await isSpare(port)) return port
  }
}

const isSpare = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (fault: NodeJS.ErrnoException) =>
      fault.code === 'EADDRINUSE' ? resolve(false) : reject(fault),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
