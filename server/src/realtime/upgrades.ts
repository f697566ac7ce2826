/**
 * Which door a WebSocket comes in by. The HTTP server asks here before it gives a connection away: what is for no door
 * stays an ordinary request and gets an ordinary answer, a 404 or, for the `Upgrade: h2c` that some HTTP clients send
 * with everything, the resource.
 */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

export interface SocketDoor {
  /** @param path without its query, as it came */
  readonly isFor: (path: string) => boolean
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Hangs doors on an HTTP server; of those that are for a path the first is taken. */
export const hangDoors = (server: Server, doors: readonly SocketDoor[]): void => {
  const doorFor = ({ url = '/', headers }: IncomingMessage): SocketDoor | undefined => {
    if (headers.upgrade?.toLowerCase() !== 'websocket') return undefined
    const path = url.split('?', 1)[0] ?? '/'
    return doors.find((door) => door.isFor(path))
  }
  // Node before 24.9 does not ask, and gives every such connection away.
  Object.assign(server, {
    shouldUpgradeCallback: (request: IncomingMessage) => doorFor(request) !== undefined,
  })
  server.on('upgrade', (request, socket, head) => {
    const door = doorFor(request)
    if (door) door.upgrade(request, socket, head)
    else turnAway(socket, 404)
  })
}

/** Answers a connection that was given away, and ends it. */
export const turnAway = (socket: Duplex, status: number): void => {
  // Whoever has gone meanwhile needs no answer; unheard, the error would end the process.
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
