/** Who is in which activity: of all workers, of those a queue would take, of those who take a task channel. */
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import { reading } from '../../store/query.ts'
import type { Reader } from '../../store/tx.ts'
import { channelsOf } from '../router/workers-known.ts'
import { targetWorkers } from '../text-expression.ts'
import { scopeOf, type WorkerFacts, workerFacts } from '../worker-scope.ts'

const activitiesOf = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('activities').selectAll().where('workspace_sid', '=', at.workspaceSid).orderBy('sid'),
)

export const listActivities = (reader: Reader, workspaceSid: string): Promise<ActivityRow[]> =>
  activitiesOf.all(reader, { workspaceSid })

const workersOf = reading((db, at: { workspaceSid: string }) =>
  db
    .selectFrom('workers')
    .select(['sid', 'friendly_name', 'activity_sid', 'activity_name', 'available', 'attributes'])
    .where('workspace_sid', '=', at.workspaceSid),
)

const inActivities = reading((db, at: { workspaceSid: string }) =>
  db
    .selectFrom('workers')
    .select((it) => ['activity_sid', it.fn.countAll<number>().as('workers')])
    .where('workspace_sid', '=', at.workspaceSid)
    .groupBy('activity_sid'),
)

const takersOf = reading((db, at: { channelSid: string }) =>
  db
    .selectFrom('worker_channels')
    .select('worker_sid')
    .where('task_channel_sid', '=', at.channelSid)
    .where('available', '=', 1)
    .where('configured_capacity', '>', 0),
)

/** A queue that takes workers by what they have in hand. */
const byHands = reading((db, at: { workspaceSid: string }) =>
  db
    .selectFrom('task_queues')
    .select('sid')
    .where('workspace_sid', '=', at.workspaceSid)
    .where('target_workers', 'like', '%channel.%')
    .limit(1),
)

interface Placed {
  readonly sid: string
  readonly friendly_name: string
  readonly activity_sid: string | null
  readonly available: number
}

/** `[{ friendly_name, sid, workers }]`, each activity of the workspace once. */
const perActivity = (activities: readonly ActivityRow[], workers: ReadonlyMap<string | null, number>) =>
  activities.map(({ sid, friendly_name }) => ({ friendly_name, sid, workers: workers.get(sid) ?? 0 }))

const counted = (workers: readonly Placed[]): Map<string | null, number> => {
  const counts = new Map<string | null, number>()
  for (const it of workers) counts.set(it.activity_sid, (counts.get(it.activity_sid) ?? 0) + 1)
  return counts
}

/** `undefined` for a channel that was not named: then everybody counts. */
const takers = async (
  reader: Reader,
  channelSid: string | undefined,
): Promise<ReadonlySet<string> | undefined> =>
  channelSid === undefined
    ? undefined
    : new Set((await takersOf.all(reader, { channelSid })).map((it) => it.worker_sid))

/** Of a task channel, the workers who take its tasks: available in it, with a capacity. */
export const workersNow = async (reader: Reader, workspaceSid: string, channelSid: string | undefined) => {
  if (channelSid !== undefined) {
    const crew = await readCrew(reader, workspaceSid, channelSid)
    return crew.all()
  }
  const rows = await inActivities.all(reader, { workspaceSid })
  return {
    activity_statistics: perActivity(
      await listActivities(reader, workspaceSid),
      new Map(rows.map((it) => [it.activity_sid, it.workers])),
    ),
    total_workers: rows.reduce((total, it) => total + it.workers, 0),
  }
}

/** A workspace's workers, read once, for questions about several queues. */
export interface Crew {
  /** Those a queue would take; of a friendly name, where one is given. */
  matching(queue?: Pick<TaskQueueRow, 'target_workers'>, friendlyName?: string): readonly Placed[]
  all(workers?: readonly Placed[]): ReturnType<typeof ofAll>
  ofQueue(queue: Pick<TaskQueueRow, 'target_workers'>): ReturnType<typeof ofQueue>
}

const ofAll = (activities: readonly ActivityRow[], workers: readonly Placed[]) => ({
  activity_statistics: perActivity(activities, counted(workers)),
  total_workers: workers.length,
})

const ofQueue = (activities: readonly ActivityRow[], workers: readonly Placed[]) => ({
  activity_statistics: perActivity(activities, counted(workers)),
  total_available_workers: workers.filter((it) => it.available).length,
  total_eligible_workers: workers.length,
})

export const readCrew = async (
  reader: Reader,
  workspaceSid: string,
  channelSid: string | undefined,
): Promise<Crew> => {
  const activities = await listActivities(reader, workspaceSid)
  const taking = await takers(reader, channelSid)
  const rows = (await workersOf.all(reader, { workspaceSid })).filter((it) => taking?.has(it.sid) ?? true)
  const inHand = (await byHands.first(reader, { workspaceSid }))
    ? await channelsOf(
        reader,
        rows.map((it) => it.sid),
      )
    : undefined
  let facts: readonly WorkerFacts[] | undefined
  const now = reader.now()
  // Many queues ask for the same workers.
  const known = new Map<string | null, readonly Placed[]>()
  const fitting = ({ target_workers: target }: Pick<TaskQueueRow, 'target_workers'>): readonly Placed[] => {
    const found = known.get(target)
    if (found) return found
    const expression = targetWorkers(target)
    facts ??= rows.map((it) => workerFacts(it, inHand?.get(it.sid)))
    const scopes = facts
    const fits = rows.filter((_, at) => expression.matches(scopeOf(scopes[at] as WorkerFacts, now)))
    known.set(target, fits)
    return fits
  }
  return {
    matching: (queue, friendlyName) => {
      const fits = queue ? fitting(queue) : rows
      return friendlyName === undefined ? fits : fits.filter((it) => it.friendly_name === friendlyName)
    },
    all: (workers = rows) => ofAll(activities, workers),
    ofQueue: (queue) => ofQueue(activities, fitting(queue)),
  }
}
