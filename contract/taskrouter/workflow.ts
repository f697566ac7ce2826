/** Which queues a task goes through, by its attributes and its age. */
import { address, instant, orNull, required, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { friendlyName } from './friendly-name.ts'
import { PAGES } from './pages.ts'

/** How long an offer stands unless a workflow says otherwise, and the longest it may, in seconds. */
export const RESERVATION_TIMEOUT_SECONDS = 120
export const RESERVATION_TIMEOUT_SECONDS_MAX = 86_400

const configuration = () => text({ max: 500_000 })

export const Workflow = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.workflow',
  many: '/v1/Workspaces/{WorkspaceSid}/Workflows',
  one: '/v1/Workspaces/{WorkspaceSid}/Workflows/{Sid}',
  key: 'workflows',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    assignment_callback_url: orNull(address()),
    configuration: text(),
    date_created: instant(),
    date_updated: instant(),
    document_content_type: text(),
    fallback_assignment_callback_url: orNull(address()),
    friendly_name: text(),
    sid: sid('WW'),
    task_reservation_timeout: whole(),
    workspace_sid: sid('WS'),
    url: address(),
  },
  links: {
    statistics: '/v1/Workspaces/{workspace_sid}/Workflows/{sid}/Statistics',
    real_time_statistics: '/v1/Workspaces/{workspace_sid}/Workflows/{sid}/RealTimeStatistics',
    cumulative_statistics: '/v1/Workspaces/{workspace_sid}/Workflows/{sid}/CumulativeStatistics',
    workspace: '/v1/Workspaces/{workspace_sid}',
  },
  operations: {
    list: { form: { FriendlyName: text() } },
    fetch: {},
    create: {
      form: {
        FriendlyName: required(friendlyName()),
        Configuration: required(configuration()),
        AssignmentCallbackUrl: address(),
        FallbackAssignmentCallbackUrl: address(),
        TaskReservationTimeout: whole({ min: 1, max: RESERVATION_TIMEOUT_SECONDS_MAX }),
      },
    },
    update: {
      form: {
        FriendlyName: friendlyName(),
        AssignmentCallbackUrl: address(),
        FallbackAssignmentCallbackUrl: address(),
        Configuration: configuration(),
        TaskReservationTimeout: whole({ min: 1, max: RESERVATION_TIMEOUT_SECONDS_MAX }),
        ReEvaluateTasks: text(),
      },
      about: 'ReEvaluateTasks: true, 1 or yes sends the waiting tasks through the filters again.',
    },
    delete: {},
  },
})

export type WorkflowRow = RowOf<typeof Workflow>
