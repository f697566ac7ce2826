/** What was said in a channel. Messages have indices without gaps, from 0; a message deleted leaves one. */
import { address, choice, flag, instant, jsonObject, orNull, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { attributes, author, BODY_BYTES_MAX, NAME_MAX, PAGES } from './limits.ts'

const written = {
  From: author(),
  Attributes: attributes(),
  DateCreated: instant('date_created'),
  DateUpdated: instant('date_updated'),
  LastUpdatedBy: text({ max: NAME_MAX, tooLong: 'updated_by_too_long' }),
  Body: text({ max: BODY_BYTES_MAX, maxBytes: BODY_BYTES_MAX, tooLong: 'body_too_long' }),
}

export const Message = resource({
  product: 'chat',
  name: 'chat.v2.service.channel.message',
  many: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Messages',
  one: '/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Messages/{Sid}',
  key: 'messages',
  pageSize: PAGES,
  pageKey: 'number',
  openTo: 'clients',
  answer: {
    sid: sid('IM'),
    account_sid: sid('AC'),
    attributes: text(),
    service_sid: sid('IS'),
    to: sid('CH'),
    channel_sid: sid('CH'),
    date_created: instant(),
    date_updated: instant(),
    last_updated_by: orNull(text()),
    was_edited: flag(),
    from: text(),
    body: orNull(text()),
    index: whole(),
    type: choice(['text', 'media']),
    media: orNull(jsonObject()),
    url: address(),
  },
  operations: {
    list: { form: { Order: choice(['asc', 'desc']) } },
    fetch: {},
    create: {
      about: 'From need be neither a member nor a user, unless a client asks: then it is the client.',
      form: { ...written, MediaSid: sid('ME', 'media_not_found') },
    },
    update: { form: written },
    delete: {},
  },
})

/**
 * Beside the answer: the member who said it, where a client did; and the numbers, among the events of its channel's
 * messages, of its first and of its last.
 */
export type MessageRow = RowOf<typeof Message> & {
  member_sid: string | null
  added_event: number
  event: number
}
