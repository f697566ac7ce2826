/** Every event with its spelling outward, or why it has none: a new event does not compile until it is decided here. */
import type { EventName } from '@parley/contract/event.ts'
import { chat } from './chat.ts'
import { flex } from './flex.ts'
import type { Spellings } from './spelling.ts'
import { taskrouter } from './taskrouter.ts'

export const spellings: Spellings<EventName> = { ...chat, ...taskrouter, ...flex }
