/** What the answer to an assignment callback has done with its reservation. */
import type { Actor } from '@parley/contract/actor.ts'
import type { Tx } from '../store/tx.ts'
import { requireActivity } from './parents.ts'
import { lockReservation, updateReservation } from './reservation.ts'

/** The account's own endpoint decided it. */
const ENDPOINT: Actor = { kind: 'api', webhooks: true }

const STATUSES = { accept: 'accepted', reject: 'rejected' } as const

/**
 * Accepts or rejects a reservation that is still pending.
 * @param activitySid where the worker goes with a rejection
 * @returns false where it is no longer pending: somebody was faster
 * @throws 400 for an activity that the workspace does not have
 */
export const followInstruction = async (
  tx: Tx,
  {
    accountSid,
    sid,
    instruction,
    activitySid,
  }: {
    accountSid: string
    sid: string
    instruction: 'accept' | 'reject'
    activitySid?: string | undefined
  },
): Promise<boolean> => {
  const locked = await lockReservation(tx, accountSid, sid)
  if (locked?.reservation.reservation_status !== 'pending') return false
  if (activitySid !== undefined) await requireActivity(tx, locked.workspace.sid, activitySid, 'activity_sid')
  await updateReservation(tx, { ...locked, status: STATUSES[instruction], activitySid, actor: ENDPOINT })
  return true
}
