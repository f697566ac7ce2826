/** Greet: the customer's first message makes the task, where the Flex Flow waits for it (CreationOnMessage). */

import { isHeard } from '@parley/contract/actor.ts'
import type { TaskIntegration } from '@parley/contract/flex/flex-flow.ts'
import { findMember, lockChannel, updateChannel } from '../chat/index.ts'
import { reaction } from '../events/react.ts'
import { changed, isAgent } from './attributes.ts'
import { createTaskFor } from './engage.ts'
import { changeEngagement, FLEX, findEngagement, lockEngagement } from './engagement.ts'

export const greet = reaction({
  name: 'flex: greet',
  to: ['message.added'],
  react: async (tx, { accountSid, actor, channel: { sid }, message }) => {
    // As with any integration, a message that webhooks do not hear sets nothing off.
    if (!isHeard(actor)) return
    if ((await findEngagement(tx, accountSid, sid))?.awaits_message !== 1) return
    const channel = await lockChannel(tx, accountSid, sid)
    const engagement = await lockEngagement(tx, sid)
    if (!channel || engagement?.awaits_message !== 1) return
    // The author need not be a member; an agent who is one speaks first in conversations that agents begin.
    const author = await findMember(tx, sid, message.from)
    if (author && isAgent(author.attributes)) return
    const integration = JSON.parse(engagement.integration) as TaskIntegration
    const task = await createTaskFor(tx, accountSid, integration, {
      taskAttributes: engagement.task_attributes,
      actor: FLEX,
    })
    await changeEngagement(tx, sid, { task_sid: task.sid, awaits_message: 0 })
    const attributes = changed(channel.attributes, { task_sid: task.sid })
    await updateChannel(tx, { channel, changes: { attributes }, actor: FLEX })
  },
})
