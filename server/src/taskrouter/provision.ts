/** What a new workspace has, and what the workspace of a new Flex project has. */
import type { Actor } from '@parley/contract/actor.ts'
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import type { TaskChannelRow } from '@parley/contract/taskrouter/task-channel.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import { RESERVATION_TIMEOUT_SECONDS, type WorkflowRow } from '@parley/contract/taskrouter/workflow.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { insert } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'
import { HOUSE } from './house.ts'

/** `Offline` is where workers begin, and where those go who let an offer pass. */
const ACTIVITIES = [
  { friendlyName: 'Offline', available: 0 },
  { friendlyName: 'Available', available: 1 },
  { friendlyName: 'Unavailable', available: 0 },
] as const

const FLEX_ACTIVITIES = [...ACTIVITIES, { friendlyName: 'Break', available: 0 }] as const

const TASK_CHANNELS = [
  ['default', 'Default'],
  ['voice', 'Voice'],
  ['chat', 'Programmable Chat'],
  ['sms', 'SMS'],
  ['video', 'Video'],
  ['email', 'Email'],
] as const

/** What is asked of a workspace, beside what every one has. */
export interface WorkspaceWanted {
  readonly accountSid: string
  readonly friendlyName: string
  readonly eventCallbackUrl?: string | null
  readonly eventsFilter?: string | null
  readonly multiTaskEnabled?: boolean | undefined
  readonly prioritizeQueueOrder?: 'FIFO' | 'LIFO' | undefined
  readonly activities?: readonly { readonly friendlyName: string; readonly available: 0 | 1 }[]
  readonly actor?: Actor
}

/** A workspace with its activities and task channels. */
export const newWorkspace = async (tx: Tx, wanted: WorkspaceWanted) => {
  const { accountSid, friendlyName, actor = HOUSE } = wanted
  const now = tx.now()
  const dates = { date_created: now, date_updated: now }
  const workspaceSid = tx.newSid('WS')
  const activities: ActivityRow[] = []
  for (const it of wanted.activities ?? ACTIVITIES) {
    const activity = {
      sid: tx.newSid('WA'),
      account_sid: accountSid,
      workspace_sid: workspaceSid,
      friendly_name: it.friendlyName,
      available: it.available,
      ...dates,
    }
    await insert(tx, 'activities', activity)
    activities.push(activity)
  }
  const taskChannels: TaskChannelRow[] = []
  for (const [uniqueName, name] of TASK_CHANNELS) {
    const channel = {
      sid: tx.newSid('TC'),
      account_sid: accountSid,
      workspace_sid: workspaceSid,
      friendly_name: name,
      unique_name: uniqueName,
      channel_optimized_routing: 0,
      ...dates,
    }
    await insert(tx, 'task_channels', channel)
    taskChannels.push(channel)
  }
  const [offline] = activities
  const workspace: WorkspaceRow = {
    sid: workspaceSid,
    account_sid: accountSid,
    friendly_name: friendlyName,
    default_activity_sid: offline?.sid ?? null,
    default_activity_name: offline?.friendly_name ?? null,
    timeout_activity_sid: offline?.sid ?? null,
    timeout_activity_name: offline?.friendly_name ?? null,
    event_callback_url: wanted.eventCallbackUrl ?? null,
    events_filter: wanted.eventsFilter ?? null,
    multi_task_enabled: Number(wanted.multiTaskEnabled ?? true),
    prioritize_queue_order: wanted.prioritizeQueueOrder ?? 'FIFO',
    ...dates,
  }
  await insert(tx, 'workspaces', workspace)
  tx.record({ name: 'workspace.created', accountSid, at: now, actor, workspace })
  return { workspace, activities, taskChannels }
}

/** A queue for everybody and a workflow that leads every task there. */
export const everybodysQueue = async (
  tx: Tx,
  workspace: WorkspaceRow,
  { queue: queueName, workflow: workflowName }: { queue: string; workflow: string },
  actor: Actor = HOUSE,
) => {
  const now = tx.now()
  const common = {
    account_sid: workspace.account_sid,
    workspace_sid: workspace.sid,
    date_created: now,
    date_updated: now,
  }
  const taskQueue: TaskQueueRow = {
    ...common,
    sid: tx.newSid('WQ'),
    friendly_name: queueName,
    target_workers: '1==1',
    max_reserved_workers: 1,
    task_order: 'FIFO',
    assignment_activity_sid: null,
    assignment_activity_name: null,
    reservation_activity_sid: null,
    reservation_activity_name: null,
  }
  const workflow: WorkflowRow = {
    ...common,
    sid: tx.newSid('WW'),
    friendly_name: workflowName,
    configuration: JSON.stringify({
      task_routing: { filters: [], default_filter: { queue: taskQueue.sid } },
    }),
    document_content_type: 'application/json',
    assignment_callback_url: null,
    fallback_assignment_callback_url: null,
    task_reservation_timeout: RESERVATION_TIMEOUT_SECONDS,
  }
  await insert(tx, 'task_queues', taskQueue)
  await insert(tx, 'workflows', workflow)
  const told = { accountSid: workspace.account_sid, at: now, actor }
  tx.record({ name: 'task-queue.created', ...told, taskQueue })
  tx.record({ name: 'workflow.created', ...told, workflow })
  return { taskQueue, workflow }
}

/** The workspace of a new Flex project: its names are those that Flex gives. */
export const provisionWorkspace = async (
  tx: Tx,
  { accountSid, friendlyName }: { accountSid: string; friendlyName: string },
) => {
  const made = await newWorkspace(tx, { accountSid, friendlyName, activities: FLEX_ACTIVITIES })
  const names = { queue: 'Everyone', workflow: 'Assign to Anyone' }
  return { ...made, ...(await everybodysQueue(tx, made.workspace, names)) }
}
