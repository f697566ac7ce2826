/** The wire between a client and the house. A test cuts it; neither end has a say in that. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Wire {
  /** Where a client reaches the house through it. */
  readonly url: string
  /** How often a client has knocked while it was down. */
  readonly refused: number
  /** How many connections go through it. */
  readonly carried: number
  /** Cuts every connection, both ways, and carries none until it is mended. */
  cut(): void
  mend(): void
  [Symbol.asyncDispose](): Promise<void>
}

export const openWire = async (houseUrl: string): Promise<Wire> => {
  const { hostname, port } = new URL(houseUrl)
  const ends = new Set<Socket>()
  let isDown = false
  let refused = 0
  const join = (from: Socket, to: Socket): void => {
    ends.add(from)
    from.pipe(to)
    // A cut wire is no fault of the test's.
    from.on('error', () => undefined)
    from.once('close', () => {
      ends.delete(from)
      to.destroy()
    })
  }
  const server = createServer((client) => {
    if (isDown) {
      refused += 1
      client.resetAndDestroy()
      return
    }
    const house = connect(Number(port), hostname)
    join(client, house)
    join(house, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    isDown = true
    for (const end of ends) end.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get refused() {
      return refused
    },
    get carried() {
      return ends.size / 2
    },
    cut,
    mend: () => {
      isDown = false
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
