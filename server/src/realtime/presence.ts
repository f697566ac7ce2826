/**
 * Presence follows the sockets of this node: its first connection makes a user present here, and some time after its
 * last is gone it is not. What is wanted and what is written are brought together user by user, one transaction after
 * the other, however fast connections come and go.
 *
 * A node that dies leaves its rows behind. They stand until its clients had time to come back, so that a restart is
 * not seen as everybody leaving and returning; then whoever is there clears them away. A node that was only slow finds
 * that out, and writes anew who is here.
 */
import { appear, beatNode, clearNode, disappear, nodesSilentSince } from '../chat/index.ts'
import type { Store } from '../store/tx.ts'

/** A page that is loaded anew is away for a moment, in milliseconds. */
const LINGER_MS = 2_000

/** How often a node says that it lives and looks for those that do not, in milliseconds. */
const BEAT_MS = 5_000

/** A node that shares its database is thought dead after missing this much, in milliseconds. */
const SILENCE_MS = 30_000

/** How soon what could not be written is written again, in milliseconds. */
const AGAIN_MS = 5_000

/** How many users are cleared away in one transaction. */
const BITE = 200

export interface PresenceOptions {
  readonly store: Store
  /** Names this process, and no other ever. */
  readonly node: string
  /** No other process shares the database: whatever others have left is from before. */
  readonly alone: boolean
  readonly onFault: (fault: unknown) => void
}

export interface Presence extends AsyncDisposable {
  arrived(userSid: string): void
  left(userSid: string): void
}

interface Seen {
  connections: number
  isWritten: boolean
  isWriting: boolean
  lingering: NodeJS.Timeout | undefined
  /** Until what could not be written is written again. */
  waiting: NodeJS.Timeout | undefined
}

const isHere = ({ connections, lingering }: Seen): boolean => connections > 0 || lingering !== undefined

export const openPresence = ({ store, node, alone, onFault }: PresenceOptions): Presence => {
  const users = new Map<string, Seen>()
  const writing = new Set<Promise<void>>()
  /** How often this node was taken for dead, and all that it had written was cleared away. */
  let clearings = 0
  let isClosed = false

  const write = (userSid: string, seen: Seen): void => {
    if (seen.isWriting || isClosed) return
    clearTimeout(seen.waiting)
    const done = bringTogether(userSid, seen)
      .catch((fault) => {
        onFault(fault)
        clearTimeout(seen.waiting)
        if (!isClosed) seen.waiting = setTimeout(() => write(userSid, seen), AGAIN_MS)
      })
      .finally(() => writing.delete(done))
    writing.add(done)
  }

  const bringTogether = async (userSid: string, seen: Seen): Promise<void> => {
    seen.isWriting = true
    try {
      while (isHere(seen) !== seen.isWritten && !isClosed) {
        const [wanted, before] = [isHere(seen), clearings]
        await store.transact(wanted ? 'chat.appear' : 'chat.disappear', (tx) =>
          (wanted ? appear : disappear)(tx, { userSid, node }),
        )
        seen.isWritten = wanted && clearings === before
      }
    } finally {
      // In the same turn as the last look at who is here: who comes from here on is written anew.
      seen.isWriting = false
      if (!isHere(seen) && !seen.isWritten && users.get(userSid) === seen) users.delete(userSid)
    }
  }

  const writeAllAnew = (): void => {
    clearings += 1
    for (const [userSid, seen] of users) {
      seen.isWritten = false
      write(userSid, seen)
    }
  }

  const clearDead = async (): Promise<void> => {
    const isKnown = await store.transact('chat.beat', (tx) => beatNode(tx, node))
    if (!isKnown) writeAllAnew()
    const before = alone ? Number.MAX_SAFE_INTEGER : store.reader.now() - SILENCE_MS
    for (const dead of await nodesSilentSince(store.reader, node, before))
      while (!isClosed && (await store.transact('chat.clear-node', (tx) => clearNode(tx, dead, BITE))));
  }

  let beating: Promise<unknown> = store.transact('chat.beat', (tx) => beatNode(tx, node)).catch(onFault)
  const beat = (): void => {
    if (alone) clearInterval(beater)
    beating = beating.then(clearDead).catch(onFault)
  }
  const beater = setInterval(beat, BEAT_MS)

  return {
    arrived: (userSid) => {
      const seen = users.get(userSid) ?? {
        connections: 0,
        isWritten: false,
        isWriting: false,
        lingering: undefined,
        waiting: undefined,
      }
      users.set(userSid, seen)
      seen.connections += 1
      clearTimeout(seen.lingering)
      seen.lingering = undefined
      if (!seen.isWritten) write(userSid, seen)
    },
    left: (userSid) => {
      const seen = users.get(userSid)
      if (!seen) return
      seen.connections -= 1
      if (seen.connections > 0) return
      seen.lingering = setTimeout(() => {
        seen.lingering = undefined
        write(userSid, seen)
      }, LINGER_MS)
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      clearInterval(beater)
      for (const { lingering, waiting } of users.values()) {
        clearTimeout(lingering)
        clearTimeout(waiting)
      }
      await Promise.all([...writing, beating])
    },
  }
}
