/**
 * How long workers were in each activity. A stay counts with the part of it that lies in the window; the one a worker
 * is in now is read off their row.
 */
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import { byShape, statement } from '../../store/query.ts'
import type { Reader } from '../../store/tx.ts'
import { added, type Durations, inSeconds, NONE } from './durations.ts'
import { eachSlice } from './slices.ts'
import type { Window } from './window.ts'

interface At extends Whose {
  readonly start: number
  readonly end: number
  readonly from: number
  readonly to: number
}

interface Whose {
  readonly workspaceSid: string
  readonly workerSid?: string | undefined
}

interface Stay {
  readonly worker: string
  readonly activity: string
  readonly from: number
  readonly to: number
}

// biome-ignore lint/suspicious/noExplicitAny: a query whose conditions differ by shape is beyond what the builder's types can follow
type AnyQuery = any

/** By the moment they ended, so that each is read once. */
const ended = byShape<boolean>((ofOne) =>
  statement((db: AnyQuery, at: At) => {
    const query = db
      .selectFrom('worker_stays')
      .select(['worker_sid as worker', 'activity_sid as activity', 'started_at as from', 'ended_at as to'])
      .where('ended_at', '>=', at.from)
      .where('ended_at', '<=', at.to)
      .where('ended_at', '>', at.start)
      .where('started_at', '<', at.end)
    return ofOne
      ? query.where('worker_sid', '=', at.workerSid)
      : query.where('workspace_sid', '=', at.workspaceSid)
  }),
)

const present = byShape<boolean>((ofOne) =>
  statement((db: AnyQuery, at: At) => {
    const query = db
      .selectFrom('workers')
      .select(['sid as worker', 'activity_sid as activity', 'date_status_changed as from'])
      .where('workspace_sid', '=', at.workspaceSid)
      .where('activity_sid', 'is not', null)
      .where('date_status_changed', '<', at.end)
    return ofOne ? query.where('sid', '=', at.workerSid) : query
  }),
)

/**
 * `[{ sid, friendly_name, avg, min, max, total }]` in seconds, each activity there is once.
 * @param among only these workers count
 */
export const activityDurations = async (
  reader: Reader,
  whose: Whose,
  window: Window,
  { activities, among }: { activities: readonly ActivityRow[]; among?: ReadonlySet<string> | undefined },
) => {
  const now = reader.now()
  const until = Math.min(window.end, now)
  const durations = new Map<string, Durations>()
  const add = ({ worker, activity, from, to }: Stay): void => {
    if (among && !among.has(worker)) return
    const spent = Math.min(to, until) - Math.max(from, window.start)
    if (spent <= 0) return
    const one = { count: 1, total: spent, min: spent, max: spent }
    durations.set(activity, added(durations.get(activity) ?? NONE, one))
  }
  const ofOne = whose.workerSid !== undefined
  const shape = String(ofOne)
  const ask = async (statements: typeof ended, slice: { from: number; to: number }) =>
    (
      await reader.run(
        statements(shape, () => ofOne),
        { ...whose, ...window, ...slice },
      )
    ).rows as Stay[]
  for (const it of await ask(present, { from: window.start, to: now })) add({ ...it, to: now })
  // What ended after the window may have begun in it.
  await eachSlice({ start: window.start, end: now }, async (slice) => {
    for (const it of await ask(ended, slice)) add(it)
  })
  return activities.map(({ sid, friendly_name }) => ({
    sid,
    friendly_name,
    ...inSeconds(durations.get(sid) ?? NONE),
  }))
}
