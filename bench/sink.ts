/**
 * Where webhooks go: answers 200 to each POST, and to a GET with how many there were. A process of its own, so that
 * its work is nobody's.
 */
import { createServer } from 'node:http'

let heard = 0

const server = createServer((request, response) => {
  if (request.method === 'GET') return response.end(String(heard))
  heard += 1
  request.resume().once('end', () => response.end())
})
// Connections that idle between two measurements are not closed under the hand of whoever holds them.
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', () => {
  console.log(`listening http://127.0.0.1:${(server.address() as { port: number }).port}/hook`)
})
