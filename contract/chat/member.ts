/** A user in a channel, with a role there and a horizon up to which they have read. */
import { address, instant, many, orNull, required, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { attributes, identity, PAGES } from './limits.ts'

const changeable = {
  RoleSid: sid('RL', 'channel_role_not_found'),
  LastConsumedMessageIndex: whole({ min: 0, wrong: 'consumed_index' }),
  LastConsumptionTimestamp: instant('consumed_at'),
  DateCreated: instant('date_created'),
  DateUpdated: instant('date_updated'),
  Attributes: attributes(),
}

export const Member = resource({
  product: 'chat',
  name: 'chat.v2.service.channel.member',
  many: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Members',
  one: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Members/{Sid}',
  key: 'members',
  pageSize: PAGES,
  openTo: 'clients',
  answer: {
    sid: sid('MB'),
    account_sid: sid('AC'),
    channel_sid: sid('CH'),
    service_sid: sid('IS'),
    identity: text(),
    date_created: instant(),
    date_updated: instant(),
    role_sid: sid('RL'),
    last_consumed_message_index: orNull(whole()),
    last_consumption_timestamp: orNull(instant()),
    url: address(),
    attributes: text(),
  },
  operations: {
    list: { form: { Identity: many(text()) } },
    fetch: { about: 'By SID or identity.' },
    create: { form: { Identity: required(identity(), 'identity_missing'), ...changeable } },
    update: { form: changeable },
    delete: {},
  },
})

/**
 * Beside the answer: the user, how loud the channel is for them, and the numbers of the first and of the last event
 * that was about them: among those of the channel's roster, and among those of the user's places.
 */
export type MemberRow = RowOf<typeof Member> & {
  user_sid: string
  notification_level: 'default' | 'muted'
  added_event: number
  event: number
  place_added_event: number
  place_event: number
}
