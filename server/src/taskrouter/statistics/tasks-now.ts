/**
 * The tasks that are not over, by status and by priority, and who of them has waited longest. Counted in the indexes
 * that end in the SID, without the tasks' rows: SIDs begin with their time, so the least is the oldest.
 */
import { byShape, statement } from '../../store/query.ts'
import { find } from '../../store/rows.ts'
import type { Reader } from '../../store/tx.ts'
import { taskRow } from '../task-row.ts'

/** Of a workspace, a queue or a workflow. */
export type Of =
  | { readonly workspaceSid: string }
  | { readonly taskQueueSid: string }
  | { readonly workflowSid: string }

interface Group {
  readonly status: 'pending' | 'reserved' | 'assigned' | 'wrapping'
  readonly priority: number
  readonly channel: string
  readonly count: number
  readonly oldest: string
  /** The earliest moment one of them came to its queue; only counted for a queue. */
  readonly entered: number | null
}

type Kind = 'workspaceSid' | 'taskQueueSid' | 'workflowSid'

// biome-ignore lint/suspicious/noExplicitAny: a query whose columns differ by shape is beyond what the builder's types can follow
type AnyQuery = any

interface At {
  readonly workspaceSid: string
  readonly taskQueueSid: string
  readonly workflowSid: string
  readonly channelSid: string
}

const narrowed = (query: AnyQuery, at: At, of: Kind, inChannel: boolean): AnyQuery => {
  const ofChannel = inChannel ? query.where('task_channel_sid', '=', at.channelSid) : query
  if (of === 'taskQueueSid') return ofChannel.where('task_queue_sid', '=', at.taskQueueSid)
  if (of === 'workflowSid') return ofChannel.where('workflow_sid', '=', at.workflowSid)
  // A workspace's tasks are those of its task channels, and by those there is an index.
  if (inChannel) return ofChannel
  return query.where('task_channel_sid', 'in', (it: AnyQuery) =>
    it.selectFrom('task_channels').select('sid').where('workspace_sid', '=', at.workspaceSid),
  )
}

const groups = byShape<{ of: Kind; inChannel: boolean }>(({ of, inChannel }) =>
  statement((db: AnyQuery, at: At) => {
    const columns = ['assignment_status', 'priority', 'task_channel_sid']
    return narrowed(db.selectFrom('tasks'), at, of, inChannel)
      .where('assignment_status', 'in', ['pending', 'reserved', 'assigned', 'wrapping'])
      .select((it: AnyQuery) => [
        'assignment_status as status',
        'priority',
        'task_channel_sid as channel',
        it.fn.countAll().as('count'),
        it.fn.min('sid').as('oldest'),
        ...(of === 'taskQueueSid' ? [it.fn.min('task_queue_entered_date').as('entered')] : []),
      ])
      .groupBy(columns)
  }),
)

const ask = async (reader: Reader, of: Of, channelSid: string | undefined): Promise<Group[]> => {
  const [kind] = Object.keys(of) as [Kind]
  const inChannel = channelSid !== undefined
  const it = groups(`${kind}|${inChannel}`, () => ({ of: kind, inChannel }))
  return (await reader.run(it, { ...of, channelSid })).rows as Group[]
}

const waits = ({ status }: Group): boolean => status === 'pending' || status === 'reserved'

export const tasksNow = async (reader: Reader, of: Of, channelSid: string | undefined) =>
  summed(reader, await ask(reader, of, channelSid))

/** Of a queue also who came to it first of those who wait in it. */
export const tasksInQueueNow = async (
  reader: Reader,
  taskQueueSid: string,
  channelSid: string | undefined,
) => {
  const all = await ask(reader, { taskQueueSid }, channelSid)
  return { ...(await summed(reader, all)), ...(await relativeWait(reader, taskQueueSid, all)) }
}

const summed = async (reader: Reader, all: readonly Group[]) => {
  const byStatus = { assigned: 0, pending: 0, reserved: 0, wrapping: 0 }
  const byPriority: Record<string, number> = {}
  let oldest: string | undefined
  for (const it of all) {
    byStatus[it.status] += it.count
    byPriority[it.priority] = (byPriority[it.priority] ?? 0) + it.count
    if (waits(it) && (oldest === undefined || it.oldest < oldest)) oldest = it.oldest
  }
  const longest = oldest === undefined ? undefined : await find(reader, 'tasks', { sid: oldest })
  return {
    longest_task_waiting_age: longest ? taskRow(longest, reader.now()).age : 0,
    longest_task_waiting_sid: longest?.sid ?? null,
    tasks_by_priority: byPriority,
    tasks_by_status: byStatus,
    total_tasks: all.reduce((total, it) => total + it.count, 0),
  }
}

const enteredAt = statement(
  (
    db: AnyQuery,
    at: { taskQueueSid: string; status: string; channel: string; priority: number; entered: number },
  ) =>
    db
      .selectFrom('tasks')
      .select('sid')
      .where('task_queue_sid', '=', at.taskQueueSid)
      .where('assignment_status', '=', at.status)
      .where('task_channel_sid', '=', at.channel)
      .where('priority', '=', at.priority)
      .where('task_queue_entered_date', '=', at.entered)
      .orderBy('sid')
      .limit(1),
)

const relativeWait = async (reader: Reader, taskQueueSid: string, all: readonly Group[]) => {
  const first = all
    .filter((it) => waits(it) && it.entered !== null)
    .sort((a, b) => Number(a.entered) - Number(b.entered) || (a.oldest < b.oldest ? -1 : 1))
    .at(0)
  const { status, channel, priority, entered } = first ?? {}
  const values = { taskQueueSid, status, channel, priority, entered }
  const [row] = first ? ((await reader.run(enteredAt, values)).rows as { sid: string }[]) : []
  return {
    longest_relative_task_age_in_queue:
      row && entered ? Math.max(0, Math.floor((reader.now() - entered) / 1000)) : 0,
    longest_relative_task_sid_in_queue: row?.sid ?? null,
  }
}
