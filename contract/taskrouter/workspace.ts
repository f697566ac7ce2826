/** A workspace: all that routes one kind of work. A Flex project has one, "Flex Task Assignment". */
import { address, choice, flag, instant, orNull, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName } from './friendly-name.ts'
import { PAGES } from './pages.ts'

/** Which queues are served first when a worker could take from queues of both orders. */
export const QUEUE_ORDERS = ['FIFO', 'LIFO'] as const

export const Workspace = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace',
  many: '/v1/Workspaces',
  one: '/v1/Workspaces/{Sid}',
  key: 'workspaces',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    date_created: instant(),
    date_updated: instant(),
    default_activity_name: orNull(text()),
    default_activity_sid: orNull(sid('WA')),
    event_callback_url: orNull(address()),
    events_filter: orNull(text()),
    friendly_name: text(),
    multi_task_enabled: flag(),
    sid: sid('WS'),
    timeout_activity_name: orNull(text()),
    timeout_activity_sid: orNull(sid('WA')),
    prioritize_queue_order: choice(QUEUE_ORDERS),
    url: address(),
  },
  links: {
    activities: '/v1/Workspaces/{sid}/Activities',
    statistics: '/v1/Workspaces/{sid}/Statistics',
    real_time_statistics: '/v1/Workspaces/{sid}/RealTimeStatistics',
    cumulative_statistics: '/v1/Workspaces/{sid}/CumulativeStatistics',
    task_queues: '/v1/Workspaces/{sid}/TaskQueues',
    tasks: '/v1/Workspaces/{sid}/Tasks',
    workers: '/v1/Workspaces/{sid}/Workers',
    workflows: '/v1/Workspaces/{sid}/Workflows',
    task_channels: '/v1/Workspaces/{sid}/TaskChannels',
    events: '/v1/Workspaces/{sid}/Events',
  },
  operations: {
    list: { form: { FriendlyName: text() } },
    fetch: {},
    create: {
      form: {
        FriendlyName: required(friendlyName()),
        EventCallbackUrl: address(),
        EventsFilter: text(),
        MultiTaskEnabled: flag(),
        Template: choice(['NONE', 'FIFO', 'none', 'fifo']),
        PrioritizeQueueOrder: choice(QUEUE_ORDERS),
      },
    },
    update: {
      form: {
        DefaultActivitySid: sid('WA'),
        EventCallbackUrl: address(),
        EventsFilter: text(),
        FriendlyName: friendlyName(),
        MultiTaskEnabled: flag(),
        TimeoutActivitySid: sid('WA'),
        PrioritizeQueueOrder: choice(QUEUE_ORDERS),
      },
    },
    delete: {},
  },
})

export type WorkspaceRow = RowOf<typeof Workspace>
