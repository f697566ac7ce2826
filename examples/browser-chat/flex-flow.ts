/** The Flex Flow that says where our conversations go: to a task, at the visitor's first message. */
import type { Client } from './twilio.ts'

const FRIENDLY_NAME = 'Browser chat'

/**
 * The flow of an earlier start, or a new one that makes a task in the workspace and by the workflow of the account's
 * Flex Configuration.
 */
export const ensureFlexFlow = async ({ flexApi }: Client, chatServiceSid: string): Promise<string> => {
  const flows = await flexApi.v1.flexFlow.list({ friendlyName: FRIENDLY_NAME })
  const ours = flows.find((it) => it.channelType === 'custom' && it.chatServiceSid === chatServiceSid)
  if (ours) return ours.sid
  const configuration = await flexApi.v1.configuration().fetch()
  const made = await flexApi.v1.flexFlow.create({
    friendlyName: FRIENDLY_NAME,
    channelType: 'custom',
    contactIdentity: 'browser-chat',
    chatServiceSid,
    enabled: true,
    integrationType: 'task',
    'integration.workspaceSid': configuration.taskrouterWorkspaceSid,
    'integration.workflowSid': configuration.taskrouterTargetWorkflowSid,
    'integration.channel': 'chat',
    'integration.creationOnMessage': true,
  })
  return made.sid
}
