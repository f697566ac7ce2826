/**
 * Who is here: a user is online while they have connections to any node. Each node keeps a row for each user connected
 * to it, so that what a node leaves behind that died can be cleared away by another.
 */
import type { UserRow } from '@parley/contract/chat/user.ts'
import { changing, reading } from '../store/query.ts'
import { find, insertNew, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { findService } from './service-row.ts'
import { lockUser } from './user-row.ts'

export const isOnline = async (reader: Reader, userSid: string): Promise<boolean> =>
  (await find(reader, 'presences', { user_sid: userSid })) !== undefined

interface Where {
  readonly userSid: string
  readonly node: string
}

/**
 * A user's first connection to a node is there. Nothing happens where it is known, or the user is gone. Nodes that see
 * them come and go at once take turns.
 */
export const appear = async (tx: Tx, { userSid, node }: Where): Promise<void> => {
  const user = await lockUser.first(tx, { userSid })
  if (!user) return
  const wasOnline = await isOnline(tx, userSid)
  const row = { user_sid: userSid, node, service_sid: user.service_sid }
  if ((await insertNew(tx, 'presences', row)) && !wasOnline) await reach(tx, user, true)
}

/** A user's last connection to a node is gone. */
export const disappear = async (tx: Tx, { userSid, node }: Where): Promise<void> => {
  const user = await lockUser.first(tx, { userSid })
  if ((await remove(tx, 'presences', { user_sid: userSid, node })) === 0) return
  if (user && !(await isOnline(tx, userSid))) await reach(tx, user, false)
}

const numberReached = changing((db, at: { userSid: string }) =>
  db
    .updateTable('users')
    .set((it) => ({
      info_event: it('info_event', '+', 1),
      reachability_event: it('info_event', '+', 1),
    }))
    .where('sid', '=', at.userSid)
    .returningAll(),
)

/** Tells of it where the service reports who is here. */
const reach = async (
  tx: Tx,
  {
    sid,
    account_sid,
    service_sid,
    identity,
  }: Pick<UserRow, 'sid' | 'account_sid' | 'service_sid' | 'identity'>,
  online: boolean,
): Promise<void> => {
  const service = await findService(tx, account_sid, service_sid)
  if (service?.reachability_enabled !== 1) return
  const row = await numberReached.first(tx, { userSid: sid })
  if (!row) return
  tx.record({
    name: 'user.reached',
    accountSid: account_sid,
    at: tx.now(),
    actor: { kind: 'client', identity },
    user: { ...row, is_online: Number(online), is_notifiable: 0 },
  })
}

const presencesOf = reading((db, at: { node: string; limit: number }) =>
  db
    .selectFrom('presences')
    .select('user_sid')
    .where('node', '=', at.node)
    .orderBy('user_sid')
    .limit(at.limit),
)

/** Takes away some of what a dead node has left. @returns whether there is more */
export const clearNode = async (tx: Tx, node: string, limit: number): Promise<boolean> => {
  const left = await presencesOf.all(tx, { node, limit })
  for (const { user_sid } of left) await disappear(tx, { userSid: user_sid, node })
  if (left.length < limit) await remove(tx, 'nodes', { sid: node })
  return left.length === limit
}

/** A node says that it lives. @returns whether it has said so before, and nobody has cleared it away since */
export const beatNode = async (tx: Tx, node: string): Promise<boolean> => {
  const seen_at = tx.now()
  // In one statement: whoever clears the node away comes before it or after.
  if (await update(tx, 'nodes', { sid: node }, { seen_at })) return true
  await insertNew(tx, 'nodes', { sid: node, seen_at })
  return false
}

const silentNodes = reading((db, at: { node: string; before: number }) =>
  db.selectFrom('nodes').select('sid').where('sid', '!=', at.node).where('seen_at', '<', at.before),
)

/** Other nodes that have not said so for a while. */
export const nodesSilentSince = async (reader: Reader, node: string, before: number): Promise<string[]> =>
  (await silentNodes.all(reader, { node, before })).map(({ sid }) => sid)
