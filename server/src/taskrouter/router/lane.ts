/** A lane while a round of routing lasts: what it asks of workers, and the tasks of it that have been read so far. */
import type { TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import type { Reader } from '../../store/tx.ts'
import { compileExpression, type Expression } from '../expression/compile.ts'
import { compileOrderBy, type OrderBy } from '../expression/order-by.ts'
import { targetWorkers } from '../text-expression.ts'
import { scopeOf, type WorkerFacts } from '../worker-scope.ts'
import type { Lane, WaitingTask } from './choose.ts'
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

const BEFORE_ALL = { priorityDown: Number.MIN_SAFE_INTEGER, turn: Number.MIN_SAFE_INTEGER, sid: '' }

export class RoundLane {
  readonly name: string
  readonly facts: LaneFacts
  readonly queue: TaskQueueRow | undefined
  readonly orderBy: OrderBy | undefined
  readonly #inQueue: Expression | undefined
  readonly #inTarget: Expression | undefined
  readonly #workspaceSid: string
  #after = BEFORE_ALL
  /** Tasks read and not yet provided for. */
  tasks: readonly WaitingTask[] = []
  /** There are no more to read. */
  exhausted = false
  /** When a worker who refused a task of this lane may be offered it again. */
  pausedUntil: number | undefined

  constructor(workspaceSid: string, name: string, facts: LaneFacts, queue: TaskQueueRow | undefined) {
    this.#workspaceSid = workspaceSid
    this.name = name
    this.facts = facts
    this.queue = queue
    const { expression, orderBy } = facts.target
    this.#inQueue = queue && targetWorkers(queue.target_workers)
    this.#inTarget = expression === undefined ? undefined : compileExpression(expression)
    this.orderBy = orderBy === undefined ? undefined : compileOrderBy(orderBy)
  }

  get order(): Lane['order'] {
    return this.queue?.task_order ?? 'FIFO'
  }

  get hungry(): boolean {
    return this.tasks.length > 0 || !this.exhausted
  }

  /** Whether its expressions read a key that starts so: `channel.`, `taskrouter.`. */
  reads(key: string): boolean {
    const { orderBy = '' } = this.facts.target
    return [this.#inQueue?.text, this.#inTarget?.text, orderBy].some((it) => it?.includes(key))
  }

  /** Whether a worker with a channel open could take its tasks. */
  admits(worker: WorkerFacts, now: number): boolean {
    const { workerSid } = this.facts.target
    if (workerSid !== undefined && workerSid !== worker.sid) return false
    const scope = scopeOf(worker, now, this.facts.attributes)
    return (this.#inQueue?.matches(scope) ?? true) && (this.#inTarget?.matches(scope) ?? true)
  }

  /** Reads on until `wanted` tasks are at hand, or there are no more. */
  async fill(reader: Reader, wanted: number): Promise<void> {
    const limit = wanted - this.tasks.length
    if (limit <= 0 || this.exhausted) return
    const at = { workspaceSid: this.#workspaceSid, lane: this.name, ...this.#after, limit }
    const rows = await nextTasks.all(reader, at)
    const last = rows.at(-1)
    if (last) this.#after = { priorityDown: last.priority_down, turn: last.turn, sid: last.sid }
    this.exhausted = rows.length < limit
    const answered = rows.filter((it) => it.offers > 0 || it.refusals > 0).map((it) => it.sid)
    const answers = answered.length ? await this.#answers(reader, answered) : undefined
    const read = rows.map((it) => ({
      sid: it.sid,
      priority: it.priority,
      start: it.virtual_start_time,
      wants: it.offers_max - it.offers,
      ...answers?.get(it.sid),
    }))
    this.tasks = [...this.tasks, ...read]
  }

  async #answers(reader: Reader, sids: readonly string[]) {
    const now = reader.now()
    const found = new Map<string, { barred: Set<string>; refusedBy: Set<string> }>()
    for (const it of await answersTo.all(reader, { sids: JSON.stringify(sids) })) {
      const { barred, refusedBy } = found.get(it.task_sid) ?? { barred: new Set(), refusedBy: new Set() }
      found.set(it.task_sid, { barred, refusedBy })
      if (it.reservation_status === 'pending') barred.add(it.worker_sid)
      if (it.reservation_status !== 'rejected' && it.reservation_status !== 'timeout') continue
      refusedBy.add(it.worker_sid)
      const until = it.date_updated + REFUSED_PAUSE_MS
      if (until <= now) continue
      barred.add(it.worker_sid)
      this.pausedUntil = Math.min(this.pausedUntil ?? until, until)
    }
    return found
  }
}
