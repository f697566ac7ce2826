/**
 * Presence follows the sockets of this node: its first connection makes a user present here, and some time after its
 * last is gone it is not. What is wanted and what is written are brought together user by user, one transaction after
 * the other, however fast connections come and go.
 *
 * A node that dies leaves its rows behind. They stand until its clients had time to come back, so that a restart is
 * not seen as everybody leaving and returning; then whoever is there clears them away.
 */
import { appear, beatNode, clearNode, disappear, nodesSilentSince } from '../chat/index.ts'
import type { Store } from '../store/tx.ts'

/** A page that is loaded anew is away for a moment, in milliseconds. */
const LINGER_MS = 2_000

/** How often a node says that it lives and looks for those that do not, in milliseconds. */
const BEAT_MS = 5_000

/** A node that shares its database is thought dead after missing this much, in milliseconds. */
const SILENCE_MS = 30_000

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
}

export const openPresence = ({ store, node, alone, onFault }: PresenceOptions): Presence => {
  const users = new Map<string, Seen>()
  const writing = new Set<Promise<void>>()
  let isClosed = false

  const write = (userSid: string, seen: Seen): void => {
    if (seen.isWriting || isClosed) return
    seen.isWriting = true
    const done = bringTogether(userSid, seen)
      .catch(onFault)
      .finally(() => {
        seen.isWriting = false
        writing.delete(done)
        if (seen.connections === 0 && !seen.isWritten && !seen.lingering) users.delete(userSid)
      })
    writing.add(done)
  }

  const bringTogether = async (userSid: string, seen: Seen): Promise<void> => {
    const isHere = () => seen.connections > 0 || seen.lingering !== undefined
    while (isHere() !== seen.isWritten && !isClosed) {
      const wanted = isHere()
      await store.transact(wanted ? 'chat.appear' : 'chat.disappear', (tx) =>
        (wanted ? appear : disappear)(tx, { userSid, node }),
      )
      seen.isWritten = wanted
    }
  }

  const clearDead = async (): Promise<void> => {
    await store.transact('chat.beat', (tx) => beatNode(tx, node))
    const before = alone ? Number.MAX_SAFE_INTEGER : store.reader.now() - SILENCE_MS
    for (const dead of await nodesSilentSince(store.reader, node, before))
      while (!isClosed && (await store.transact('chat.clear-node', (tx) => clearNode(tx, dead, BITE))));
  }

  let beating: Promise<void> = store.transact('chat.beat', (tx) => beatNode(tx, node)).catch(onFault)
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
      for (const { lingering } of users.values()) clearTimeout(lingering)
      await Promise.all([...writing, beating])
    },
  }
}
