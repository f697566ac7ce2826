/** Flex Flows and Web Channels as their first, never documented addresses show them. */
import { choice, flag, instant, orNull, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { CHANNEL_TYPES } from './flex-flow.ts'
import { webChannelAnswer, webChannelForm } from './web-channel.ts'

export const PreviewFlexFlow = resource({
  product: 'preview',
  name: 'preview.flex.flex_flow',
  many: '/Flex/FlexFlows',
  one: '/Flex/FlexFlows/{Sid}',
  key: 'flex_flows',
  pageSize: { default: 50, max: 1000 },
  answer: {
    studio_flow_sid: orNull(sid('FW')),
    date_updated: instant(),
    enabled: flag(),
    friendly_name: text(),
    contact_identity: orNull(text()),
    account_sid: sid('AC'),
    channel_type: choice(CHANNEL_TYPES),
    url: text(),
    sid: sid('FO'),
    date_created: instant(),
    chat_service_sid: sid('IS'),
  },
  operations: { list: {}, fetch: {} },
})

export type PreviewFlexFlowRow = RowOf<typeof PreviewFlexFlow>

export const PreviewWebChannel = resource({
  product: 'preview',
  name: 'preview.flex.web_channel',
  many: '/Flex/WebChannels',
  url: '/v1/WebChannels/{sid}',
  answer: webChannelAnswer,
  operations: { create: { form: webChannelForm, openTo: 'clients' } },
})
