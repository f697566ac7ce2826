/**
 * An account with one of everything in it, for tests that go through all that is served: its SIDs by the names that
 * paths give them, and for each operation a form that would succeed.
 */
import { addressOf, operationName, type ResourceDeclaration, type Verb } from '@parley/contract/resource.ts'
import { allRoutes } from '../../src/app.ts'
import type { Twilio, World } from '../world/index.ts'

/** SIDs by name; a path's `{Sid}` is named after its resource. */
export type Furniture = Readonly<
  Record<(typeof SID_NAMES)[keyof typeof SID_NAMES] | 'AccountSid' | 'Role', string>
>

/** What `{Sid}` means at the address of each resource. */
const SID_NAMES = {
  'parley.v1.account': 'ChildSid',
  'parley.v1.key': 'KeySid',
  'parley.v1.delivery': 'DeliverySid',
  'chat.v2.service': 'ServiceSid',
  'chat.v2.service.role': 'RoleSid',
  'chat.v2.service.user': 'UserSid',
  'chat.v2.service.channel': 'ChannelSid',
  'chat.v2.service.channel.member': 'MemberSid',
  'chat.v2.service.channel.message': 'MessageSid',
  'chat.v2.service.channel.invite': 'InviteSid',
  'chat.v2.service.channel.channel_webhook': 'WebhookSid',
  'taskrouter.v1.workspace': 'WorkspaceSid',
  'taskrouter.v1.workspace.activity': 'ActivitySid',
  'taskrouter.v1.workspace.event': 'EventSid',
  'taskrouter.v1.workspace.worker': 'WorkerSid',
  'taskrouter.v1.workspace.worker.worker_channel': 'WorkerChannelSid',
  'taskrouter.v1.workspace.worker.worker_reservation': 'ReservationSid',
  'taskrouter.v1.workspace.task_queue': 'TaskQueueSid',
  'taskrouter.v1.workspace.workflow': 'WorkflowSid',
  'taskrouter.v1.workspace.task_channel': 'TaskChannelSid',
  'taskrouter.v1.workspace.task': 'TaskSid',
  'taskrouter.v1.workspace.task.task_reservation': 'ReservationSid',
  'flex.v1.flex_flow': 'FlexFlowSid',
  'preview.flex.flex_flow': 'FlexFlowSid',
  'flex.v1.channel': 'FlexChannelSid',
  'flex.v1.web_channel': 'WebChannelSid',
} as const

export interface Served {
  readonly resource: ResourceDeclaration
  readonly verb: Verb
  /** `GET /v2/Services/{Sid}` */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly openTo: 'accounts' | 'clients' | 'anyone'
  readonly reads: 'form' | 'json'
  /** The names of what its path needs, in order. */
  readonly holes: readonly (keyof Furniture)[]
  /** Its path with these values, encoded. */
  path(values: readonly string[]): string
}

export const everyOperation: readonly Served[] = allRoutes.served.flatMap(({ resource }) =>
  (Object.keys(resource.operations) as Verb[]).map((verb): Served => {
    const address = addressOf(resource, verb)
    const declared = resource.operations[verb]
    const holes = [...address.matchAll(/\{(\w+)\}/g)].map(([, hole]) =>
      hole === 'Sid' ? SID_NAMES[resource.name as keyof typeof SID_NAMES] : (hole as keyof Furniture),
    )
    return {
      resource,
      verb,
      name: operationName(resource, verb),
      method: operationName(resource, verb).split(' ')[0] as Served['method'],
      openTo: declared?.openTo ?? resource.openTo ?? 'accounts',
      reads: declared?.reads ?? 'form',
      holes,
      path: (values) => {
        let at = 0
        return address.replace(/\{\w+\}/g, () => encodeURIComponent(values[at++] ?? ''))
      },
    }
  }),
)

export interface Furnished {
  readonly sids: Furniture
  /** Its client, and how it asks without one. */
  readonly twilio: Twilio
  readonly as: string
}

/** @param mark stands in every text that the account writes, and nowhere else */
export const furnish = async (
  world: World,
  { sid, authToken, twilio }: { sid: string; authToken: string; twilio: Twilio },
  mark: string,
): Promise<Furnished> => {
  const as = `Basic ${Buffer.from(`${sid}:${authToken}`).toString('base64')}`
  const post = async (path: string, form: Record<string, string>): Promise<Record<string, string>> => {
    const answer = await world.fetch(path, { as, form })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return (await answer.json()) as Record<string, string>
  }
  const attributes = JSON.stringify({ mark })
  const configuration = await twilio.flexApi.v1.configuration.get().fetch()
  const service = twilio.chat.v2.services(configuration.chatServiceInstanceSid)
  const workspace = twilio.taskrouter.v1.workspaces(configuration.taskrouterWorkspaceSid)

  const child = await post('/v1/Parley/Accounts', { FriendlyName: mark })
  const key = await post(`/v1/Parley/Accounts/${sid}/Keys`, { FriendlyName: mark })
  const role = await service.roles.create({
    friendlyName: mark,
    type: 'channel',
    permission: ['sendMessage'],
  })
  const user = await service.users.create({ identity: `vera ${mark}`, friendlyName: mark, attributes })
  const channel = await service.channels.create({ friendlyName: mark, uniqueName: mark, attributes })
  const member = await service.channels(channel.sid).members.create({ identity: user.identity })
  const invite = await service.channels(channel.sid).invites.create({ identity: `wim ${mark}` })
  const webhook = await service.channels(channel.sid).webhooks.create({
    type: 'webhook',
    'configuration.url': world.listener.url(`/${mark}`),
    'configuration.filters': ['onMessageSent'],
  })
  const message = await service
    .channels(channel.sid)
    .messages.create({ from: user.identity, body: mark, attributes, xTwilioWebhookEnabled: 'true' })

  const [workflow] = await workspace.workflows.list()
  const [taskQueue] = await workspace.taskQueues.list()
  const taskChannel = (await workspace.taskChannels.list()).find((it) => it.uniqueName === 'chat')
  const available = (await workspace.activities.list()).find((it) => it.friendlyName === 'Available')
  const activity = await workspace.activities.create({ friendlyName: mark })
  const worker = await workspace.workers.create({
    friendlyName: `ana ${mark}`,
    attributes,
    activitySid: available?.sid as string,
  })
  const [workerChannel] = await workspace.workers(worker.sid).workerChannels.list()
  const task = await workspace.tasks.create({
    attributes,
    taskChannel: 'chat',
    workflowSid: workflow?.sid as string,
  })
  await world.settle()
  const [reservation] = await workspace.tasks(task.sid).reservations.list()
  const [event] = await workspace.events.list({ taskSid: task.sid, limit: 1 })
  const { deliveries } = (await (await world.fetch('/v1/Parley/Deliveries', { as })).json()) as {
    deliveries: { sid: string }[]
  }

  const flexFlow = (await twilio.flexApi.v1.flexFlow.list()).find((it) => it.channelType === 'web')
  const visitor = { flexFlowSid: flexFlow?.sid as string, identity: `wendy ${mark}`, chatFriendlyName: mark }
  const flexChannel = await twilio.flexApi.v1.channel.create({ ...visitor, chatUserFriendlyName: mark })
  const webChannel = await twilio.flexApi.v1.webChannel.create({
    ...visitor,
    identity: `wanda ${mark}`,
    customerFriendlyName: mark,
  })

  const found: { readonly [K in keyof Furniture]: string | undefined } = {
    AccountSid: sid,
    Role: 'agent',
    ChildSid: child.sid,
    KeySid: key.sid,
    DeliverySid: deliveries[0]?.sid,
    ServiceSid: configuration.chatServiceInstanceSid,
    RoleSid: role.sid,
    UserSid: user.sid,
    ChannelSid: channel.sid,
    MemberSid: member.sid,
    MessageSid: message.sid,
    InviteSid: invite.sid,
    WebhookSid: webhook.sid,
    WorkspaceSid: configuration.taskrouterWorkspaceSid,
    ActivitySid: activity.sid,
    WorkerSid: worker.sid,
    WorkerChannelSid: workerChannel?.sid,
    ReservationSid: reservation?.sid,
    TaskQueueSid: taskQueue?.sid,
    WorkflowSid: workflow?.sid,
    TaskChannelSid: taskChannel?.sid,
    TaskSid: task.sid,
    EventSid: event?.sid,
    FlexFlowSid: flexFlow?.sid,
    FlexChannelSid: flexChannel.sid,
    WebChannelSid: webChannel.sid,
  }
  for (const [name, it] of Object.entries(found)) if (!it) throw new Error(`${mark} has no ${name}`)
  return { sids: found as Furniture, twilio, as }
}

type Form = Readonly<Record<string, string | readonly string[]>>

/** For each operation that takes a form, one that its account would succeed with. */
export const goodForms = (it: Furniture, url: string): Readonly<Record<string, Form>> => {
  const name = { FriendlyName: 'A new name' }
  const attributes = { Attributes: '{"new":true}' }
  const service = '/v2/Services/{ServiceSid}'
  const channel = `${service}/Channels/{ChannelSid}`
  const workspace = '/v1/Workspaces/{WorkspaceSid}'
  const visitor = { FlexFlowSid: it.FlexFlowSid, Identity: 'vito', ChatFriendlyName: 'Vito' }
  const web = { ...visitor, CustomerFriendlyName: 'Vito' }
  return {
    'POST /v1/Parley/Accounts': name,
    'POST /v1/Parley/Accounts/{Sid}': name,
    'POST /v1/Parley/Accounts/{AccountSid}/Keys': name,
    'POST /v2/Services': name,
    'POST /v2/Services/{Sid}': name,
    [`POST ${service}/Roles`]: { ...name, Type: 'channel', Permission: ['sendMessage'] },
    [`POST ${service}/Roles/{Sid}`]: { Permission: ['sendMessage', 'leaveChannel'] },
    [`POST ${service}/Users`]: { Identity: 'sol' },
    [`POST ${service}/Users/{Sid}`]: name,
    [`POST ${service}/Users/{UserSid}/Channels/{ChannelSid}`]: { NotificationLevel: 'muted' },
    [`POST ${service}/Channels`]: name,
    [`POST ${service}/Channels/{Sid}`]: attributes,
    [`POST ${channel}/Members`]: { Identity: 'sol' },
    [`POST ${channel}/Members/{Sid}`]: attributes,
    [`POST ${channel}/Messages`]: { Body: 'Hello' },
    [`POST ${channel}/Messages/{Sid}`]: attributes,
    [`POST ${channel}/Invites`]: { Identity: 'ben' },
    [`POST ${channel}/Webhooks`]: {
      Type: 'webhook',
      'Configuration.Url': url,
      'Configuration.Filters': ['onMessageSent'],
    },
    [`POST ${channel}/Webhooks/{Sid}`]: { 'Configuration.Method': 'GET' },
    'POST /v1/Workspaces': name,
    'POST /v1/Workspaces/{Sid}': name,
    [`POST ${workspace}/Activities`]: name,
    [`POST ${workspace}/Activities/{Sid}`]: { FriendlyName: 'Another name' },
    [`POST ${workspace}/Workers`]: name,
    [`POST ${workspace}/Workers/{Sid}`]: attributes,
    [`POST ${workspace}/Workers/{WorkerSid}/Channels/{Sid}`]: { Capacity: '2' },
    [`POST ${workspace}/TaskQueues`]: name,
    [`POST ${workspace}/TaskQueues/{Sid}`]: { MaxReservedWorkers: '2' },
    [`POST ${workspace}/Workflows`]: {
      ...name,
      Configuration: JSON.stringify({
        task_routing: { filters: [], default_filter: { queue: it.TaskQueueSid } },
      }),
    },
    [`POST ${workspace}/Workflows/{Sid}`]: { TaskReservationTimeout: '90' },
    [`POST ${workspace}/TaskChannels`]: { ...name, UniqueName: 'new' },
    [`POST ${workspace}/TaskChannels/{Sid}`]: name,
    [`POST ${workspace}/Tasks`]: { ...attributes, WorkflowSid: it.WorkflowSid },
    [`POST ${workspace}/Tasks/{Sid}`]: attributes,
    [`POST ${workspace}/Tasks/{TaskSid}/Reservations/{Sid}`]: { ReservationStatus: 'accepted' },
    [`POST ${workspace}/Workers/{WorkerSid}/Reservations/{Sid}`]: { ReservationStatus: 'completed' },
    'POST /v1/FlexFlows': {
      ...name,
      ChatServiceSid: it.ServiceSid,
      ChannelType: 'custom',
      IntegrationType: 'external',
      'Integration.Url': url,
    },
    'POST /v1/FlexFlows/{Sid}': name,
    'POST /v1/Channels': { ...visitor, ChatUserFriendlyName: 'Vito' },
    'POST /v1/Channels/{ChannelSid}/Roles/{Role}/Users': { Identity: 'ana' },
    'POST /v1/WebChannels': web,
    'POST /v1/WebChannels/{Sid}': { ChatStatus: 'inactive' },
    'POST /Flex/WebChannels': { ...web, Identity: 'vic' },
    'POST /v1/Parley/Deliveries/{Sid}': {},
  }
}
