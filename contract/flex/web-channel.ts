/** A Web Channel: the Flex Channel of a visitor's browser, made by the visitor's own guest token. */
import { choice, instant, jsonText, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { CHAT_FRIENDLY_NAME_MAX, CHAT_UNIQUE_NAME_MAX, IDENTITY_MAX } from './channel.ts'

/** Also what the preview address takes. */
export const webChannelForm = {
  FlexFlowSid: required(sid('FO')),
  Identity: required(text({ max: IDENTITY_MAX, empty: 'missing_parameter' })),
  CustomerFriendlyName: required(text({ max: CHAT_FRIENDLY_NAME_MAX })),
  ChatFriendlyName: required(text({ max: CHAT_FRIENDLY_NAME_MAX })),
  ChatUniqueName: text({ max: CHAT_UNIQUE_NAME_MAX }),
  PreEngagementData: jsonText(),
}

export const webChannelAnswer = {
  account_sid: sid('AC'),
  flex_flow_sid: sid('FO'),
  sid: sid('CH'),
  url: text(),
  date_created: instant(),
  date_updated: instant(),
}

export const WebChannel = resource({
  product: 'flex',
  name: 'flex.v1.web_channel',
  many: '/v1/WebChannels',
  one: '/v1/WebChannels/{Sid}',
  key: 'flex_chat_channels',
  pageSize: { default: 50, max: 1000 },
  answer: webChannelAnswer,
  operations: {
    list: {},
    fetch: { openTo: 'clients' },
    create: { form: webChannelForm, openTo: 'clients' },
    update: {
      form: { ChatStatus: choice(['inactive']), PostEngagementData: jsonText() },
      openTo: 'clients',
      about:
        'Ends the chat; what the visitor says afterwards is kept in the channel as post_engagement_data.',
    },
    delete: { about: 'Deletes the chat channel as well.' },
  },
})

export type WebChannelRow = RowOf<typeof WebChannel>
