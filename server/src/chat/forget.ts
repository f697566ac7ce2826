/** Clears away what a destroyed channel leaves: its messages and webhooks, in bites that hold nobody up. */

import type { JobHandler } from '../jobs/handler.ts'
import { changing } from '../store/query.ts'
import { remove } from '../store/rows.ts'
import { FOLLOWED, forgetTombstones } from './followed.ts'

export const FORGET_CHANNEL = 'chat.forget-channel'

/** How many messages go in one transaction. */
const BITE = 1_000

const LEASE_MS = 60_000

const deleteSome = changing((db, at: { channelSid: string; limit: number }) =>
  db
    .deleteFrom('messages')
    .where('sid', 'in', (it) =>
      it
        .selectFrom('messages')
        .select('sid')
        .where('channel_sid', '=', at.channelSid)
        .orderBy('index')
        .limit(at.limit),
    ),
)

export const forgetChannel: JobHandler = {
  kind: FORGET_CHANNEL,
  perLane: 1,
  leaseMs: LEASE_MS,
  run: async ({ key: channelSid }, { store, now }) => {
    const left = await store.transact(FORGET_CHANNEL, async (tx) => {
      await remove(tx, 'channel_webhooks', { channel_sid: channelSid })
      await forgetTombstones(tx, FOLLOWED.messages(channelSid), FOLLOWED.roster(channelSid))
      return (await deleteSome.run(tx, { channelSid, limit: BITE })) === BITE
    })
    return left ? { again: now() } : undefined
  },
}
