/** What chat serves, and what it does not. */
import { ChatUnserved } from '@parley/contract/chat/unserved.ts'
import type { Routes } from '../http/binding.ts'
import { channels } from './channel.ts'
import { channelWebhooks } from './channel-webhook.ts'
import { invites } from './invite.ts'
import { members } from './member.ts'
import { messages } from './message.ts'
import { roles } from './role.ts'
import { services } from './service.ts'
import { users } from './user.ts'
import { userChannels } from './user-channel.ts'

export const routes: Routes = {
  served: [services, roles, users, userChannels, channels, members, messages, invites, channelWebhooks],
  unserved: ChatUnserved,
}
