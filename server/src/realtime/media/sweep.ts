/**
 * Clears away what nobody needs: uploads that no message has claimed within a day, what was said in messages, channels
 * and services that are gone, and bytes of which no row knows, since a crash came between the two.
 *
 * The row goes first and its bytes after: bytes without a row are found by the next sweep, a row without bytes would be
 * a file that cannot be opened.
 */
import type { JobHandler } from '../../jobs/handler.ts'
import { changing, reading } from '../../store/query.ts'
import type { Store } from '../../store/tx.ts'
import type { Bytes } from './bytes.ts'

const DAY_MS = 86_400_000

/** How many rows go in one transaction, or are asked for at once. */
const BATCH = 500

/** Longer than a large house's files take to be listed. */
const LEASE_MS = 3_600_000

const unclaimed = changing((db, at: { before: number; limit: number }) =>
  db
    .deleteFrom('media')
    // Again, for the row that is claimed while we wait for it.
    .where('message_sid', 'is', null)
    .where('sid', 'in', (it) =>
      it
        .selectFrom('media')
        .select('sid')
        .where('message_sid', 'is', null)
        .where('date_created', '<', at.before)
        .orderBy('date_created')
        .limit(at.limit),
    )
    .returning('kept_as'),
)

/** The next rows that were claimed, each with whether its message still stands. */
const claimed = reading((db, at: { after: string; limit: number }) =>
  db
    .selectFrom('media')
    .leftJoin('messages', 'messages.sid', 'media.message_sid')
    .leftJoin('channels', 'channels.sid', 'media.channel_sid')
    .select(['media.sid', 'messages.sid as message', 'channels.sid as channel'])
    .where('media.sid', '>', at.after)
    .where('media.message_sid', 'is not', null)
    .orderBy('media.sid')
    .limit(at.limit),
)

const forget = changing((db, at: { sids: string }, dialect) =>
  db
    .deleteFrom('media')
    .where((it) => dialect.isOneOf(it.ref('sid'), at.sids))
    .returning('kept_as'),
)

const known = reading((db, at: { keys: string }, dialect) =>
  db
    .selectFrom('media')
    .select('kept_as')
    .where((it) => dialect.isOneOf(it.ref('kept_as'), at.keys)),
)

/** Sets itself anew each day; its first job comes with the table. */
export const sweepMedia = (bytes: Bytes): JobHandler => ({
  kind: 'media.sweep',
  perLane: 1,
  leaseMs: LEASE_MS,
  run: async (_, { store, now }) => {
    const dayAgo = now() - DAY_MS
    await forgetUnclaimed(store, bytes, dayAgo)
    await forgetLeft(store, bytes)
    await removeUnknown(store, bytes, dayAgo)
    return { again: now() + DAY_MS }
  },
})

const forgetUnclaimed = async (store: Store, bytes: Bytes, before: number): Promise<void> => {
  for (;;) {
    const gone = await store.transact('media.sweep', (tx) => unclaimed.all(tx, { before, limit: BATCH }))
    for (const { kept_as } of gone) await bytes.remove(kept_as)
    if (gone.length < BATCH) return
  }
}

/** What is claimed stays so, and what is gone does not come back: nobody has to be waited for. */
const forgetLeft = async (store: Store, bytes: Bytes): Promise<void> => {
  let after = ''
  for (;;) {
    const rows = await claimed.all(store.reader, { after, limit: BATCH })
    const left = rows.filter((it) => it.message === null || it.channel === null)
    if (left.length) {
      const sids = JSON.stringify(left.map((it) => it.sid))
      const gone = await store.transact('media.sweep', (tx) => forget.all(tx, { sids }))
      for (const { kept_as } of gone) await bytes.remove(kept_as)
    }
    if (rows.length < BATCH) return
    after = rows.at(-1)?.sid ?? ''
  }
}

/** An upload may still be under way, or its row about to be written: only what has been there for a day is looked at. */
const removeUnknown = async (store: Store, bytes: Bytes, before: number): Promise<void> => {
  let keys: string[] = []
  const look = async (): Promise<void> => {
    const rows = await known.all(store.reader, { keys: JSON.stringify(keys) })
    const kept = new Set(rows.map((it) => it.kept_as))
    for (const key of keys) if (!kept.has(key)) await bytes.remove(key)
    keys = []
  }
  for await (const key of bytes.writtenBefore(before)) {
    keys.push(key)
    if (keys.length === BATCH) await look()
  }
  if (keys.length) await look()
}
