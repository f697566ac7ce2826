/** Somebody, or something, that takes tasks. Their attributes are what queues and workflows match against. */
import { address, flag, instant, jsonText, orNull, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName } from './friendly-name.ts'
import { PAGES } from './pages.ts'

/** Longest attributes of a worker or a task, in bytes. */
export const ATTRIBUTES_BYTES_MAX = 65_536

/** What the documents say of a parameter that Twilio does not have. */
export const MERGE =
  'Attributes.Merge (ours): a JSON merge patch (RFC 7396) of the attributes, in place of Attributes.'

export const workerAttributes = () => jsonText({ object: true, maxBytes: ATTRIBUTES_BYTES_MAX })

export const Worker = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.worker',
  many: '/v1/Workspaces/{WorkspaceSid}/Workers',
  one: '/v1/Workspaces/{WorkspaceSid}/Workers/{Sid}',
  key: 'workers',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    activity_name: orNull(text()),
    activity_sid: orNull(sid('WA')),
    attributes: jsonText(),
    available: flag(),
    date_created: instant(),
    date_status_changed: instant(),
    date_updated: instant(),
    friendly_name: text(),
    sid: sid('WK'),
    workspace_sid: sid('WS'),
    url: address(),
  },
  links: {
    channels: '/v1/Workspaces/{workspace_sid}/Workers/{sid}/Channels',
    activity: '/v1/Workspaces/{workspace_sid}/Activities/{activity_sid}',
    workspace: '/v1/Workspaces/{workspace_sid}',
    statistics: '/v1/Workspaces/{workspace_sid}/Workers/Statistics',
    real_time_statistics: '/v1/Workspaces/{workspace_sid}/Workers/RealTimeStatistics',
    cumulative_statistics: '/v1/Workspaces/{workspace_sid}/Workers/CumulativeStatistics',
    worker_statistics: '/v1/Workspaces/{workspace_sid}/Workers/{sid}/Statistics',
    worker_channels: '/v1/Workspaces/{workspace_sid}/Workers/{sid}/Channels',
    reservations: '/v1/Workspaces/{workspace_sid}/Workers/{sid}/Reservations',
  },
  operations: {
    list: {
      form: {
        ActivityName: text(),
        ActivitySid: sid('WA'),
        Available: text(),
        FriendlyName: text(),
        TargetWorkersExpression: text(),
        TaskQueueName: text(),
        TaskQueueSid: sid('WQ'),
        Ordering: text(),
      },
      about: 'Ordering: DateStatusChanged, DateCreated or DateUpdated, each with :asc or :desc.',
    },
    fetch: { openTo: 'clients' },
    create: {
      form: {
        FriendlyName: required(friendlyName()),
        ActivitySid: sid('WA'),
        Attributes: workerAttributes(),
      },
    },
    update: {
      form: {
        ActivitySid: sid('WA'),
        Attributes: workerAttributes(),
        'Attributes.Merge': workerAttributes(),
        FriendlyName: friendlyName(),
        RejectPendingReservations: flag(),
      },
      about: MERGE,
      openTo: 'clients',
    },
    delete: {},
  },
})

export type WorkerRow = RowOf<typeof Worker>
