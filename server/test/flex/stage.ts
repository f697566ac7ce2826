/** What tests of Flex have in common: the account's own Flex project, flows on it, agent Ana, and what went wrong. */
import assert from 'node:assert/strict'
import twilio from 'twilio'
import { asToken, type World } from '../world/index.ts'

export interface Project {
  readonly service: string
  readonly workspace: string
  readonly workflow: string
}

/** The SIDs of a new account's Flex project, as its configuration tells them. */
export const projectOf = async (world: World): Promise<Project> => {
  const it = await world.twilio.flexApi.v1.configuration.get().fetch()
  return {
    service: it.chatServiceInstanceSid,
    workspace: it.taskrouterWorkspaceSid,
    workflow: it.taskrouterTargetWorkflowSid,
  }
}

/** What a Flex Flow of type `task` needs. */
export const taskFlow = ({ service, workspace, workflow }: Project, more: object = {}) => ({
  friendlyName: 'Custom chat',
  chatServiceSid: service,
  channelType: 'custom' as const,
  integrationType: 'task' as const,
  'integration.workspaceSid': workspace,
  'integration.workflowSid': workflow,
  'integration.channel': 'chat',
  ...more,
})

export const visitor = (flexFlowSid: string, more: object = {}) => ({
  flexFlowSid,
  identity: 'vera',
  chatUserFriendlyName: 'Vera',
  chatFriendlyName: 'Chat with Vera',
  ...more,
})

/** Agent Ana, available for chats. */
export const ana = async (world: World, { workspace }: Project) => {
  const activities = await world.twilio.taskrouter.v1.workspaces(workspace).activities.list()
  const available = activities.find((it) => it.friendlyName === 'Available')
  return world.twilio.taskrouter.v1.workspaces(workspace).workers.create({
    friendlyName: 'ana',
    attributes: JSON.stringify({ full_name: 'Ana Agent' }),
    activitySid: available?.sid as string,
  })
}

/** The access token of an agent's desktop. */
export const deskToken = (
  world: World,
  identity: string,
  grants: { workspace: string; worker: string; service: string },
) => {
  const { AccessToken } = twilio.jwt
  const token = new AccessToken(world.account.sid, world.account.apiKeySid, world.account.apiKeySecret, {
    identity,
  })
  token.addGrant(new AccessToken.ChatGrant({ serviceSid: grants.service }))
  token.addGrant(
    new AccessToken.TaskRouterGrant({
      workspaceSid: grants.workspace,
      workerSid: grants.worker,
      role: 'worker',
    }),
  )
  return asToken(token.toJwt())
}

/** Lets the router offer Ana the only waiting task, and accepts it for her. */
export const accept = async (world: World, { workspace }: Project, workerSid: string) => {
  await world.settle()
  const worker = world.twilio.taskrouter.v1.workspaces(workspace).workers(workerSid)
  const [offer] = await worker.reservations.list({ reservationStatus: 'pending' })
  assert.ok(offer, 'Ana is offered a task')
  await worker.reservations(offer.sid).update({ reservationStatus: 'accepted' })
  return world.twilio.taskrouter.v1.workspaces(workspace).tasks(offer.taskSid)
}

/** What a promise of the published client was refused with. */
export const refused = async (
  promise: Promise<unknown>,
): Promise<{ status: number; code: number; message: string }> => {
  try {
    await promise
  } catch (fault) {
    const { status, code, message } = fault as { status: number; code: number; message: string }
    return { status, code, message }
  }
  throw new assert.AssertionError({ message: 'it was not refused' })
}

export const isRefused = async (promise: Promise<unknown>, status: number, code: number): Promise<void> => {
  const it = await refused(promise)
  assert.deepEqual([it.status, it.code], [status, code], it.message)
}
