/** A lane while a round of routing lasts: what it asks of workers, and the tasks of it that have been read so far. */
import type { ReservationStatus } from '@parley/contract/taskrouter/reservation.ts'
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import type { Reader } from '../../store/tx.ts'
import { compileExpression, type Expression, type Scope } from '../expression/compile.ts'
import { compileOrderBy, type OrderBy } from '../expression/order-by.ts'
import { targetWorkers } from '../text-expression.ts'
import { scopeOf, type WorkerFacts } from '../worker-scope.ts'
import type { Candidate, Lane, WaitingTask } from './choose.ts'
import { attributesRead, readTarget, type Target } from './target.ts'
import { answersTo, nextTasks } from './waiting.ts'

/**
 * How long a worker who refused a task is not offered it again, even where nobody else could take it, in
 * milliseconds. Others are offered it at once. Without the pause, an answering program that rejects everything and a
 * task that only it could take would go round as fast as the machine allows.
 */
export const REFUSED_PAUSE_MS = 2_000

/** What all tasks of a lane share. */
export interface LaneFacts {
  readonly queueSid: string | null
  readonly taskChannelSid: string
  readonly target: Target
  /** The task's attributes, as far as the target's expressions read them. */
  readonly attributes: Readonly<Record<string, unknown>>
}

export const laneFacts = (row: {
  task_queue_sid: string | null
  task_channel_sid: string
  target: string
  attributes: string
}): LaneFacts => {
  const target = readTarget(row.target)
  return {
    queueSid: row.task_queue_sid,
    taskChannelSid: row.task_channel_sid,
    target,
    attributes: attributesRead(target, row.attributes),
  }
}

/** One thing that a lane asks of a worker. */
export type Ask =
  | { readonly by: 'known_worker'; readonly workerSid: string }
  | { readonly by: 'queue' | 'target'; readonly expression: Expression }

/** Keys that expressions may read and that change by themselves: what is in hand, and the time. */
const MOVING = ['channel.', 'taskrouter.'] as const

interface Asked {
  readonly targetWorkers: string | null | undefined
  readonly asks: readonly Ask[]
  readonly orderBy: OrderBy | undefined
  readonly moving: ReadonlySet<(typeof MOVING)[number]>
}

/** Kept with the facts of a lane from round to round, while the queue asks the same. */
const known = new WeakMap<LaneFacts, Asked>()

const askedBy = (facts: LaneFacts, queue: TaskQueueRow | undefined): Asked => {
  const ofQueue = queue?.target_workers
  const kept = known.get(facts)
  if (kept && kept.targetWorkers === ofQueue) return kept
  const { expression, orderBy, workerSid, ignoreQueue } = facts.target
  const asks: Ask[] = []
  if (workerSid !== undefined) asks.push({ by: 'known_worker', workerSid })
  if (queue && !ignoreQueue) asks.push({ by: 'queue', expression: targetWorkers(queue.target_workers) })
  if (expression !== undefined) asks.push({ by: 'target', expression: compileExpression(expression) })
  const texts = [orderBy ?? '', ...asks.map((it) => ('expression' in it ? it.expression.text : ''))]
  const asked = {
    targetWorkers: ofQueue,
    asks,
    orderBy: orderBy === undefined ? undefined : compileOrderBy(orderBy),
    moving: new Set(MOVING.filter((key) => texts.some((it) => it.includes(key)))),
  }
  known.set(facts, asked)
  return asked
}

/** Who cannot be offered a task because of what they answered. */
export interface Answers {
  /** Workers who cannot be offered it: they are already, have it, or were a moment ago and refused. */
  readonly barred: ReadonlySet<string>
  /** Workers who refused it, and until when each is not offered it again, in milliseconds since 1970. */
  readonly refusedBy: ReadonlyMap<string, number>
}

/** Tasks are read by 4, 8, 16, …: few statements serve all rounds. */
const LIMIT_MIN = 4
const limitFor = (wanted: number): number => Math.max(LIMIT_MIN, 2 ** Math.ceil(Math.log2(wanted)))

const BEFORE_ALL = { priorityDown: Number.MIN_SAFE_INTEGER, turn: Number.MIN_SAFE_INTEGER, sid: '' }

export class RoundLane {
  readonly name: string
  readonly facts: LaneFacts
  readonly queue: TaskQueueRow | undefined
  readonly #asked: Asked
  readonly #workspaceSid: string
  #after = BEFORE_ALL
  /** Tasks read and not yet provided for. */
  tasks: readonly WaitingTask[] = []
  /** There are no more to read. */
  exhausted = false
  /** The workers who were read and could take its tasks. */
  readonly admitted: string[] = []
  /** When a worker who refused a task of this lane may be offered it again. */
  pausedUntil: number | undefined

  constructor(workspaceSid: string, name: string, facts: LaneFacts, queue: TaskQueueRow | undefined) {
    this.#workspaceSid = workspaceSid
    this.name = name
    this.facts = facts
    this.queue = queue
    this.#asked = askedBy(facts, queue)
  }

  /** Each must hold. Those of the configuration; what a worker is doing now is the store's `open`. */
  get asks(): readonly Ask[] {
    return this.#asked.asks
  }

  get orderBy(): OrderBy | undefined {
    return this.#asked.orderBy
  }

  get order(): Lane['order'] {
    return this.queue?.task_order ?? 'FIFO'
  }

  get hungry(): boolean {
    return this.tasks.length > 0 || !this.exhausted
  }

  /** Whether its expressions read a key that starts so. */
  reads(key: (typeof MOVING)[number]): boolean {
    return this.#asked.moving.has(key)
  }

  /** Whether a worker with a channel open could take its tasks. */
  admits(worker: WorkerFacts, now: number): boolean {
    const scope = this.scope(worker, now)
    return this.asks.every((it) => holds(it, scope))
  }

  /** What it asks that does not hold for a worker; nothing where the lane admits them. */
  unmet(worker: WorkerFacts, now: number): Ask[] {
    const scope = this.scope(worker, now)
    return this.asks.filter((it) => !holds(it, scope))
  }

  /** What its expressions are held against. */
  scope(worker: WorkerFacts, now: number): Scope {
    return scopeOf(worker, now, this.facts.attributes)
  }

  /**
   * Reads on until there is a task for each of these workers that none of them is barred from: more it cannot place,
   * and with less a task of another lane would get a worker whom one of this lane, which comes first, could have had.
   */
  async fillFor(reader: Reader, workers: readonly Candidate[]): Promise<void> {
    const known = this.tasks.length
    for (let more = workers.length; !this.exhausted; more *= 2) {
      const open = this.tasks
        .slice(known)
        .filter(({ barred }) => !barred || !workers.some(({ sid }) => barred.has(sid)))
      if (open.length >= workers.length) return
      await this.fill(reader, this.tasks.length + more)
    }
  }

  /** Reads on until at least `wanted` tasks are at hand, or there are no more. */
  async fill(reader: Reader, wanted: number): Promise<void> {
    const more = wanted - this.tasks.length
    if (more <= 0 || this.exhausted) return
    const limit = limitFor(more)
    const at = { workspaceSid: this.#workspaceSid, lane: this.name, ...this.#after }
    const rows = await nextTasks(limit).all(reader, at)
    const last = rows.at(-1)
    if (last) this.#after = { priorityDown: last.priority_down, turn: last.turn, sid: last.sid }
    this.exhausted = rows.length < limit
    const answered = rows.filter((it) => it.offers > 0 || it.refusals > 0).map((it) => it.sid)
    const now = reader.now()
    const answers = answered.length ? await answersOf(reader, answered) : undefined
    const read = rows.map((it) => {
      const { barred, refusedBy } = answers?.get(it.sid) ?? {}
      for (const until of refusedBy?.values() ?? [])
        if (until > now) this.pausedUntil = Math.min(this.pausedUntil ?? until, until)
      return {
        sid: it.sid,
        priority: it.priority,
        start: it.virtual_start_time,
        wants: it.offers_max - it.offers,
        ...(barred && { barred }),
        ...(refusedBy && { refusedBy }),
      }
    })
    this.tasks = [...this.tasks, ...read]
  }
}

const holds = (ask: Ask, scope: Scope): boolean =>
  ask.by === 'known_worker' ? scope.worker?.sid === ask.workerSid : ask.expression.matches(scope)

const LIVE: ReadonlySet<ReservationStatus> = new Set(['pending', 'accepted', 'wrapping'])

/** What became of the offers of tasks, by task; one that was never offered is left out. */
export const answersOf = async (reader: Reader, sids: readonly string[]): Promise<Map<string, Answers>> => {
  const now = reader.now()
  const found = new Map<string, { barred: Set<string>; refusedBy: Map<string, number> }>()
  for (const it of await answersTo.all(reader, { sids: JSON.stringify(sids) })) {
    const { barred, refusedBy } = found.get(it.task_sid) ?? { barred: new Set(), refusedBy: new Map() }
    found.set(it.task_sid, { barred, refusedBy })
    // One who gave the task away and is not done with it has it still.
    if (LIVE.has(it.reservation_status)) barred.add(it.worker_sid)
    if (it.reservation_status !== 'rejected' && it.reservation_status !== 'timeout') continue
    const until = Math.max(refusedBy.get(it.worker_sid) ?? 0, it.date_updated + REFUSED_PAUSE_MS)
    refusedBy.set(it.worker_sid, until)
    if (until > now) barred.add(it.worker_sid)
  }
  return found
}
