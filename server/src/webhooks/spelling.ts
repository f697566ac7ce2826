/** How an event is told outside: Twilio's name for it and the fields of its form. Or why it is not told. */
import type { EventName, EventOf } from '@parley/contract/event.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'

/** The fields of a form, in order. */
export type Fields = Readonly<Record<string, string>>

/** Told to a chat service and its channel. */
export interface Told {
  /** `onMessageSent`: as filters name it. */
  readonly eventType: string
  readonly serviceSid: string
  /** Whose webhooks hear of it, beside the service's. */
  readonly channelSid: string | null
  readonly messageSid: string | null
  /** What deliveries keep their order about: the channel, or the user. */
  readonly about: string
  /** What triggers are looked for in; absent where no trigger listens. */
  readonly body?: string
  /** All but the common ones and those of the webhook. */
  readonly fields: Fields
}

/** Told to a workspace. */
export interface ToldToWorkspace {
  readonly workspace: WorkspaceRow
  /** `task.created`: as its filter names it. */
  readonly eventType: string
  readonly taskSid: string | null
  /** What deliveries keep their order about: the task, else the worker, else the workspace. */
  readonly about: string
  readonly fields: Fields
}

export interface Spelling<N extends EventName> {
  readonly tell: (event: EventOf<N>) => Told | ToldToWorkspace
}

export interface Silent {
  readonly silent: string
}

/** Not told to webhooks, and why. */
export const silent = (why: string): Silent => ({ silent: why })

/** An answer for every event named. */
export type Spellings<N extends EventName> = { readonly [E in N]: Spelling<E> | Silent }

/** `2020-09-14T02:41:08.986Z`: forms carry milliseconds, where REST answers carry whole seconds. */
export const iso = (ms: number): string => new Date(ms).toISOString()
