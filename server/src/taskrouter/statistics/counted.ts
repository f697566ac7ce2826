/** What happened in a window, counted from what was written down. */
import { type RawBuilder, sql } from 'kysely'
import { byShape, statement } from '../../store/query.ts'
import type { Reader, Values } from '../../store/tx.ts'
import { added, average, type Durations, inSeconds, NONE } from './durations.ts'
import type { Kind } from './record.ts'
import { eachSlice } from './slices.ts'
import type { Window } from './window.ts'

/** Of which tasks: all of a workspace, or fewer. */
export interface Scope {
  readonly workspaceSid: string
  readonly taskQueueSid?: string | undefined
  readonly workflowSid?: string | undefined
  readonly workerSid?: string | undefined
  readonly channelSid?: string | undefined
}

/** Told apart by queue or by worker, or counted together under the empty key. */
export type By = 'task_queue_sid' | 'worker_sid'

/** Milliseconds, of the accepted and the canceled. */
interface Sum {
  readonly count: number
  readonly waited: Durations
  readonly queued: Durations
}

const NOTHING: Sum = { count: 0, waited: NONE, queued: NONE }

interface Shape {
  readonly given: ReadonlySet<string>
  readonly by: By | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a query whose columns differ by shape is beyond what the builder's types can follow
type AnyQuery = any

interface At extends Scope {
  readonly from: number
  readonly to: number
}

const narrowed = (db: AnyQuery, at: At, { given, by }: Shape): AnyQuery => {
  let query = db
    .selectFrom('task_happenings')
    .where('at', '>=', at.from)
    .where('at', '<=', at.to)
    .select('kind')
    .groupBy('kind')
  // One worker's are found by their own index, and they are of one workspace.
  query = given.has('workerSid')
    ? query.where('worker_sid', '=', at.workerSid)
    : query.where('workspace_sid', '=', at.workspaceSid)
  if (given.has('taskQueueSid')) query = query.where('task_queue_sid', '=', at.taskQueueSid)
  if (given.has('workflowSid')) query = query.where('workflow_sid', '=', at.workflowSid)
  if (given.has('channelSid')) query = query.where('task_channel_sid', '=', at.channelSid)
  return by ? query.select(`${by} as key`).groupBy(by).where(by, 'is not', null) : query
}

const sums = byShape<Shape>((shape) =>
  statement((db: AnyQuery, at: At) =>
    narrowed(db, at, shape).select((it: AnyQuery) => [
      it.fn.countAll().as('count'),
      ...['waited', 'queued'].flatMap((column) => [
        it.fn.count(column).as(`${column}_count`),
        it.fn.sum(column).as(`${column}_total`),
        it.fn.min(column).as(`${column}_min`),
        it.fn.max(column).as(`${column}_max`),
      ]),
    ]),
  ),
)

/** Seconds begun: a wait of exactly five seconds is not above five. */
const SECONDS: RawBuilder<number> = sql`(waited + 999) / 1000`

const waits = byShape<Shape>((shape) =>
  statement((db: AnyQuery, at: At) =>
    narrowed(db, at, shape)
      .where('waited', 'is not', null)
      .select((it: AnyQuery) => [SECONDS.as('seconds'), it.fn.countAll().as('count')])
      .groupBy(SECONDS),
  ),
)

interface SumRow {
  readonly kind: Kind
  readonly key?: string
  readonly count: number
  readonly [column: string]: number | string | null | undefined
}

interface WaitRow {
  readonly kind: Kind
  readonly key?: string
  readonly seconds: number
  readonly count: number
}

interface Split {
  readonly above: { tasks_canceled: number; reservations_accepted: number }
  readonly below: { tasks_canceled: number; reservations_accepted: number }
}

/** What happened under one key. */
export class Counted {
  readonly #sums = new Map<Kind, Sum>()
  readonly #splits: Map<number, Split>

  constructor(splits: readonly number[]) {
    const none = () => ({ tasks_canceled: 0, reservations_accepted: 0 })
    this.#splits = new Map(splits.map((it) => [it, { above: none(), below: none() }]))
  }

  of(kind: Kind): Sum {
    return this.#sums.get(kind) ?? NOTHING
  }

  add(row: SumRow): void {
    const sum = this.of(row.kind)
    this.#sums.set(row.kind, {
      count: sum.count + row.count,
      waited: added(sum.waited, durations(row, 'waited')),
      queued: added(sum.queued, durations(row, 'queued')),
    })
  }

  addWait({ kind, seconds, count }: WaitRow): void {
    const what = kind === 'reservation.accepted' ? 'reservations_accepted' : 'tasks_canceled'
    for (const [threshold, { above, below }] of this.#splits)
      (seconds > threshold ? above : below)[what] += count
  }

  /** `{ "5": { above, below } }`, null where nobody asked. */
  splits(): Record<string, Split> | null {
    return this.#splits.size ? Object.fromEntries(this.#splits) : null
  }
}

const durations = (row: SumRow, column: 'waited' | 'queued'): Durations => ({
  count: Number(row[`${column}_count`]),
  total: Number(row[`${column}_total`]),
  min: Number(row[`${column}_min`]),
  max: Number(row[`${column}_max`]),
})

/**
 * Counts a window.
 * @param splits thresholds in seconds
 * @returns by key; what is not there did not happen
 */
export const countBy = async (
  reader: Reader,
  scope: Scope,
  window: Window,
  { by, splits = [] }: { by?: By; splits?: readonly number[] } = {},
): Promise<(key: string) => Counted> => {
  const given = new Set(Object.keys(scope).filter((it) => scope[it as keyof Scope] !== undefined))
  const shape = `${[...given].sort()}|${by}`
  const counted = new Map<string, Counted>()
  const at = (key = ''): Counted => {
    const known = counted.get(key) ?? new Counted(splits)
    counted.set(key, known)
    return known
  }
  const ask = async (statements: typeof sums, values: Values) =>
    (
      await reader.run(
        statements(shape, () => ({ given, by })),
        values,
      )
    ).rows
  // Nothing has happened yet after now, however far ahead the window ends.
  const until = Math.min(window.end, reader.now())
  await eachSlice({ start: window.start, end: until }, async (slice) => {
    const values = { ...scope, ...slice }
    for (const row of (await ask(sums, values)) as SumRow[]) at(row.key).add(row)
    if (splits.length) for (const row of (await ask(waits, values)) as WaitRow[]) at(row.key).addWait(row)
  })
  return at
}

export const count = async (
  reader: Reader,
  scope: Scope,
  window: Window,
  splits: readonly number[] = [],
): Promise<Counted> => (await countBy(reader, scope, window, { splits }))('')

export const reservationsCounted = (...all: readonly Counted[]) => {
  const sum = (kind: Kind) => all.reduce((total, it) => total + it.of(kind).count, 0)
  return {
    reservations_created: sum('reservation.created'),
    reservations_accepted: sum('reservation.accepted'),
    reservations_rejected: sum('reservation.rejected'),
    reservations_timed_out: sum('reservation.timeout'),
    reservations_canceled: sum('reservation.canceled'),
    reservations_rescinded: sum('reservation.rescinded'),
  }
}

/** The numbers that workspaces, queues and workflows have in common. */
export const tasksCounted = (it: Counted, { start, end }: Window) => ({
  avg_task_acceptance_time: average(it.of('reservation.accepted').waited),
  start_time: start,
  end_time: end,
  ...reservationsCounted(it),
  split_by_wait_time: it.splits(),
  wait_duration_until_accepted: inSeconds(it.of('reservation.accepted').waited),
  wait_duration_until_canceled: inSeconds(it.of('task.canceled').waited),
  tasks_canceled: it.of('task.canceled').count,
  tasks_completed: it.of('task.completed').count,
  tasks_deleted: it.of('task.deleted').count,
  tasks_moved: it.of('task-queue.moved').count,
})
