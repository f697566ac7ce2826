/**
 * What happened in a workspace, as it is kept and listed: the audit trail. Written in the transaction that did it,
 * never changed after.
 */
import { address, instant, jsonObject, orNull, ownAddress, sid, text, whole } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'
import { PAGES } from './pages.ts'

/** How far back a list goes that names neither `Minutes` nor a date, as published. */
export const EVENTS_MINUTES = 15

/** A year: more than is ever kept by default, and a number that no date overflows with. */
const MINUTES_MAX = 525_600

export const WorkspaceEvent = resource({
  product: 'taskrouter',
  name: 'taskrouter.v1.workspace.event',
  many: '/v1/Workspaces/{WorkspaceSid}/Events',
  one: '/v1/Workspaces/{WorkspaceSid}/Events/{Sid}',
  key: 'events',
  pageSize: PAGES,
  answer: {
    account_sid: sid('AC'),
    /** The account whose back end did it, the worker who did, or the workspace where nobody asked. */
    actor_sid: orNull(text()),
    actor_type: text(),
    actor_url: orNull(ownAddress()),
    description: text(),
    /** Texts by the names of the event callback's parameters, in snake case. */
    event_data: jsonObject(),
    event_date: instant(),
    event_date_ms: whole(),
    event_type: text(),
    resource_sid: text(),
    resource_type: text(),
    resource_url: orNull(ownAddress()),
    sid: sid('EV'),
    /** `taskrouter` where time or routing did it, else `api` or `sdk`. */
    source: text(),
    /** Addresses of clients are not kept. */
    source_ip_address: orNull(text()),
    url: address(),
    workspace_sid: sid('WS'),
  },
  operations: {
    list: {
      form: {
        EndDate: instant(),
        EventType: text({ max: 64 }),
        Minutes: whole({ min: 0, max: MINUTES_MAX }),
        ReservationSid: sid('WR'),
        StartDate: instant(),
        TaskQueueSid: sid('WQ'),
        TaskSid: sid('WT'),
        WorkerSid: sid('WK'),
        WorkflowSid: sid('WW'),
        TaskChannel: text({ max: 256 }),
        Sid: sid('EV'),
      },
      about:
        'The latest first. Without Minutes, StartDate, EndDate and Sid: of the last 15 minutes. TaskChannel: a SID or a unique name.',
    },
    fetch: {},
  },
})

export type WorkspaceEventRow = RowOf<typeof WorkspaceEvent>
