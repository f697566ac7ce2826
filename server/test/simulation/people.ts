/** What people do in a step, all at once: agents, customers, admins. */
import { find } from '../../src/store/rows.ts'
import { CHANNELS, configurationOf, someAttributes, someRouting } from './centre.ts'
import type { Chance } from './chance.ts'
import { queueExpression } from './expressions.ts'
import { type Gives, give, takeBack } from './giving.ts'
import type { Hands, Held } from './hands.ts'
import { type Centre, hire, setCapacity } from './opening.ts'
import { worksAt } from './shifts.ts'
import { type Stage, TASK, WORKER, WORKSPACE } from './stage.ts'

const HOUR_MS = 3_600_000

/** Who was away so long finds out what they were put into, in milliseconds. */
const LONG_AWAY_MS = 60_000

export interface Acting {
  readonly stage: Stage
  readonly chance: Chance
  readonly known: Centre
  readonly hands: Hands
  readonly elapsed: number
  readonly trouble: boolean
}

export const act = (acting: Acting): Promise<unknown>[] => {
  const { stage, chance, known, elapsed, trouble } = acting
  const done = comeBack(acting)
  done.push(...answers(acting))
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

/** Clients lose their sockets and open them again; who was put offline meanwhile mostly says that they are back. */
const comeBack = ({ stage, chance, known, elapsed }: Acting): Promise<unknown>[] =>
  known.sockets.live(elapsed).flatMap(({ workerSid: sid, awayMs }) => {
    if (awayMs < LONG_AWAY_MS || !chance.percent(75)) return []
    const path = { workspaceSid: known.workspaceSid, sid }
    return [stage.ask(WORKER, 'update', path, { activitySid: known.ready })]
  })

/** What agents do about what they were offered and have in hand. Whoever is cut off does nothing. */
const answers = ({ stage, chance, known, hands }: Acting): Promise<unknown>[] => {
  const now = stage.now()
  const done: Promise<unknown>[] = []
  const giving = {
    ...{ stage, chance, workspaceSid: known.workspaceSid, workers: known.workers, names: known.names },
    queueSids: [...known.queues.keys()],
  }
  for (const it of hands.all) {
    if (known.sockets.isCutOff(it.workerSid)) continue
    const path = { workspaceSid: known.workspaceSid, taskSid: it.taskSid, sid: it.sid }
    const become = (reservationStatus: string) =>
      done.push(stage.ask(`${TASK}.task_reservation`, 'update', path, { reservationStatus }))
    if (it.status === 'pending') {
      if (it.plan !== 'ignore' && now >= it.answersAt) become(it.plan === 'accept' ? 'accepted' : 'rejected')
      continue
    }
    if (it.given && now >= it.given.takesBackAt) {
      done.push(takeBack(giving, it, it.given.transferSid))
      it.given = undefined
    }
    if (now >= it.endsAt) {
      become(it.status === 'accepted' && chance.percent(50) ? 'wrapping' : 'completed')
      it.endsAt = now + chance.int(1_000, 60_000)
    } else if (it.status === 'accepted' && now >= it.givesAt) {
      it.givesAt = Number.POSITIVE_INFINITY
      done.push(handOn(giving, it))
    }
  }
  return done
}

/** Some take it back, and some have left it before another takes it. */
const handOn = async (giving: Gives, it: Held): Promise<void> => {
  const { chance, stage } = giving
  const transferSid = await give(giving, it)
  if (transferSid === undefined) return
  if (chance.percent(40)) it.endsAt = stage.now() + chance.int(500, 30_000)
  const takesBackAt = chance.percent(25) ? stage.now() + chance.int(500, 40_000) : Number.POSITIVE_INFINITY
  it.given = { transferSid, takesBackAt }
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
            ...(chance.percent(50) && { taskQueueSid: chance.pick([...known.queues.keys()]) }),
            ...(chance.percent(30) && { workflowSid: chance.pick([...known.workflows.keys()]) }),
          }),
  })
}

const agentChanges = ({ stage, chance, known }: Acting, sid: string): Promise<unknown> => {
  const what = chance.int(1, 100)
  if (what <= 25) return setCapacity(stage, chance, known, sid)
  const path = { workspaceSid: known.workspaceSid, sid }
  if (what <= 50 || known.sockets.isCutOff(sid))
    return stage.ask(WORKER, 'update', path, { attributes: someAttributes.worker(chance) })
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
  if (comes) {
    known.present.add(sid)
    known.sockets.came(sid)
  } else {
    known.present.delete(sid)
    known.sockets.went(sid)
  }
}

const customerChanges = ({ stage, chance, known, hands }: Acting): Promise<unknown> => {
  const sids = [...hands.live]
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
    if (known.workers.includes(sid)) return
    known.shifts.delete(sid)
    known.sockets.went(sid)
  }
}
