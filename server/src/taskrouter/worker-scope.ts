/** A worker as expressions see them: their attributes, and beside those what the house knows of them. */
import type { Scope } from './expression/compile.ts'
import { isRecord } from './is-record.ts'

interface Seen {
  readonly sid: string
  readonly friendly_name: string
  readonly activity_sid: string | null
  readonly activity_name: string | null
  readonly attributes: string
}

export type WorkerFacts = Readonly<Record<string, unknown>>

/** What the worker has in hand, by the task channel's unique name: `worker.channel.chat.assigned_tasks`. */
export type ChannelFacts = Readonly<
  Record<string, { readonly assigned_tasks: number; readonly available_capacity_percentage: number }>
>

export const workerFacts = (worker: Seen, channel?: ChannelFacts): WorkerFacts => {
  const attributes: unknown = JSON.parse(worker.attributes)
  return {
    ...(isRecord(attributes) && attributes),
    sid: worker.sid,
    friendly_name: worker.friendly_name,
    activity_sid: worker.activity_sid,
    activity_name: worker.activity_name,
    ...(channel && { channel }),
  }
}

/** Whether an expression reads what a worker has in hand. */
export const readsChannels = ({ text }: { readonly text: string }): boolean => text.includes('channel.')

/** What `TargetWorkers` and a target's expression are held against. Bare keys are the worker's. */
export const scopeOf = (
  worker: WorkerFacts,
  now: number,
  task?: Readonly<Record<string, unknown>>,
): Scope => ({
  attributes: worker,
  worker,
  now,
  ...(task && { task }),
})
