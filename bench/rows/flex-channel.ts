/** Creating a Flex channel: channel, user, member and task in one transaction. */
import { load } from '../load.ts'
import { ask, authorization, newFolder, openParley } from '../programs.ts'
import type { Row } from '../table.ts'

const AT_ONCE = 32
const SECONDS = 5
const PER_SECOND_MIN = 300

export const flexChannelRow = async (): Promise<Row> => {
  await using folder = await newFolder()
  await using parley = await openParley(folder.path)
  const configuration = await ask(parley.url, 'GET', '/v1/Configuration')
  const flow = await ask(parley.url, 'POST', '/v1/FlexFlows', {
    FriendlyName: 'Bench',
    ChatServiceSid: String(configuration.chat_service_instance_sid),
    ChannelType: 'custom',
    IntegrationType: 'task',
    'Integration.WorkspaceSid': String(configuration.taskrouter_workspace_sid),
    'Integration.WorkflowSid': String(configuration.taskrouter_target_workflow_sid),
    'Integration.Channel': 'chat',
  })
  const ours = await load(parley.url, {
    atOnce: AT_ONCE,
    seconds: SECONDS,
    next: (at) => ({
      method: 'POST',
      path: '/v1/Channels',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        FlexFlowSid: String(flow.sid),
        Identity: `visitor-${at}`,
        ChatUserFriendlyName: 'Vera',
        ChatFriendlyName: 'Chat with Vera',
        Target: `visitor-${at}`,
      }).toString(),
    }),
  })
  return {
    what: 'Flex channel create (channel, user, member, task)',
    ours: `${Math.round(ours.perSecond)}/s, p50 ${ours.p50Ms.toFixed(1)} ms, p99 ${ours.p99Ms.toFixed(1)} ms`,
    ceiling: '',
    ratio: ours.perSecond / PER_SECOND_MIN,
    budget: `≥ ${PER_SECOND_MIN} a second`,
    holds: ours.failed === 0 && ours.perSecond >= PER_SECOND_MIN,
    numbers: { ours },
  }
}
