/** What must hold of a centre once nothing more is due. */
import type { Event } from '@parley/contract/event.ts'
import { agree, readEverything } from '../taskrouter/agreement.ts'
import { Broken } from './broken.ts'
import type { Client } from './clients.ts'
import type { Facts } from './expressions.ts'
import { type Known, Moment, type Task, type Transfer } from './moment.ts'
import type { Moves } from './moves.ts'
import type { Stage } from './stage.ts'

/** How long somebody may be gone before they are taken to be away: they have said so, or their process could not. */
const GONE_MS = { closed: 60_000, died: 150_000 }

/** @throws Broken with what does not hold, once nothing is due */
export const mustHold = async (stage: Stage, known: Known, moves: Moves): Promise<void> => {
  const moment = new Moment(await readEverything(stage.reader), stage.now(), known)
  capacity(moment)
  maxReserved(moment)
  moves.mustBe(moment)
  attendance(moment, stage, known.clients)
  transfers(moment)
  timeouts(moment)
  idle(moment)
  place(moment)
  skips(moment)
  try {
    agree(moment.all)
  } catch (fault) {
    throw new Broken('agreement', (fault as Error).message)
  }
}

/** @throws Broken where somebody is put offline for being gone, and is here; in the moment they come back both are right */
export const mayBeSent = (
  events: readonly Event[],
  clients: ReadonlyMap<string, Client>,
  { leaseLostAt }: Pick<Stage, 'leaseLostAt'>,
): void => {
  for (const event of events) {
    if (event.name !== 'worker.activity.update' || events.length > 1) continue
    const { actor, at, worker } = event
    const client = clients.get(worker.sid)
    if (actor.kind !== 'api' || !actor.house || !client?.sockets) continue
    if (at > Math.max(client.cameAt + 1, leaseLostAt + WRITTEN_AGAIN_MS))
      throw new Broken('attendance', `${worker.friendly_name} was put offline, and is here`)
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

/** How soon a lease is written that a fault kept from being written, in milliseconds, with as much again to spare. */
const WRITTEN_AGAIN_MS = 10_000

/**
 * Who has a socket has a lease that lasts; who has none has one that ends in time, or is not available. A fault may have
 * kept from being written that they left.
 */
const attendance = (moment: Moment, stage: Stage, clients: ReadonlyMap<string, Client>): void => {
  if (!clients.size) return
  const leases = new Map(
    moment.all.jobs.filter((it) => it.kind === 'taskrouter.worker-gone').map((it) => [it.key, it.due_at]),
  )
  for (const { sid, friendly_name: name, available } of moment.all.workers) {
    const client = clients.get(sid)
    if (!client) continue
    const until = leases.get(sid)
    if (client.sockets > 0) {
      const isWritten = moment.now > stage.leaseLostAt + WRITTEN_AGAIN_MS
      if (isWritten && (until === undefined || until <= moment.now))
        throw new Broken('attendance', `${name} is here, and has no lease`)
      continue
    }
    const isDoubtful = stage.leaseLostAt >= client.cameAt
    const latest = client.since + GONE_MS[isDoubtful ? 'died' : (client.lost ?? 'died')]
    if (until !== undefined && until > latest)
      throw new Broken('attendance', `${name} is gone, and has a lease for ${until - latest} ms too long`)
    if (until === undefined && available && !isDoubtful)
      throw new Broken('attendance', `${name} is gone, their lease has ended, and they are available`)
  }
}

/** What is being given away is the one's it was given to, and whoever gives it lets go as they said they would. */
const transfers = (moment: Moment): void => {
  const underWay = new Map<string, Transfer>()
  for (const it of moment.all.transfers) if (it.transfer_status === 'initiated') underWay.set(it.sid, it)
  for (const task of moment.all.tasks) {
    const wrong = (why: string) => new Broken('transfers', `${task.sid}, ${task.assignment_status}: ${why}`)
    const live = moment.liveOf(task.sid)
    if (new Set(live.map((it) => it.worker_sid)).size < live.length) throw wrong('somebody has it twice')
    for (const it of live)
      if (it.reservation_status === 'pending' && it.transfer_sid !== task.transfer_sid)
        throw wrong(`offer ${it.sid} was not made for what is under way`)
    const transfer = moment.transferOf(task)
    if (transfer) {
      underWay.delete(transfer.sid)
      isGiven(moment, task, transfer, wrong)
    } else if (task.transfer_sid !== null) throw wrong('its transfer is not there')
    else hasHands(moment, task, wrong)
  }
  for (const it of underWay.values())
    throw new Broken('transfers', `${it.sid} is under way, and its task knows nothing of it`)
}

type Wrong = (why: string) => Broken

const isGiven = (moment: Moment, task: Task, transfer: Transfer, wrong: Wrong): void => {
  if (transfer.task_sid !== task.sid || transfer.transfer_status !== 'initiated')
    throw wrong(`its transfer is ${transfer.transfer_status}, of ${transfer.task_sid}`)
  const live = moment.liveOf(task.sid)
  const offers = live.filter((it) => it.reservation_status === 'pending')
  if (task.assignment_status !== (offers.length ? 'reserved' : 'pending'))
    throw wrong(`it is being given away, and offered ${offers.length} times`)
  const { transfer_type: type, transfer_to: to, initiating_reservation_sid: givers } = transfer
  if (type === 'WORKER' && (offers.length !== 1 || offers[0]?.worker_sid !== to))
    throw wrong(`it is for ${to}, and offered to ${offers.map((it) => it.worker_sid)}`)
  if (type === 'QUEUE' && task.task_queue_sid !== to)
    throw wrong(`it is for ${to}, and waits in ${task.task_queue_sid}`)
  const giver = live.find((it) => it.sid === givers)
  if (transfer.transfer_mode === 'COLD' && giver && giver.reservation_status !== 'wrapping')
    throw wrong(`who gave it for good has it ${giver.reservation_status}`)
}

/** As many have a task as have got it: one, and one more by each warm transfer. */
const hasHands = (moment: Moment, task: Task, wrong: Wrong): void => {
  const live = moment.liveOf(task.sid)
  const [accepted, wrapping] = ['accepted', 'wrapping'].map(
    (status) => live.filter((it) => it.reservation_status === status).length,
  ) as [number, number]
  const given = moment.transfersOf(task.sid)
  const warm = given.filter((it) => it.transfer_status === 'complete' && it.transfer_mode === 'WARM').length
  if (accepted > 1 + warm) throw wrong(`${accepted} are at work on it`)
  if (accepted + wrapping > 1 + given.length) throw wrong(`${accepted + wrapping} have it`)
  const is = (...statuses: string[]) => statuses.includes(task.assignment_status)
  if (is('assigned') !== accepted > 0) throw wrong(`${accepted} are at work on it`)
  if (is('wrapping') && wrapping === 0) throw wrong('nobody has it')
  if (is('completed', 'canceled') && live.length) throw wrong(`it is over, and ${live.length} have it`)
}

const maxReserved = (moment: Moment): void => {
  for (const task of moment.all.tasks) {
    const [offers, most] = [moment.offersOf(task), moment.mostOffers(task)]
    if (offers > most) throw new Broken('max reserved', `${task.sid} is offered ${offers} times, of ${most}`)
    if (['pending', 'reserved'].includes(task.assignment_status) && task.offers_max !== most)
      throw new Broken('max reserved', `${task.sid} may be offered ${task.offers_max} times, of ${most}`)
  }
}

/** Each offer ends by itself, and so does each task that waits and that nobody is at work on. */
const timeouts = (moment: Moment): void => {
  const jobs = new Set(moment.all.jobs.map((it) => `${it.kind} ${it.key}`))
  for (const it of moment.all.reservations)
    if (it.reservation_status === 'pending' && !jobs.has(`taskrouter.reservation-timeout ${it.sid}`))
      throw new Broken('timeouts', `offer ${it.sid} stands for ever`)
  for (const it of moment.waiting)
    if (!moment.isInHand(it) && !jobs.has(`taskrouter.task-timeout ${it.sid}`))
      throw new Broken('timeouts', `task ${it.sid} waits for ever`)
}

const idle = (moment: Moment): void => {
  for (const task of moment.waiting)
    for (const worker of moment.freeFor(task))
      if (moment.isWanted(worker, task))
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
