/** Where webhooks go: answers 200 and forgets. A process of its own, so that its work is nobody's. */
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  request.resume().once('end', () => response.end())
})
server.listen(0, '127.0.0.1', () => {
  console.log(`listening http://127.0.0.1:${(server.address() as { port: number }).port}/hook`)
})
