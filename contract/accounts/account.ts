/** Accounts, as an owner sees its own and those it made. Ours: Twilio's accounts API is another product. */
import { choice, instant, orNull, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'

const FRIENDLY_NAME_MAX = 256

export const Account = resource({
  product: 'accounts',
  name: 'parley.v1.account',
  many: '/v1/Parley/Accounts',
  one: '/v1/Parley/Accounts/{Sid}',
  key: 'accounts',
  answer: {
    sid: sid('AC'),
    owner_sid: sid('AC'),
    friendly_name: text(),
    status: choice(['active', 'suspended']),
    /** In the clear once, in the answer that makes it. */
    auth_token: orNull(text()),
    date_created: instant(),
    date_updated: instant(),
    url: text(),
    links: text(),
  },
  links: { keys: '/v1/Parley/Accounts/{sid}/Keys' },
  operations: {
    list: { about: 'The account that asks, and those it made.' },
    fetch: {},
    create: {
      about: 'Makes an account with everything a new Flex project has. Its auth token is shown this once.',
      form: { FriendlyName: required(text({ max: FRIENDLY_NAME_MAX, empty: 'missing_parameter' })) },
    },
    update: {
      about: 'Renames, suspends or revives an account that the asking one made.',
      form: {
        FriendlyName: text({ max: FRIENDLY_NAME_MAX, empty: 'missing_parameter' }),
        Status: choice(['active', 'suspended']),
      },
    },
  },
})

export type AccountAnswer = RowOf<typeof Account>

export const ApiKey = resource({
  product: 'accounts',
  name: 'parley.v1.key',
  many: '/v1/Parley/Accounts/{AccountSid}/Keys',
  one: '/v1/Parley/Accounts/{AccountSid}/Keys/{Sid}',
  key: 'keys',
  answer: {
    sid: sid('SK'),
    account_sid: sid('AC'),
    friendly_name: text(),
    /** In the clear once, in the answer that makes it. */
    secret: orNull(text()),
    date_created: instant(),
    url: text(),
  },
  operations: {
    list: {},
    fetch: {},
    create: {
      about: 'Makes an API key. Its secret is shown this once.',
      form: { FriendlyName: text({ max: FRIENDLY_NAME_MAX }) },
    },
    delete: { about: 'Tokens signed with the key are good for nothing from then on.' },
  },
})

export type ApiKeyAnswer = RowOf<typeof ApiKey>
