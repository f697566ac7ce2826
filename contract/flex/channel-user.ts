/**
 * An agent who joins a chat channel: the address that Flex's own desktop calls after it accepted a reservation. It is
 * in no published document. 409 / 45206 says that the agent is a member already, which the desktop takes for success.
 */
import { required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { IDENTITY_MAX } from './channel.ts'

export const AGENT_ROLES = ['admin', 'supervisor', 'agent'] as const

export const ChannelUser = resource({
  product: 'flex',
  name: 'flex.v1.channel.user',
  many: '/v1/Channels/{ChannelSid}/Roles/{Role}/Users',
  answer: {
    account_sid: sid('AC'),
    channel_sid: sid('CH'),
    member_sid: sid('MB'),
    identity: text(),
  },
  operations: {
    create: {
      form: { Identity: required(text({ max: IDENTITY_MAX, empty: 'missing_parameter' })) },
      openTo: 'clients',
      about: 'Adds an agent to a chat channel.',
    },
  },
})

export type ChannelUserRow = RowOf<typeof ChannelUser>
