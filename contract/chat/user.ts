/** Somebody in a service, by an identity that the integrator chose. */
import { address, flag, instant, orNull, required, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { attributes, friendlyName, identity, PAGES, USER_ATTRIBUTES_BYTES_MAX } from './limits.ts'

const changeable = {
  RoleSid: sid('RL', 'service_role_not_found'),
  Attributes: attributes(USER_ATTRIBUTES_BYTES_MAX),
  FriendlyName: friendlyName(),
}

export const User = resource({
  product: 'chat',
  name: 'chat.v2.service.user',
  many: '/v2/Services/{ServiceSid}/Users',
  one: '/v2/Services/{ServiceSid}/Users/{Sid}',
  key: 'users',
  pageSize: PAGES,
  answer: {
    sid: sid('US'),
    account_sid: sid('AC'),
    service_sid: sid('IS'),
    attributes: text(),
    friendly_name: orNull(text()),
    role_sid: sid('RL'),
    identity: text(),
    is_online: orNull(flag()),
    is_notifiable: orNull(flag()),
    date_created: instant(),
    date_updated: instant(),
    joined_channels_count: whole(),
    links: text(),
    url: address(),
  },
  links: {
    user_channels: '/v2/Services/{service_sid}/Users/{sid}/Channels',
    user_bindings: '/v2/Services/{service_sid}/Users/{sid}/Bindings',
  },
  operations: {
    list: {},
    fetch: { openTo: 'clients', about: 'By SID or identity.' },
    create: { form: { Identity: required(identity(), 'identity_missing'), ...changeable } },
    update: { openTo: 'clients', form: changeable },
    delete: { about: 'Removes the user from every channel.' },
  },
})

/**
 * Beside the answer: the number of the last event among those of the channels the user is in or invited to (the
 * user's places), of the last among those about the user, and which of these was the last about the name, the
 * attributes and the presence.
 */
export type UserRow = RowOf<typeof User> & {
  places_event: number
  info_event: number
  name_event: number
  attributes_event: number
  reachability_event: number
}
