/**
 * A centre lives through some hours: customers come, agents answer, ignore, reject, leave and come back, admins change
 * their minds, the disk fails and the process dies. After each step, once nothing is due, everything must hold.
 *
 * The same seed is the same run, to the last row: `hash` shows it.
 */
import { createHash } from 'node:crypto'
import type { Event } from '@parley/contract/event.ts'
import { find } from '../../src/store/rows.ts'
import type { Tx } from '../../src/store/tx.ts'
import { readEverything } from '../taskrouter/agreement.ts'
import {
  CHANNELS,
  configurationOf,
  type Queue,
  someAttributes,
  someQueue,
  someRouting,
  type Workflow,
} from './centre.ts'
import { type Chance, openChance } from './chance.ts'
import { queueExpression } from './expressions.ts'
import { Broken, type Known, Moment, Moves, mustHold } from './invariants.ts'
import { type Shift, someShift, worksAt } from './shifts.ts'
import { isDue, openStage, type Row, readLate, type Stage } from './stage.ts'

export interface Wanted {
  readonly seed: number
  readonly hours: number
  /** How many agents; by chance from four to nine, who are always there, unless given. */
  readonly agents?: number | undefined
  /** Whether so many are there day and night; they have shifts unless said otherwise. */
  readonly roundTheClock?: boolean | undefined
  /** Everything is checked after so many steps; after each unless given. */
  readonly checkEvery?: number | undefined
  /** Whether admins, faults and crashes are part of it; they are unless said otherwise. */
  readonly trouble?: boolean | undefined
  /** Breaks the world after each step, to see that it is noticed. @returns whether there was something to break */
  readonly sabotage?: ((tx: Tx) => Promise<boolean>) | undefined
  /** Nobody routes. */
  readonly unrouted?: boolean | undefined
}

export interface Lived {
  readonly hash: string
  readonly steps: number
  readonly tasks: number
  readonly reservations: number
  readonly counts: ReadonlyMap<string, number>
}

/** What agents have in hand, as the world outside knows it: from what was told. */
interface Held {
  readonly sid: string
  readonly taskSid: string
  readonly workerSid: string
  status: string
  readonly at: number
  /** What the agent will do about the offer, and when; and how long the work takes. */
  readonly plan: 'accept' | 'reject' | 'ignore'
  answersAt: number
  endsAt: number
}

/** How long a step is, in milliseconds, at the least and the most. */
const STEP_MS = [500, 45_000] as const

/** Tasks an hour for each agent who is there: a quiet centre, a usual one, and one that cannot keep up. */
const TASKS_AN_HOUR = [3, 6, 20] as const
const TASKS_AN_HOUR_IN_A_LARGE_CENTRE = 6

const HOUR_MS = 3_600_000

const WORKSPACE = 'taskrouter.v1.workspace'
const WORKER = `${WORKSPACE}.worker`
const TASK = `${WORKSPACE}.task`

export const simulate = async (wanted: Wanted): Promise<Lived> => {
  const chance = openChance(wanted.seed)
  const moves = new Moves()
  const told = createHash('sha256')
  const held = new Map<string, Held>()
  const live = new Set<string>()
  const counted = { tasks: 0, reservations: 0 }
  let fault: Error | undefined

  const hear = (event: Event): void => {
    const { task, reservation } = event as { task?: Row; reservation?: Row }
    told.update(`${event.name} ${task?.sid} ${reservation?.sid} ${reservation?.worker_sid}\n`)
    if (task) {
      const status = String(task.assignment_status)
      moves.sawTask(task.sid, status)
      if (event.name === 'task.created') counted.tasks += 1
      if (status === 'pending' || status === 'reserved') live.add(task.sid)
      else live.delete(task.sid)
      if (event.name === 'task.deleted' || event.name === 'task.system-deleted') {
        moves.forget(task.sid)
        live.delete(task.sid)
      }
    }
    if (!reservation) return
    moves.sawReservation(reservation.sid, String(reservation.reservation_status))
    const before = held.get(reservation.sid)
    if (event.name === 'reservation.created') {
      counted.reservations += 1
      held.set(reservation.sid, heldAnew(chance, reservation, event.at))
    } else if (['accepted', 'wrapping'].includes(String(reservation.reservation_status)) && before) {
      before.status = String(reservation.reservation_status)
      before.answersAt = event.at
    } else held.delete(reservation.sid)
  }

  const order = new Order()
  await using stage = await openStage(
    chance,
    {
      committed: (events) => {
        try {
          for (const it of events) hear(it)
        } catch (it) {
          fault ??= it as Error
        }
      },
      ...(wanted.checkEvery === undefined && {
        reserving: async (tx: Tx, event: Event) => order.note(tx, event, known),
      }),
    },
    { routes: !wanted.unrouted },
  )
  const known = await build(stage, chance, wanted)
  const end = stage.now() + wanted.hours * HOUR_MS
  const { checkEvery = 1, trouble = true } = wanted
  let steps = 0
  while (stage.now() < end) {
    steps += 1
    const elapsed = chance.int(...STEP_MS)
    stage.advance(elapsed)
    if (trouble && chance.percent(12)) stage.trials.troublePercent = chance.int(1, 20)
    if (trouble && chance.percent(6)) stage.trials.crashAfter = chance.int(1, 25)
    const calm = stage.trials.troublePercent === 0 && stage.trials.crashAfter === Number.POSITIVE_INFINITY
    const acting = act({ stage, chance, known, held, live, elapsed, trouble })
    // Some of what people do meets the router at work; only apart from it can the order of service be told.
    const apart = calm && chance.percent(60)
    if (apart) {
      await Promise.all(acting)
      stage.advance(1)
      if (!(await isMoreDueThanRouting(stage))) order.watch(stage.now())
    }
    await Promise.all([...acting, stage.settle()])
    await becomeCalm(stage)
    if (apart) await order.mustHold(stage, known)
    order.rest()
    if (wanted.sabotage && (await stage.store.transact('sabotage', wanted.sabotage))) {
      await mustHold(stage, known, moves)
      throw new Error('what was broken went unnoticed')
    }
    if (fault) throw fault
    if (steps % checkEvery === 0) await mustHold(stage, known, moves)
  }
  const rows = JSON.stringify(await readEverything(stage.reader))
  return {
    hash: told.update(rows).digest('hex').slice(0, 16),
    steps,
    ...counted,
    counts: stage.counts,
  }
}

const heldAnew = (chance: Chance, reservation: Row, at: number): Held => {
  const plan = chance.percent(78) ? 'accept' : chance.percent(55) ? 'reject' : 'ignore'
  const answersAt = at + chance.int(500, 30_000)
  return {
    sid: reservation.sid,
    taskSid: String(reservation.task_sid),
    workerSid: String(reservation.worker_sid),
    status: 'pending',
    at,
    plan,
    answersAt,
    endsAt: answersAt + chance.int(60_000, 900_000),
  }
}

interface Centre extends Known {
  readonly queues: Map<string, Queue>
  readonly workflows: Map<string, Workflow>
  readonly workspaceSid: string
  readonly ready: string
  readonly away: string
  readonly tasksAnHour: number
  readonly names: string[]
  readonly workers: string[]
  /** A large centre hires only in place of those who left. */
  readonly workersMax: number
  readonly hasShifts: boolean
  /** Empty where everybody is always there. */
  readonly shifts: Map<string, Shift>
  /** Who has come to work, of those who have shifts. */
  readonly present: Set<string>
}

const build = async (stage: Stage, chance: Chance, wanted: Wanted): Promise<Centre> => {
  const made = async (resource: string, path: object, input: object): Promise<Row> => {
    const row = await stage.ask(resource, 'create', path, input)
    if (!row) throw new Error(`the simulation could not make its ${resource}`)
    return row
  }
  const workspace = await made(
    WORKSPACE,
    {},
    {
      friendlyName: 'Simulated',
      template: 'NONE',
      multiTaskEnabled: wanted.agents !== undefined || chance.percent(80),
      prioritizeQueueOrder: chance.percent(70) ? 'FIFO' : 'LIFO',
    },
  )
  const workspaceSid = workspace.sid
  const at = { workspaceSid }
  const ready = await made(`${WORKSPACE}.activity`, at, { friendlyName: 'Ready', available: true })
  const away = await made(`${WORKSPACE}.activity`, at, { friendlyName: 'Lunch', available: false })
  await stage.ask(
    WORKSPACE,
    'update',
    { sid: workspaceSid },
    {
      timeoutActivity: (chance.percent(50) ? away : ready).sid,
    },
  )
  const queues = new Map<string, Queue>()
  for (let it = 0; it < (wanted.agents === undefined ? chance.int(2, 4) : 12); it += 1) {
    const queue = someQueue(chance)
    const { sid } = await made(`${WORKSPACE}.task_queue`, at, {
      friendlyName: `queue ${it}`,
      targetWorkers: queue.clause.text,
      maxReservedWorkers: queue.maxReserved,
      taskOrder: queue.order,
    })
    queues.set(sid, { ...queue, sid })
  }
  const workflows = new Map<string, Workflow>()
  for (let it = 0; it < (wanted.agents === undefined ? chance.int(1, 2) : 6); it += 1) {
    const routing = someRouting(chance, [...queues.values()])
    const { sid } = await made(`${WORKSPACE}.workflow`, at, {
      friendlyName: `workflow ${it}`,
      configuration: configurationOf(routing),
      taskReservationTimeout: chance.int(5, 60),
    })
    workflows.set(sid, { sid, routing })
  }
  const centre: Centre = {
    ...{ queues, workflows, workspaceSid },
    ...{ ready: ready.sid, away: away.sid, names: [], workers: [] },
    workersMax: wanted.agents ?? Number.POSITIVE_INFINITY,
    hasShifts: wanted.agents !== undefined && !wanted.roundTheClock,
    ...{ shifts: new Map(), present: new Set() },
    tasksAnHour: wanted.agents === undefined ? chance.pick(TASKS_AN_HOUR) : TASKS_AN_HOUR_IN_A_LARGE_CENTRE,
  }
  for (let it = 0; it < (wanted.agents ?? chance.int(4, 9)); it += 1) await hire(stage, chance, centre)
  return centre
}

const hire = async (stage: Stage, chance: Chance, centre: Centre): Promise<void> => {
  const friendlyName = `agent ${centre.names.length}`
  centre.names.push(friendlyName)
  const worker = await stage.ask(WORKER, 'create', centre, {
    friendlyName,
    attributes: someAttributes.worker(chance),
    activitySid: chance.percent(75) ? centre.ready : centre.away,
  })
  if (!worker) return
  centre.workers.push(worker.sid)
  if (centre.hasShifts) {
    centre.shifts.set(worker.sid, someShift(chance))
    centre.present.add(worker.sid)
  }
  await setCapacity(stage, chance, centre, worker.sid)
}

const setCapacity = (stage: Stage, chance: Chance, centre: Centre, workerSid: string) =>
  stage.ask(
    `${WORKER}.worker_channel`,
    'update',
    { ...centre, workerSid, sid: chance.pick(CHANNELS) },
    {
      capacity: chance.int(0, 3),
      ...(chance.percent(30) && { available: chance.percent(70) }),
    },
  )

interface Acting {
  readonly stage: Stage
  readonly chance: Chance
  readonly known: Centre
  readonly held: ReadonlyMap<string, Held>
  readonly live: ReadonlySet<string>
  readonly elapsed: number
  readonly trouble: boolean
}

/** What people do in a step, all at once. */
const act = (acting: Acting): Promise<unknown>[] => {
  const { stage, chance, known, elapsed, trouble } = acting
  const done = answers(acting)
  const there = known.workers.filter((it) => !known.shifts.has(it) || known.present.has(it))
  const comes = (elapsed / HOUR_MS) * known.tasksAnHour * there.length
  const count = Math.floor(comes) + Number(chance.percent((comes % 1) * 100))
  for (let it = 0; it < count; it += 1) done.push(comeIn(acting))
  // Each agent changes something about twice an hour.
  for (const sid of there) if (chance.percent((elapsed / HOUR_MS) * 200)) done.push(agentChanges(acting, sid))
  for (const [sid, shift] of known.shifts)
    if (worksAt(shift, stage.now()) !== known.present.has(sid)) done.push(comeOrGo(acting, sid))
  if (!trouble) return done
  if (chance.percent(25)) done.push(customerChanges(acting))
  if (chance.percent(6)) done.push(adminChanges(acting))
  if (chance.percent(2) && known.workers.length < known.workersMax) done.push(hire(stage, chance, known))
  return done
}

const answers = ({ stage, chance, known, held }: Acting): Promise<unknown>[] => {
  const now = stage.now()
  const done: Promise<unknown>[] = []
  for (const it of held.values()) {
    const path = { workspaceSid: known.workspaceSid, taskSid: it.taskSid, sid: it.sid }
    const become = (reservationStatus: string) =>
      done.push(stage.ask(`${TASK}.task_reservation`, 'update', path, { reservationStatus }))
    if (it.status === 'pending') {
      if (it.plan !== 'ignore' && now >= it.answersAt) become(it.plan === 'accept' ? 'accepted' : 'rejected')
    } else if (now >= it.endsAt) {
      become(it.status === 'accepted' && chance.percent(50) ? 'wrapping' : 'completed')
      it.endsAt = now + chance.int(1_000, 60_000)
    }
  }
  return done
}

const comeIn = ({ stage, chance, known }: Acting): Promise<unknown> => {
  const way = chance.int(1, 100)
  return stage.ask(TASK, 'create', known, {
    attributes: someAttributes.task(chance, known.names.slice(0, 5)),
    taskChannel: chance.pick(CHANNELS),
    ...(chance.percent(20) && { priority: chance.int(0, 6) }),
    ...(chance.percent(10) && { virtualStartTime: stage.now() - chance.int(0, 600_000) }),
    ...(chance.percent(30) && { timeout: chance.int(30, 1_800) }),
    ...(way <= 85
      ? { workflowSid: chance.pick([...known.workflows.keys()]) }
      : way <= 93
        ? { taskQueueSid: chance.pick([...known.queues.keys()]) }
        : {
            routingTarget: chance.pick(known.workers),
            ignoreCapacity: String(chance.percent(50)),
          }),
  })
}

const agentChanges = ({ stage, chance, known }: Acting, sid: string): Promise<unknown> => {
  const what = chance.int(1, 100)
  if (what <= 25) return setCapacity(stage, chance, known, sid)
  const path = { workspaceSid: known.workspaceSid, sid }
  if (what <= 50) return stage.ask(WORKER, 'update', path, { attributes: someAttributes.worker(chance) })
  const rejectPendingReservations = chance.percent(40)
  const activitySid = chance.percent(60) ? known.ready : known.away
  return stage.ask(WORKER, 'update', path, { activitySid, rejectPendingReservations })
}

/** A shift begins or ends. Who meets trouble at the door tries again. */
const comeOrGo = async ({ stage, known }: Acting, sid: string): Promise<void> => {
  const comes = !known.present.has(sid)
  const input = comes
    ? { activitySid: known.ready }
    : { activitySid: known.away, rejectPendingReservations: true }
  if (!(await stage.ask(WORKER, 'update', { workspaceSid: known.workspaceSid, sid }, input))) return
  if (comes) known.present.add(sid)
  else known.present.delete(sid)
}

const customerChanges = ({ stage, chance, known, live }: Acting): Promise<unknown> => {
  const sids = [...live]
  if (!sids.length) return Promise.resolve()
  const path = { workspaceSid: known.workspaceSid, sid: chance.pick(sids) }
  const what = chance.int(1, 100)
  if (what <= 40)
    return stage.ask(TASK, 'update', path, { attributes: someAttributes.task(chance, known.names) })
  if (what <= 60) return stage.ask(TASK, 'update', path, { priority: chance.int(0, 6) })
  if (what <= 70) return stage.ask(TASK, 'update', path, { taskChannel: chance.pick(CHANNELS) })
  if (what <= 75)
    return stage.ask(TASK, 'update', path, { virtualStartTime: stage.now() - chance.int(0, 900_000) })
  if (what <= 90)
    return stage.ask(TASK, 'update', path, { assignmentStatus: 'canceled', reason: 'the customer left' })
  return stage.ask(TASK, 'delete', path)
}

const adminChanges = async ({ stage, chance, known }: Acting): Promise<void> => {
  const what = chance.int(1, 100)
  const { workspaceSid } = known
  if (what <= 45) {
    const queue = chance.pick([...known.queues.values()])
    const clause = queueExpression(chance)
    const path = { workspaceSid, sid: queue.sid }
    const row = await stage.ask(`${WORKSPACE}.task_queue`, 'update', path, { targetWorkers: clause.text })
    if (row) queue.clause = clause
  } else if (what <= 75) {
    const workflow = chance.pick([...known.workflows.values()])
    const routing = someRouting(chance, [...known.queues.values()])
    const input = { configuration: configurationOf(routing), reEvaluateTasks: 'true' }
    const row = await stage.ask(`${WORKSPACE}.workflow`, 'update', { workspaceSid, sid: workflow.sid }, input)
    if (row) workflow.routing = routing
  } else if (what <= 90) {
    const sid = chance.percent(50) ? known.ready : known.away
    const friendlyName = chance.percent(50) ? 'Ready' : `Called ${chance.int(1, 1_000)}`
    await stage.ask(`${WORKSPACE}.activity`, 'update', { workspaceSid, sid }, { friendlyName })
  } else {
    const sid = chance.pick(known.workers)
    const path = { workspaceSid, sid }
    await stage.ask(WORKER, 'delete', path)
    if (!(await find(stage.reader, 'workers', { sid })) && known.workers.length > 1)
      known.workers.splice(known.workers.indexOf(sid), 1)
    if (!known.workers.includes(sid)) known.shifts.delete(sid)
  }
}

/** The disk is well again, the process is up; what was set back, or claimed by who could not say so, has been done. */
const becomeCalm = async (stage: Stage): Promise<void> => {
  if (stage.trials.crashAfter !== Number.POSITIVE_INFINITY) await stage.restart()
  stage.trials.troublePercent = 0
  await stage.settle()
  for (;;) {
    const late = await readLate(stage.reader)
    if (!late.length) return
    stage.advance(Math.max(0, Math.max(...late) - stage.now()))
    await stage.settle()
  }
}

/** The jobs that change who could be given what. */
const CHANGING = ['step', 'task-timeout', 'reservation-timeout', 're-evaluate'].map(
  (it) => `taskrouter.${it}`,
)

/** What a timeout does meanwhile may overtake an offer, and then the next in turn has its worker. */
const isMoreDueThanRouting = (stage: Stage): Promise<boolean> => isDue(stage.reader, CHANGING)

/** Priority and age: whom the tasks of a run were given to, while others waited that came first. */
class Order {
  #since: number | undefined
  #passed: { readonly before: string; readonly task: string; readonly worker: string }[] = []

  /** From now on nothing happens but routing and what is due. */
  watch(now: number): void {
    this.#since = now
    this.#passed = []
  }

  rest(): void {
    this.#since = undefined
  }

  /** A task is being given to a worker: which of those that wait and come first could the worker have had? */
  async note(tx: Tx, event: Event, known: Known): Promise<void> {
    if (this.#since === undefined || event.name !== 'reservation.created') return
    const moment = new Moment(await readEverything(tx), tx.now(), known)
    const { sid, worker_sid } = event.reservation
    const task = moment.taskOf(event.task.sid)
    const worker = moment.all.workers.find((it) => it.sid === worker_sid)
    if (!task || !worker || task.ignore_capacity) return
    for (const it of moment.waiting) {
      const untouched = it.date_updated < this.#since && (it.target_since ?? 0) < this.#since
      if (it.sid === task.sid || !untouched || !moment.isBefore(it, task)) continue
      if (moment.couldBeGiven(worker, it, sid))
        this.#passed.push({ before: it.sid, task: task.sid, worker: worker.friendly_name })
    }
  }

  /** @throws Broken where one of those still waits */
  async mustHold(stage: Stage, known: Known): Promise<void> {
    if (!this.#passed.length) return
    const waiting = new Map(
      new Moment(await readEverything(stage.reader), stage.now(), known).waiting.map((it) => [it.sid, it]),
    )
    for (const { before, task, worker } of this.#passed) {
      const it = waiting.get(before)
      if (it && it.date_updated < (this.#since ?? 0) && (it.target_since ?? 0) < (this.#since ?? 0))
        throw new Broken('order', `${worker} was given ${task}, and ${before} comes first and waits`)
    }
  }
}
