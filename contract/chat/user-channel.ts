/** A channel as one user sees it: joined or invited, how much is unread, how loud it is. */
import { address, choice, instant, orNull, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'

export const UserChannel = resource({
  product: 'chat',
  name: 'chat.v2.service.user.user_channel',
  many: '/v2/Services/{ServiceSid}/Users/{UserSid}/Channels',
  one: '/v2/Services/{ServiceSid}/Users/{UserSid}/Channels/{ChannelSid}',
  key: 'channels',
  pageSize: { default: 50, max: 50 },
  pageKey: 'sid',
  openTo: 'clients',
  answer: {
    account_sid: sid('AC'),
    service_sid: sid('IS'),
    channel_sid: sid('CH'),
    user_sid: sid('US'),
    member_sid: orNull(sid('MB')),
    status: choice(['joined', 'invited', 'not_participating']),
    last_consumed_message_index: orNull(whole()),
    unread_messages_count: orNull(whole()),
    links: text(),
    url: address(),
    notification_level: choice(['default', 'muted']),
  },
  links: {
    channel: '/v2/Services/{service_sid}/Channels/{channel_sid}',
    member: '/v2/Services/{service_sid}/Channels/{channel_sid}/Members/{member_sid}',
  },
  operations: {
    list: {},
    fetch: {},
    update: {
      form: {
        NotificationLevel: choice(['default', 'muted'], 'notification_level'),
        LastConsumedMessageIndex: whole({ min: 0, wrong: 'consumed_index' }),
        LastConsumptionTimestamp: instant('consumed_at'),
      },
    },
    delete: { about: 'Removes the user from the channel, or takes the invitation back.' },
  },
})

export type UserChannelRow = RowOf<typeof UserChannel>
