/** Everything Flex is asked for. */
import { FlexChannel } from './channel.ts'
import { ChannelUser } from './channel-user.ts'
import { Configuration, ProvisioningStatus, PublicConfiguration } from './configuration.ts'
import { FlexFlow } from './flex-flow.ts'
import {
  GuestToken,
  GuestTokenRefresh,
  PreviewGuestToken,
  PreviewGuestTokenRefresh,
  PreviewGuestTokenV1,
  PreviewGuestTokenV1Refresh,
} from './guest-token.ts'
import { PreviewFlexFlow, PreviewWebChannel } from './preview.ts'
import { WebChannel } from './web-channel.ts'

export { flexUnserved } from './unserved.ts'

export const flexResources = [
  FlexFlow,
  FlexChannel,
  WebChannel,
  ChannelUser,
  Configuration,
  PublicConfiguration,
  ProvisioningStatus,
  PreviewFlexFlow,
  PreviewWebChannel,
  GuestToken,
  GuestTokenRefresh,
  PreviewGuestToken,
  PreviewGuestTokenRefresh,
  PreviewGuestTokenV1,
  PreviewGuestTokenV1Refresh,
] as const
