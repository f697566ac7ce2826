/** Where messages are: a public channel can be found and joined, a private one needs an invitation. */
import { address, choice, instant, many, orNull, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { attributes, author, friendlyName, PAGES, uniqueName } from './limits.ts'

const changeable = {
  FriendlyName: friendlyName(),
  UniqueName: uniqueName(),
  Attributes: attributes(),
  DateCreated: instant('date_created'),
  DateUpdated: instant('date_updated'),
  CreatedBy: author(),
}

export const Channel = resource({
  product: 'chat',
  name: 'chat.v2.service.channel',
  many: '/v2/Services/{ServiceSid}/Channels',
  one: '/v2/Services/{ServiceSid}/Channels/{Sid}',
  key: 'channels',
  pageSize: PAGES,
  openTo: 'clients',
  answer: {
    sid: sid('CH'),
    account_sid: sid('AC'),
    service_sid: sid('IS'),
    friendly_name: orNull(text()),
    unique_name: orNull(text()),
    attributes: text(),
    type: choice(['public', 'private']),
    date_created: instant(),
    date_updated: instant(),
    created_by: text(),
    members_count: whole(),
    messages_count: whole(),
    url: address(),
    links: text(),
  },
  links: {
    members: '/v2/Services/{service_sid}/Channels/{sid}/Members',
    messages: '/v2/Services/{service_sid}/Channels/{sid}/Messages',
    invites: '/v2/Services/{service_sid}/Channels/{sid}/Invites',
    webhooks: '/v2/Services/{service_sid}/Channels/{sid}/Webhooks',
    last_message: '/v2/Services/{service_sid}/Channels/{sid}/Messages/{last_message_sid}',
  },
  operations: {
    list: {
      about: 'The public ones, unless Type says otherwise.',
      form: { Type: many(choice(['public', 'private'])) },
    },
    fetch: { about: 'By SID or unique name.' },
    create: { form: { ...changeable, Type: choice(['public', 'private']) } },
    update: { form: changeable },
    delete: {},
  },
})

/**
 * Columns beside the answer: the highest index ever given (-1 before the first); the latest message that still exists;
 * and the numbers of the last events of what sockets follow of a channel, each counted by itself.
 */
export type ChannelRow = RowOf<typeof Channel> & {
  last_index: number
  last_message_sid: string | null
  last_message_index: number | null
  last_message_at: number | null
  /** The channel itself with its latest message. */
  document_event: number
  messages_event: number
  /** Its members. */
  roster_event: number
}
