/** What a worker is doing, and whether it leaves them available. That cannot change once an activity is made. */
import { address, flag, instant, required, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName } from './friendly-name.ts'
import { PAGES } from './pages.ts'

export const Activity = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.activity',
  many: '/v1/Workspaces/{WorkspaceSid}/Activities',
  one: '/v1/Workspaces/{WorkspaceSid}/Activities/{Sid}',
  key: 'activities',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    available: flag(),
    date_created: instant(),
    date_updated: instant(),
    friendly_name: text(),
    sid: sid('WA'),
    workspace_sid: sid('WS'),
    url: address(),
  },
  links: { workspace: '/v1/Workspaces/{workspace_sid}' },
  operations: {
    list: {
      form: { FriendlyName: text(), Available: text() },
      openTo: 'clients',
      about: 'Available: true, 1 or yes is available; anything else is not.',
    },
    fetch: { openTo: 'clients' },
    create: { form: { FriendlyName: required(friendlyName()), Available: flag() } },
    update: { form: { FriendlyName: friendlyName() } },
    delete: {},
  },
})

export type ActivityRow = RowOf<typeof Activity>
