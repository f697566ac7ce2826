/** Locking users. Whoever locks a channel, too, does that first. */
import { reading } from '../store/query.ts'

/** The user with an identity, whom nobody else changes or deletes until the transaction ends. */
export const lockUserOf = reading((db, at: { serviceSid: string; identity: string }, { lock }) =>
  lock(
    db
      .selectFrom('users')
      .selectAll()
      .where('service_sid', '=', at.serviceSid)
      .where('identity', '=', at.identity),
  ),
)

/** A user, whom nobody else changes until the transaction ends: their events are counted one after the other. */
export const lockUser = reading((db, at: { userSid: string }, { lock }) =>
  lock(db.selectFrom('users').selectAll().where('sid', '=', at.userSid)),
)
