/** What those who have the role may do: in the whole service (`deployment`), or in a channel. */
import { address, choice, instant, many, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName, PAGES } from './limits.ts'

const permissions = () => required(many(text({ max: 64 }), { max: 64 }))

export const Role = resource({
  product: 'chat',
  name: 'chat.v2.service.role',
  many: '/v2/Services/{ServiceSid}/Roles',
  one: '/v2/Services/{ServiceSid}/Roles/{Sid}',
  key: 'roles',
  pageSize: PAGES,
  answer: {
    sid: sid('RL'),
    account_sid: sid('AC'),
    service_sid: sid('IS'),
    friendly_name: text(),
    type: choice(['deployment', 'channel']),
    permissions: many(text()),
    date_created: instant(),
    date_updated: instant(),
    url: address(),
  },
  operations: {
    list: {},
    fetch: {},
    create: {
      form: {
        FriendlyName: required(friendlyName(), 'friendly_name_missing'),
        Type: required(choice(['deployment', 'channel'])),
        Permission: permissions(),
      },
    },
    update: {
      about: 'The permissions given replace those the role had.',
      form: { Permission: permissions() },
    },
    delete: {
      about: 'Whoever still has the role may do nothing by it. A default role of the service stays.',
    },
  },
})

export type RoleRow = RowOf<typeof Role>
