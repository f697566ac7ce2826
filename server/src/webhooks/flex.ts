/** Engagements as webhooks tell them. */
import type { FlexEvents } from '@parley/contract/flex/events.ts'
import { type Spellings, silent } from './spelling.ts'

export const flex: Spellings<keyof FlexEvents> = {
  'engagement.started': silent('Flex tells of it by the channel, its member and its task.'),
  'engagement.ended': silent(
    'Flex tells of it by onChannelUpdated, with status INACTIVE among the attributes.',
  ),
}
