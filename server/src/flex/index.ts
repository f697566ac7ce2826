/** What other rooms may use of Flex, and what the house hangs in. */
import type { Reaction } from '../events/react.ts'
import type { JobHandler } from '../jobs/handler.ts'
import { follow, followDestruction, followServiceRemoval } from './engagement.ts'
import { greet } from './greet.ts'
import { handOver } from './hand-over.ts'
import { leave, windUp } from './wind-up.ts'

export { type FlexProvisioned, provisionFlex } from './provision.ts'
export { routes } from './routes.ts'

export const reactions: readonly Reaction[] = [
  greet,
  handOver,
  windUp,
  leave,
  follow,
  followDestruction,
  followServiceRemoval,
]

export const handlers: readonly JobHandler[] = []
