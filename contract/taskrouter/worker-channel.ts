/** How much of one task channel a worker takes at once, and how much they have in hand. */
import { address, flag, instant, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { PAGES } from './pages.ts'

export const CAPACITY_MAX = 1000

export const WorkerChannel = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.worker.worker_channel',
  many: '/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Channels',
  one: '/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Channels/{Sid}',
  key: 'channels',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    assigned_tasks: whole(),
    available: flag(),
    available_capacity_percentage: whole(),
    configured_capacity: whole(),
    date_created: instant(),
    date_updated: instant(),
    sid: sid('WC'),
    task_channel_sid: sid('TC'),
    task_channel_unique_name: text(),
    worker_sid: sid('WK'),
    workspace_sid: sid('WS'),
    url: address(),
  },
  operations: {
    list: { openTo: 'clients' },
    fetch: {
      openTo: 'clients',
      about: 'Sid: of the worker channel or its task channel, or the unique name.',
    },
    update: { form: { Capacity: whole({ min: 0, max: CAPACITY_MAX }), Available: flag() } },
  },
})

export type WorkerChannelRow = RowOf<typeof WorkerChannel>
