/** Locking users. Whoever locks a channel, too, does that first. */
import { reading } from '../store/query.ts'

/** A user, whom nobody else changes until the transaction ends: their events are counted one after the other. */
export const lockUser = reading((db, at: { userSid: string }, { lock }) =>
  lock(db.selectFrom('users').selectAll().where('sid', '=', at.userSid)),
)
