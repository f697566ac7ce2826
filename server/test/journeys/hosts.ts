/**
 * Loaded before a program (`node --import`): stands in for the machine's `hosts`, which a test may not write, and for
 * port 443, which it may not have. `TEST_HOSTS` is `name=address:port` with commas between. A name that is not in it is
 * not found, so that nothing of the test goes outside.
 */
import { Socket } from 'node:net'

const places = new Map(
  (process.env.TEST_HOSTS ?? '').split(',').map((it) => it.split('=') as [name: string, place: string]),
)

interface Target {
  host?: string
  port?: number
}

const connect = Socket.prototype.connect as (...args: unknown[]) => Socket

/** Node's own callers bring the target as it is or, from `net.connect`, in a list. */
Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  const target = (Array.isArray(args[0]) ? args[0][0] : args[0]) as Target
  const place = places.get(target.host ?? '')
  if (place === undefined) throw new Error(`${target.host} is not among the hosts of this test`)
  const [host, port] = place.split(':')
  Object.assign(target, { host, port: Number(port) })
  return connect.apply(this, args)
} as typeof Socket.prototype.connect
