/** The log of events, read: listed by whatever an event names, and fetched one by one. */
import { setImmediate as turn } from 'node:timers/promises'
import { EVENTS_MINUTES, WorkspaceEvent, type WorkspaceEventRow } from '@parley/contract/taskrouter/event.ts'
import type { Selectable } from 'kysely'
import { sql } from 'kysely'
import { bind } from '../http/binding.ts'
import { listing, type Order, type PageAsked } from '../store/listing.ts'
import { find } from '../store/rows.ts'
import { firstSidAt, momentOf } from '../store/sid.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader } from '../store/tx.ts'
import { findTaskChannel, requireWorkspace } from './parents.ts'

const MINUTE_MS = 60_000

/** Filters that each have an index of their own, by the column they narrow; what names the fewest events first. */
const RARE = { reservationSid: 'reservation_sid', taskSid: 'task_sid', workerSid: 'worker_sid' } as const

/** Filters that many events answer to; they stand in the index of the log itself, which is gone through for them. */
const COMMON = {
  taskQueueSid: 'task_queue_sid',
  workflowSid: 'workflow_sid',
  taskChannelSid: 'task_channel_sid',
  eventType: 'event_type',
} as const

type RareFilter = keyof typeof RARE
type CommonFilter = keyof typeof COMMON

const RARE_FILTERS = Object.keys(RARE) as RareFilter[]
const COMMON_FILTERS = Object.keys(COMMON) as CommonFilter[]

type Filters = {
  readonly workspaceSid: string
  readonly sid?: string | undefined
  /** A SID's time is its event's, so that moments are places in the order of the list. */
  readonly from?: string | undefined
  readonly before?: string | undefined
} & { readonly [N in RareFilter | CommonFilter]?: string | undefined }

const list = listing('taskrouter_events', 'sid', (query, at: Filters, given) => {
  const [rarest, ...others] = RARE_FILTERS.filter((it) => given(it))
  // The rarest leads: of the others, as expressions, no engine takes the index, which would go through all they have.
  const is = (column: string, value: unknown) => sql<boolean>`${sql.ref(column)} || '' = ${value}`
  let narrowed = rarest
    ? query.where(RARE[rarest], '=', at[rarest] as string).where(is('workspace_sid', at.workspaceSid))
    : query.where('workspace_sid', '=', at.workspaceSid)
  for (const it of others) narrowed = narrowed.where(is(RARE[it], at[it]))
  for (const it of COMMON_FILTERS) if (given(it)) narrowed = narrowed.where(COMMON[it], '=', at[it] as string)
  if (given('sid')) narrowed = narrowed.where('sid', '=', at.sid as string)
  if (given('from')) narrowed = narrowed.where('sid', '>=', at.from as string)
  if (given('before')) narrowed = narrowed.where('sid', '<', at.before as string)
  return narrowed
})

/** How much of the log is gone through in one turn of the event loop, in milliseconds: a little at first, then more. */
const STRETCH_MIN_MS = 3_600_000
const STRETCH_MAX_MS = 86_400_000

/**
 * A page of what is narrowed by filters that have no index of their own: the log is gone through from the page's edge on,
 * a stretch of time after the other, and whoever else is there has their turn between them.
 */
const search = async (reader: Reader, asked: Filters, page: PageAsked): Promise<Stored[]> => {
  const { workspaceSid, from, before } = asked
  const ends = (order: Order) => list(reader, { workspaceSid, from, before }, { limit: 1 }, order)
  const [first, last] = [(await ends('asc'))[0], (await ends('desc'))[0]]
  if (!first || !last) return []
  const upwards = page.before !== undefined
  const [low, high] = [momentOf(first.sid), momentOf(last.sid) + 1]
  const edge = page.after ?? page.before
  // An edge that nobody was given may lie as far from the log as it likes.
  const start = edge === undefined ? high : Math.max(low, Math.min(high, momentOf(edge) + (upwards ? 0 : 1)))
  const found: Stored[] = []
  let stretch = STRETCH_MIN_MS
  for (let at = start; found.length < page.limit && (upwards ? at < high : at > low); ) {
    const to = upwards ? at + stretch : at - stretch
    const within = {
      from: latest(from, firstSidAt('EV', Math.min(at, to))),
      before: earliest(before, firstSidAt('EV', Math.max(at, to))),
    }
    const left = { ...page, limit: page.limit - found.length }
    const rows = await list(reader, { ...asked, ...within }, left, 'desc')
    if (upwards) found.unshift(...rows)
    else found.push(...rows)
    at = to
    stretch = Math.min(STRETCH_MAX_MS, stretch * 2)
    await turn()
  }
  return found
}

const latest = (a: string | undefined, b: string): string => (a !== undefined && a > b ? a : b)
const earliest = (a: string | undefined, b: string): string => (a !== undefined && a < b ? a : b)

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
    const isSearch = !RARE_FILTERS.some((it) => asked[it]) && COMMON_FILTERS.some((it) => asked[it])
    const rows = isSearch
      ? await search(reader, asked, call.page)
      : await list(reader, asked, call.page, 'desc')
    return rows.map(show)
  },
  fetch: async (reader, { accountSid, path }) => {
    const where = { sid: path.sid, workspace_sid: path.workspaceSid, account_sid: accountSid }
    const row = await find(reader, 'taskrouter_events', where)
    return row && show(row)
  },
})
