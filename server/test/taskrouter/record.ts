/**
 * What happened in a small centre, as somebody writes it down who looks at the rows after every step and knows the
 * clock; and what statistics of it must say, counted one by one.
 */
import { reading } from '../../src/store/query.ts'
import type { StoredReservation, StoredTask, StoredWorker } from '../../src/store/tables/taskrouter.ts'
import type { World } from '../world/index.ts'

interface Happening {
  readonly at: number
  readonly what: string
  readonly queue: string | null
  readonly workflow: string | null
  readonly worker?: string
  readonly channel: string
  readonly waited: number
  readonly queued: number
}

interface Stay {
  readonly worker: string
  readonly activity: string | null
  readonly from: number
  readonly to: number
}

interface Seen {
  readonly tasks: Map<string, StoredTask>
  readonly reservations: Map<string, StoredReservation>
  readonly workers: Map<string, StoredWorker>
}

export interface Record {
  readonly happenings: readonly Happening[]
  /** Writes down what is new since the last look; the clock must not have moved since it happened. */
  look(): Promise<void>
  /** Every stay in an activity up to now. */
  stays(): Stay[]
}

const tasksOf = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('tasks').selectAll().where('workspace_sid', '=', at.workspaceSid),
)
const reservationsOf = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('reservations').selectAll().where('workspace_sid', '=', at.workspaceSid).orderBy('sid'),
)
const workersOf = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('workers').selectAll().where('workspace_sid', '=', at.workspaceSid),
)

const bySid = <T extends { sid: string }>(rows: readonly T[]) => new Map(rows.map((it) => [it.sid, it]))

const OVER = ['canceled', 'completed']

export const openRecord = (world: World, workspaceSid: string): Record => {
  const happenings: Happening[] = []
  const stays: Stay[] = []
  let seen: Seen = { tasks: new Map(), reservations: new Map(), workers: new Map() }

  const note = (what: string, task: StoredTask, more: Partial<Happening> = {}): void => {
    const at = world.clock.now()
    happenings.push({
      at,
      what,
      queue: task.task_queue_sid,
      workflow: task.workflow_sid,
      channel: task.task_channel_sid,
      waited: at - task.date_created,
      queued: at - (task.task_queue_entered_date ?? at),
      ...more,
    })
  }

  const lookAtTasks = (now: Seen): void => {
    for (const [sid, task] of now.tasks) {
      const before = seen.tasks.get(sid)
      if (!before) note('created', task)
      if (before?.task_queue_sid && before.task_queue_sid !== task.task_queue_sid) note('moved', before)
      if (task.task_queue_sid && before?.task_queue_sid !== task.task_queue_sid) note('entered', task)
      if (before?.assignment_status === task.assignment_status) continue
      if (OVER.includes(task.assignment_status)) note(task.assignment_status, task)
      if (task.reason === 'Task canceled on Workflow timeout') note('timed out', task)
    }
    for (const [sid, task] of seen.tasks)
      if (!now.tasks.has(sid) && !OVER.includes(task.assignment_status)) note('deleted', task)
  }

  const lookAtReservations = (now: Seen): void => {
    for (const [sid, it] of now.reservations) {
      const before = seen.reservations.get(sid)
      const task = now.tasks.get(it.task_sid) as StoredTask
      if (!before) note('offer', task, { worker: it.worker_sid })
      if (before?.reservation_status === it.reservation_status || it.reservation_status === 'pending')
        continue
      // A refused task may have gone on to the next queue in the same step.
      const refused = it.reservation_status === 'rejected' || it.reservation_status === 'timeout'
      const where = (refused && seen.tasks.get(it.task_sid)) || task
      note(`offer ${it.reservation_status}`, where, { worker: it.worker_sid })
    }
    for (const [sid, it] of seen.reservations)
      if (!now.reservations.has(sid) && it.reservation_status === 'pending')
        note('offer canceled', seen.tasks.get(it.task_sid) as StoredTask, { worker: it.worker_sid })
  }

  const lookAtWorkers = (now: Seen): void => {
    for (const [sid, worker] of now.workers) {
      const at = world.clock.now()
      const last = stays.findLast((it) => it.worker === sid)
      if (last?.activity === worker.activity_sid) continue
      if (last) stays[stays.indexOf(last)] = { ...last, to: at }
      stays.push({ worker: sid, activity: worker.activity_sid, from: at, to: Number.POSITIVE_INFINITY })
    }
  }

  return {
    happenings,
    look: async () => {
      const { reader } = world.house.store
      const now = {
        tasks: bySid(await tasksOf.all(reader, { workspaceSid })),
        reservations: bySid(await reservationsOf.all(reader, { workspaceSid })),
        workers: bySid(await workersOf.all(reader, { workspaceSid })),
      }
      lookAtTasks(now)
      lookAtReservations(now)
      lookAtWorkers(now)
      seen = now
    },
    stays: () => stays,
  }
}

interface Asked {
  readonly start: number
  readonly end: number
  readonly queue?: string
  readonly workflow?: string
  readonly worker?: string
  readonly channel?: string
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

const spread = (all: readonly number[]) => {
  const total = all.reduce((sum, it) => sum + it, 0)
  return all.length
    ? {
        avg: seconds(total / all.length),
        min: seconds(Math.min(...all)),
        max: seconds(Math.max(...all)),
        total: seconds(total),
      }
    : { avg: 0, min: 0, max: 0, total: 0 }
}

const within = ({ happenings }: Record, asked: Asked): Happening[] =>
  happenings.filter(
    (it) =>
      it.at >= asked.start &&
      it.at <= asked.end &&
      (asked.queue === undefined || it.queue === asked.queue) &&
      (asked.workflow === undefined || it.workflow === asked.workflow) &&
      (asked.worker === undefined || it.worker === asked.worker) &&
      (asked.channel === undefined || it.channel === asked.channel),
  )

export const reservationsExpected = (record: Record, asked: Asked) => {
  const all = within(record, asked)
  const count = (what: string) => all.filter((it) => it.what === what).length
  return {
    reservations_created: count('offer'),
    reservations_accepted: count('offer accepted'),
    reservations_rejected: count('offer rejected'),
    reservations_timed_out: count('offer timeout'),
    reservations_canceled: count('offer canceled'),
    reservations_rescinded: count('offer rescinded'),
  }
}

/** Every number that any of the cumulative statistics of tasks has. */
export const tasksExpected = (record: Record, asked: Asked, splits: readonly number[]) => {
  const all = within(record, asked)
  const of = (what: string) => all.filter((it) => it.what === what)
  const accepted = of('offer accepted').map((it) => it.waited)
  const canceled = of('canceled').map((it) => it.waited)
  const side = (fits: (waited: number) => boolean) => ({
    tasks_canceled: canceled.filter(fits).length,
    reservations_accepted: accepted.filter(fits).length,
  })
  return {
    ...reservationsExpected(record, asked),
    avg_task_acceptance_time: spread(accepted).avg,
    wait_duration_until_accepted: spread(accepted),
    wait_duration_until_canceled: spread(canceled),
    wait_duration_in_queue_until_accepted: spread(of('offer accepted').map((it) => it.queued)),
    split_by_wait_time: Object.fromEntries(
      splits.map((it) => [
        it,
        { above: side((waited) => waited > it * 1000), below: side((waited) => waited <= it * 1000) },
      ]),
    ),
    tasks_canceled: canceled.length,
    tasks_completed: of('completed').length,
    tasks_created: of('created').length,
    tasks_deleted: of('deleted').length,
    tasks_entered: asked.workflow ? of('created').length : of('entered').length,
    tasks_moved: of('moved').length,
    tasks_timed_out_in_workflow: of('timed out').length,
  }
}

/** By activity. */
export const durationsExpected = (record: Record, asked: Asked, activity: string, now: number) => {
  const spent = record
    .stays()
    .filter((it) => it.activity === activity && (asked.worker === undefined || it.worker === asked.worker))
    .map((it) => Math.min(it.to, asked.end, now) - Math.max(it.from, asked.start))
  return spread(spent.filter((it) => it > 0))
}
