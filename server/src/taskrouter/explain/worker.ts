/** Which waiting tasks could reach a worker, line by line, and what stands in the way of the others. */
import { WorkerExplanation, type WorkerExplanationRow } from '@parley/contract/parley/explanation.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { bind } from '../../http/binding.ts'
import { reading } from '../../store/query.ts'
import { find } from '../../store/rows.ts'
import type { StoredReservation, StoredWorker } from '../../store/tables/taskrouter.ts'
import type { Reader } from '../../store/tx.ts'
import { requireWorkspace } from '../parents.ts'
import { readLanes } from '../router/decide.ts'
import { answersOf, type RoundLane } from '../router/lane.ts'
import { COUNTED_MAX, SOME_LANES, someLanesWaiting, waitingBefore } from '../router/waiting.ts'
import { whyClosed } from '../workload.ts'
import { iso } from './iso.ts'
import { offersEnd } from './next.ts'
import { answerObstacles, type Found, laneObstacles, look } from './obstacles.ts'
import { workerSummary } from './summary.ts'

/** How many tasks of a line are told one by one: those at its head. */
const TASKS_TOLD = 5

/** After every task there can be. */
const AFTER_ALL = { priorityDown: Number.MAX_SAFE_INTEGER, turn: Number.MAX_SAFE_INTEGER, sid: '' }

export const workerExplanations = bind(WorkerExplanation, {
  fetch: async (reader, call) => {
    const workspace = await requireWorkspace(reader, call)
    const worker = await find(reader, 'workers', {
      sid: call.path.workerSid,
      workspace_sid: workspace.sid,
      account_sid: call.accountSid,
    })
    return worker && explainWorker(reader, workspace, worker, call.input.after ?? '')
  },
})

const channelsOf = reading((db, at: { workerSid: string }) =>
  db.selectFrom('worker_channels').selectAll().where('worker_sid', '=', at.workerSid).orderBy('sid'),
)

const liveOf = reading((db, at: { workerSid: string }) =>
  db
    .selectFrom('reservations')
    .selectAll()
    .where('worker_sid', '=', at.workerSid)
    .where('reservation_status', 'in', ['pending', 'accepted', 'wrapping'])
    .orderBy('sid'),
)

const explainWorker = async (
  reader: Reader,
  workspace: WorkspaceRow,
  worker: StoredWorker,
  after: string,
): Promise<WorkerExplanationRow> => {
  const names = (await someLanesWaiting.all(reader, { workspaceSid: workspace.sid, after })).map(
    (it) => it.lane as string,
  )
  const live = await liveOf.all(reader, { workerSid: worker.sid })
  const ends = await offersEnd(reader, live)
  const lines: Line[] = []
  for (const lane of await readLanes(reader, workspace.sid, names, { lanes: new Map() }))
    lines.push(...(await lineOf(reader, workspace, worker, lane, live)))
  const channels = (await channelsOf.all(reader, { workerSid: worker.sid })).map((it) => ({
    task_channel_unique_name: it.task_channel_unique_name,
    open: it.open === 1,
    closed_by: whyClosed(worker, workspace, it),
    configured_capacity: it.configured_capacity,
    assigned_tasks: it.assigned_tasks,
    reserved_tasks: it.reserved_tasks,
    idle_since: iso(it.idle_since),
  }))
  return {
    account_sid: worker.account_sid,
    workspace_sid: workspace.sid,
    worker_sid: worker.sid,
    friendly_name: worker.friendly_name,
    summary: workerSummary(worker, live, lines),
    activity_name: worker.activity_name,
    available: worker.available,
    reservations: JSON.stringify(
      live.map((it) => ({
        task_sid: it.task_sid,
        reservation_sid: it.sid,
        reservation_status: it.reservation_status,
        since: iso(it.date_created),
        until: iso(ends.get(it.sid)),
      })),
    ),
    channels: JSON.stringify(channels),
    lines: JSON.stringify(lines),
    next_after: names.length === SOME_LANES ? (names.at(-1) ?? null) : null,
    date: reader.now(),
  }
}

interface Line {
  readonly can_take: boolean
  readonly waiting: number
  readonly [more: string]: unknown
}

/** A lane as it looks to one worker; nothing where its last task has gone meanwhile. */
const lineOf = async (
  reader: Reader,
  workspace: WorkspaceRow,
  worker: StoredWorker,
  lane: RoundLane,
  live: readonly StoredReservation[],
): Promise<Line[]> => {
  const now = reader.now()
  const [looked] = await look(reader, lane, [worker])
  await lane.fill(reader, TASKS_TOLD)
  if (!looked || !lane.tasks.length) return []
  const at = { workspaceSid: workspace.sid, lane: lane.name, ...AFTER_ALL }
  const waiting = Number((await waitingBefore.first(reader, at))?.count ?? 0)
  const obstacles = laneObstacles(lane, looked, workspace, now)
  const answers = await answersOf(
    reader,
    lane.tasks.map((it) => it.sid),
  )
  const tasks = lane.tasks.slice(0, TASKS_TOLD).map(({ sid, priority, start }) => {
    const own: Found[] = answerObstacles(
      worker.sid,
      answers.get(sid),
      live.filter((it) => it.task_sid === sid),
      now,
    )
    return { task_sid: sid, priority, since: iso(start), obstacles: own }
  })
  const { target, taskChannelSid } = lane.facts
  return [
    {
      task_queue_sid: lane.queue?.sid ?? null,
      task_queue_friendly_name: lane.queue?.friendly_name ?? null,
      task_channel_sid: taskChannelSid,
      expression: target.expression ?? null,
      waiting,
      waiting_at_least: waiting === COUNTED_MAX,
      can_take: obstacles.length === 0 && tasks.some((it) => !it.obstacles.length),
      obstacles,
      tasks,
    },
  ]
}
