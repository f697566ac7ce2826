/**
 * The facts of workers that expressions are held against, parsed once for each version of a worker. Reading which
 * workers are free then costs three numbers a worker, not their attributes.
 */
import type { StoredWorker } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { type ChannelFacts, type WorkerFacts, workerFacts } from '../worker-scope.ts'
import { capacityLeft } from '../workload.ts'
import { channelCounts, workersBySid } from './waiting.ts'

/** How many workers are kept, over all workspaces. */
const KEPT_MAX = 50_000

interface Versioned {
  readonly sid: string
  readonly version: number
}

export class WorkersKnown {
  readonly #kept = new Map<string, { readonly version: number; readonly facts: WorkerFacts }>()

  /**
   * The facts of these workers; one who is gone meanwhile is left out.
   * @param counts whether the expressions read `worker.channel.…`, which changes with every task
   */
  async of(
    reader: Reader,
    workers: readonly Versioned[],
    counts: boolean,
  ): Promise<Map<string, WorkerFacts>> {
    const known = new Map<string, WorkerFacts>()
    const unknown: string[] = []
    for (const { sid, version } of workers) {
      const kept = this.#kept.get(sid)
      if (kept?.version === version) known.set(sid, kept.facts)
      else unknown.push(sid)
    }
    if (unknown.length)
      for (const row of await workersBySid.all(reader, { sids: JSON.stringify(unknown) })) {
        const facts = workerFacts(row)
        known.set(row.sid, facts)
        this.#keep(row, facts)
      }
    return counts ? withChannels(reader, known) : known
  }

  #keep({ sid, version }: StoredWorker, facts: WorkerFacts): void {
    if (this.#kept.size >= KEPT_MAX) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    this.#kept.set(sid, { version, facts })
  }
}

/** What workers have in hand, by their SIDs: it is no part of their rows. */
export const channelsOf = async (
  reader: Reader,
  sids: readonly string[],
): Promise<ReadonlyMap<string, ChannelFacts>> => {
  const channels = new Map<string, Record<string, ChannelFacts[string]>>()
  for (const it of await channelCounts.all(reader, { sids: JSON.stringify(sids) })) {
    const own = channels.get(it.worker_sid) ?? {}
    own[it.task_channel_unique_name] = {
      assigned_tasks: it.assigned_tasks,
      available_capacity_percentage: capacityLeft(it),
    }
    channels.set(it.worker_sid, own)
  }
  return channels
}

/** Adds to the facts of workers what they have in hand. */
export const withChannels = async (
  reader: Reader,
  known: ReadonlyMap<string, WorkerFacts>,
): Promise<Map<string, WorkerFacts>> => {
  const channels = await channelsOf(reader, [...known.keys()])
  return new Map([...known].map(([sid, facts]) => [sid, { ...facts, channel: channels.get(sid) ?? {} }]))
}
