/** What Flex is asked for, and what answers. Studio's operations stand here as well: none is served. */
import { flexUnserved } from '@parley/contract/flex/index.ts'
import { studioUnserved } from '@parley/contract/studio/index.ts'
import type { Routes } from '../http/binding.ts'
import { channelUser } from './channel-user.ts'
import { configuration, provisioningStatus, publicConfiguration } from './configuration.ts'
import { flexChannel } from './flex-channel.ts'
import { flexFlow } from './flex-flow.ts'
import { guestTokens } from './guest-token.ts'
import { previewFlexFlow } from './preview.ts'
import { previewWebChannel, webChannel } from './web-channel.ts'

export const routes: Routes = {
  served: [
    flexFlow,
    flexChannel,
    channelUser,
    webChannel,
    configuration,
    publicConfiguration,
    provisioningStatus,
    previewFlexFlow,
    previewWebChannel,
    ...guestTokens,
  ],
  unserved: [...flexUnserved, ...studioUnserved],
}
