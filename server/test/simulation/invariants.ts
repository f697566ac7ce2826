/**
 * What must hold of a centre once nothing more is due, said naively: every task against every worker, from the rows
 * and from what the simulation itself made of queues and workflows. Nothing of the router's is used here.
 */
import { agree, type Everything, readEverything } from '../taskrouter/agreement.ts'
import type { Queue, Target, Workflow } from './centre.ts'
import type { Facts } from './expressions.ts'
import type { Stage } from './stage.ts'

export type Invariant =
  | 'agreement'
  | 'capacity'
  | 'idle'
  | 'legal moves'
  | 'max reserved'
  | 'order'
  | 'place'
  | 'skip'
  | 'timeouts'

export class Broken extends Error {
  readonly invariant: Invariant
  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what}`)
    this.invariant = invariant
  }
}

/** What the simulation knows of its centre, beside the rows. */
export interface Known {
  readonly queues: ReadonlyMap<string, Queue>
  readonly workflows: ReadonlyMap<string, Workflow>
}

/** Others are asked first, and the one who refused only after this. */
const PAUSE_MS = 2_000

type Task = Everything['tasks'][number]
type Worker = Everything['workers'][number]

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
  readonly #attributes = new Map<string, Readonly<Record<string, unknown>>>()
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

  mostOffers(task: Task): number {
    return this.#known.queues.get(task.task_queue_sid ?? '')?.maxReserved ?? 1
  }

  reservationsOf(taskSid: string): Everything['reservations'] {
    return this.#ofTask.get(taskSid) ?? []
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
    const assigned: Record<string, number> = {}
    for (const it of this.inHand(worker)) {
      if (it.reservation_status === 'pending') continue
      const name = this.#channels.get(`${worker.sid} ${it.task_channel_sid}`)?.task_channel_unique_name ?? ''
      assigned[name] = (assigned[name] ?? 0) + 1
    }
    const activity = this.all.activities.find((it) => it.sid === worker.activity_sid)
    return {
      worker: this.json(worker.attributes),
      task: task ? this.json(task.attributes) : {},
      assigned,
      activityName: activity?.friendly_name ?? null,
      now: this.now,
    }
  }

  /** Whether a worker would take one more task of this kind; `but` is a reservation to leave out. */
  isFree(worker: Worker, task: Task, but?: string): boolean {
    if (task.ignore_capacity) return true
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
    if (task.workflow_sid === null) {
      if (task.routing_target?.startsWith('WK')) return task.routing_target === worker.sid
      return this.queueOf(task)?.clause.holds(this.factsOf(worker, undefined))
    }
    const target = this.targetOf(task)
    if (!target) return undefined
    if (target.known && this.json(task.attributes).agent !== worker.friendly_name) return false
    const facts = this.factsOf(worker, task)
    return target.queue.clause.holds(facts) && (target.clause?.holds(facts) ?? true)
  }

  /** Asked already, or refused it a moment ago. */
  isBarred(worker: Worker, task: Task, but?: string): boolean {
    return this.reservationsOf(task.sid).some(
      (it) =>
        it.worker_sid === worker.sid &&
        it.sid !== but &&
        (it.reservation_status === 'pending' ||
          (['rejected', 'timeout'].includes(it.reservation_status) && it.date_updated + PAUSE_MS > this.now)),
    )
  }

  couldBeGiven(worker: Worker, task: Task, but?: string): boolean {
    return (
      this.isFree(worker, task, but) && this.isFor(worker, task) === true && !this.isBarred(worker, task, but)
    )
  }

  /** Those who would take one more task of this kind. */
  freeFor(task: Task): readonly Worker[] {
    if (task.ignore_capacity) return this.all.workers
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

/** @throws Broken with what does not hold, once nothing is due */
export const mustHold = async (stage: Stage, known: Known, moves: Moves): Promise<void> => {
  const moment = new Moment(await readEverything(stage.reader), stage.now(), known)
  capacity(moment)
  maxReserved(moment)
  timeouts(moment)
  moves.mustBe(moment)
  idle(moment)
  place(moment)
  skips(moment)
  try {
    agree(moment.all)
  } catch (fault) {
    throw new Broken('agreement', (fault as Error).message)
  }
}

const capacity = (moment: Moment): void => {
  const channels = Map.groupBy(moment.all.channels, (it) => it.worker_sid)
  for (const worker of moment.all.workers) {
    const own = moment.inHand(worker).filter((it) => !moment.taskOf(it.task_sid)?.ignore_capacity)
    for (const it of channels.get(worker.sid) ?? []) {
      const there = own.filter((one) => one.task_channel_sid === it.task_channel_sid).length
      if (there > it.configured_capacity)
        throw new Broken(
          'capacity',
          `${worker.friendly_name} has ${there} of ${it.configured_capacity} ${it.task_channel_unique_name}`,
        )
    }
  }
}

const maxReserved = (moment: Moment): void => {
  for (const task of moment.all.tasks) {
    const [offers, most] = [moment.offersOf(task), moment.mostOffers(task)]
    if (offers > most) throw new Broken('max reserved', `${task.sid} is offered ${offers} times, of ${most}`)
    const takers = moment
      .reservationsOf(task.sid)
      .filter((it) => ['accepted', 'wrapping'].includes(it.reservation_status)).length
    if (takers > 1) throw new Broken('max reserved', `${task.sid} was taken by ${takers}`)
  }
}

/** Each offer ends by itself, and so does each task that waits. */
const timeouts = (moment: Moment): void => {
  const jobs = new Set(moment.all.jobs.map((it) => `${it.kind} ${it.key}`))
  for (const it of moment.all.reservations)
    if (it.reservation_status === 'pending' && !jobs.has(`taskrouter.reservation-timeout ${it.sid}`))
      throw new Broken('timeouts', `offer ${it.sid} stands for ever`)
  for (const it of moment.waiting)
    if (!jobs.has(`taskrouter.task-timeout ${it.sid}`))
      throw new Broken('timeouts', `task ${it.sid} waits for ever`)
}

const idle = (moment: Moment): void => {
  for (const task of moment.waiting)
    for (const worker of moment.freeFor(task))
      if (moment.couldBeGiven(worker, task))
        throw new Broken(
          'idle',
          `${worker.friendly_name} could take ${task.sid}, which waits at ${task.step}`,
        )
}

/** A pending task is where its workflow has it: in the first filter that takes it, at a target whose time is not up. */
const place = (moment: Moment): void => {
  for (const task of moment.all.tasks) {
    const target = moment.targetOf(task)
    if (task.assignment_status !== 'pending' || !target) continue
    const routing = moment.workflowOf(task)?.routing
    const facts: Facts = {
      worker: {},
      task: moment.json(task.attributes),
      assigned: {},
      activityName: null,
      now: moment.now,
    }
    const wrong = (why: string) => new Broken('place', `${task.sid} is at ${task.step}: ${why}`)
    if (target.queue.sid !== task.task_queue_sid) throw wrong('the queue is another')
    const [filter = -1, at = -1] = task.step === 'default' ? [] : (task.step ?? '').split('.').map(Number)
    const mine = routing?.filters[filter]
    if (mine && !mine.clause.holds(facts)) throw wrong('its filter does not take it')
    for (const [index, it] of (routing?.filters ?? []).entries()) {
      if (mine && index >= filter) break
      const passable = it.targets.some(({ skipIf, known }) => skipIf || known)
      if (!passable && it.clause.holds(facts)) throw wrong(`filter ${index} takes it`)
    }
    if (!mine || target.timeout === undefined) continue
    const until = mine.targets.slice(0, at + 1).reduce((sum, it) => sum + (it.timeout ?? 0), 0)
    if (moment.now - task.date_created >= until * 1000) throw wrong(`its time was up after ${until} s`)
  }
}

/** A task at a target that is to be skipped, and that nobody can take, has gone on. */
const skips = (moment: Moment): void => {
  for (const task of moment.waiting) {
    const target = moment.targetOf(task)
    // Where there was nowhere else to go the row says so: the target is not asked again.
    if (task.assignment_status !== 'pending' || !target?.skipIf || !task.target.includes('skipIf')) continue
    const available = moment.all.workers.filter(
      (it) =>
        target.queue.clause.holds(moment.factsOf(it, undefined)) &&
        moment.all.activities.find(({ sid }) => sid === it.activity_sid)?.available,
    ).length
    if (available < target.skipIf.fewerThan)
      throw new Broken('skip', `${task.sid} waits at ${task.step} for ${available} workers`)
  }
}

const TASK_MOVES = [
  ...['pending reserved', 'pending canceled', 'reserved pending', 'reserved assigned', 'reserved canceled'],
  ...['assigned wrapping', 'assigned completed', 'wrapping completed'],
]

const RESERVATION_MOVES = [
  ...['pending accepted', 'pending rejected', 'pending timeout', 'pending canceled', 'pending rescinded'],
  ...['accepted wrapping', 'accepted completed', 'wrapping completed'],
]

/** Every state that was told of, and whether each came legally of the one before. */
export class Moves {
  readonly #legal: ReadonlySet<string>
  readonly #tasks = new Map<string, string>()
  readonly #reservations = new Map<string, string>()

  constructor() {
    this.#legal = new Set([
      ...TASK_MOVES.map((it) => `task ${it}`),
      ...RESERVATION_MOVES.map((it) => `reservation ${it}`),
    ])
  }

  sawTask(sid: string, status: string): void {
    this.#saw('task', this.#tasks, sid, status)
  }

  sawReservation(sid: string, status: string): void {
    this.#saw('reservation', this.#reservations, sid, status)
  }

  #saw(what: string, known: Map<string, string>, sid: string, status: string): void {
    const before = known.get(sid) ?? 'pending'
    known.set(sid, status)
    if (before !== status && !this.#legal.has(`${what} ${before} ${status}`))
      throw new Broken('legal moves', `${what} ${sid} went from ${before} to ${status}`)
  }

  /** The rows say what was told. */
  mustBe({ all }: Moment): void {
    for (const it of all.tasks) this.#same('task', it.sid, it.assignment_status, this.#tasks)
    for (const it of all.reservations)
      this.#same('reservation', it.sid, it.reservation_status, this.#reservations)
  }

  #same(what: string, sid: string, status: string, known: ReadonlyMap<string, string>): void {
    if (known.get(sid) !== status)
      throw new Broken('legal moves', `${what} ${sid} is ${status} and was told to be ${known.get(sid)}`)
  }

  /** What is gone need not be remembered. */
  forget(taskSid: string): void {
    this.#tasks.delete(taskSid)
  }
}
