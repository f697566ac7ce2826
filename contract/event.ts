/**
 * What verbs record. Declared once: webhooks (and everything else that tells the outside) must have an answer for
 * every name, so a new event does not compile until each has decided.
 */
import type { Actor } from './actor.ts'
import type { ChatEvents } from './chat/events.ts'
import type { FlexEvents } from './flex/events.ts'
import type { TaskRouterEvents } from './taskrouter/events.ts'

/** Each name with what it carries beside the account, the moment and the actor. */
export interface Events extends ChatEvents, TaskRouterEvents, FlexEvents {}

export type EventName = keyof Events

export type EventOf<N extends EventName> = N extends EventName
  ? { readonly name: N; readonly accountSid: string; readonly at: number; readonly actor: Actor } & Readonly<
      Events[N]
    >
  : never

export type Event = EventOf<EventName>
