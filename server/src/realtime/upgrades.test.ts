import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { hangDoors, turnAway } from './upgrades.ts'

const ask = async (port: number, path: string, upgrade: string): Promise<number | undefined> => {
  const asked = request({ port, path, headers: { Connection: 'Upgrade', Upgrade: upgrade } }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

test('a WebSocket goes to its door; what is for none is answered, also where Node gives it away unasked', async () => {
  const server = createServer((_, response) => response.writeHead(204).end())
  hangDoors(server, [
    { isFor: (path) => path === '/a', upgrade: (_, socket) => turnAway(socket, 503) },
    { isFor: (path) => path.startsWith('/b/'), upgrade: (_, socket) => turnAway(socket, 429) },
  ])
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.deepEqual(
    [
      await ask(port, '/a?x=/b/', 'WebSocket'),
      await ask(port, '/b/c', 'websocket'),
      await ask(port, '/c', 'websocket'),
      await ask(port, '/a', 'h2c'),
    ],
    [503, 429, 204, 204],
  )
  Object.assign(server, { shouldUpgradeCallback: () => true })
  assert.equal(await ask(port, '/c', 'websocket'), 404)
  server.close()
  server.closeAllConnections()
})
