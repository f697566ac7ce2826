/** A kind of work, such as `chat` or `voice`: workers have a capacity for each. Not a chat channel, not a Flex channel. */
import { address, flag, instant, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName } from './friendly-name.ts'
import { PAGES } from './pages.ts'

export const TaskChannel = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.task_channel',
  many: '/v1/Workspaces/{WorkspaceSid}/TaskChannels',
  one: '/v1/Workspaces/{WorkspaceSid}/TaskChannels/{Sid}',
  key: 'channels',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    date_created: instant(),
    date_updated: instant(),
    friendly_name: text(),
    sid: sid('TC'),
    unique_name: text(),
    workspace_sid: sid('WS'),
    channel_optimized_routing: flag(),
    url: address(),
  },
  links: { workspace: '/v1/Workspaces/{workspace_sid}' },
  operations: {
    list: {},
    fetch: { about: 'Sid: a SID or a unique name.' },
    create: {
      form: {
        FriendlyName: required(friendlyName()),
        UniqueName: required(text({ max: 64, empty: 'missing_parameter' })),
        ChannelOptimizedRouting: flag(),
      },
    },
    update: { form: { FriendlyName: friendlyName(), ChannelOptimizedRouting: flag() } },
    delete: {},
  },
})

export type TaskChannelRow = RowOf<typeof TaskChannel>
