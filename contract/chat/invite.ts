/** An invitation into a channel; it is gone once it is accepted, declined or taken back. */
import { address, instant, many, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { identity, PAGES } from './limits.ts'

export const Invite = resource({
  product: 'chat',
  name: 'chat.v2.service.channel.invite',
  many: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Invites',
  one: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Invites/{Sid}',
  key: 'invites',
  pageSize: PAGES,
  openTo: 'clients',
  answer: {
    sid: sid('IN'),
    account_sid: sid('AC'),
    channel_sid: sid('CH'),
    service_sid: sid('IS'),
    identity: text(),
    date_created: instant(),
    date_updated: instant(),
    role_sid: sid('RL'),
    created_by: text(),
    url: address(),
  },
  operations: {
    list: { form: { Identity: many(text()) } },
    fetch: {},
    create: {
      form: {
        Identity: required(identity(), 'identity_missing'),
        RoleSid: sid('RL', 'channel_role_not_found'),
      },
    },
    delete: {},
  },
})

/** Beside the answer: the user, and the numbers of its first and its last event among those of the user's places. */
export type InviteRow = RowOf<typeof Invite> & {
  user_sid: string
  place_added_event: number
  place_event: number
}
