/** The log of events, read: listed by whatever an event names, and fetched one by one. */
import { EVENTS_MINUTES, WorkspaceEvent, type WorkspaceEventRow } from '@parley/contract/taskrouter/event.ts'
import type { Selectable } from 'kysely'
import { sql } from 'kysely'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { find } from '../store/rows.ts'
import { firstSidAt } from '../store/sid.ts'
import type { Tables } from '../store/tables.ts'
import { findTaskChannel, requireWorkspace } from './parents.ts'

const MINUTE_MS = 60_000

/** Filters that each have an index of their own, by the column they narrow; what names the fewest events first. */
const NAMED = {
  reservationSid: 'reservation_sid',
  taskSid: 'task_sid',
  workerSid: 'worker_sid',
  taskQueueSid: 'task_queue_sid',
  workflowSid: 'workflow_sid',
  taskChannelSid: 'task_channel_sid',
} as const

type NamedFilter = keyof typeof NAMED

type Filters = {
  readonly workspaceSid: string
  readonly eventType?: string | undefined
  readonly sid?: string | undefined
  /** A SID's time is its event's, so that moments are places in the order of the list. */
  readonly from?: string | undefined
  readonly before?: string | undefined
} & { readonly [N in NamedFilter]?: string | undefined }

const list = listing('taskrouter_events', 'sid', (query, at: Filters, given) => {
  const [rarest, ...others] = (Object.keys(NAMED) as NamedFilter[]).filter((it) => given(it))
  // The rarest leads: of the others, as expressions, no engine takes the index, which would go through all they have.
  const is = (column: string, value: unknown) => sql<boolean>`${sql.ref(column)} || '' = ${value}`
  let narrowed = rarest
    ? query.where(NAMED[rarest], '=', at[rarest] as string).where(is('workspace_sid', at.workspaceSid))
    : query.where('workspace_sid', '=', at.workspaceSid)
  for (const it of others) narrowed = narrowed.where(is(NAMED[it], at[it]))
  if (given('eventType')) narrowed = narrowed.where('event_type', '=', at.eventType as string)
  if (given('sid')) narrowed = narrowed.where('sid', '=', at.sid as string)
  if (given('from')) narrowed = narrowed.where('sid', '>=', at.from as string)
  if (given('before')) narrowed = narrowed.where('sid', '<', at.before as string)
  return narrowed
})

interface Window {
  readonly startDate?: number | undefined
  readonly endDate?: number | undefined
  readonly minutes?: number | undefined
  readonly sid?: string | undefined
}

/** Which SIDs the asked-for time holds. What names neither a time nor an event is about the last minutes. */
const windowOf = ({ startDate, endDate, minutes, sid }: Window, now: number) => {
  const all = startDate !== undefined || endDate !== undefined || sid !== undefined
  const back = minutes ?? (all ? undefined : EVENTS_MINUTES)
  const starts = [
    ...(startDate === undefined ? [] : [startDate]),
    ...(back === undefined ? [] : [now - back * MINUTE_MS]),
  ]
  // Answers tell whole seconds, so a whole second holds all that is told with it.
  const end = endDate === undefined ? undefined : endDate + (endDate % 1000 === 0 ? 1000 : 1)
  return {
    from: starts.length ? firstSidAt('EV', Math.max(...starts)) : undefined,
    before: end === undefined ? undefined : firstSidAt('EV', end),
  }
}

type Stored = Selectable<Tables['taskrouter_events']>

const show = (row: Stored): WorkspaceEventRow => ({
  ...row,
  actor_url: addressOf(row, row.actor_type, row.actor_sid),
  resource_url: addressOf(row, row.resource_type, row.resource_sid),
})

const FOLDERS: Readonly<Record<string, string>> = {
  activity: 'Activities',
  'task-channel': 'TaskChannels',
  'task-queue': 'TaskQueues',
  workflow: 'Workflows',
  worker: 'Workers',
  task: 'Tasks',
}

/** From its path on; null for what has none. */
const addressOf = (row: Stored, type: string, sid: string | null): string | null => {
  if (sid === null) return null
  if (type === 'account') return `/v1/Parley/Accounts/${sid}`
  const workspace = `/v1/Workspaces/${row.workspace_sid}`
  if (type === 'workspace') return workspace
  if (type === 'reservation') return `${workspace}/Tasks/${row.task_sid}/Reservations/${sid}`
  const folder = FOLDERS[type]
  return folder === undefined ? null : `${workspace}/${folder}/${sid}`
}

export const events = bind(WorkspaceEvent, {
  list: async (reader, call) => {
    const workspace = await requireWorkspace(reader, call)
    const { taskChannel, startDate, endDate, minutes, ...filters } = call.input
    let taskChannelSid: string | undefined
    if (taskChannel !== undefined) {
      // A channel that is gone can still be named by its SID.
      taskChannelSid = (await findTaskChannel(reader, workspace.sid, taskChannel))?.sid ?? taskChannel
    }
    const window = windowOf({ startDate, endDate, minutes, sid: filters.sid }, reader.now())
    const asked = { ...filters, ...window, taskChannelSid, workspaceSid: workspace.sid }
    return (await list(reader, asked, call.page, 'desc')).map(show)
  },
  fetch: async (reader, { accountSid, path }) => {
    const where = { sid: path.sid, workspace_sid: path.workspaceSid, account_sid: accountSid }
    const row = await find(reader, 'taskrouter_events', where)
    return row && show(row)
  },
})
