/**
 * How a conversation begins: the chat user, the chat channel, the membership and what the Flex Flow sets off, made
 * together or found together. The engagement's row comes first: its unique index decides who makes and who finds.
 */
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { isSid } from '@parley/contract/field.ts'
import type { ExternalIntegration, FlexFlowRow, TaskIntegration } from '@parley/contract/flex/flex-flow.ts'
import { Problem, problem } from '@parley/contract/problem.ts'
import {
  createChannel,
  createChannelWebhook,
  ensureUser,
  findService,
  lockChannel,
  updateChannel,
  webhooksOf,
} from '../chat/index.ts'
import { reading } from '../store/query.ts'
import { insertNew, remove } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'
import { createTask, findTask, updateTaskAttributes, workersWith } from '../taskrouter/index.ts'
import { ACTIVE, asObject, changed, newChannelAttributes, newTaskAttributes, saysOver } from './attributes.ts'
import {
  changeEngagement,
  type EngagementRow,
  FLEX,
  findEngagement,
  isTaskOver,
  lockEngagement,
} from './engagement.ts'
import { keepGuest, seatGuest } from './guest.ts'
import { joinWorker } from './hand-over.ts'
import { NO_STUDIO } from './integration.ts'
import { guestRoleSidOf } from './role.ts'

/** Author of what the API does; nobody's identity. */
const RESERVED_IDENTITIES = new Set(['system'])

/** How often somebody may end, between our losing and our finding, what we were to find. */
const FINDS_MAX = 8

export interface EngagementWanted {
  readonly kind: EngagementRow['kind']
  readonly flow: FlexFlowRow
  readonly identity: string
  readonly userFriendlyName: string
  readonly chatFriendlyName: string
  readonly uniqueName: string | undefined
  /** What a live engagement is found by; one without it always begins. */
  readonly target: string | null
  /** Who the conversation is with, for the channel and the task. */
  readonly from: string
  /** JSON. */
  readonly preEngagementData: string | undefined
  readonly taskSid: string | undefined
  /** JSON of an object. */
  readonly taskAttributes: string | undefined
  readonly longLived: boolean
}

export interface Engaged {
  readonly engagement: EngagementRow
  readonly how: 'made' | 'found'
}

const byTarget = reading((db, at: { flexFlowSid: string; kind: EngagementRow['kind']; target: string }) =>
  db
    .selectFrom('engagements')
    .selectAll()
    .where('flex_flow_sid', '=', at.flexFlowSid)
    .where('kind', '=', at.kind)
    .where('live_target', '=', at.target),
)

/**
 * Begins a conversation, or finds the one that goes on under the same target; a long-lived one that is over begins
 * anew.
 * @throws 45004, 45207, 45208, 45211
 */
export const engage = async (tx: Tx, wanted: EngagementWanted, actor: Actor): Promise<Engaged> => {
  const { flow, identity } = wanted
  if (flow.integration_type === 'studio')
    throw problem('flex_invalid', { reason: `FlexFlowSid: ${NO_STUDIO}` })
  if (RESERVED_IDENTITIES.has(identity)) throw problem('flex_identity_reserved', { identity })
  const service = await findService(tx, flow.account_sid, flow.chat_service_sid)
  if (!service)
    throw problem('flex_invalid', {
      reason: `The chat service ${flow.chat_service_sid} of the Flex Flow was not found`,
    })
  for (let attempt = 0; attempt < FINDS_MAX; attempt += 1) {
    const begun = newEngagement(tx, wanted)
    if (await insertNew(tx, 'engagements', begun))
      return {
        engagement: await inFlexWords(identity, wanted, () => begin(tx, begun, wanted, service, actor)),
        how: 'made',
      }
    const found = await findLive(tx, wanted)
    if (!found) continue
    const { engagement, channel } = found
    if (engagement.state === 'live') return { engagement, how: 'found' }
    return { engagement: await beginAnew(tx, engagement, channel, wanted, service, actor), how: 'found' }
  }
  throw problem('unavailable', { reason: 'the conversation under this Target begins and ends too fast' })
}

const newEngagement = (tx: Tx, wanted: EngagementWanted): EngagementRow => {
  const { flow, kind, identity, target } = wanted
  const sid = tx.newSid('CH')
  return {
    sid,
    account_sid: flow.account_sid,
    kind,
    flex_flow_sid: flow.sid,
    chat_service_sid: flow.chat_service_sid,
    identity,
    user_sid: null,
    task_sid: null,
    webhook_sid: null,
    target,
    live_target: target,
    state: 'live',
    long_lived: Number(wanted.longLived),
    janitor_enabled: flow.janitor_enabled,
    integration_type: flow.integration_type,
    integration: flow.integration,
    task_attributes: taskAttributesOf(sid, wanted),
    awaits_message: 0,
    started_at: tx.now(),
    date_created: tx.now(),
    date_updated: tx.now(),
  }
}

const taskAttributesOf = (channelSid: string, { from, flow, taskAttributes }: EngagementWanted): string =>
  newTaskAttributes({ channelSid, name: from, channelType: flow.channel_type, given: taskAttributes })

/** Locks what the target leads to. An engagement whose channel is gone is cleared away. */
const findLive = async (
  tx: Tx,
  { flow, kind, target }: EngagementWanted,
): Promise<{ engagement: EngagementRow; channel: ChannelRow } | undefined> => {
  const seen = await byTarget.first(tx, { flexFlowSid: flow.sid, kind, target: target ?? '' })
  if (!seen) return undefined
  const channel = await lockChannel(tx, flow.account_sid, seen.sid)
  if (!channel) {
    await remove(tx, 'engagements', { sid: seen.sid })
    return undefined
  }
  const engagement = await lockEngagement(tx, seen.sid)
  return engagement?.live_target === target ? { engagement, channel } : undefined
}

const begin = async (
  tx: Tx,
  { sid, account_sid: accountSid, task_attributes: taskAttributes }: EngagementRow,
  wanted: EngagementWanted,
  service: ServiceRow,
  actor: Actor,
): Promise<EngagementRow> => {
  const { flow, identity } = wanted
  if (wanted.uniqueName) await freeUniqueName(tx, accountSid, service.sid, wanted.uniqueName)
  const user = await ensureUser(tx, {
    service,
    identity,
    friendlyName: wanted.userFriendlyName,
    roleSid: wanted.kind === 'web' ? await guestRoleSidOf(tx, service) : undefined,
    actor,
  })
  const task = await taskOf(tx, wanted, taskAttributes, actor)
  const channel = await createChannel(tx, {
    sid,
    service,
    friendlyName: wanted.chatFriendlyName,
    // A Flex Channel always has a unique name; a Web Channel only one that was asked for.
    uniqueName: wanted.uniqueName || (wanted.kind === 'channel' ? asUuid(tx.newSecret(32)) : undefined),
    type: 'private',
    createdBy: 'system',
    attributes: newChannelAttributes({
      longLived: wanted.longLived,
      preEngagementData: wanted.preEngagementData,
      from: wanted.from,
      channelType: flow.channel_type,
      taskSid: task.sid,
    }),
    actor,
  })
  await seatGuest(tx, { service, channel, identity, actor })
  await seatAgents(tx, sid, task)
  const begun = await start(
    tx,
    sid,
    { user_sid: user.sid, task_sid: task.sid, webhook_sid: await hook(tx, flow, channel) },
    flow,
    actor,
  )
  if (task.toMake) await createTaskFor(tx, accountSid, task.toMake, { sid: task.sid, taskAttributes, actor })
  return begun
}

/** A long-lived conversation that was over: its channel is ACTIVE again, and the flow sets off what it sets off. */
const beginAnew = async (
  tx: Tx,
  was: EngagementRow,
  channel: ChannelRow,
  wanted: EngagementWanted,
  service: ServiceRow,
  actor: Actor,
): Promise<EngagementRow> => {
  const { flow, preEngagementData } = wanted
  const taskAttributes = taskAttributesOf(was.sid, wanted)
  const task = await taskOf(tx, wanted, taskAttributes, actor)
  await keepGuest(tx, { service, channel, identity: was.identity, actor })
  await seatAgents(tx, was.sid, task)
  const begun = await start(
    tx,
    was.sid,
    {
      state: 'live',
      task_sid: task.sid,
      task_attributes: taskAttributes,
      webhook_sid: await hook(tx, flow, channel, was.webhook_sid),
      integration_type: flow.integration_type,
      integration: flow.integration,
      janitor_enabled: flow.janitor_enabled,
      started_at: tx.now(),
    },
    flow,
    actor,
  )
  const attributes = changed(channel.attributes, {
    status: ACTIVE,
    ...(preEngagementData === undefined ? {} : { pre_engagement_data: JSON.parse(preEngagementData) }),
    task_sid: task.sid ?? undefined,
  })
  const now = (await lockChannel(tx, was.account_sid, was.sid)) ?? channel
  await updateChannel(tx, { channel: now, changes: { attributes }, actor })
  if (task.toMake)
    await createTaskFor(tx, was.account_sid, task.toMake, { sid: task.sid, taskAttributes, actor })
  return begun
}

const start = async (
  tx: Tx,
  sid: string,
  changes: Parameters<typeof changeEngagement>[2],
  flow: FlexFlowRow,
  actor: Actor,
): Promise<EngagementRow> => {
  const taskSid = changes.task_sid ?? null
  const awaits = flow.integration_type === 'task' && taskSid === null
  const begun = await changeEngagement(tx, sid, { ...changes, awaits_message: Number(awaits) })
  if (!begun) throw new Error(`the engagement ${sid} vanished while it began`)
  tx.record({
    name: 'engagement.started',
    accountSid: flow.account_sid,
    at: tx.now(),
    actor,
    channelSid: sid,
    flexFlowSid: flow.sid,
    taskSid,
  })
  return begun
}

interface TaskOf {
  readonly sid: string | null
  /** Where the task is still to be made. */
  readonly toMake?: TaskIntegration
}

/**
 * The task of an integration of that type: the one given, a new one, or none until the customer says something. A new
 * one gets its SID here and is made last: whoever makes tasks of one workspace waits for each other until they commit.
 */
const taskOf = async (
  tx: Tx,
  { flow, taskSid }: EngagementWanted,
  taskAttributes: string,
  actor: Actor,
): Promise<TaskOf> => {
  if (flow.integration_type !== 'task') return { sid: null }
  if (taskSid !== undefined)
    return { sid: await attachTask(tx, flow.account_sid, taskSid, taskAttributes, actor) }
  const integration = JSON.parse(flow.integration) as TaskIntegration
  return integration.creation_on_message ? { sid: null } : { sid: tx.newSid('WT'), toMake: integration }
}

export const createTaskFor = (
  tx: Tx,
  accountSid: string,
  { workspace_sid, workflow_sid, channel, timeout, priority }: TaskIntegration,
  { sid, taskAttributes, actor }: { sid?: string | null; taskAttributes: string; actor: Actor },
) =>
  createTask(tx, {
    sid: sid ?? undefined,
    accountSid,
    workspaceSid: workspace_sid,
    workflowSid: workflow_sid,
    taskChannel: channel,
    attributes: taskAttributes,
    priority,
    timeout,
    actor,
  })

/** A task that an agent already has, for a conversation that the agent begins. It learns which channel it is about. */
const attachTask = async (
  tx: Tx,
  accountSid: string,
  taskSid: string,
  taskAttributes: string,
  actor: Actor,
): Promise<string> => {
  const task = await findTask(tx, accountSid, taskSid)
  if (!task || isTaskOver(task.assignment_status))
    throw problem('flex_invalid', { reason: `TaskSid: ${taskSid} is no task that goes on` })
  const attributes = JSON.stringify({ ...asObject(task.attributes), ...asObject(taskAttributes) })
  await updateTaskAttributes(tx, { task, attributes, actor })
  return task.sid
}

/** Whoever has the task that was attached has the conversation as well. */
const seatAgents = async (tx: Tx, channelSid: string, { sid, toMake }: TaskOf): Promise<void> => {
  if (sid === null || toMake) return
  for (const worker of await workersWith(tx, sid)) await joinWorker(tx, channelSid, worker)
}

/** The integration's hook on the channel: made, or kept where it still is. */
const hook = async (
  tx: Tx,
  flow: FlexFlowRow,
  channel: ChannelRow,
  kept: string | null = null,
): Promise<string | null> => {
  if (flow.integration_type !== 'external') return null
  if (kept && (await webhooksOf(tx, channel.sid)).some((it) => it.sid === kept)) return kept
  const { url, retry_count } = JSON.parse(flow.integration) as ExternalIntegration
  const webhook = await createChannelWebhook(tx, {
    channel,
    type: 'webhook',
    configuration: { url, method: 'POST', filters: ['onMessageSent'], retry_count },
  })
  return webhook.sid
}

/**
 * The unique name of a conversation that is over is anybody's again.
 * @throws 45208 while it is not over
 */
const freeUniqueName = async (
  tx: Tx,
  accountSid: string,
  serviceSid: string,
  uniqueName: string,
): Promise<void> => {
  // One that looks like a SID is nobody's: chat refuses it.
  if (isSid('CH', uniqueName)) return
  const holder = await lockChannel(tx, accountSid, uniqueName, serviceSid)
  if (!holder) return
  if (saysOver(holder.attributes) !== true || !(await findEngagement(tx, accountSid, holder.sid)))
    throw problem('flex_active_channel', { uniqueName })
  await updateChannel(tx, { channel: holder, changes: { uniqueName: asUuid(tx.newSecret(32)) }, actor: FLEX })
}

/** What chat refuses, as Flex says it. */
const inFlexWords = async <T>(
  identity: string,
  { uniqueName }: EngagementWanted,
  run: () => Promise<T>,
): Promise<T> => {
  try {
    return await run()
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault
    if (fault.problem === 'unique_name_taken') throw problem('flex_active_channel', { uniqueName })
    if (fault.problem === 'user_channels_limit') throw problem('flex_user_channels', { identity })
    if (fault.problem === 'identity_reserved') throw problem('flex_identity_reserved', { identity })
    throw fault
  }
}

const asUuid = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
