/**
 * The bus between nodes that share a PostgreSQL database: LISTEN and NOTIFY, after commit and in batches, over two
 * connections of its own. What this node says it hears at once, by itself, and not again from the database.
 *
 * A notice can be lost, when a connection breaks. Whoever must not miss anything listens for gaps and reads the rows.
 */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { type Bus, openBus } from './index.ts'

const CHANNEL = 'parley'

/** PostgreSQL's limit for a payload is 8,000 bytes. */
const PAYLOAD_BYTES_MAX = 7_900

/** How much may wait to be said before it is given up, and said to be a gap instead. */
const WAITING_MAX = 100_000

/** How long to wait before connecting again, in milliseconds. */
const RECONNECT_MS = 1_000

/** How long the server may take to answer, in milliseconds: one that hangs is given up, and another attempt made. */
const CONNECT_TIMEOUT_MS = 10_000

/** A connection that says nothing is asked whether it is there, in milliseconds. */
const KEEPALIVE_MS = 10_000

/** How long what was said last may take to go out when the bus closes, in milliseconds. */
const LAST_WORDS_MS = 1_000

interface Said {
  readonly from: string
  /** Topic and what is said about it. */
  readonly notices: readonly (readonly [string, unknown])[]
}

export interface PostgresBusOptions {
  readonly url: string
  /** Names this process, and no other. */
  readonly node: string
  readonly onFault: (fault: unknown) => void
}

/** @throws where the database cannot be reached */
export const openPostgresBus = async ({ url, node, onFault }: PostgresBusOptions): Promise<Bus> => {
  const own = openBus()
  const closing = new AbortController()
  let waiting: string[] = []
  let flushing: Promise<void> | undefined
  const noticeBytesMax = PAYLOAD_BYTES_MAX - Buffer.byteLength(JSON.stringify({ from: node, notices: [] }))

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    })
    client.on('error', onFault)
    await client.connect()
    return client
  }

  const hear = ({ payload }: pg.Notification): void => {
    const { from, notices } = JSON.parse(payload ?? '{}') as Said
    if (from === node) return
    for (const [topic, about] of notices) own.publish(topic, about)
  }

  const listenOn = async (): Promise<pg.Client> => {
    const client = await connect()
    client.on('notification', hear)
    await client.query(`listen ${CHANNEL}`)
    return client
  }

  /** Until it succeeds. That it does not is told once. */
  const again = async (open: () => Promise<pg.Client>): Promise<pg.Client | undefined> => {
    let isTold = false
    while (!closing.signal.aborted) {
      try {
        const client = await open()
        if (!closing.signal.aborted) return client
        // Nobody else would end it.
        await client.end()
      } catch (fault) {
        if (!isTold) onFault(fault)
        isTold = true
        await wait(RECONNECT_MS, undefined, { signal: closing.signal }).catch(() => {})
      }
    }
    return undefined
  }

  const keepListening = (client: pg.Client): void => {
    client.once('end', async () => {
      if (closing.signal.aborted) return
      const next = await again(listenOn)
      if (!next) return
      listener = next
      keepListening(next)
      own.missed()
    })
  }

  let listener = await listenOn()
  // Before anything else is waited for: it may end meanwhile.
  keepListening(listener)
  let speaker = await connect()

  /** As many notices as go into a payload each. */
  const payloads = (notices: readonly string[]): string[] => {
    const made: string[] = []
    let room = 0
    for (const notice of notices) {
      const bytes = Buffer.byteLength(notice) + 1
      if (made.length === 0 || bytes > room) {
        made.push(notice)
        room = noticeBytesMax - bytes
      } else {
        made.push(`${made.pop()},${notice}`)
        room -= bytes
      }
    }
    return made.map((it) => `{"from":${JSON.stringify(node)},"notices":[${it}]}`)
  }

  const flush = async (): Promise<void> => {
    await turn()
    while (waiting.length > 0 && !closing.signal.aborted) {
      const notices = waiting
      waiting = []
      try {
        await speaker.query(`select pg_notify('${CHANNEL}', p) from unnest($1::text[]) p`, [
          payloads(notices),
        ])
      } catch (fault) {
        onFault(fault)
        await speaker.end().catch(() => {})
        const next = await again(connect)
        if (!next) break
        speaker = next
        // Said late is better than not at all: a notice that was told twice says nothing new.
        waiting = [...notices, ...waiting].slice(-WAITING_MAX)
      }
    }
    flushing = undefined
  }

  return {
    publish: (topic, about) => {
      own.publish(topic, about)
      const notice = JSON.stringify([topic, about])
      // It would be refused as often as it is said, and all that waits behind it with it.
      if (Buffer.byteLength(notice) > noticeBytesMax) {
        onFault(
          new Error(`a notice about ${topic} is too long for the bus, and other nodes do not hear of it`),
        )
        return
      }
      waiting.push(notice)
      if (waiting.length > WAITING_MAX) waiting = waiting.slice(-WAITING_MAX)
      // Whatever is said in this turn goes together.
      flushing ??= flush()
    },
    subscribe: own.subscribe,
    onMissed: own.onMissed,
    missed: own.missed,
    [Symbol.asyncDispose]: async () => {
      await Promise.race([flushing, wait(LAST_WORDS_MS)])
      closing.abort()
      await Promise.allSettled([listener.end(), speaker.end()])
    },
  }
}
