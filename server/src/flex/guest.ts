/** The customer's place in the chat channel: given when a conversation begins, taken by the janitor when it is over. */
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { addMember, findMember, findService, lockChannel, membersOf, removeMember } from '../chat/index.ts'
import type { Tx } from '../store/tx.ts'
import { GUEST_MEMBER, isAgent } from './attributes.ts'
import { type EngagementRow, FLEX } from './engagement.ts'
import { roleSidOf } from './role.ts'

interface Seat {
  readonly service: ServiceRow
  readonly channel: ChannelRow
  readonly identity: string
  readonly actor: Actor
}

/** Makes the customer a member of a new channel. */
export const seatGuest = async (tx: Tx, seat: Seat): Promise<void> => {
  const roleSid = await roleSidOf(tx, seat.service, 'guest')
  await addMember(tx, { ...seat, roleSid, attributes: GUEST_MEMBER, reason: 'ADDED' })
}

/** Makes the customer a member of a channel where they may be one already. */
export const keepGuest = async (tx: Tx, seat: Seat): Promise<void> => {
  if (!(await findMember(tx, seat.channel.sid, seat.identity))) await seatGuest(tx, seat)
}

/** Whether the Flex Flow asks for the janitor, in a channel that will not be used again. */
const hasJanitor = (it: EngagementRow): boolean => it.janitor_enabled === 1 && it.long_lived === 0

/** The janitor: takes everybody but agents, who leave by themselves, out of a channel whose conversation is over. */
export const dismissGuests = async (tx: Tx, it: EngagementRow): Promise<void> => {
  const channel = hasJanitor(it) && (await lockChannel(tx, it.account_sid, it.sid))
  if (!channel) return
  for (const member of await membersOf(tx, channel.sid))
    if (!isAgent(member.attributes))
      await removeMember(tx, { channel, member, reason: 'REMOVED', actor: FLEX })
}

/** The conversation goes on after all: whom the janitor took out is back. */
export const seatGuestAgain = async (tx: Tx, it: EngagementRow, channel: ChannelRow): Promise<void> => {
  const service = hasJanitor(it) && (await findService(tx, it.account_sid, it.chat_service_sid))
  if (service) await keepGuest(tx, { service, channel, identity: it.identity, actor: FLEX })
}
