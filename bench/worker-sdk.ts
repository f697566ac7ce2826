/**
 * Agents at the published worker SDK, a process of its own: `worker-sdk.ts <Parley's url> <tokens…>`. Once all of them
 * are ready it answers each GET with what they heard, as JSON: for each reservation the milliseconds from the moment
 * that its task was created, which the task's SID tells.
 */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { Reservation, Worker } from 'twilio-taskrouter'

const sdk = createRequire(import.meta.url)('twilio-taskrouter') as { Worker: typeof Worker }

const [url = '', ...tokens] = process.argv.slice(2)

/** Where the milliseconds since 1970 stand in a SID, in hexadecimal. */
const MOMENT = [2, 14] as const

const heard: number[] = []

const ready = (token: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new sdk.Worker(token, {
      ebServer: `${url}/v1/wschannels`,
      wsServer: `${url.replace('http', 'ws')}/v1/wschannels`,
      logLevel: 'silent',
    } as never)
    worker.on('ready', () => resolve())
    worker.on('error', reject)
    worker.on('reservationCreated', (it: Reservation) => {
      const now = performance.timeOrigin + performance.now()
      heard.push(now - Number.parseInt(it.task.sid.slice(...MOMENT), 16))
    })
  })

await Promise.all(tokens.map(ready))

const server = createServer((_, response) => response.end(JSON.stringify(heard)))
server.listen(0, '127.0.0.1', () => {
  console.log(`listening http://127.0.0.1:${(server.address() as { port: number }).port}`)
})
