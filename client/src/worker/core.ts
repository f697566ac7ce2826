/** What the parts of a worker's client share. */
import type { Emitter } from '../emitter.ts'
import type { Data } from './bridge.ts'
import type { Desk } from './desk.ts'
import type { WorkerEvents } from './events.ts'

export interface Core {
  readonly desk: Desk
  readonly events: Emitter<WorkerEvents>
  /** `Workers/WK…`, in the workspace. */
  readonly own: string
  /**
   * Changes something, and waits until it is heard of: an answer and its event come two ways, either first.
   * @param isHeard of what was answered
   */
  change(path: string, params: object, isHeard: (answer: Data) => boolean): Promise<Data>
}

/** Moments come in whole seconds since 1970. */
export const dateOf = (seconds: number): Date => new Date(seconds * 1000)

export const readAttributes = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
