/**
 * Who gets which task. Pure: the tasks that wait and the workers who could take one, in; offers with their reasons,
 * out. Each task in its turn (priority, then order of the queue, then age) takes the best worker left in its lane.
 *
 * In one go a worker is offered one task at the most. Whoever has capacity for more is looked at again once the
 * offers are made, with what they then have in hand and at the end of the line of the idle; so capacity is the
 * store's business alone, and nobody is offered two tasks while somebody else has none.
 */

export interface Candidate {
  readonly sid: string
}

export interface WaitingTask {
  readonly sid: string
  readonly priority: number
  /** Milliseconds since 1970. */
  readonly start: number
  /** The most offers that may be added. */
  readonly wants: number
  /** Workers who cannot be offered it: they are already, or were a moment ago and refused. */
  readonly barred?: ReadonlySet<string>
  /** Workers who refused it: others are asked first. */
  readonly refusedBy?: { has(worker: string): boolean }
}

export type QueueOrder = 'FIFO' | 'LIFO'

/** Tasks that the same workers can take. */
export interface Lane {
  readonly name: string
  readonly order: QueueOrder
  /** In their turn. */
  readonly tasks: readonly WaitingTask[]
  /** The best first. Only those who can take a task of this lane now. */
  readonly workers: readonly Candidate[]
  /** What makes the first the best. */
  readonly best: 'idle longest' | 'first by order_by' | 'named by the task'
}

export interface Offer {
  readonly lane: string
  readonly task: string
  readonly worker: string
  readonly because: {
    readonly best: Lane['best']
    /** How many could have taken the task when its turn came. */
    readonly among: number
    /** The worker refused it before, and there was nobody else. */
    readonly again: boolean
  }
}

export interface Choice {
  readonly offers: readonly Offer[]
  /** Tasks that found nobody, or not as many as they want, by lane. */
  readonly left: ReadonlyMap<string, readonly WaitingTask[]>
}

/** @param prefer which kind of queue is served first where priorities are equal */
export const choose = (lanes: readonly Lane[], prefer: QueueOrder): Choice => {
  const taken = new Set<string>()
  const offers: Offer[] = []
  const left = new Map<string, WaitingTask[]>()
  const lines = new Map(lanes.map((lane) => [lane, new Line(lane.workers, taken)]))
  for (const { lane, task } of inTurn(lanes, prefer)) {
    const line = lines.get(lane) as Line
    let wants = task.wants
    while (wants > 0) {
      const among = line.length
      const found = line.take(task)
      if (!found) break
      wants -= 1
      const because = { best: lane.best, among, again: found.again }
      offers.push({ lane: lane.name, task: task.sid, worker: found.worker.sid, because })
    }
    if (wants > 0) left.set(lane.name, [...(left.get(lane.name) ?? []), { ...task, wants }])
  }
  return { offers, left }
}

/** The workers of a lane, the best first, without those who are taken. */
class Line {
  readonly #workers: readonly Candidate[]
  readonly #taken: Set<string>
  /** Everybody before is taken. */
  #from = 0

  constructor(workers: readonly Candidate[], taken: Set<string>) {
    this.#workers = workers
    this.#taken = taken
  }

  /** At the most so many are left: others may have been taken in another lane. */
  get length(): number {
    return this.#workers.length - this.#from
  }

  take(task: WaitingTask): { worker: Candidate; again: boolean } | undefined {
    let second: Candidate | undefined
    let passing = true
    for (let at = this.#from; at < this.#workers.length; at += 1) {
      const worker = this.#workers[at] as Candidate
      if (this.#taken.has(worker.sid)) {
        if (passing) this.#from = at + 1
        continue
      }
      passing = false
      if (task.barred?.has(worker.sid)) continue
      if (!task.refusedBy?.has(worker.sid)) return this.#give(worker, false)
      second ??= worker
    }
    return second && this.#give(second, true)
  }

  #give(worker: Candidate, again: boolean) {
    this.#taken.add(worker.sid)
    return { worker, again }
  }
}

/** All tasks in the order of service. Each lane is in order already, so they are merged. */
const inTurn = (lanes: readonly Lane[], prefer: QueueOrder): { lane: Lane; task: WaitingTask }[] =>
  lanes.flatMap((lane) => lane.tasks.map((task) => ({ lane, task }))).sort((a, b) => compare(a, b, prefer))

const compare = (
  a: { lane: Lane; task: WaitingTask },
  b: { lane: Lane; task: WaitingTask },
  prefer: QueueOrder,
): number => {
  if (a.task.priority !== b.task.priority) return b.task.priority - a.task.priority
  if (a.lane.order !== b.lane.order) return a.lane.order === prefer ? -1 : 1
  const older = a.lane.order === 'FIFO' ? a.task.start - b.task.start : b.task.start - a.task.start
  if (older !== 0) return older
  return a.task.sid < b.task.sid ? -1 : 1
}
