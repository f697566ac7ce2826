/** Targets that let tasks pass: `skip_if` is asked once nobody can take a task, with the workers of its queue counted. */

import { update } from '../../store/rows.ts'
import type { StoredWorker } from '../../store/tables/taskrouter.ts'
import type { Reader, Store, Tx } from '../../store/tx.ts'
import { compileExpression, type Scope } from '../expression/compile.ts'
import { HOUSE } from '../house.ts'
import { lockTasks } from '../parents.ts'
import { moveOn, REASONS } from '../placing.ts'
import { cancelLocked } from '../task-end.ts'
import { targetWorkers } from '../text-expression.ts'
import { readsChannels, scopeOf, type WorkerFacts } from '../worker-scope.ts'
import type { RoundLane } from './lane.ts'
import { laneOf, readTarget } from './target.ts'
import { nextTasks, workersOfWorkspace } from './waiting.ts'
import type { WorkersKnown } from './workers-known.ts'

/** How many tasks move on in one transaction. */
const BATCH = 50

/** What `workers.…` reads in `skip_if`. */
export type Counts = Readonly<Record<string, number>>

/**
 * @param known the facts of workers, as the router remembers them
 * @returns how many tasks went elsewhere
 */
export const passOver = async (
  store: Store,
  workspaceSid: string,
  left: readonly RoundLane[],
  known: WorkersKnown,
): Promise<number> => {
  const { reader } = store
  // Counting holds every worker of the workspace against a queue: only where the count is asked for.
  const counting = left.filter((it) => it.facts.target.skipIf?.includes('workers'))
  const counts = new Map<string, Counts>()
  let everybody: Everybody | undefined
  let moved = 0
  for (const lane of left) {
    const { skipIf } = lane.facts.target
    if (skipIf === undefined || !lane.queue) continue
    const { sid, target_workers } = lane.queue
    if (!counts.has(sid) && counting.includes(lane)) {
      everybody ??= await readEverybody(reader, workspaceSid, known, counting)
      counts.set(sid, countWorkers(everybody, target_workers, reader.now()))
    }
    const scope = skipScope(lane, counts.get(sid) ?? {}, reader.now())
    if (!compileExpression(skipIf).matches(scope)) continue
    moved += await moveAll(store, workspaceSid, lane.name)
  }
  return moved
}

/** What `skip_if` is held against. */
export const skipScope = ({ facts: { attributes } }: RoundLane, workers: Counts, now: number): Scope => ({
  attributes,
  task: attributes,
  workers,
  now,
})

interface Everybody {
  readonly workers: readonly Pick<StoredWorker, 'sid' | 'activity_sid' | 'available'>[]
  readonly facts: ReadonlyMap<string, WorkerFacts>
}

/**
 * The workers of a workspace, as they are counted.
 * @param lanes whose queues they will be held against
 */
export const readEverybody = async (
  reader: Reader,
  workspaceSid: string,
  known: WorkersKnown,
  lanes: readonly RoundLane[],
): Promise<Everybody> => {
  const workers = await workersOfWorkspace.all(reader, { workspaceSid })
  const counts = lanes.some(({ queue }) => readsChannels({ text: queue?.target_workers ?? '' }))
  return { workers, facts: await known.of(reader, workers, counts) }
}

/**
 * `available`, `unavailable`, and a count for each activity's SID.
 * @param expression the queue's `TargetWorkers`
 */
export const countWorkers = (
  { workers, facts }: Everybody,
  expression: string | null,
  now: number,
): Counts => {
  const inQueue = targetWorkers(expression)
  const counts: Record<string, number> = { available: 0, unavailable: 0 }
  for (const worker of workers) {
    const fact = facts.get(worker.sid)
    if (!fact || !inQueue.matches(scopeOf(fact, now))) continue
    const keys = [worker.available ? 'available' : 'unavailable', worker.activity_sid ?? '']
    for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

const FIRST = { priorityDown: Number.MIN_SAFE_INTEGER, turn: Number.MIN_SAFE_INTEGER, sid: '' }

const moveAll = async (store: Store, workspaceSid: string, lane: string): Promise<number> => {
  let moved = 0
  let after = FIRST
  for (;;) {
    const rows = await nextTasks(BATCH).all(store.reader, { workspaceSid, lane, ...after })
    const last = rows.at(-1)
    if (!last) return moved
    after = { priorityDown: last.priority_down, turn: last.turn, sid: last.sid }
    const sids = rows.map((it) => it.sid)
    moved += await store.transact('pass over a target', (tx) => moveSome(tx, sids, lane))
  }
}

const moveSome = async (tx: Tx, sids: readonly string[], lane: string): Promise<number> => {
  let moved = 0
  for (const task of (await lockTasks(tx, sids)).values()) {
    if (task.waits !== 1 || task.lane !== lane || task.assignment_status !== 'pending') continue
    const { nowhere, stays, task: placed } = await moveOn(tx, { task, why: 'skip', actor: HOUSE })
    if (nowhere) await cancelLocked(tx, { task: placed, reason: REASONS[nowhere], actor: HOUSE })
    if (!stays) {
      moved += 1
      continue
    }
    // There is nowhere else, so it waits here without being asked again.
    const { skipIf: _, ...target } = readTarget(task.target)
    await update(
      tx,
      'tasks',
      { sid: task.sid },
      {
        target: JSON.stringify(target),
        lane: laneOf(task.task_queue_sid, task.task_channel_sid, target, task.attributes),
      },
    )
  }
  return moved
}
