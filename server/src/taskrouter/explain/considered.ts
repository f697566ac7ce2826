/** The workers of a page, and what stands between each of them and a task. */
import type { Obstacle } from '@parley/contract/parley/explanation.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { listing } from '../../store/listing.ts'
import { reading } from '../../store/query.ts'
import type { StoredReservation, StoredTask, StoredWorker } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { answersOf, type RoundLane } from '../router/lane.ts'
import { iso } from './iso.ts'
import { answerObstacles, enoughAsked, type Found, laneObstacles, look } from './obstacles.ts'

export interface Page {
  readonly limit: number
  readonly after: string | undefined
}

interface WorkerSeen {
  readonly worker_sid: string
  readonly friendly_name: string
  readonly can_take_it: boolean
  /** Asked only when there is nobody else. */
  readonly refused_before: boolean
  readonly idle_since: string | null
  readonly obstacles: readonly Found[]
}

export interface Seen {
  readonly workers: readonly WorkerSeen[]
  readonly total: number
  readonly nextAfter: string | null
  readonly free: number
  readonly counts: ReadonlyMap<Obstacle, number>
}

/** The SID of the one worker who may take the task: its target names them, or it is being transferred to them. */
export const knownWorkerOf = (
  lane: RoundLane | undefined,
  transfer: TransferRow | undefined,
): string | undefined => {
  if (!lane) return undefined
  return transfer?.transfer_type === 'WORKER' ? transfer.transfer_to : lane.facts.target.workerSid
}

const workersOf = listing('workers', 'sid', (query, at: { workspaceSid: string }) =>
  query.where('workspace_sid', '=', at.workspaceSid),
)

const howMany = reading((db, at: { workspaceSid: string }) =>
  db
    .selectFrom('workers')
    .select((it) => it.fn.countAll<number>().as('count'))
    .where('workspace_sid', '=', at.workspaceSid),
)

/**
 * A page of the workspace's workers; where only one may take the task, that one.
 * @param known who may
 * @param lane where it waits; nothing for a task that waits no more, of which nobody is considered
 */
export const considerWorkers = async (
  reader: Reader,
  {
    workspace,
    task,
    lane,
    known,
    live,
    page: { limit, after },
  }: {
    workspace: WorkspaceRow
    task: StoredTask
    lane: RoundLane | undefined
    known: { readonly sid: string; readonly worker: StoredWorker | undefined } | undefined
    live: readonly StoredReservation[]
    page: Page
  },
): Promise<Seen> => {
  const total = Number((await howMany.first(reader, { workspaceSid: workspace.sid }))?.count ?? 0)
  if (!lane) return { workers: [], total, nextAfter: null, free: 0, counts: new Map() }
  const found: StoredWorker[] = known
    ? known.worker
      ? [known.worker]
      : []
    : await workersOf(reader, { workspaceSid: workspace.sid }, { limit: limit + 1, after })
  const shown = found.slice(0, limit)
  const answers = (await answersOf(reader, [task.sid])).get(task.sid)
  const now = reader.now()
  const counts = new Map<Obstacle, number>()
  const workers = (await look(reader, lane, shown)).map((it): WorkerSeen => {
    const { sid, friendly_name, idle_since } = it.worker
    const own = answerObstacles(sid, answers, live, now)
    // Of who has it or is asked nothing else matters: the counters that close their channel count this very task.
    const obstacles = live.some(({ worker_sid }) => worker_sid === sid)
      ? own
      : [...enoughAsked(task), ...own, ...laneObstacles(lane, it, workspace, now)]
    for (const { obstacle } of obstacles) counts.set(obstacle, (counts.get(obstacle) ?? 0) + 1)
    return {
      worker_sid: sid,
      friendly_name,
      can_take_it: obstacles.length === 0,
      refused_before: answers?.refusedBy.has(sid) ?? false,
      idle_since: it.worker.available ? iso(idle_since) : null,
      obstacles,
    }
  })
  return {
    workers,
    total,
    nextAfter: found.length > limit ? (shown.at(-1)?.sid ?? null) : null,
    free: workers.filter((it) => it.can_take_it).length,
    counts,
  }
}
