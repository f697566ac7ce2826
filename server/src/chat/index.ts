/** Chat, as other rooms may use it. */
import type { JobHandler } from '../jobs/handler.ts'
import { forgetChannel } from './forget.ts'

export { createChannel, deleteChannel, updateChannel } from './channel.ts'
export { findChannel, lockChannel } from './channel-row.ts'
export { createChannelWebhook, deleteChannelWebhook, webhooksOf } from './channel-webhook.ts'
export { FOLLOWED } from './followed.ts'
export { addMedia, findMedia, seeMedia } from './media.ts'
export { addMember, findMember, membersOf, removeMember } from './member.ts'
export { sendMessage } from './message.ts'
export { DEFAULT_ROLES } from './permission.ts'
export { appear, beatNode, clearNode, disappear, isOnline, nodesSilentSince } from './presence.ts'
export { createRole } from './role.ts'
export { routes } from './routes.ts'
export { provisionService } from './service.ts'
export { findService, mediaLimitOf, mediaTypesOf, requireService } from './service-row.ts'
export { ensureUser, findUser } from './user.ts'
export { consumeNone } from './user-channel.ts'

export const handlers: readonly JobHandler[] = [forgetChannel]
