/**
 * What stands between a worker and the tasks of a lane. Each answer is the router's own: what a lane asks of workers
 * (`RoundLane.unmet`), what keeps a channel closed (`whyClosed`), who refused a task and when (`answersOf`).
 */
import { OBSTACLES, type Obstacle } from '@parley/contract/parley/explanation.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { reading } from '../../store/query.ts'
import type {
  StoredReservation,
  StoredTask,
  StoredWorker,
  StoredWorkerChannel,
} from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import type { Explanation } from '../expression/compile.ts'
import type { Answers, Ask, RoundLane } from '../router/lane.ts'
import { WorkersKnown } from '../router/workers-known.ts'
import type { WorkerFacts } from '../worker-scope.ts'
import { whyClosed } from '../workload.ts'
import { iso } from './iso.ts'

/** A worker as the router sees them, and their channel for the lane's tasks. */
export interface Looked {
  readonly worker: StoredWorker
  readonly facts: WorkerFacts
  readonly channel: StoredWorkerChannel | undefined
}

export interface Found {
  readonly obstacle: Obstacle
  readonly why: string
  readonly [detail: string]: unknown
}

const found = (obstacle: Obstacle, details: object = {}): Found => ({
  obstacle,
  why: OBSTACLES[obstacle],
  ...details,
})

/** What stands between a worker and every task of a lane: nothing where they could take one now. */
export const laneObstacles = (
  lane: RoundLane,
  { worker, facts, channel }: Looked,
  workspace: WorkspaceRow,
  now: number,
): Found[] => [
  ...lane.unmet(facts, now).map((it) => unmet(it, lane, facts, now)),
  ...(lane.facts.target.ignoreCapacity ? [] : closed(worker, workspace, channel)),
]

const unmet = (ask: Ask, lane: RoundLane, facts: WorkerFacts, now: number): Found =>
  ask.by === 'known_worker'
    ? found(ask.by, { worker_sid: ask.workerSid })
    : found(ask.by, clauseOf(ask.expression.explain(lane.scope(facts, now))))

/** The clause of an expression that did not hold, and what its keys were. */
export const clauseOf = (explanation: Explanation): object => {
  if (explanation.matches) return {}
  const { clause, seen, alternatives } = explanation
  return { clause, seen, ...(alternatives.length && { alternatives: alternatives.map(clauseOf) }) }
}

const closed = (
  worker: StoredWorker,
  workspace: WorkspaceRow,
  channel: StoredWorkerChannel | undefined,
): Found[] => {
  if (!channel) return [found('channel_unavailable')]
  return whyClosed(worker, workspace, channel).map((it) => {
    if (it === 'activity') return found(it, { activity_name: worker.activity_name })
    if (it !== 'capacity') return found(it)
    const { configured_capacity, assigned_tasks, reserved_tasks } = channel
    return found(it, { configured_capacity, assigned_tasks, reserved_tasks })
  })
}

/** That a task is offered to as many as may be at once, so that the router passes it over. */
export const enoughAsked = (task: StoredTask): Found[] =>
  task.waits === 1 ? [] : [found('others_offered', { at_once: task.offers_max })]

/** What a worker's own answers to a task put in the way. */
export const answerObstacles = (
  workerSid: string,
  answers: Answers | undefined,
  live: readonly StoredReservation[],
  now: number,
): Found[] => {
  const own = live.find((it) => it.worker_sid === workerSid)
  if (own) return [found(own.reservation_status === 'pending' ? 'offered' : 'has_it')]
  const until = answers?.refusedBy.get(workerSid)
  return until !== undefined && until > now ? [found('refused', { until: iso(until) })] : []
}

const channelsOf = reading((db, at: { sids: string; taskChannelSid: string }, dialect) =>
  db
    .selectFrom('worker_channels')
    .selectAll()
    .where((it) => dialect.isOneOf(it.ref('worker_sid'), at.sids))
    .where('task_channel_sid', '=', at.taskChannelSid),
)

/** Reads what the router would read of these workers for a lane. */
export const look = async (
  reader: Reader,
  lane: RoundLane,
  workers: readonly StoredWorker[],
): Promise<Looked[]> => {
  const sids = JSON.stringify(workers.map((it) => it.sid))
  const { taskChannelSid } = lane.facts
  const channels = await channelsOf.all(reader, { sids, taskChannelSid })
  const byWorker = new Map(channels.map((it) => [it.worker_sid, it]))
  const known = await new WorkersKnown().of(reader, workers, lane.reads('channel.'))
  return workers.flatMap((worker) => {
    const facts = known.get(worker.sid)
    return facts ? [{ worker, facts, channel: byWorker.get(worker.sid) }] : []
  })
}
