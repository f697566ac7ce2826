/**
 * A Flex Channel: one POST makes the chat user, the chat channel, the membership and what the Flex Flow sets off.
 * It is the chat channel seen by Flex: the two have one SID.
 */
import { flag, instant, jsonText, orNull, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { ATTRIBUTES_BYTES_MAX as TASK_ATTRIBUTES_BYTES_MAX } from '../taskrouter/worker.ts'

export const IDENTITY_MAX = 256
export const CHAT_FRIENDLY_NAME_MAX = 256
export const CHAT_UNIQUE_NAME_MAX = 256
const TARGET_MAX = 256

export const FlexChannel = resource({
  product: 'flex',
  name: 'flex.v1.channel',
  many: '/v1/Channels',
  one: '/v1/Channels/{Sid}',
  key: 'flex_chat_channels',
  pageSize: { default: 50, max: 1000 },
  answer: {
    account_sid: sid('AC'),
    flex_flow_sid: sid('FO'),
    sid: sid('CH'),
    user_sid: orNull(sid('US')),
    task_sid: orNull(sid('WT')),
    url: text(),
    date_created: instant(),
    date_updated: instant(),
  },
  operations: {
    list: {},
    fetch: {},
    create: {
      form: {
        FlexFlowSid: required(sid('FO')),
        Identity: required(text({ max: IDENTITY_MAX, empty: 'missing_parameter' })),
        ChatUserFriendlyName: required(text({ max: CHAT_FRIENDLY_NAME_MAX })),
        ChatFriendlyName: required(text({ max: CHAT_FRIENDLY_NAME_MAX })),
        Target: text({ max: TARGET_MAX }),
        ChatUniqueName: text({ max: CHAT_UNIQUE_NAME_MAX }),
        PreEngagementData: jsonText(),
        TaskSid: sid('WT'),
        TaskAttributes: jsonText({ object: true, maxBytes: TASK_ATTRIBUTES_BYTES_MAX }),
        LongLived: flag(),
      },
      about:
        'The header Parley-Channel of the answer tells whether the channel was made or found by its Target.',
    },
    delete: { about: 'Deletes the chat channel as well.' },
  },
})

export type FlexChannelRow = RowOf<typeof FlexChannel>
