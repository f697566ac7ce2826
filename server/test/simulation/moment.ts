/**
 * A centre at one moment, said naively: every task against every worker, from the rows and from what the simulation
 * itself made of queues and workflows. Nothing of the router's is used here.
 */
import type { Everything } from '../taskrouter/agreement.ts'
import type { Queue, Target, Workflow } from './centre.ts'
import type { Client } from './clients.ts'
import type { Facts } from './expressions.ts'

/** What the simulation knows of its centre, beside the rows. */
export interface Known {
  readonly queues: ReadonlyMap<string, Queue>
  readonly workflows: ReadonlyMap<string, Workflow>
  /** By worker; some have none. */
  readonly clients: ReadonlyMap<string, Client>
}

/** Others are asked first, and the one who refused only after this. */
const PAUSE_MS = 2_000

export type Task = Everything['tasks'][number]
export type Worker = Everything['workers'][number]
export type Reservation = Everything['reservations'][number]
export type Transfer = Everything['transfers'][number]

const LIVE = new Set(['pending', 'accepted', 'wrapping'])

/** The rows at one moment, looked up by what they are about. */
export class Moment {
  readonly all: Everything
  readonly now: number
  readonly #known: Known
  readonly #ofWorker: ReadonlyMap<string, Everything['reservations']>
  readonly #ofTask: ReadonlyMap<string, Everything['reservations']>
  readonly #channels: ReadonlyMap<string, Everything['channels'][number]>
  readonly #tasks: ReadonlyMap<string, Task>
  readonly #transfers: ReadonlyMap<string, Transfer>
  readonly #transfersOf: ReadonlyMap<string, Everything['transfers']>
  readonly #attributes = new Map<string, Readonly<Record<string, unknown>>>()
  readonly #targets = new Map<string, Target | undefined>()
  /** By worker. */
  readonly #facts = new Map<string, Facts>()
  /** By task channel. */
  readonly #free = new Map<string, readonly Worker[]>()

  constructor(all: Everything, now: number, known: Known) {
    this.all = all
    this.now = now
    this.#known = known
    this.#ofWorker = Map.groupBy(all.reservations, (it) => it.worker_sid)
    this.#ofTask = Map.groupBy(all.reservations, (it) => it.task_sid)
    this.#channels = new Map(all.channels.map((it) => [`${it.worker_sid} ${it.task_channel_sid}`, it]))
    this.#tasks = new Map(all.tasks.map((it) => [it.sid, it]))
    this.#transfers = new Map(all.transfers.map((it) => [it.sid, it]))
    this.#transfersOf = Map.groupBy(all.transfers, (it) => it.task_sid)
  }

  get waiting(): Task[] {
    return this.all.tasks.filter(
      (it) =>
        ['pending', 'reserved'].includes(it.assignment_status) && this.offersOf(it) < this.mostOffers(it),
    )
  }

  offersOf(task: Task): number {
    return this.reservationsOf(task.sid).filter((it) => it.reservation_status === 'pending').length
  }

  /** A task that is given to one worker is offered to nobody else. */
  mostOffers(task: Task): number {
    if (this.transferOf(task)?.transfer_type === 'WORKER') return 1
    return this.#known.queues.get(task.task_queue_sid ?? '')?.maxReserved ?? 1
  }

  reservationsOf(taskSid: string): Everything['reservations'] {
    return this.#ofTask.get(taskSid) ?? []
  }

  /** Of a task, those that have not ended. */
  liveOf(taskSid: string): Everything['reservations'] {
    return this.reservationsOf(taskSid).filter((it) => LIVE.has(it.reservation_status))
  }

  /** Whether somebody has accepted the task and is at work on it. */
  isInHand(task: Task): boolean {
    return this.reservationsOf(task.sid).some((it) => it.reservation_status === 'accepted')
  }

  /** The transfer that is under way with a task. */
  transferOf({ transfer_sid }: Task): Transfer | undefined {
    return transfer_sid === null ? undefined : this.#transfers.get(transfer_sid)
  }

  /** Whether a worker had the task when it was given away: then it is not for them. */
  hadIt(worker: Worker, { sid, task_sid, date_created }: Transfer): boolean {
    return this.reservationsOf(task_sid).some(
      (it) =>
        it.worker_sid === worker.sid &&
        it.transfer_sid !== sid &&
        (['accepted', 'wrapping'].includes(it.reservation_status) ||
          (it.reservation_status === 'completed' && it.date_updated >= date_created)),
    )
  }

  transfersOf(taskSid: string): Everything['transfers'] {
    return this.#transfersOf.get(taskSid) ?? []
  }

  /** Whether a task goes to its worker whatever they are doing; not once it was given to others. */
  isRegardless(task: Task): boolean {
    return Boolean(task.ignore_capacity) && task.transfer_sid === null && this.isStraight(task)
  }

  /** Whether a task is for the one worker it was sent to: not once a queue has given it to somebody. */
  isStraight(task: Task): boolean {
    if (!task.routing_target?.startsWith('WK')) return false
    return !this.transfersOf(task.sid).some(
      (it) => it.transfer_type === 'QUEUE' && it.transfer_status === 'complete',
    )
  }

  /** What a worker has in hand, but for one reservation. */
  inHand(worker: Worker, but?: string): Everything['reservations'] {
    return (this.#ofWorker.get(worker.sid) ?? []).filter(
      (it) => LIVE.has(it.reservation_status) && it.sid !== but,
    )
  }

  taskOf(sid: string): Task | undefined {
    return this.#tasks.get(sid)
  }

  json(text: string): Readonly<Record<string, unknown>> {
    const known = this.#attributes.get(text)
    if (known) return known
    const read = JSON.parse(text) as Readonly<Record<string, unknown>>
    this.#attributes.set(text, read)
    return read
  }

  /** Where the workflow has the task; undefined where it has none, or the task is to begin anew. */
  targetOf(task: Task): Target | undefined {
    if (!this.#targets.has(task.sid)) this.#targets.set(task.sid, this.#readTarget(task))
    return this.#targets.get(task.sid)
  }

  #readTarget(task: Task): Target | undefined {
    const routing = this.#known.workflows.get(task.workflow_sid ?? '')?.routing
    if (!routing || task.step === null) return undefined
    if (task.step === 'default') return routing.fallback
    const [filter = -1, target = -1] = task.step.split('.').map(Number)
    return routing.filters[filter]?.targets[target]
  }

  queueOf(task: Task): Queue | undefined {
    return this.#known.queues.get(task.task_queue_sid ?? '')
  }

  workflowOf(task: Task): Workflow | undefined {
    return this.#known.workflows.get(task.workflow_sid ?? '')
  }

  factsOf(worker: Worker, task: Task | undefined): Facts {
    const known = this.#facts.get(worker.sid) ?? this.#readFacts(worker)
    this.#facts.set(worker.sid, known)
    return task ? { ...known, task: this.json(task.attributes) } : known
  }

  /** As they are before a task is looked at. */
  #readFacts(worker: Worker): Facts {
    const assigned: Record<string, number> = {}
    for (const it of this.inHand(worker)) {
      if (it.reservation_status === 'pending') continue
      const name = this.#channels.get(`${worker.sid} ${it.task_channel_sid}`)?.task_channel_unique_name ?? ''
      assigned[name] = (assigned[name] ?? 0) + 1
    }
    const activity = this.all.activities.find((it) => it.sid === worker.activity_sid)
    return {
      worker: this.json(worker.attributes),
      task: {},
      assigned,
      activityName: activity?.friendly_name ?? null,
      now: this.now,
    }
  }

  /** Whether a worker would take one more task of this kind; `but` is a reservation to leave out. */
  isFree(worker: Worker, task: Task, but?: string): boolean {
    if (this.isRegardless(task)) return true
    const activity = this.all.activities.find((it) => it.sid === worker.activity_sid)
    const channel = this.#channels.get(`${worker.sid} ${task.task_channel_sid}`)
    const workspace = this.all.workspaces.find((it) => it.sid === task.workspace_sid)
    if (!activity?.available || !channel?.available) return false
    const inHand = this.inHand(worker, but)
    if (!workspace?.multi_task_enabled && inHand.length) return false
    return (
      inHand.filter((it) => it.task_channel_sid === task.task_channel_sid).length <
      channel.configured_capacity
    )
  }

  /** Whether a task could be given to a worker at all; undefined where the simulation cannot say. */
  isFor(worker: Worker, task: Task): boolean | undefined {
    const transfer = this.transferOf(task)
    if (transfer?.transfer_type === 'WORKER') return transfer.transfer_to === worker.sid
    if (transfer)
      return (
        !this.hadIt(worker, transfer) &&
        this.#known.queues.get(transfer.transfer_to)?.clause.holds(this.factsOf(worker, undefined))
      )
    if (this.isStraight(task)) return task.routing_target === worker.sid
    if (task.workflow_sid === null || task.routing_target !== null)
      return this.queueOf(task)?.clause.holds(this.factsOf(worker, undefined))
    const target = this.targetOf(task)
    if (!target) return undefined
    if (target.known && this.json(task.attributes).agent !== worker.friendly_name) return false
    const facts = this.factsOf(worker, task)
    return target.queue.clause.holds(facts) && (target.clause?.holds(facts) ?? true)
  }

  /** Has it, was asked already, or refused it a moment ago. */
  isBarred(worker: Worker, task: Task, but?: string): boolean {
    return this.reservationsOf(task.sid).some(
      (it) =>
        it.worker_sid === worker.sid &&
        it.sid !== but &&
        (LIVE.has(it.reservation_status) ||
          (['rejected', 'timeout'].includes(it.reservation_status) && it.date_updated + PAUSE_MS > this.now)),
    )
  }

  couldBeGiven(worker: Worker, task: Task, but?: string): boolean {
    return this.isFree(worker, task, but) && this.isWanted(worker, task, but)
  }

  /** Whether a worker who is free could be given a task. */
  isWanted(worker: Worker, task: Task, but?: string): boolean {
    return this.isFor(worker, task) === true && !this.isBarred(worker, task, but)
  }

  /** Those who would take one more task of this kind. */
  freeFor(task: Task): readonly Worker[] {
    if (this.isRegardless(task)) return this.all.workers
    const { task_channel_sid: channel } = task
    const known = this.#free.get(channel) ?? this.all.workers.filter((it) => this.isFree(it, task))
    this.#free.set(channel, known)
    return known
  }

  /** Whether the first of two waiting tasks is to be served first. */
  isBefore(a: Task, b: Task): boolean {
    if (a.priority !== b.priority) return a.priority > b.priority
    const [orderOfA, orderOfB] = [a, b].map((it) => this.queueOf(it)?.order ?? 'FIFO')
    const preferred = this.all.workspaces.find((it) => it.sid === a.workspace_sid)?.prioritize_queue_order
    if (orderOfA !== orderOfB) return orderOfA === preferred
    if (a.virtual_start_time === b.virtual_start_time) return a.sid < b.sid
    return orderOfA === 'FIFO'
      ? a.virtual_start_time < b.virtual_start_time
      : a.virtual_start_time > b.virtual_start_time
  }
}
