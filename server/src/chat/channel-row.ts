/** Looking for channels, by SID or unique name; and locking them, which locks everything in them. */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import { isSid } from '@parley/contract/field.ts'
import { reading } from '../store/query.ts'
import { find } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'

interface Named {
  readonly accountSid: string
  readonly serviceSid: string
  readonly key: string
}

const bySid = reading((db, at: Named) =>
  db
    .selectFrom('channels')
    .selectAll()
    .where('sid', '=', at.key)
    .where('service_sid', '=', at.serviceSid)
    .where('account_sid', '=', at.accountSid),
)

const byName = reading((db, at: Named) =>
  db
    .selectFrom('channels')
    .selectAll()
    .where('service_sid', '=', at.serviceSid)
    .where('unique_name', '=', at.key)
    .where('account_sid', '=', at.accountSid),
)

const lockedBySid = reading((db, at: { accountSid: string; sid: string }, { lock }) =>
  lock(
    db.selectFrom('channels').selectAll().where('sid', '=', at.sid).where('account_sid', '=', at.accountSid),
  ),
)

const lockedByName = reading((db, at: Named, { lock }) =>
  lock(
    db
      .selectFrom('channels')
      .selectAll()
      .where('service_sid', '=', at.serviceSid)
      .where('unique_name', '=', at.key)
      .where('account_sid', '=', at.accountSid),
  ),
)

/** No unique name looks like a SID, so a path's value is either. */
export const isChannelSid = (key: string): boolean => isSid('CH', key)

/** By SID or unique name, in a service. */
export const lookForChannel = (
  reader: Reader,
  accountSid: string,
  serviceSid: string,
  sidOrUniqueName: string,
): Promise<ChannelRow | undefined> =>
  (isChannelSid(sidOrUniqueName) ? bySid : byName).first(reader, {
    accountSid,
    serviceSid,
    key: sidOrUniqueName,
  })

export const findChannel = (
  reader: Reader,
  accountSid: string,
  sid: string,
): Promise<ChannelRow | undefined> => find(reader, 'channels', { sid, account_sid: accountSid })

/**
 * Locks a channel until the transaction ends. It comes before any lock on a user.
 * @param serviceSid needed for a unique name; a SID must be of it where it is given
 */
export const lockChannel = async (
  tx: Tx,
  accountSid: string,
  sidOrUniqueName: string,
  serviceSid?: string,
): Promise<ChannelRow | undefined> => {
  if (!isChannelSid(sidOrUniqueName))
    return serviceSid === undefined
      ? undefined
      : lockedByName.first(tx, { accountSid, serviceSid, key: sidOrUniqueName })
  const channel = await lockedBySid.first(tx, { accountSid, sid: sidOrUniqueName })
  return serviceSid === undefined || channel?.service_sid === serviceSid ? channel : undefined
}
