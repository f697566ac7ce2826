/** Looking for services. */
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { problem } from '@parley/contract/problem.ts'
import { reading } from '../store/query.ts'
import type { Reader, Tx } from '../store/tx.ts'

const BYTES_A_MB = 1024 * 1024

const serviceBySid = reading((db, at: { accountSid: string; sid: string }) =>
  db.selectFrom('services').selectAll().where('sid', '=', at.sid).where('account_sid', '=', at.accountSid),
)

export const findService = (
  reader: Reader,
  accountSid: string,
  sid: string,
): Promise<ServiceRow | undefined> => serviceBySid.first(reader, { accountSid, sid })

/** @throws 403 / 50050, as Twilio answers where the service does not exist */
export const requireService = async (
  reader: Reader,
  accountSid: string,
  sid: string,
): Promise<ServiceRow> => {
  const service = await findService(reader, accountSid, sid)
  if (!service) throw problem('service_not_found')
  return service
}

const heldService = reading((db, at: { sid: string }, { hold }) =>
  hold(db.selectFrom('services').select('sid').where('sid', '=', at.sid)),
)

/**
 * Keeps a service from being deleted until the transaction ends, in which something is made in it.
 * @throws 50050 where it is gone
 */
export const holdService = async (tx: Tx, { sid }: Pick<ServiceRow, 'sid'>): Promise<void> => {
  if (!(await heldService.first(tx, { sid }))) throw problem('service_not_found')
}

export interface Limits {
  readonly channel_members: number
  readonly user_channels: number
}

export const limitsOf = (service: Pick<ServiceRow, 'limits'>): Limits => JSON.parse(service.limits) as Limits

/** How large a file may be that is uploaded to the service, in bytes. */
export const mediaLimitOf = (service: Pick<ServiceRow, 'media'>): number =>
  (JSON.parse(service.media) as { size_limit_mb: number }).size_limit_mb * BYTES_A_MB

/** Which files a service takes, by what they are said to be; nothing where it takes any. */
export const mediaTypesOf = (service: Pick<ServiceRow, 'media'>): readonly string[] | undefined => {
  const { types = [] } = JSON.parse(service.media) as { types?: readonly string[] }
  return types.length > 0 ? types : undefined
}
